-- The node is the first column of every key: one database may hold one node or a pack.

-- What a node knows about itself, as text by name.
CREATE TABLE meta (
    node BLOB NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;

-- The link ------------------------------------------------------------------------------------------------------------

-- Every bundle this node sealed, relayed or received, whole and unchanged.
CREATE TABLE bundle (
    node BLOB NOT NULL, id BLOB NOT NULL,
    origin BLOB NOT NULL, destination BLOB NOT NULL,
    via BLOB,                        -- the neighbour it came from; null: sealed here
    receipted INTEGER NOT NULL,      -- 1: its destination answers with a terminal receipt
    done_at INTEGER,                 -- when that receipt passed, Unix milliseconds
    bytes BLOB NOT NULL,
    PRIMARY KEY (node, id)
) STRICT;
CREATE INDEX bundle_done ON bundle (node, done_at) WHERE done_at IS NOT NULL;

-- Terminal receipts that passed before their bundle was here, as happens after a restore.
CREATE TABLE receipt_ahead (
    node BLOB NOT NULL, bundle BLOB NOT NULL, giver BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (node, bundle, giver)
) STRICT, WITHOUT ROWID;

-- What goes to a neighbour, with its link number. Rows go when the neighbour has acknowledged them.
CREATE TABLE outbox (
    node BLOB NOT NULL, peer BLOB NOT NULL, lane INTEGER NOT NULL, seq INTEGER NOT NULL,
    hash BLOB NOT NULL, bundle BLOB NOT NULL,
    PRIMARY KEY (node, peer, lane, seq)
) STRICT, WITHOUT ROWID;

-- Numbering of the link to a neighbour, in the encoding of the link core.
CREATE TABLE link (
    node BLOB NOT NULL, peer BLOB NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (node, peer)
) STRICT, WITHOUT ROWID;

-- Direct children that may connect.
CREATE TABLE child (
    node BLOB NOT NULL, child BLOB NOT NULL, division INTEGER NOT NULL, spki BLOB NOT NULL, revoked_at INTEGER,
    PRIMARY KEY (node, child)
) STRICT, WITHOUT ROWID;

-- Every node below, and the child it is reached through.
CREATE TABLE route (
    node BLOB NOT NULL, member BLOB NOT NULL, via BLOB NOT NULL, division INTEGER NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;

-- The line above, nearest first.
CREATE TABLE ancestor (
    node BLOB NOT NULL, position INTEGER NOT NULL, member BLOB NOT NULL, division INTEGER NOT NULL,
    PRIMARY KEY (node, position)
) STRICT, WITHOUT ROWID;

-- Signed directory entries.
CREATE TABLE directory (
    node BLOB NOT NULL, member BLOB NOT NULL, serial INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;

-- Join tokens that were given out. The answer is kept, so that a lost one can be given again for the same request.
CREATE TABLE token (
    node BLOB NOT NULL, id BLOB NOT NULL, secret BLOB NOT NULL, division INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    request BLOB, answer BLOB,
    PRIMARY KEY (node, id)
) STRICT, WITHOUT ROWID;

-- Bundles that could not be accepted, with their bytes.
CREATE TABLE quarantine (
    node BLOB NOT NULL, id BLOB NOT NULL, peer BLOB NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (node, id)
) STRICT, WITHOUT ROWID;

-- Casework ------------------------------------------------------------------------------------------------------------

-- Headers of every case that this node owns or follows.
CREATE TABLE case_event (
    node BLOB NOT NULL, case_id BLOB NOT NULL, event BLOB NOT NULL,
    takeovers INTEGER NOT NULL, moves INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
    origin BLOB NOT NULL, act TEXT NOT NULL, at INTEGER NOT NULL, header BLOB NOT NULL,
    PRIMARY KEY (node, case_id, event, hash)
) STRICT, WITHOUT ROWID;

-- Private parts, apart from their headers: erasing one leaves the chain whole.
CREATE TABLE case_private (
    node BLOB NOT NULL, case_id BLOB NOT NULL, event BLOB NOT NULL, salt BLOB NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (node, case_id, event)
) STRICT, WITHOUT ROWID;

-- Everything else that casework keeps of a case: seals, offers, orders, receipts, contributions, by kind and key.
CREATE TABLE case_paper (
    node BLOB NOT NULL, case_id BLOB NOT NULL, kind TEXT NOT NULL, paper BLOB NOT NULL, content BLOB NOT NULL,
    open INTEGER NOT NULL,           -- 1: an order or offer that waits for its answer
    PRIMARY KEY (node, case_id, kind, paper)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_paper_open ON case_paper (node, kind, paper) WHERE open = 1;

-- One row a case for lists and counts: its state after the last event. `mine`: owned here.
CREATE TABLE case_file (
    node BLOB NOT NULL, case_id BLOB NOT NULL,
    owner BLOB NOT NULL, mine INTEGER NOT NULL,
    takeovers INTEGER NOT NULL, moves INTEGER NOT NULL, number INTEGER NOT NULL, head BLOB NOT NULL,
    matter TEXT NOT NULL, category INTEGER NOT NULL, place INTEGER NOT NULL, grid_kind TEXT NOT NULL, source TEXT NOT NULL,
    level INTEGER NOT NULL, step TEXT NOT NULL, outcome TEXT, unit TEXT NOT NULL, summary TEXT NOT NULL, people INTEGER NOT NULL,
    void INTEGER NOT NULL, escalated INTEGER NOT NULL, reported_day INTEGER NOT NULL, reported_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (node, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_file_list ON case_file (node, level DESC, changed_at DESC);

-- Facts of this node and of all below, the latest of each case.
CREATE TABLE fact (
    node BLOB NOT NULL, key BLOB NOT NULL,
    case_id BLOB, takeovers INTEGER NOT NULL, moves INTEGER NOT NULL, version INTEGER NOT NULL,
    owner BLOB NOT NULL, place INTEGER NOT NULL, grid_kind TEXT NOT NULL, source TEXT NOT NULL, matter TEXT NOT NULL,
    category INTEGER NOT NULL, level INTEGER NOT NULL, step TEXT NOT NULL, outcome TEXT, people INTEGER NOT NULL,
    day INTEGER NOT NULL, void INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (node, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_day ON fact (node, day);
CREATE INDEX fact_case ON fact (node, case_id) WHERE case_id IS NOT NULL;

-- People and the API ----------------------------------------------------------------------------------------------------

CREATE TABLE person_user (
    node BLOB NOT NULL, name TEXT NOT NULL, shown TEXT NOT NULL, roles TEXT NOT NULL, password TEXT NOT NULL,
    disabled INTEGER NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;

-- Sessions by the hash of their token.
CREATE TABLE person_session (
    node BLOB NOT NULL, token BLOB NOT NULL, name TEXT NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (node, token)
) STRICT, WITHOUT ROWID;

-- Answers to requests with an idempotency key, for a day.
CREATE TABLE answered (
    node BLOB NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (node, name, key)
) STRICT, WITHOUT ROWID;
