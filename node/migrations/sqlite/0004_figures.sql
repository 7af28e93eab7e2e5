-- Figures. The body of a fact is the truth; beside it stand only the columns that a statement looks for.

DROP TABLE fact;

-- Facts of this node and of all below, the latest of each case. `changed` numbers the transaction that wrote the row: whoever
-- keeps facts in memory asks for what changed since. `case_id` is this node's own link to the case, where it holds one.
CREATE TABLE fact (
    node BLOB NOT NULL, key BLOB NOT NULL,
    changed INTEGER NOT NULL, case_id BLOB, owner BLOB NOT NULL, released INTEGER NOT NULL,
    place INTEGER NOT NULL, category INTEGER NOT NULL, level INTEGER NOT NULL, day INTEGER NOT NULL, void INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (node, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_changed ON fact (node, changed);
CREATE INDEX fact_case ON fact (node, case_id) WHERE case_id IS NOT NULL;

-- Tallies of this node and of all below, the latest of each node, day and measure.
CREATE TABLE tally (
    node BLOB NOT NULL, member BLOB NOT NULL, day INTEGER NOT NULL, measure INTEGER NOT NULL,
    division INTEGER NOT NULL, value INTEGER NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (node, member, day, measure)
) STRICT, WITHOUT ROWID;
CREATE INDEX tally_day ON tally (node, measure, day);

-- Facts and tallies that wait to be sent. A fact that changes again while it waits is sent once, as it is then.
CREATE TABLE fact_due (
    node BLOB NOT NULL, reader BLOB NOT NULL, key BLOB NOT NULL,
    PRIMARY KEY (node, reader, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE tally_due (
    node BLOB NOT NULL, reader BLOB NOT NULL, day INTEGER NOT NULL, measure INTEGER NOT NULL,
    PRIMARY KEY (node, reader, day, measure)
) STRICT, WITHOUT ROWID;

-- The digest of what each member owns, over the rows above, as a sum that grows and shrinks with them.
CREATE TABLE figure_set (
    node BLOB NOT NULL, member BLOB NOT NULL, facts INTEGER NOT NULL, tallies INTEGER NOT NULL, sum BLOB NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;

-- The latest watermark of each member, this node's own among them, and the bundle whose signature proves it.
CREATE TABLE watermark (
    node BLOB NOT NULL, member BLOB NOT NULL, version INTEGER NOT NULL, as_of INTEGER NOT NULL,
    facts INTEGER NOT NULL, tallies INTEGER NOT NULL, digest BLOB NOT NULL, bundle BLOB,
    received_at INTEGER NOT NULL,
    unequal_since INTEGER,           -- what is held here is not what the watermark states; null: it is
    asked INTEGER NOT NULL,          -- how often everything was asked for again since then
    asked_at INTEGER,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX watermark_unequal ON watermark (node, unequal_since) WHERE unequal_since IS NOT NULL;

-- Escalated facts whose brief must be here too. A row goes when the case's headers reach the fact's.
CREATE TABLE escalation_watch (
    node BLOB NOT NULL, key BLOB NOT NULL, case_id BLOB NOT NULL, owner BLOB NOT NULL, level INTEGER NOT NULL,
    takeovers INTEGER NOT NULL, moves INTEGER NOT NULL, version INTEGER NOT NULL,
    since INTEGER NOT NULL, alarmed INTEGER NOT NULL,
    PRIMARY KEY (node, key)
) STRICT, WITHOUT ROWID;
