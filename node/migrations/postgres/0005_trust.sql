-- Trust over time: earlier keys, renewals, revocations, and what authorities say of each other.

-- Entries with earlier keys stay: what was signed before a replacement still verifies after a restart.
CREATE TABLE directory_all (
    node BYTEA NOT NULL, member BYTEA NOT NULL, serial BIGINT NOT NULL, entry BYTEA NOT NULL,
    PRIMARY KEY (node, member, serial)
);
INSERT INTO directory_all (node, member, serial, entry) SELECT node, member, serial, entry FROM directory;
DROP TABLE directory;
ALTER TABLE directory_all RENAME TO directory;

-- The key of a child before its renewal: admitted until a greeting came over the new one.
ALTER TABLE child ADD COLUMN earlier_spki BYTEA;

-- The node that gets new keys with a token, and why the authority did not issue.
ALTER TABLE token ADD COLUMN replaces BYTEA;
ALTER TABLE token ADD COLUMN refused TEXT COLLATE "C";

-- What authorities say of each other, in the order in which it was believed.
CREATE TABLE mandate (
    node BYTEA NOT NULL, position BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (node, position)
);

-- Nodes whose entries below a serial are void, with the authority's proof.
CREATE TABLE revocation (
    node BYTEA NOT NULL, member BYTEA NOT NULL, serial BIGINT NOT NULL, reason TEXT COLLATE "C" NOT NULL, body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (node, member)
);

-- The last renewal of each node that was asked for here, by the hash of its request: a lost answer is given again.
CREATE TABLE renewal (
    node BYTEA NOT NULL, member BYTEA NOT NULL, request BYTEA NOT NULL, answer BYTEA NOT NULL,
    PRIMARY KEY (node, member)
);
