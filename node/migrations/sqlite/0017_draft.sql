-- What people have begun to write and not sent: for their author alone, sealed with the vault. A draft goes when it is sent or given up,
-- and thirty days after its last change. In every backup like any other row.
CREATE TABLE person_draft (
    node BLOB NOT NULL, name TEXT NOT NULL, draft BLOB NOT NULL,
    at INTEGER NOT NULL,                  -- the last change
    content BLOB NOT NULL,
    PRIMARY KEY (node, name, draft)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_draft_at ON person_draft (node, at);
