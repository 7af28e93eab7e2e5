//! Many nodes in one thread and in virtual time: the real link core, real bundles, an application of the caller's, and
//! disks and links that fail on purpose.
//!
//! A run is a function of its seed. It has two phases: first anything may go wrong (every kind of [`Fault`]); then everything
//! heals and must drain. Where a bundle has its signature a sum over its bytes stands, which finds damage as cheaply as a
//! thousand seeds need it; `trust::verify` has tests of its own.

mod alarms;
mod disk;
mod fault;
mod follow;
mod hostile;
mod line;
mod moving;
mod network;
mod node;
mod oracle;
mod progress;
mod revoked;
mod scenario;
mod signing;
mod tree;
mod ways;
mod world;

#[cfg(test)]
mod fifteen;
#[cfg(test)]
mod stage;
#[cfg(test)]
pub(crate) mod tests;

pub use alarms::Raised;
#[cfg(test)]
pub(crate) use disk::Hung;
pub use disk::{Disk, Stored};
pub use fault::Fault;
#[cfg(test)]
pub(crate) use node::{Live, Wish};
pub use oracle::Stuck;
pub use scenario::{Failure, Faults, Report, Scenario};
#[cfg(test)]
pub(crate) use tree::entry;
pub use tree::{Place, tree};
pub use world::{Counters, Settings, World};

use protocol::id::{MessageId, NodeId};
use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::kind::Body;

use crate::core::{Deliver, Now, Uptime};

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
    /// Whether it is kept until its destination has said that it is durable there.
    pub receipted: bool,
    /// The body.
    pub body: Body,
}

/// What runs on the nodes. A clone is what a node starts with from its disk, and what a backup keeps.
pub trait Application: Clone {
    /// What a commit brings to the disk.
    type Changes;
    /// What has changed since this was asked last.
    fn changes(&mut self) -> Self::Changes;
    /// Of the application as the disk has it: a commit is durable.
    fn keep(&mut self, changes: Self::Changes);
    /// The node starts with what its disk has: what it had in memory alone is gone.
    fn started(&mut self) {}
    /// A bundle was admitted by the core: what the application sends, and why something in it could not be accepted. Then
    /// the bundle is kept aside too.
    fn deliver(&mut self, now: Now, bundle: &Bundle, how: Deliver, random: Random<'_>) -> (Vec<Draft>, Option<String>);
    /// The line above was learned. What the application sends for that reason.
    fn line(&mut self, now: Now, line: &[protocol::directory::Ancestor], random: Random<'_>) -> Vec<Draft>;
    /// The link to the parent came or went.
    fn linked(&mut self, up: bool) {
        let _ = up;
    }
    /// When it wants a turn of its own.
    fn wakes_at(&self) -> Option<Uptime> {
        None
    }
    /// A turn of its own. What it sends.
    fn wake(&mut self, now: Now, random: Random<'_>) -> Vec<Draft> {
        let _ = (now, random);
        Vec::new()
    }
    /// What it still waits for, although nothing may be on its way.
    fn unsettled(&self) -> Option<String> {
        None
    }
}
