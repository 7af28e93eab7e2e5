//! Units (单位) that a case is given to: a code that travels, while its name comes out of a published directory.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The code of a unit in the unit directory. A code that a node's directory does not hold is carried and shown as such, never
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct UnitCode(pub u16);

impl UnitCode {
    /// The node that owns the case, as long as no unit was given it.
    pub const NODE_ITSELF: Self = Self(0);
}

impl std::fmt::Display for UnitCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
