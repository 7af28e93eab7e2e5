-- How much of each neighbour is kept aside, and what was not kept because it would have been too much. Counted beside the
-- rows themselves, so that nobody has to look through those; what loses its bytes by an erasure stays counted.
CREATE TABLE quarantine_account (
    node BLOB NOT NULL, peer BLOB NOT NULL,
    kept INTEGER NOT NULL, kept_bytes INTEGER NOT NULL, refused INTEGER NOT NULL, refused_bytes INTEGER NOT NULL,
    PRIMARY KEY (node, peer)
) STRICT, WITHOUT ROWID;
INSERT INTO quarantine_account (node, peer, kept, kept_bytes, refused, refused_bytes)
    SELECT node, peer, count(*), sum(length(bytes)), 0, 0 FROM quarantine GROUP BY node, peer;
