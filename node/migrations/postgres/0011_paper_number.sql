-- The books of this node's committees: one row for each number of an agreement, without gap or repeat in a committee's year.
-- A row without a case closes a gap that a restore made, up to its number. Nothing deletes them: a number is never given twice.
CREATE TABLE paper_number (
    node BYTEA NOT NULL, committee BIGINT NOT NULL, year BIGINT NOT NULL, number BIGINT NOT NULL,
    case_id BYTEA,
    at BIGINT NOT NULL,
    PRIMARY KEY (node, committee, year, number)
);
