//! Who could write what: tenures (主办任期), fork choice, and proof of headers that came by way of a later owner.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::chain::{Epoch, Hash, TenureSeal};
use protocol::event::{Act, Header};
use protocol::id::NodeId;

use crate::world::Keys;

/// One header of a chain with its hash and its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Hash of the header.
    pub hash: Hash,
    /// The header.
    pub header: Arc<Header>,
    /// The owner of its epoch.
    pub writer: NodeId,
}

/// A header that is held, with its hash and its writer.
pub type Held<'h> = (Hash, &'h Arc<Header>, NodeId);

/// Whether a header may begin a chain.
pub fn begins(header: &Header, writer: NodeId) -> bool {
    header.number == 1
        && header.previous == Hash::ZERO
        && header.epoch == Epoch::default()
        && matches!(header.act, Act::Reported { .. })
        && header.brief.owner == writer
}

/// Whether `next`, written by `writer`, may follow `last`. Only the owner of an epoch writes in it; an epoch ends with its
/// release, or is cut off by a take-over.
pub fn follows(last: &Link, next: &Header, writer: NodeId, checks_epochs: bool) -> bool {
    let joined = next.previous == last.hash
        && Some(next.number) == last.header.number.checked_add(1)
        && next.case == last.header.case
        && last.header.act != Act::Archived;
    if !joined || !checks_epochs {
        return joined;
    }
    match (&last.header.act, &next.act) {
        (_, Act::Reported { .. }) => false,
        (_, Act::TakenOver { from }) => {
            next.epoch == last.header.epoch.taken_over()
                && *from == last.header.brief.owner
                && next.brief.owner == writer
                && writer != *from
        }
        (Act::Released { to, next: epoch, .. }, Act::Taken { release }) => {
            *release == last.hash && next.epoch == *epoch && writer == *to && next.brief.owner == writer
        }
        (Act::Released { .. }, _) | (_, Act::Taken { .. }) => false,
        (_, act) => next.epoch == last.header.epoch && writer == last.writer && keeps_owner(act, next, writer),
    }
}

fn keeps_owner(act: &Act, header: &Header, writer: NodeId) -> bool {
    match act {
        Act::Released { to, next, .. } => {
            header.brief.owner == *to && *next == header.epoch.moved() && header.epoch.moves < u16::MAX
        }
        _ => header.brief.owner == writer,
    }
}

/// The valid chain: the one whose tip has the highest (epoch, number), the lower hash on a tie. Headers that are written by
/// nobody who could, or whose predecessor is missing, are in none.
pub fn choose<'h>(headers: impl IntoIterator<Item = Held<'h>>, checks_epochs: bool) -> Vec<Link> {
    let mut after: BTreeMap<Hash, Vec<Held<'_>>> = BTreeMap::new();
    for (hash, header, writer) in headers {
        after.entry(header.previous).or_default().push((hash, header, writer));
    }
    // Depth first over the tree of valid headers; each remembers where it came from.
    let mut seen: Vec<(Option<usize>, Link)> = Vec::new();
    for (hash, header, writer) in after.get(&Hash::ZERO).into_iter().flatten() {
        if begins(header, *writer) || (!checks_epochs && header.number == 1) {
            seen.push((None, Link { hash: *hash, header: Arc::clone(header), writer: *writer }));
        }
    }
    let mut next = 0_usize;
    while let Some((_, link)) = seen.get(next).cloned() {
        for (hash, header, writer) in after.get(&link.hash).into_iter().flatten() {
            if follows(&link, header, *writer, checks_epochs) {
                seen.push((Some(next), Link { hash: *hash, header: Arc::clone(header), writer: *writer }));
            }
        }
        next = next.saturating_add(1);
    }
    let mut at = seen.iter().enumerate().max_by_key(|(_, (_, link))| rank(link, checks_epochs)).map(|(index, _)| index);
    let mut chain = Vec::new();
    while let Some((before, link)) = at.and_then(|index| seen.get(index)) {
        chain.push(link.clone());
        at = *before;
    }
    chain.reverse();
    chain
}

/// What decides between chains: the tip of the one that stands ranks highest.
pub(crate) fn rank(tip: &Link, checks_epochs: bool) -> (Epoch, u32, Reverse<Hash>) {
    let epoch = if checks_epochs { tip.header.epoch } else { Epoch::default() };
    (epoch, tip.header.number, Reverse(tip.hash))
}

/// Proves headers from the first that came in one message of `origin`: the chain is whole, each released tenure carries its
/// owner's seal, and what no seal covers is the origin's own. A tenure that a take-over cut off has no seal; the one who
/// took over answers for it.
pub fn prove(headers: &[Header], seals: &[TenureSeal], origin: NodeId, keys: &dyn Keys) -> Option<Vec<Link>> {
    let mut links: Vec<Link> = Vec::with_capacity(headers.len());
    for header in headers {
        let writer = match (links.last(), &header.act) {
            (None, _) | (_, Act::TakenOver { .. } | Act::Taken { .. }) => match header.act {
                Act::Released { .. } => return None,
                _ => header.brief.owner,
            },
            (Some(last), _) => last.writer,
        };
        let joins = links.last().map_or_else(|| begins(header, writer), |last| follows(last, header, writer, true));
        let taken_over = match header.act {
            Act::TakenOver { from } => may_take_over(keys, from, writer),
            _ => true,
        };
        if !joins || !taken_over {
            return None;
        }
        let link = Link { hash: header.hash(), header: Arc::new(header.clone()), writer };
        if matches!(header.act, Act::Released { .. }) && !sealed(&link, seals, keys) {
            return None;
        }
        links.push(link);
    }
    let last = links.last()?;
    (matches!(last.header.act, Act::Released { .. }) || last.writer == origin).then_some(links)
}

/// Whether a node may take cases over from another: only who hangs above it, as far as that is known.
pub fn may_take_over(keys: &dyn Keys, from: NodeId, taker: NodeId) -> bool {
    match (keys.division(from), keys.division(taker)) {
        (Some(owner), Some(taker)) => owner != taker && keys.is_or_was_above(taker, owner),
        _ => true,
    }
}

fn sealed(link: &Link, seals: &[TenureSeal], keys: &dyn Keys) -> bool {
    seals.iter().any(|seal| {
        seal.case == link.header.case
            && seal.by == link.writer
            && (seal.head.epoch, seal.head.number, seal.head.hash) == (link.header.epoch, link.header.number, link.hash)
            && keys.verify(seal.by, &TenureSeal::signed_bytes(seal.case, seal.head, seal.by), &seal.signature)
    })
}
