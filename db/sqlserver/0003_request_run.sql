-- A run requested in SQL: EXEC workflows.request_run @workflow = N'flight-delays';
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

-- A host takes each request up within two seconds and writes down what became of it.
CREATE TABLE workflows.run_requests (
    request_id    bigint IDENTITY(1, 1)                         NOT NULL,
    workflow      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    window_from   datetime2(6)                                  NULL,                        -- null, as window_to: whatever the workflow owes
    window_to     datetime2(6)                                  NULL,
    requested_by  nvarchar(256)                                 NOT NULL,
    login_name    nvarchar(128)                                 NULL,                        -- of the connection that made the request
    requested_at  datetime2(6)                                  NOT NULL,
    handled_at    datetime2(6)                                  NULL,
    outcome       nvarchar(20) COLLATE Latin1_General_100_BIN2  NULL,                        -- requested | open | resumed | nothing | refused
    run_id        bigint                                        NULL,
    message       nvarchar(max)                                 NULL,                        -- the outcome as a sentence
    CONSTRAINT pk_run_requests PRIMARY KEY CLUSTERED (request_id)
);
CREATE INDEX ix_run_requests_open ON workflows.run_requests (request_id) WHERE handled_at IS NULL;
GO

-- Requests a run of a workflow. Without a window: of what the workflow owes, as its schedule would.
-- Times are UTC; the window is [from, to) and has to lie on the workflow's grid, which a host checks: see outcome and message of the request.
-- The rights to execute this are all that a caller needs; the role aiworkflows_requester has them.
CREATE PROCEDURE workflows.request_run
    @workflow      nvarchar(128),
    @window_from   datetime2(6)  = NULL,
    @window_to     datetime2(6)  = NULL,
    @requested_by  nvarchar(256) = NULL,
    @request_id    bigint        = NULL OUTPUT
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @message nvarchar(2048);

    IF NOT EXISTS (SELECT 1 FROM workflows.workflows WHERE workflow = @workflow)
    BEGIN
        SELECT @message = CONCAT(N'There is no workflow ''', @workflow, N'''. ', COALESCE(N'There are: ' + STRING_AGG(CAST(workflow AS nvarchar(max)), N', ') WITHIN GROUP (ORDER BY workflow) + N'.',
            N'No host has registered any yet: start one.'))
        FROM workflows.workflows;
        THROW 51001, @message, 1;
    END;

    IF (@window_from IS NULL AND @window_to IS NOT NULL) OR (@window_from IS NOT NULL AND @window_to IS NULL)
        THROW 51002, N'A window needs both @window_from and @window_to; leave out both for whatever is owed.', 1;

    IF @window_from >= @window_to
    BEGIN
        SET @message = CONCAT(N'The window ends at ', CONVERT(nvarchar(26), @window_to, 126), N' and so not after its start, ', CONVERT(nvarchar(26), @window_from, 126), N'.');
        THROW 51003, @message, 1;
    END;

    INSERT INTO workflows.run_requests (workflow, window_from, window_to, requested_by, login_name, requested_at)
    VALUES (@workflow, @window_from, @window_to, COALESCE(NULLIF(@requested_by, N''), ORIGINAL_LOGIN()), ORIGINAL_LOGIN(), SYSUTCDATETIME());

    SET @request_id = SCOPE_IDENTITY();
    SELECT @request_id AS request_id;
END;
