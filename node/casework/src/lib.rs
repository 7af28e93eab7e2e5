//! The rules of cases.
