-- What a publication compares its commit with: the published ones that overlap its window, however many others there are.
CREATE INDEX ix_commits_window ON feature_store_commits (feature_group, version, window_to, window_from) WHERE state = 'published';
