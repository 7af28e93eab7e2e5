-- Tasks of cases that this node owns, for the lists of the units that do them: what a case's events say, without a word of it.
-- Written with each change of the case; they go when the case does.
CREATE TABLE case_task (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, task BIGINT NOT NULL,
    place BIGINT NOT NULL, unit_code BIGINT NOT NULL, level BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    waits BIGINT NOT NULL,           -- 1: for a task before it
    due BIGINT NOT NULL, given_at BIGINT NOT NULL,
    PRIMARY KEY (node, case_id, task)
);
CREATE INDEX case_task_due ON case_task (node, unit_code, due);
