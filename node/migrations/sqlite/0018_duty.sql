-- Who is on duty, day by day, first called first: names and phones of the office, as they are posted. A list goes a year after its day.
CREATE TABLE duty (
    node BLOB NOT NULL, day INTEGER NOT NULL, people TEXT NOT NULL,
    PRIMARY KEY (node, day)
) STRICT, WITHOUT ROWID;
