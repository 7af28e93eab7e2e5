-- A unit is a code out of the unit directory; its name is looked up when it is shown.
ALTER TABLE case_file ADD COLUMN unit_code INTEGER NOT NULL DEFAULT 0;
ALTER TABLE case_file DROP COLUMN unit;

-- What was published to this node or by it, every edition, with its issuer's signature.
CREATE TABLE publication (
    node BLOB NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, issuer BLOB NOT NULL, version INTEGER NOT NULL,
    begins_at INTEGER NOT NULL,      -- from when it holds, Unix milliseconds
    received_at INTEGER NOT NULL,
    published_by TEXT,               -- who published it, when that was done here
    body BLOB NOT NULL,
    PRIMARY KEY (node, kind, name, issuer, version)
) STRICT;
