-- Nodes that hang below another parent than at first: the latest move of each, with the authority's proof. Kept for good: a
-- division that moved keeps its code, so this alone says what it lies in.
CREATE TABLE relocation (
    node BLOB NOT NULL, member BLOB NOT NULL, serial INTEGER NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (node, member)
) STRICT, WITHOUT ROWID;

-- Children through which nodes that moved were reached before, or the node itself where they were not below it: what was on its
-- way then may still come. Kept for good, for nobody knows when a child that was cut off comes back.
CREATE TABLE former_way (
    node BLOB NOT NULL, member BLOB NOT NULL, via BLOB NOT NULL,
    PRIMARY KEY (node, member, via)
) STRICT, WITHOUT ROWID;
