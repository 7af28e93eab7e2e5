-- Attachments of cases, and uploads that are not attached yet. Erased with their case; of a case that went elsewhere they go when
-- its names have lapsed here and a later owner has them. In every backup like any other row.
CREATE TABLE case_attachment (
    node BLOB NOT NULL, case_id BLOB NOT NULL, attachment BLOB NOT NULL,
    state TEXT NOT NULL,              -- open, whole: an upload; here, coming, lost: of an event of the case
    bytes INTEGER NOT NULL,
    secret BLOB NOT NULL,             -- the key of its parts and what it is, sealed with the vault
    by_user TEXT,                     -- who uploaded it here; none: it came with its case
    at INTEGER NOT NULL,              -- when the upload began; coming: its place among those that come
    source INTEGER NOT NULL,          -- coming: which of the former owners is asked, the latest being 0
    passed_at INTEGER,                -- when a later owner said that it has all of it
    PRIMARY KEY (node, case_id, attachment)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_attachment_state ON case_attachment (node, state, at);
CREATE INDEX case_attachment_user ON case_attachment (node, by_user, attachment);

-- Their bytes, encrypted with the key of the attachment. Not clustered by its key: rows as large as these lie badly in such a table.
CREATE TABLE case_attachment_part (
    node BLOB NOT NULL, case_id BLOB NOT NULL, attachment BLOB NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (node, case_id, attachment, number)
) STRICT;
