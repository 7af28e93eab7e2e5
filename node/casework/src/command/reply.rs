//! How an order is answered.

use protocol::bounded::Text;
use serde::{Deserialize, Serialize};

/// How an order is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Words to a directive, without names.
    Text {
        /// The words.
        text: Text<1000>,
    },
    /// The approval is given.
    Yes {
        /// Why.
        #[serde(default)]
        text: Text<400>,
    },
    /// The approval or the view is refused.
    No {
        /// Why.
        text: Text<400>,
    },
    /// The view is granted: a sealed copy goes to the issuer.
    Grant,
    /// The case is assessed.
    Score {
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why, without names.
        #[serde(default)]
        text: Text<400>,
    },
}
