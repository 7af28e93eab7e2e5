//! A value whose proof was checked. Only [`crate::trust::verify`] and the simulator make one.

use std::ops::Deref;

/// `T`, vouched for. Grep for `assertion` to list every place that vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The caller has checked the proof.
    pub(crate) fn assertion(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
