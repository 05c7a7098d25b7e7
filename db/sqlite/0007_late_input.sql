-- Late input: what each covered cell has seen, and the cells that have to be computed once more.
ALTER TABLE workflows_coverage ADD COLUMN as_of_seq INTEGER NULL;     -- the oldest sequence that an input was read as of; null: that of the publication

-- Cells of feature pipelines whose input was changed by a later commit. A cell leaves when it has been covered as of its sequence or a later one.
CREATE TABLE workflows_reopened (
    pipeline     TEXT    NOT NULL,
    window_from  INTEGER NOT NULL,
    window_to    INTEGER NOT NULL,
    seq          INTEGER NOT NULL,                -- of the latest commit that changed its input
    PRIMARY KEY (pipeline, window_from)
) STRICT, WITHOUT ROWID;

-- The latest commit that has been taken into account by a workflow that starts on new data.
ALTER TABLE workflows_workflows ADD COLUMN data_seq INTEGER NULL;
