-- Bundles with messages of a later version, in the order in which they came, until a program that knows their kinds has read
-- them. They stay in `bundle` so long.
CREATE TABLE unread (
    node BLOB NOT NULL, number INTEGER NOT NULL, bundle BLOB NOT NULL,
    peer BLOB NOT NULL,              -- the neighbour that it came from
    returned INTEGER NOT NULL,       -- 1: this node had sent it, and was given it back
    bytes INTEGER NOT NULL,
    PRIMARY KEY (node, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unread_bundle ON unread (node, bundle);

-- Which of its messages they are.
CREATE TABLE unread_message (
    node BLOB NOT NULL, bundle BLOB NOT NULL, position INTEGER NOT NULL, kind INTEGER NOT NULL, schema INTEGER NOT NULL,
    PRIMARY KEY (node, bundle, position)
) STRICT, WITHOUT ROWID;

-- What this node sent and a node with an older program refused, because it must be understood.
CREATE TABLE not_understood (
    node BLOB NOT NULL, bundle BLOB NOT NULL, message BLOB NOT NULL,
    giver BLOB NOT NULL, kind INTEGER NOT NULL, schema INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (node, bundle, message)
) STRICT, WITHOUT ROWID;
