-- Nodes that hang below another parent than at first: the latest move of each, with the authority's proof. Kept for good: a
-- division that moved keeps its code, so this alone says what it lies in.
CREATE TABLE relocation (
    node BYTEA NOT NULL, member BYTEA NOT NULL, serial BIGINT NOT NULL, body BYTEA NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (node, member)
);

-- Children through which nodes that moved were reached before, or the node itself where they were not below it: what was on its
-- way then may still come. Kept for good, for nobody knows when a child that was cut off comes back.
CREATE TABLE former_way (
    node BYTEA NOT NULL, member BYTEA NOT NULL, via BYTEA NOT NULL,
    PRIMARY KEY (node, member, via)
);
