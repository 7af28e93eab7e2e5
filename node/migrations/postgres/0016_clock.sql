-- What is to be done of cases by when, for the list of what is due: it follows from the cases, and holds not a word of them. Written
-- with each change of a case that moves one of its clocks; the rows go when nothing waits any more.
CREATE TABLE case_clock (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL, number BIGINT NOT NULL, part BIGINT NOT NULL,
    place BIGINT NOT NULL, unit_code BIGINT NOT NULL, level BIGINT NOT NULL,
    due BIGINT NOT NULL,                 -- the last minute, since 1970-01-01
    PRIMARY KEY (node, case_id, kind, number, part)
);
CREATE INDEX case_clock_due ON case_clock (node, due);
