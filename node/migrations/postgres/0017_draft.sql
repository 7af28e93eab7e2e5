-- What people have begun to write and not sent: for their author alone, sealed with the vault. A draft goes when it is sent or given up,
-- and thirty days after its last change. In every backup like any other row.
CREATE TABLE person_draft (
    node BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, draft BYTEA NOT NULL,
    at BIGINT NOT NULL,                  -- the last change
    content BYTEA NOT NULL,
    PRIMARY KEY (node, name, draft)
);
CREATE INDEX person_draft_at ON person_draft (node, at);
