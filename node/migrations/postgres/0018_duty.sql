-- Who is on duty, day by day, first called first: names and phones of the office, as they are posted. A list goes a year after its day.
CREATE TABLE duty (
    node BYTEA NOT NULL, day BIGINT NOT NULL, people TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (node, day)
);
