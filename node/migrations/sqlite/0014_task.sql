-- Tasks of cases that this node owns, for the lists of the units that do them: what a case's events say, without a word of it.
-- Written with each change of the case; they go when the case does.
CREATE TABLE case_task (
    node BLOB NOT NULL, case_id BLOB NOT NULL, task INTEGER NOT NULL,
    place INTEGER NOT NULL, unit_code INTEGER NOT NULL, level INTEGER NOT NULL,
    state TEXT NOT NULL,
    waits INTEGER NOT NULL,           -- 1: for a task before it
    due INTEGER NOT NULL, given_at INTEGER NOT NULL,
    PRIMARY KEY (node, case_id, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_task_due ON case_task (node, unit_code, due);
