-- What a publication compares its commit with: the published ones that overlap its window, however many others there are.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO
CREATE INDEX ix_commits_window ON feature_store.commits (feature_group, version, window_to, window_from) WHERE state = N'published';
GO
