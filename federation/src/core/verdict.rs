//! Whether sending may go on where the peer says it stands. It never guesses: any doubt is named and reconciled.

use protocol::chain::Hash;
use protocol::wire::control::{Doubt, Position};
use protocol::wire::frame::LinkSeq;

/// What is to be done to judge one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Go on after the peer's position.
    Resume,
    /// Name the doubt.
    Doubt(Doubt),
    /// Compare with the chain hash at the peer's position, which the outbox may still have.
    Compare,
}

/// Judges one lane: what this side gave out last and up to where it was acknowledged, against what the peer has.
/// The peer speaks of this side's current run of numbers, which the caller has checked.
pub fn judge_lane(last: Position, acked: LinkSeq, received: Position) -> Judgement {
    if received.seq > last.seq {
        return Judgement::Doubt(Doubt::RolledBack);
    }
    if received.seq == last.seq {
        return if received.hash == last.hash { Judgement::Resume } else { Judgement::Doubt(Doubt::Forked) };
    }
    if received.seq < acked && received.seq.0 > 0 {
        // It has acknowledged more than it has. What it lacks may be in the outbox yet, but may go from there any moment.
        return Judgement::Doubt(Doubt::Pruned);
    }
    if received.seq.0 == 0 {
        // Everything is sent again, which works as long as nothing was dropped.
        return if acked.0 <= 1 && received.hash == Hash::ZERO {
            Judgement::Compare
        } else {
            Judgement::Doubt(Doubt::Pruned)
        };
    }
    Judgement::Compare
}

/// Judges a lane once the outbox has answered. The first position has no row of its own: it is the start.
pub(super) fn compare(received: Position, held: Option<Hash>) -> Option<Doubt> {
    match held {
        Some(hash) if hash == received.hash => None,
        Some(_) => Some(Doubt::Forked),
        None => Some(Doubt::Pruned),
    }
}
