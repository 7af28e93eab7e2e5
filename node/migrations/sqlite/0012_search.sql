-- By which words a case is found: filters that answer *perhaps* or *no* to whoever has the node's keys, and nothing to anybody else.
-- A row is written with the change of its case that changed its words. It goes with the words when they are erased or their day
-- has passed; one without words takes its place. It is in no backup: it is made anew from the cases.
CREATE TABLE case_search (
    node BLOB NOT NULL, case_id BLOB NOT NULL,
    made INTEGER NOT NULL,           -- by which way of making them; another is made anew
    shown BLOB NOT NULL,             -- of the words that everybody may read who may see the case
    hidden BLOB NOT NULL,            -- of those that are masked: names, and what is written with them
    PRIMARY KEY (node, case_id)
) STRICT, WITHOUT ROWID;

-- The last day of the term that runs, so that lists can tell what is overdue. `due_open`: it ends after that day, nobody knows when.
ALTER TABLE case_file ADD COLUMN due_day INTEGER;
ALTER TABLE case_file ADD COLUMN due_open INTEGER NOT NULL DEFAULT 0;
