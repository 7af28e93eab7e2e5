-- Figures. The body of a fact is the truth; beside it stand only the columns that a statement looks for.

DROP TABLE fact;

-- Facts of this node and of all below, the latest of each case. `changed` numbers the transaction that wrote the row: whoever
-- keeps facts in memory asks for what changed since. `case_id` is this node's own link to the case, where it holds one.
CREATE TABLE fact (
    node BYTEA NOT NULL, key BYTEA NOT NULL,
    changed BIGINT NOT NULL, case_id BYTEA, owner BYTEA NOT NULL, released BIGINT NOT NULL,
    place BIGINT NOT NULL, category BIGINT NOT NULL, level BIGINT NOT NULL, day BIGINT NOT NULL, void BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (node, key)
);
CREATE INDEX fact_changed ON fact (node, changed);
CREATE INDEX fact_case ON fact (node, case_id) WHERE case_id IS NOT NULL;

-- Tallies of this node and of all below, the latest of each node, day and measure.
CREATE TABLE tally (
    node BYTEA NOT NULL, member BYTEA NOT NULL, day BIGINT NOT NULL, measure BIGINT NOT NULL,
    division BIGINT NOT NULL, value BIGINT NOT NULL, version BIGINT NOT NULL,
    PRIMARY KEY (node, member, day, measure)
);
CREATE INDEX tally_day ON tally (node, measure, day);

-- Facts and tallies that wait to be sent. A fact that changes again while it waits is sent once, as it is then.
CREATE TABLE fact_due (
    node BYTEA NOT NULL, reader BYTEA NOT NULL, key BYTEA NOT NULL,
    PRIMARY KEY (node, reader, key)
);
CREATE TABLE tally_due (
    node BYTEA NOT NULL, reader BYTEA NOT NULL, day BIGINT NOT NULL, measure BIGINT NOT NULL,
    PRIMARY KEY (node, reader, day, measure)
);

-- The digest of what each member owns, over the rows above, as a sum that grows and shrinks with them.
CREATE TABLE figure_set (
    node BYTEA NOT NULL, member BYTEA NOT NULL, facts BIGINT NOT NULL, tallies BIGINT NOT NULL, sum BYTEA NOT NULL,
    PRIMARY KEY (node, member)
);

-- The latest watermark of each member, this node's own among them, and the bundle whose signature proves it.
CREATE TABLE watermark (
    node BYTEA NOT NULL, member BYTEA NOT NULL, version BIGINT NOT NULL, as_of BIGINT NOT NULL,
    facts BIGINT NOT NULL, tallies BIGINT NOT NULL, digest BYTEA NOT NULL, bundle BYTEA,
    received_at BIGINT NOT NULL,
    unequal_since BIGINT,           -- what is held here is not what the watermark states; null: it is
    asked BIGINT NOT NULL,          -- how often everything was asked for again since then
    asked_at BIGINT,
    PRIMARY KEY (node, member)
);
CREATE INDEX watermark_unequal ON watermark (node, unequal_since) WHERE unequal_since IS NOT NULL;

-- Escalated facts whose brief must be here too. A row goes when the case's headers reach the fact's.
CREATE TABLE escalation_watch (
    node BYTEA NOT NULL, key BYTEA NOT NULL, case_id BYTEA NOT NULL, owner BYTEA NOT NULL, level BIGINT NOT NULL,
    takeovers BIGINT NOT NULL, moves BIGINT NOT NULL, version BIGINT NOT NULL,
    since BIGINT NOT NULL, alarmed BIGINT NOT NULL,
    PRIMARY KEY (node, key)
);
