-- Bundles with messages of a later version, in the order in which they came, until a program that knows their kinds has read
-- them. They stay in `bundle` so long.
CREATE TABLE unread (
    node BYTEA NOT NULL, number BIGINT NOT NULL, bundle BYTEA NOT NULL,
    peer BYTEA NOT NULL,              -- the neighbour that it came from
    returned BIGINT NOT NULL,       -- 1: this node had sent it, and was given it back
    bytes BIGINT NOT NULL,
    PRIMARY KEY (node, number)
);
CREATE UNIQUE INDEX unread_bundle ON unread (node, bundle);

-- Which of its messages they are.
CREATE TABLE unread_message (
    node BYTEA NOT NULL, bundle BYTEA NOT NULL, position BIGINT NOT NULL, kind BIGINT NOT NULL, schema BIGINT NOT NULL,
    PRIMARY KEY (node, bundle, position)
);

-- What this node sent and a node with an older program refused, because it must be understood.
CREATE TABLE not_understood (
    node BYTEA NOT NULL, bundle BYTEA NOT NULL, message BYTEA NOT NULL,
    giver BYTEA NOT NULL, kind BIGINT NOT NULL, schema BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (node, bundle, message)
);
