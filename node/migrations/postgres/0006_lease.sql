-- Which process writes a node. Every transaction of that process checks the number; whoever takes over raises it.
CREATE TABLE lease (
    node BYTEA NOT NULL,
    number BIGINT NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,   -- for people: machine, process, address of the API
    session BIGINT NOT NULL,            -- advisory lock that the holder's session keeps while it lives
    taken_at BIGINT NOT NULL,           -- by the clock of the database server, Unix milliseconds
    renewed_at BIGINT NOT NULL,         -- the same; 0: given back
    PRIMARY KEY (node)
);
