-- Late input: what each covered cell has seen, and the cells that have to be computed once more.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO
ALTER TABLE workflows.coverage ADD as_of_seq bigint NULL;     -- the oldest sequence that an input was read as of; null: that of the publication
GO

-- Cells of feature pipelines whose input was changed by a later commit. A cell leaves when it has been covered as of its sequence or a later one.
CREATE TABLE workflows.reopened (
    pipeline     nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    window_from  datetime2(6)                                  NOT NULL,
    window_to    datetime2(6)                                  NOT NULL,
    seq          bigint                                        NOT NULL,                     -- of the latest commit that changed its input
    CONSTRAINT pk_reopened PRIMARY KEY CLUSTERED (pipeline, window_from)
);
GO

-- The latest commit that has been taken into account by a workflow that starts on new data.
ALTER TABLE workflows.workflows ADD data_seq bigint NULL;
