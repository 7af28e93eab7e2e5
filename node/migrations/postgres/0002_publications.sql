-- A unit is a code out of the unit directory; its name is looked up when it is shown.
ALTER TABLE case_file ADD COLUMN unit_code BIGINT NOT NULL DEFAULT 0;
ALTER TABLE case_file DROP COLUMN unit;

-- What was published to this node or by it, every edition, with its issuer's signature.
CREATE TABLE publication (
    node BYTEA NOT NULL, kind BIGINT NOT NULL, name TEXT COLLATE "C" NOT NULL, issuer BYTEA NOT NULL, version BIGINT NOT NULL,
    begins_at BIGINT NOT NULL,       -- from when it holds, Unix milliseconds
    received_at BIGINT NOT NULL,
    published_by TEXT COLLATE "C",   -- who published it, when that was done here
    body BYTEA NOT NULL,
    PRIMARY KEY (node, kind, name, issuer, version)
);
