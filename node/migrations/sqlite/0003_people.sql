-- People of a realm: a node alone, or a pack with one table of users for all its nodes. The realm is the first column.

CREATE TABLE person_account (
    realm BLOB NOT NULL, name TEXT NOT NULL, shown TEXT NOT NULL, password TEXT NOT NULL,
    must_change INTEGER NOT NULL,    -- 1: the next log-in asks for a new password first
    disabled INTEGER NOT NULL,
    totp BLOB,                       -- secret of the second factor, sealed
    totp_on INTEGER NOT NULL,        -- 1: confirmed, asked for at log-in
    totp_last INTEGER NOT NULL,      -- step of the last code taken; none is taken twice
    created_at INTEGER NOT NULL, log_in_at INTEGER,
    PRIMARY KEY (realm, name)
) STRICT, WITHOUT ROWID;

-- Roles with their scopes. `division` 0: wherever; `unit` 0: any. `since`, `until`: Unix milliseconds, `until` 0: for good.
-- `instead_of`: whose work is stood in for; empty: the grant is the user's own.
CREATE TABLE person_grant (
    realm BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, division INTEGER NOT NULL, unit INTEGER NOT NULL,
    instead_of TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (realm, name, role, division, unit, instead_of)
) STRICT, WITHOUT ROWID;

INSERT INTO person_account (realm, name, shown, password, must_change, disabled, totp, totp_on, totp_last, created_at, log_in_at)
    SELECT node, name, shown, password, 0, disabled, NULL, 0, 0, created_at, NULL FROM person_user;
INSERT INTO person_grant (realm, name, role, division, unit, instead_of, since, until)
    SELECT u.node, u.name, r.role, 0, 0, '', 0, 0 FROM person_user u,
        (SELECT 'grid_worker' AS role UNION ALL SELECT 'mediator' UNION ALL SELECT 'clerk' UNION ALL SELECT 'handler'
         UNION ALL SELECT 'supervisor' UNION ALL SELECT 'administrator' UNION ALL SELECT 'viewer') r
    WHERE ' ' || u.roles || ' ' LIKE '% ' || r.role || ' %';
DROP TABLE person_user;

-- Sessions by the hash of their token. Those of an earlier version end.
DROP TABLE person_session;
CREATE TABLE person_session (
    realm BLOB NOT NULL, token BLOB NOT NULL, name TEXT NOT NULL, opened_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL,
    PRIMARY KEY (realm, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_session_name ON person_session (realm, name);

-- Recovery codes of a second factor, by hash; each goes when it is used.
CREATE TABLE person_recovery (
    realm BLOB NOT NULL, name TEXT NOT NULL, code BLOB NOT NULL,
    PRIMARY KEY (realm, name, code)
) STRICT, WITHOUT ROWID;

-- Tokens of machines, by hash.
CREATE TABLE person_token (
    realm BLOB NOT NULL, id BLOB NOT NULL, token BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, division INTEGER NOT NULL,
    unit INTEGER NOT NULL, made_by TEXT NOT NULL, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_token_token ON person_token (realm, token);

-- Failed log-ins by name and by address.
CREATE TABLE person_failure (
    realm BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, count INTEGER NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (realm, kind, subject)
) STRICT, WITHOUT ROWID;

-- What was done, and whose data was read: each entry hashed together with the one before.
CREATE TABLE audit_log (
    node BLOB NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL, roles TEXT NOT NULL, via TEXT NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (node, number)
) STRICT, WITHOUT ROWID;

-- Heads of audits: those of the children as they sent them, and of this node as it sent them up.
CREATE TABLE audit_anchor (
    node BLOB NOT NULL, member BLOB NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (node, member, number)
) STRICT, WITHOUT ROWID;

-- Cases by the keyed hash of a party's phone or document number.
CREATE TABLE person_index (
    node BLOB NOT NULL, hash BLOB NOT NULL, case_id BLOB NOT NULL,
    PRIMARY KEY (node, hash, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_index_case ON person_index (node, case_id);
