//! Figures on their way: when they go up, who may state what, and whether what is held is what its owner states. Where they
//! are stored is the node's affair; its writer and the simulator go by these rules.
//!
//! What changes within [`Pace::every_ms`] goes together, followed by a watermark. While the parent is not reached nothing is
//! sent at all, so a node that was cut off for two days sends each changed case once. A node that has nothing to send says
//! so every [`Pace::heartbeat_ms`]: silence and "nothing new" are two things.

use std::collections::BTreeMap;

use protocol::digest::SetDigest;
use protocol::directory::Ancestor;
use protocol::fact::{CaseFact, FiguresWanted, Tally, Watermark};
use protocol::id::NodeId;
use protocol::time::ClockReading;
use protocol::wire::kind::Body;

use crate::record::Record;
use crate::refusal::Refusal;

/// How long to wait for an answer before figures are asked for once more, milliseconds.
const ASK_AGAIN_MS: u64 = 10 * 60_000;

/// How often figures go up, and how long is waited before somebody is told that some are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Changed facts go up at most so often, milliseconds.
    pub every_ms: u64,
    /// A watermark goes up at least so often, milliseconds.
    pub heartbeat_ms: u64,
    /// Figures that differ from their watermark for so long are asked for again, milliseconds.
    pub grace_ms: u64,
    /// A fact of a red or orange case without its brief alarms after so long, milliseconds.
    pub brief_grace_ms: u64,
}

impl Pace {
    /// A member that was not heard of for so long is not counted as complete, milliseconds: two heartbeats may be late.
    pub fn stale_ms(&self) -> i64 {
        signed(self.heartbeat_ms.saturating_mul(5) / 2)
    }

    /// How long to wait for an answer before figures are asked for once more, milliseconds.
    pub fn patience_ms(&self) -> i64 {
        signed(ASK_AGAIN_MS.min(self.grace_ms.saturating_mul(5)))
    }

    /// How soon to look again for what is missing, milliseconds.
    pub fn look_ms(&self) -> u64 {
        (self.grace_ms.min(self.brief_grace_ms) / 4).clamp(100, 30_000)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// When figures are next looked after. All times are milliseconds since the node started.
#[derive(Debug, Clone)]
pub struct Beat {
    pace: Pace,
    /// Something waits to be sent.
    due: bool,
    /// A watermark is to be sent even if nothing else is.
    mark: bool,
    /// The parent is reached.
    up: bool,
    sent_at: Option<u64>,
    heartbeat_at: u64,
    /// When to look for what is missing; none while nothing is, so that a quiet node lets its database rest.
    look_at: Option<u64>,
}

impl Beat {
    /// Of a node that starts: it does not know what waits.
    pub fn new(pace: Pace) -> Self {
        Self { pace, due: true, mark: true, up: false, sent_at: None, heartbeat_at: 0, look_at: Some(0) }
    }

    /// How often, and how long.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// When what waits is sent, or that nothing does.
    pub fn send_at(&self, top: bool) -> u64 {
        if !self.up && !top {
            return u64::MAX;
        }
        let waited = self.sent_at.map_or(0, |at| at.saturating_add(self.pace.every_ms));
        if self.due || (self.mark && !top) {
            waited
        } else if top {
            u64::MAX
        } else {
            self.heartbeat_at
        }
    }

    /// When there is something to do next.
    pub fn wake(&self, top: bool) -> u64 {
        self.send_at(top).min(self.look_at.unwrap_or(u64::MAX))
    }

    /// Something waits to be sent.
    pub fn hold(&mut self) {
        self.due = true;
    }

    /// The disk may know less than was thought, or somebody above does.
    pub fn forget(&mut self) {
        (self.due, self.mark) = (true, true);
    }

    /// The link to the parent came or went. Whoever is reached again is told where this node stands.
    pub fn linked(&mut self, up: bool) {
        self.up = up;
        self.mark |= up;
    }

    /// The link to the parent was closed without the core.
    pub fn cut(&mut self) {
        self.up = false;
    }

    /// Whether it is time to look for what is missing.
    pub fn looks(&self, now: u64) -> bool {
        self.look_at.is_some_and(|at| now >= at)
    }

    /// Somebody has looked. While anything is amiss it is looked for again.
    pub fn looked(&mut self, now: u64, amiss: bool) {
        self.look_at = amiss.then(|| now.saturating_add(self.pace.look_ms()));
    }

    /// Something may be missing: most often it is on its way, so it is not looked for at once.
    pub fn look_soon(&mut self, now: u64) {
        self.look_at.get_or_insert(now.saturating_add(self.pace.look_ms()));
    }

    /// What waited was taken: whether it was anything, whether there is more of it, and whether new has come meanwhile. Says
    /// whether a watermark follows.
    pub fn sent(&mut self, now: u64, anything: bool, more: bool, new: bool) -> bool {
        if anything {
            self.sent_at = (!more).then_some(now);
        }
        self.due = more || new;
        !more && (anything || self.mark || now >= self.heartbeat_at)
    }

    /// A watermark goes. The next is due after a heartbeat, less a random part of it, so that nodes do not beat together.
    pub fn stated(&mut self, now: u64, random: u64) {
        let heartbeat = self.pace.heartbeat_ms;
        let spread = random.checked_rem((heartbeat / 8).saturating_add(1)).unwrap_or(0);
        self.heartbeat_at = now.saturating_add(heartbeat).saturating_sub(spread);
        self.mark = false;
    }
}

/// What a node states of the figures that it owns. `last` is the version of its last watermark: the next one rises even when
/// that is forgotten with a restored disk.
pub fn watermark(node: NodeId, set: &SetDigest, last: u64, at: ClockReading) -> Watermark {
    let wall = u64::try_from(at.wall.0).unwrap_or(0);
    Watermark {
        node,
        version: last.saturating_add(1).max(wall),
        as_of: at,
        facts: set.facts(),
        tallies: set.tallies(),
        digest: set.hash(),
    }
}

/// A figure that arrived, as it is stored: everybody states their own.
pub fn stated_by(origin: NodeId, body: Body) -> Result<Record, Refusal> {
    match body {
        Body::Fact(fact) if fact.owner_node == origin => Ok(Record::Fact(fact)),
        Body::Tally(tally) if tally.node == origin => Ok(Record::Tally(tally)),
        Body::Watermark(mark) if mark.node == origin => Ok(Record::Watermark(mark)),
        _ => Err(Refusal::WrongOrigin),
    }
}

/// Whether a level above may ask for all figures of this node again.
pub fn may_ask(me: NodeId, line: &[Ancestor], origin: NodeId, wanted: &FiguresWanted) -> bool {
    wanted.of == me && wanted.by == origin && line.iter().any(|above| above.node == origin)
}

/// Whether a fact takes the place of the one that is held.
pub fn replaces(fact: &CaseFact, held: Option<&CaseFact>) -> bool {
    held.is_none_or(|held| fact.rank() >= held.rank() && held != fact)
}

/// Moves the digests of owners along with a fact that takes the place of another.
pub fn move_fact(sets: &mut BTreeMap<NodeId, SetDigest>, fact: &CaseFact, held: Option<&CaseFact>) {
    if let Some(held) = held.filter(|held| owned(held)) {
        sets.entry(held.owner_node).or_default().remove_fact(held);
    }
    if owned(fact) {
        sets.entry(fact.owner_node).or_default().add_fact(fact);
    }
}

/// Moves the digests of owners along with a tally that takes the place of another.
pub fn move_tally(sets: &mut BTreeMap<NodeId, SetDigest>, tally: &Tally, held: Option<&Tally>) {
    let set = sets.entry(tally.node).or_default();
    if let Some(held) = held {
        set.remove_tally(held);
    }
    set.add_tally(tally);
}

/// Whether a fact is in its owner's set.
pub fn owned(fact: &CaseFact) -> bool {
    !fact.released
}
