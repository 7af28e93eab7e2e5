//! Which alarm is raised by what: nothing goes wrong without one where one is promised, and none is raised for nothing.

use protocol::wire::control::Refused;

use crate::core::Alarm;

use super::Application;
use super::fault::Fault;
use super::world::World;

/// The alarms of the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Raised {
    /// A link was reconciled.
    Reconciled,
    /// Two live nodes have one identity.
    Doubled,
    /// A greeting was refused for another reason.
    Refused,
    /// A bundle came from where it cannot come from.
    Misrouted,
    /// Nobody knows the way to a bundle's destination.
    NoRoute,
    /// The application could not take a bundle in.
    Aside,
    /// A neighbour could not take in a bundle of this side.
    AsideThere,
}

impl Raised {
    pub(super) fn by(alarm: &Alarm) -> Self {
        match alarm {
            Alarm::Reconciled { .. } => Self::Reconciled,
            Alarm::Refused { why: Refused::DoubleIdentity, .. } => Self::Doubled,
            Alarm::Refused { .. } => Self::Refused,
            Alarm::Misrouted { .. } => Self::Misrouted,
            Alarm::NoRoute { .. } => Self::NoRoute,
            Alarm::Quarantined { .. } => Self::Aside,
            Alarm::QuarantinedThere { .. } => Self::AsideThere,
        }
    }

    /// The faults that raise it, each by itself.
    pub fn faults(self) -> &'static [Fault] {
        match self {
            Self::Reconciled => &[Fault::Restore, Fault::RestoreTold, Fault::Clone, Fault::Flip, Fault::Hostile],
            Self::Doubled => &[Fault::Clone],
            Self::Refused | Self::Misrouted | Self::AsideThere => &[Fault::Hostile],
            // What an application sends, or refuses, is no fault of the world.
            Self::NoRoute | Self::Aside => &[],
        }
    }

    /// Other faults after which it is right.
    fn also_after(self) -> &'static [Fault] {
        match self {
            // A run of numbers that was said to a neighbour and was not durable yet is another one after the start.
            Self::Reconciled => &[Fault::Crash, Fault::Torn, Fault::Full, Fault::Move],
            // The neighbour may not have noticed that the node was gone, or somebody names runs that it never had.
            Self::Doubled => &[Fault::Restore, Fault::RestoreTold, Fault::Hostile],
            // A node that is an old copy of itself has not heard of the move again yet.
            Self::Misrouted | Self::AsideThere => &[Fault::Move],
            _ => &[],
        }
    }

    /// The alarm at the other end of a link that comes before it.
    fn follows(self) -> Option<Self> {
        (self == Self::AsideThere).then_some(Self::Aside)
    }
}

impl<A: Application> World<A> {
    pub(super) fn raised(&mut self, alarm: &Alarm) {
        let count = self.counters.alarms.entry(Raised::by(alarm)).or_insert(0);
        *count = count.saturating_add(1);
    }

    /// Checks that no alarm was raised for nothing.
    pub(super) fn check_alarms(&mut self) {
        let happened = |fault: &Fault| self.counters.faults.contains_key(fault);
        let for_nothing = |raised: &&Raised| {
            let known = !raised.faults().is_empty();
            let answered = raised.follows().is_some_and(|first| self.counters.alarms.contains_key(&first));
            known && !answered && !raised.faults().iter().chain(raised.also_after()).any(happened)
        };
        let found = self.counters.alarms.keys().filter(for_nothing);
        let found: Vec<_> = found.map(|raised| format!("{raised:?} was raised for nothing")).collect();
        self.counters.violations.extend(found);
    }
}
