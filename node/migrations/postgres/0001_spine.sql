-- The node is the first column of every key: one database may hold one node or a pack.

-- What a node knows about itself, as text by name.
CREATE TABLE meta (
    node BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (node, name)
);

-- The link ------------------------------------------------------------------------------------------------------------

-- Every bundle this node sealed, relayed or received, whole and unchanged.
CREATE TABLE bundle (
    node BYTEA NOT NULL, id BYTEA NOT NULL,
    origin BYTEA NOT NULL, destination BYTEA NOT NULL,
    via BYTEA,                        -- the neighbour it came from; null: sealed here
    receipted BIGINT NOT NULL,      -- 1: its destination answers with a terminal receipt
    done_at BIGINT,                 -- when that receipt passed, Unix milliseconds
    bytes BYTEA NOT NULL,
    PRIMARY KEY (node, id)
);
CREATE INDEX bundle_done ON bundle (node, done_at) WHERE done_at IS NOT NULL;

-- Terminal receipts that passed before their bundle was here, as happens after a restore.
CREATE TABLE receipt_ahead (
    node BYTEA NOT NULL, bundle BYTEA NOT NULL, giver BYTEA NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (node, bundle, giver)
);

-- What goes to a neighbour, with its link number. Rows go when the neighbour has acknowledged them.
CREATE TABLE outbox (
    node BYTEA NOT NULL, peer BYTEA NOT NULL, lane BIGINT NOT NULL, seq BIGINT NOT NULL,
    hash BYTEA NOT NULL, bundle BYTEA NOT NULL,
    PRIMARY KEY (node, peer, lane, seq)
);

-- Numbering of the link to a neighbour, in the encoding of the link core.
CREATE TABLE link (
    node BYTEA NOT NULL, peer BYTEA NOT NULL, state BYTEA NOT NULL,
    PRIMARY KEY (node, peer)
);

-- Direct children that may connect.
CREATE TABLE child (
    node BYTEA NOT NULL, child BYTEA NOT NULL, division BIGINT NOT NULL, spki BYTEA NOT NULL, revoked_at BIGINT,
    PRIMARY KEY (node, child)
);

-- Every node below, and the child it is reached through.
CREATE TABLE route (
    node BYTEA NOT NULL, member BYTEA NOT NULL, via BYTEA NOT NULL, division BIGINT NOT NULL,
    PRIMARY KEY (node, member)
);

-- The line above, nearest first.
CREATE TABLE ancestor (
    node BYTEA NOT NULL, position BIGINT NOT NULL, member BYTEA NOT NULL, division BIGINT NOT NULL,
    PRIMARY KEY (node, position)
);

-- Signed directory entries.
CREATE TABLE directory (
    node BYTEA NOT NULL, member BYTEA NOT NULL, serial BIGINT NOT NULL, entry BYTEA NOT NULL,
    PRIMARY KEY (node, member)
);

-- Join tokens that were given out. The answer is kept, so that a lost one can be given again for the same request.
CREATE TABLE token (
    node BYTEA NOT NULL, id BYTEA NOT NULL, secret BYTEA NOT NULL, division BIGINT NOT NULL, expires_at BIGINT NOT NULL,
    request BYTEA, answer BYTEA,
    PRIMARY KEY (node, id)
);

-- Bundles that could not be accepted, with their bytes.
CREATE TABLE quarantine (
    node BYTEA NOT NULL, id BYTEA NOT NULL, peer BYTEA NOT NULL, reason TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, bytes BYTEA NOT NULL,
    PRIMARY KEY (node, id)
);

-- Casework ------------------------------------------------------------------------------------------------------------

-- Headers of every case that this node owns or follows.
CREATE TABLE case_event (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, event BYTEA NOT NULL,
    takeovers BIGINT NOT NULL, moves BIGINT NOT NULL, number BIGINT NOT NULL, hash BYTEA NOT NULL,
    origin BYTEA NOT NULL, act TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, header BYTEA NOT NULL,
    PRIMARY KEY (node, case_id, event, hash)
);

-- Private parts, apart from their headers: erasing one leaves the chain whole.
CREATE TABLE case_private (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, event BYTEA NOT NULL, salt BYTEA NOT NULL, content BYTEA NOT NULL,
    PRIMARY KEY (node, case_id, event)
);

-- Everything else that casework keeps of a case: seals, offers, orders, receipts, contributions, by kind and key.
CREATE TABLE case_paper (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL, kind TEXT COLLATE "C" NOT NULL, paper BYTEA NOT NULL, content BYTEA NOT NULL,
    open BIGINT NOT NULL,           -- 1: an order or offer that waits for its answer
    PRIMARY KEY (node, case_id, kind, paper)
);
CREATE INDEX case_paper_open ON case_paper (node, kind, paper) WHERE open = 1;

-- One row a case for lists and counts: its state after the last event. `mine`: owned here.
CREATE TABLE case_file (
    node BYTEA NOT NULL, case_id BYTEA NOT NULL,
    owner BYTEA NOT NULL, mine BIGINT NOT NULL,
    takeovers BIGINT NOT NULL, moves BIGINT NOT NULL, number BIGINT NOT NULL, head BYTEA NOT NULL,
    matter TEXT COLLATE "C" NOT NULL, category BIGINT NOT NULL, place BIGINT NOT NULL, grid_kind TEXT COLLATE "C" NOT NULL, source TEXT COLLATE "C" NOT NULL,
    level BIGINT NOT NULL, step TEXT COLLATE "C" NOT NULL, outcome TEXT COLLATE "C", unit TEXT COLLATE "C" NOT NULL, summary TEXT COLLATE "C" NOT NULL, people BIGINT NOT NULL,
    void BIGINT NOT NULL, escalated BIGINT NOT NULL, reported_day BIGINT NOT NULL, reported_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (node, case_id)
);
CREATE INDEX case_file_list ON case_file (node, level DESC, changed_at DESC);

-- Facts of this node and of all below, the latest of each case.
CREATE TABLE fact (
    node BYTEA NOT NULL, key BYTEA NOT NULL,
    case_id BYTEA, takeovers BIGINT NOT NULL, moves BIGINT NOT NULL, version BIGINT NOT NULL,
    owner BYTEA NOT NULL, place BIGINT NOT NULL, grid_kind TEXT COLLATE "C" NOT NULL, source TEXT COLLATE "C" NOT NULL, matter TEXT COLLATE "C" NOT NULL,
    category BIGINT NOT NULL, level BIGINT NOT NULL, step TEXT COLLATE "C" NOT NULL, outcome TEXT COLLATE "C", people BIGINT NOT NULL,
    day BIGINT NOT NULL, void BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (node, key)
);
CREATE INDEX fact_day ON fact (node, day);
CREATE INDEX fact_case ON fact (node, case_id) WHERE case_id IS NOT NULL;

-- People and the API ----------------------------------------------------------------------------------------------------

CREATE TABLE person_user (
    node BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, shown TEXT COLLATE "C" NOT NULL, roles TEXT COLLATE "C" NOT NULL, password TEXT COLLATE "C" NOT NULL,
    disabled BIGINT NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (node, name)
);

-- Sessions by the hash of their token.
CREATE TABLE person_session (
    node BYTEA NOT NULL, token BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, expires_at BIGINT NOT NULL,
    PRIMARY KEY (node, token)
);

-- Answers to requests with an idempotency key, for a day.
CREATE TABLE answered (
    node BYTEA NOT NULL, name TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, request BYTEA NOT NULL, status BIGINT NOT NULL, body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (node, name, key)
);
