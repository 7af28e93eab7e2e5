//! Erasing what is private of a case: ids only. It is kept by the parent, and goes to everybody who held more than a brief.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::List;
use crate::id::{CaseId, EventId, NodeId, OrderId};
use crate::time::ClockReading;

/// Events and contributions that one erasure names at most: all headers of a case, and as many notes.
pub const ERASED_MAX: usize = 1024;

/// The private parts of these events are to be gone, wherever they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Erase {
    /// Its id.
    pub id: OrderId,
    /// The case.
    pub case: CaseId,
    /// The owner that decided it.
    pub by: NodeId,
    /// When.
    pub at: ClockReading,
    /// Events and contributions, by their ids.
    pub events: List<EventId, ERASED_MAX>,
}
