-- What is to be done of cases by when, for the list of what is due: it follows from the cases, and holds not a word of them. Written
-- with each change of a case that moves one of its clocks; the rows go when nothing waits any more.
CREATE TABLE case_clock (
    node BLOB NOT NULL, case_id BLOB NOT NULL,
    kind TEXT NOT NULL, number INTEGER NOT NULL, part INTEGER NOT NULL,
    place INTEGER NOT NULL, unit_code INTEGER NOT NULL, level INTEGER NOT NULL,
    due INTEGER NOT NULL,                 -- the last minute, since 1970-01-01
    PRIMARY KEY (node, case_id, kind, number, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_clock_due ON case_clock (node, due);
