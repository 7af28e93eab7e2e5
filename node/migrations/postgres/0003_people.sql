-- People of a realm: a node alone, or a pack with one table of users for all its nodes. The realm is the first column.

CREATE TABLE person_account (
    realm BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, shown TEXT COLLATE "C" NOT NULL, password TEXT COLLATE "C" NOT NULL,
    must_change BIGINT NOT NULL,    -- 1: the next log-in asks for a new password first
    disabled BIGINT NOT NULL,
    totp BYTEA,                       -- secret of the second factor, sealed
    totp_on BIGINT NOT NULL,        -- 1: confirmed, asked for at log-in
    totp_last BIGINT NOT NULL,      -- step of the last code taken; none is taken twice
    created_at BIGINT NOT NULL, log_in_at BIGINT,
    PRIMARY KEY (realm, name)
);

-- Roles with their scopes. `division` 0: wherever; `unit` 0: any. `since`, `until`: Unix milliseconds, `until` 0: for good.
-- `instead_of`: whose work is stood in for; empty: the grant is the user's own.
CREATE TABLE person_grant (
    realm BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, role TEXT COLLATE "C" NOT NULL, division BIGINT NOT NULL, unit BIGINT NOT NULL,
    instead_of TEXT COLLATE "C" NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL,
    PRIMARY KEY (realm, name, role, division, unit, instead_of)
);

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
    realm BYTEA NOT NULL, token BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, opened_at BIGINT NOT NULL, seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, address TEXT COLLATE "C" NOT NULL, agent TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (realm, token)
);
CREATE INDEX person_session_name ON person_session (realm, name);

-- Recovery codes of a second factor, by hash; each goes when it is used.
CREATE TABLE person_recovery (
    realm BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, code BYTEA NOT NULL,
    PRIMARY KEY (realm, name, code)
);

-- Tokens of machines, by hash.
CREATE TABLE person_token (
    realm BYTEA NOT NULL, id BYTEA NOT NULL, token BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, role TEXT COLLATE "C" NOT NULL, division BIGINT NOT NULL,
    unit BIGINT NOT NULL, made_by TEXT COLLATE "C" NOT NULL, made_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX person_token_token ON person_token (realm, token);

-- Failed log-ins by name and by address.
CREATE TABLE person_failure (
    realm BYTEA NOT NULL, kind TEXT COLLATE "C" NOT NULL, subject TEXT COLLATE "C" NOT NULL, count BIGINT NOT NULL, last_at BIGINT NOT NULL,
    PRIMARY KEY (realm, kind, subject)
);

-- What was done, and whose data was read: each entry hashed together with the one before.
CREATE TABLE audit_log (
    node BYTEA NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, who TEXT COLLATE "C" NOT NULL, roles TEXT COLLATE "C" NOT NULL, via TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL, object TEXT COLLATE "C" NOT NULL, outcome TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C" NOT NULL, hash BYTEA NOT NULL,
    PRIMARY KEY (node, number)
);

-- Heads of audits: those of the children as they sent them, and of this node as it sent them up.
CREATE TABLE audit_anchor (
    node BYTEA NOT NULL, member BYTEA NOT NULL, number BIGINT NOT NULL, hash BYTEA NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (node, member, number)
);

-- Cases by the keyed hash of a party's phone or document number.
CREATE TABLE person_index (
    node BYTEA NOT NULL, hash BYTEA NOT NULL, case_id BYTEA NOT NULL,
    PRIMARY KEY (node, hash, case_id)
);
CREATE INDEX person_index_case ON person_index (node, case_id);
