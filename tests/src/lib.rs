//! City-wide tests.
