//! One node of the five-level linkage.
