-- By which words a case is found: filters that answer *perhaps* or *no* to whoever has the node's keys, and nothing to anybody else.
-- A row is written with the change of its case that changed its words. It goes with the words when they are erased or their day
-- has passed; one without words takes its place. It is in no backup: it is made anew from the cases.
CREATE TABLE case_search (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL,
    made BIGINT NOT NULL,           -- by which way of making them; another is made anew
    shown BYTEA NOT NULL,             -- of the words that everybody may read who may see the case
    hidden BYTEA NOT NULL,            -- of those that are masked: names, and what is written with them
    PRIMARY KEY (node, case_id)
);

-- The last day of the term that runs, so that lists can tell what is overdue. `due_open`: it ends after that day, nobody knows when.
ALTER TABLE case_file ADD COLUMN due_day BIGINT;
ALTER TABLE case_file ADD COLUMN due_open BIGINT NOT NULL DEFAULT 0;
