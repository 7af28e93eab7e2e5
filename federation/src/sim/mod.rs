//! Many nodes in one thread and in virtual time: the real link core, real bundles, an application of the caller's, and
//! disks and links that fail on purpose.
//!
//! A run is a function of its seed. It has two phases: first anything may go wrong (every kind of [`Fault`]); then everything
//! heals and must drain. Where a bundle has its signature a sum over its bytes stands, which finds damage as cheaply as a
//! thousand seeds need it; `trust::verify` has tests of its own.

mod disk;
mod fault;
mod hostile;
mod moving;
mod network;
mod node;
mod oracle;
mod scenario;
mod signing;
mod tree;
mod world;

#[cfg(test)]
mod fifteen;
#[cfg(test)]
mod tests;

pub use disk::{Disk, Stored};
pub use fault::Fault;
pub use oracle::Stuck;
pub use scenario::{Failure, Faults, Report, Scenario};
#[cfg(test)]
pub(crate) use tree::entry;
pub use tree::{Place, tree};
pub use world::{Counters, Settings, World};

use protocol::id::{MessageId, NodeId};
use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::kind::Body;

use crate::core::{Deliver, Now};

/// Random bytes for an application.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// A message that an application wants sent.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its id; a random one when left out.
    pub id: Option<MessageId>,
    /// To whom.
    pub to: NodeId,
    /// How urgent.
    pub urgency: Urgency,
    /// The body.
    pub body: Body,
}

/// What runs on the nodes. A clone is what a disk keeps at each commit, so it should be cheap.
pub trait Application: Clone {
    /// A bundle was admitted by the core. What cannot be accepted is an error; the bundle is then kept aside.
    fn deliver(&mut self, now: Now, bundle: &Bundle, how: Deliver, random: Random<'_>) -> Result<Vec<Draft>, String>;
    /// The line above was learned. What the application sends for that reason.
    fn line(&mut self, now: Now, line: &[protocol::directory::Ancestor], random: Random<'_>) -> Vec<Draft>;
}
