-- Version 2 of component 'store': the steps in a form that is cheap to filter and to
-- count (internal/stepindex). They say nothing that content_diffs does not say: where
-- they are missing, readers take the rows. Only the content-tracker writes them.

-- A number for each path of a step. AUTOINCREMENT: no number is given again.
CREATE TABLE obby_paths (
    path_id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL UNIQUE
);

-- Blocks of steps. No two overlap. Whoever changes or removes a row of content_diffs
-- that the content-tracker has packed deletes its block in the same transaction; rows
-- that another program removed are missed by the number of steps.
CREATE TABLE obby_steps (
    first_id INTEGER PRIMARY KEY,       -- content_diffs.id of the first step
    last_id INTEGER NOT NULL,           -- and of the last
    steps INTEGER NOT NULL,             -- rows of content_diffs from the first to the last
    min_time INTEGER,                   -- microseconds since the Unix epoch; NULL: no time can be read
    max_time INTEGER,
    data BLOB NOT NULL                  -- internal/stepindex.Block
);
