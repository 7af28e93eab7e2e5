-- Attachments of cases, and uploads that are not attached yet. Erased with their case; of a case that went elsewhere they go when
-- its names have lapsed here and a later owner has them. In every backup like any other row.
CREATE TABLE case_attachment (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, attachment BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,  -- open, whole: an upload; here, coming, lost: of an event of the case
    bytes BIGINT NOT NULL,
    secret BYTEA NOT NULL,            -- the key of its parts and what it is, sealed with the vault
    by_user TEXT COLLATE "C",         -- who uploaded it here; none: it came with its case
    at BIGINT NOT NULL,               -- when the upload began; coming: its place among those that come
    source BIGINT NOT NULL,           -- coming: which of the former owners is asked, the latest being 0
    passed_at BIGINT,                 -- when a later owner said that it has all of it
    PRIMARY KEY (node, case_id, attachment)
);
CREATE INDEX case_attachment_state ON case_attachment (node, state, at);
CREATE INDEX case_attachment_user ON case_attachment (node, by_user, attachment);

-- Their bytes, encrypted with the key of the attachment.
CREATE TABLE case_attachment_part (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, attachment BYTEA NOT NULL, number BIGINT NOT NULL, content BYTEA NOT NULL,
    PRIMARY KEY (node, case_id, attachment, number)
);
-- Cipher text does not shrink.
ALTER TABLE case_attachment_part ALTER COLUMN content SET STORAGE EXTERNAL;
