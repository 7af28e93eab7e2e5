-- Which bundles hold private parts of which case, sealed to this node or by it: they lose their bytes when the names of the
-- case are to be gone here. The bundle's row stays without bytes, so that its id is known.
CREATE TABLE bundle_sealed (
    node BLOB NOT NULL, case_id BLOB NOT NULL, bundle BLOB NOT NULL,
    PRIMARY KEY (node, case_id, bundle)
) STRICT, WITHOUT ROWID;
