-- Which process writes a node, on a database that several machines reach. A file is guarded by the lock of its folder
-- instead: here the table stays empty, so that both databases have the same tables.
CREATE TABLE lease (
    node BLOB NOT NULL,
    number INTEGER NOT NULL,
    holder TEXT NOT NULL,               -- for people: machine, process, address of the API
    session INTEGER NOT NULL,           -- advisory lock that the holder's session keeps while it lives
    taken_at INTEGER NOT NULL,          -- by the clock of the database server, Unix milliseconds
    renewed_at INTEGER NOT NULL,        -- the same; 0: given back
    PRIMARY KEY (node)
) STRICT, WITHOUT ROWID;
