-- Trust over time: earlier keys, renewals, revocations, and what authorities say of each other.

-- Entries with earlier keys stay: what was signed before a replacement still verifies after a restart.
CREATE TABLE directory_all (
    node BLOB NOT NULL, member BLOB NOT NULL, serial INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (node, member, serial)
) STRICT, WITHOUT ROWID;
INSERT INTO directory_all (node, member, serial, entry) SELECT node, member, serial, entry FROM directory;
DROP TABLE directory;
ALTER TABLE directory_all RENAME TO directory;

-- The key of a child before its renewal: admitted until a greeting came over the new one.
ALTER TABLE child ADD COLUMN earlier_spki BLOB;

-- The node that gets new keys with a token, and why the authority did not issue.
ALTER TABLE token ADD COLUMN replaces BLOB;
ALTER TABLE token ADD COLUMN refused TEXT;

-- What authorities say of each other, in the order in which it was believed.
CREATE TABLE mandate (
    node BLOB NOT NULL, position INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (node, position)
) STRICT, WITHOUT ROWID;

-- Nodes whose entries below a serial are void, with the authority's proof.
CREATE TABLE revocation (
    node BLOB NOT NULL, member BLOB NOT NULL, serial INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;

-- The last renewal of each node that was asked for here, by the hash of its request: a lost answer is given again.
CREATE TABLE renewal (
    node BLOB NOT NULL, member BLOB NOT NULL, request BLOB NOT NULL, answer BLOB NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;
