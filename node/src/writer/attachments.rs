//! Attachments that come and go with their case: the owner asks former owners for parts, eight at a time; they answer. What is
//! under way is in memory alone: after a start it is asked for again, and what has come is in rows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use casework::Known;
use federation::trust::seal;
use protocol::attachment::{AttachmentAsked, AttachmentHeld, AttachmentPart, PARTS_ASKED_MAX, part_place};
use protocol::bounded::List;
use protocol::id::{AttachmentId, CaseId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::attachment::whole::Verdict;
use crate::store::StoreError;
use crate::store::attachments::{Change, Held, State};

use super::Writer;
use super::batch::{Batch, Letter};

/// How long is waited for the next part before another former owner is asked.
const PATIENCE_MS: u64 = 5 * 60_000;
/// How long others that come have their turn before one that nobody answered for.
const REST_MS: i64 = 60 * 60_000;
/// How soon after an answer the same node gets another.
const ANSWER_PAUSE_MS: u64 = 50;
/// How long an answer waits when too much of the last is still on its way.
const FULL_PAUSE_MS: u64 = 1_000;
/// How long until it is looked again for a part that is on its way here itself.
const COMING_PAUSE_MS: u64 = 2_000;
/// Bundles on the bulk lane for one node beyond which no more parts are added.
const UNSENT_MAX: u64 = 512;
/// Questions that wait for their answer at most; a further one is asked again by itself.
const QUESTIONS_MAX: usize = 256;

/// What comes, and what was asked of this node.
#[derive(Debug)]
pub(super) struct Pulling {
    /// When there is something to do next, on the node's uptime.
    at: u64,
    /// The parts that were asked for and have not come, and of which attachment.
    under_way: Option<(AttachmentId, BTreeSet<u16>)>,
    /// Former owners that said that they do not have one.
    gone: BTreeMap<AttachmentId, BTreeSet<NodeId>>,
    /// Questions of others, the first first; one of each node.
    questions: VecDeque<(NodeId, AttachmentAsked)>,
    /// When the next answer may go to a node.
    answer_at: BTreeMap<NodeId, u64>,
}

impl Default for Pulling {
    /// After a start it looks what is coming.
    fn default() -> Self {
        Self { at: 0, under_way: None, gone: BTreeMap::new(), questions: VecDeque::new(), answer_at: BTreeMap::new() }
    }
}

impl Pulling {
    /// When there is something to do next.
    pub(super) fn wake(&self) -> u64 {
        let answers = self.questions.iter().map(|(node, _)| self.answer_at.get(node).copied().unwrap_or(0));
        answers.min().unwrap_or(u64::MAX).min(self.at)
    }

    /// Keeps a question; of one node the latest counts.
    fn put(&mut self, from: NodeId, asked: AttachmentAsked) {
        if let Some((_, before)) = self.questions.iter_mut().find(|(node, _)| *node == from) {
            *before = asked;
        } else if self.questions.len() < QUESTIONS_MAX {
            self.questions.push_back((from, asked));
        } else {
            tracing::warn!(%from, "too many nodes ask for attachments at once");
        }
    }

    /// The next question that may be answered.
    fn take(&mut self, now: u64) -> Option<(NodeId, AttachmentAsked)> {
        let due = self.questions.iter().position(|(node, _)| self.answer_at.get(node).is_none_or(|at| *at <= now))?;
        self.answer_at.retain(|_, at| *at > now);
        self.questions.remove(due)
    }

    /// A part that was asked for came, or does not come. Whether it was asked for.
    fn came(&mut self, attachment: AttachmentId, number: u16, now: u64) -> bool {
        let Some((_, parts)) = self.under_way.as_mut().filter(|(id, _)| *id == attachment) else { return false };
        let asked = parts.remove(&number);
        if parts.is_empty() {
            self.again();
        } else if asked {
            self.at = now + PATIENCE_MS;
        }
        asked
    }

    /// Nothing can be stored for a while.
    fn rest(&mut self, until: u64) {
        self.at = self.at.max(until);
        for (node, _) in &self.questions {
            self.answer_at.insert(*node, until);
        }
    }

    /// What is under way is not waited for.
    pub(super) fn again(&mut self) {
        (self.under_way, self.at) = (None, 0);
    }
}

impl Writer {
    /// After a case was taken on: what it names and is not here is wanted.
    pub(super) fn want_attachments(&mut self, case: CaseId, batch: &mut Batch) {
        let Some(known) = self.cases.get(case).filter(|known| known.owned_by(self.me.node)) else { return };
        let wanted = casework::attachment::attached(&known).map(|named| Change::Wanted(case, named.attachment));
        let before = batch.attachments.len();
        batch.attachments.extend(wanted);
        if batch.attachments.len() > before && self.pulling.under_way.is_none() {
            self.pulling.at = 0;
        }
    }

    /// Somebody asks for parts; they are answered one after the other.
    pub(super) async fn attachment_asked(&mut self, from: NodeId, asked: AttachmentAsked) -> Result<(), StoreError> {
        let known = self.known(asked.case).await?;
        if casework::attachment::may_have(&known, from) {
            self.pulling.put(from, asked);
        } else {
            tracing::info!(%from, case = %asked.case, "asks for attachments of a case that this node does not know to be its own");
        }
        Ok(())
    }

    /// A part came, or the word that it does not. What is wrong with it is said by the inner error.
    pub(super) async fn attachment_part(
        &mut self,
        from: NodeId,
        part: AttachmentPart,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let AttachmentPart { case, attachment, number, sealed } = part;
        let known = self.known(case).await?;
        let held = self.store.attachment(case, attachment).await?.filter(|held| held.state == State::Coming);
        let sources = casework::attachment::sources(&known, self.me.node);
        let Some(held) = held.filter(|_| sources.contains(&from)) else { return Ok(Ok(())) };
        let asked = self.pulling.came(attachment, number, self.clock.uptime_ms());
        let Some(sealed) = sealed else {
            if asked {
                self.not_there(&held, &sources, from, batch);
            }
            return Ok(Ok(()));
        };
        let bytes = match seal::open(&self.keys, &part_place(case, attachment, number), &sealed) {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err(why.to_string())),
        };
        if held.secret.attachment.part_bytes(number) != Some(bytes.len()) {
            return Ok(Err("a part of another length than it has".to_owned()));
        }
        let sealed = held.secret.seal(number, bytes)?;
        batch.attachments.push(Change::Part { id: held.id(), number, sealed });
        Ok(Ok(()))
    }

    fn not_there(&mut self, held: &Held, sources: &[NodeId], from: NodeId, batch: &mut Batch) {
        self.pulling.again();
        let gone = self.pulling.gone.entry(held.id().1).or_default();
        gone.insert(from);
        let left = sources.iter().position(|source| !gone.contains(source));
        batch.attachments.push(match left {
            Some(source) => Change::Turned { id: held.id(), source, at: self.clock.wall() },
            None => self.lost(held),
        });
    }

    fn lost(&mut self, held: &Held) -> Change {
        let (case, attachment) = held.id();
        self.pulling.gone.remove(&attachment);
        let what = format!(
            "{case}: attachment {attachment} is lost: nobody who had the case has it. The case shows it as lost; ask whoever \
             gave it to bring it once more"
        );
        self.alarm(AlarmKind::Case, what);
        Change::Lost(held.id())
    }

    /// The owner has all of one.
    pub(super) async fn attachment_held(
        &mut self,
        from: NodeId,
        held: AttachmentHeld,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let known = self.known(held.case).await?;
        if casework::attachment::may_have(&known, from) {
            batch.attachments.push(Change::Passed((held.case, held.attachment)));
        }
        Ok(())
    }

    /// Does what is due: answers a question, and asks for what is missing.
    pub(super) async fn look_after_attachments(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clock.uptime_ms();
        if self.room.is_short() {
            // What comes would have no place.
            self.pulling.rest(now + FULL_PAUSE_MS);
            return Ok(());
        }
        if let Some((from, asked)) = self.pulling.take(now) {
            self.answer_parts(from, &asked, now, batch).await?;
        }
        if now >= self.pulling.at {
            self.pull(now, batch).await?;
        }
        Ok(())
    }

    async fn answer_parts(
        &mut self,
        to: NodeId,
        asked: &AttachmentAsked,
        now: u64,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if self.store.unsent_bulk(to).await? >= UNSENT_MAX {
            self.pulling.answer_at.insert(to, now + FULL_PAUSE_MS);
            self.pulling.put(to, asked.clone());
            return Ok(());
        }
        self.pulling.answer_at.insert(to, now + ANSWER_PAUSE_MS);
        let held = self.store.attachment(asked.case, asked.attachment).await?;
        let held = held.filter(|held| matches!(held.state, State::Here | State::Coming));
        let coming = held.as_ref().is_some_and(|held| held.state == State::Coming);
        let mut later = Vec::new();
        for number in asked.numbers.iter().copied() {
            let part = match &held {
                Some(held) => self.store.attachment_part(held, number).await?,
                None => None,
            };
            match part {
                // It is on its way here, for a case that has gone on already: it goes on when it has come.
                None if coming => later.push(number),
                part => self.send_part(to, asked, number, part, batch),
            }
        }
        if let Ok(numbers) = List::new(later)
            && !numbers.is_empty()
        {
            self.pulling.answer_at.insert(to, now + COMING_PAUSE_MS);
            self.pulling.put(to, AttachmentAsked { numbers, ..*asked });
        }
        Ok(())
    }

    fn send_part(&self, to: NodeId, asked: &AttachmentAsked, number: u16, part: Option<Vec<u8>>, batch: &mut Batch) {
        let AttachmentAsked { case, attachment, .. } = *asked;
        let sealed = match part {
            None => None,
            Some(part) => {
                let key = self.directory.sealing_key(to);
                let sealed = key.and_then(|key| seal::seal(key, &part_place(case, attachment, number), &part).ok());
                if sealed.is_none() {
                    tracing::error!(%to, "no sealing key is known for this node: a part of an attachment was not sent");
                    return;
                }
                sealed
            }
        };
        // No receipt of the link: what does not arrive is asked for again.
        let body = Body::AttachmentPart(AttachmentPart { case, attachment, number, sealed });
        batch.letters.push(Letter { to, urgency: Urgency::Bulk, receipted: false, body });
    }

    /// Asks for the next parts, unless some are under way; ends what is complete.
    async fn pull(&mut self, now: u64, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(held) = self.store.next_coming().await? else {
            self.pulling.at = u64::MAX;
            return Ok(());
        };
        let known = self.known(held.case).await?;
        let sources = casework::attachment::sources(&known, self.me.node);
        if self.pulling.under_way.take().is_some() {
            // Nobody has answered. The others that come have their turn first, and then the next who had the case is asked.
            let source = held.source.saturating_add(1) % sources.len().max(1);
            let at = UnixMillis(self.clock.wall().0.saturating_add(REST_MS));
            batch.attachments.push(Change::Turned { id: held.id(), source, at });
            return Ok(());
        }
        let missing = held.missing(&self.store.attachment_parts(&held).await?);
        if missing.is_empty() {
            return self.all_came(&held, &known, &sources, batch).await;
        }
        let Some(to) = sources.get(held.source % sources.len().max(1)).copied() else {
            let lost = self.lost(&held);
            batch.attachments.push(lost);
            return Ok(());
        };
        let (case, attachment) = held.id();
        let numbers: Vec<u16> = missing.into_iter().take(PARTS_ASKED_MAX).collect();
        self.pulling.under_way = Some((attachment, numbers.iter().copied().collect()));
        self.pulling.at = now + PATIENCE_MS;
        let Ok(numbers) = List::new(numbers) else { return Ok(()) };
        let body = Body::AttachmentAsked(AttachmentAsked { case, attachment, numbers });
        batch.letters.push(Letter { to, urgency: Urgency::Bulk, receipted: false, body });
        Ok(())
    }

    /// All parts of one are here: if they are right, nobody need keep it for this node any more.
    async fn all_came(
        &mut self,
        held: &Held,
        known: &Known,
        sources: &[NodeId],
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (case, attachment) = held.id();
        self.pulling.again();
        // What it begins as was looked at where it was taken in; here it may be of a medium of a later version.
        if self.store.attachment_verdict(held).await? == Verdict::OtherBytes {
            tracing::warn!(%case, %attachment, "the parts that came are not those of the attachment");
            batch.attachments.push(Change::Again(held.id()));
            let from = sources.get(held.source % sources.len().max(1)).copied().unwrap_or(self.me.node);
            self.not_there(held, sources, from, batch);
            return Ok(());
        }
        self.pulling.gone.remove(&attachment);
        batch.attachments.push(Change::Arrived(held.id()));
        self.shared.changed(known.id());
        let told = |to: &NodeId| {
            let body = Body::AttachmentHeld(AttachmentHeld { case, attachment });
            Letter { to: *to, urgency: Urgency::Routine, receipted: true, body }
        };
        batch.letters.extend(sources.iter().map(told));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(first: u16) -> AttachmentAsked {
        let (case, attachment) = (CaseId::from_bytes([1; 16]), AttachmentId::from_bytes([2; 16]));
        AttachmentAsked { case, attachment, numbers: List::new(vec![first]).expect("one") }
    }

    fn node(n: usize) -> NodeId {
        NodeId::from_bytes(u128::try_from(n).expect("small").to_be_bytes())
    }

    #[test]
    fn one_question_of_each_node_waits_and_not_more_than_so_many() {
        let mut pulling = Pulling::default();
        (0..=QUESTIONS_MAX).for_each(|n| pulling.put(node(n), question(1)));
        assert_eq!(pulling.questions.len(), QUESTIONS_MAX);
        pulling.put(node(0), question(2));
        assert_eq!(pulling.take(0), Some((node(0), question(2))), "the latest counts, in the place of the first");
        assert_eq!(pulling.take(0), Some((node(1), question(1))));
    }

    #[test]
    fn a_node_that_asks_without_end_is_answered_in_its_turn_and_others_meanwhile() {
        let mut pulling = Pulling { at: u64::MAX, ..Pulling::default() };
        pulling.answer_at.insert(node(1), 100);
        pulling.put(node(1), question(1));
        assert_eq!((pulling.take(99), pulling.wake()), (None, 100));
        pulling.put(node(2), question(1));
        assert_eq!(pulling.take(99).map(|(from, _)| from), Some(node(2)));
        assert_eq!(pulling.take(100).map(|(from, _)| from), Some(node(1)));
        assert_eq!((pulling.wake(), pulling.answer_at.len()), (u64::MAX, 0), "and nothing is remembered of it");
    }

    #[test]
    fn parts_are_waited_for_until_the_last_of_them_came() {
        let id = AttachmentId::from_bytes([2; 16]);
        let under_way = Some((id, BTreeSet::from([3, 4])));
        let mut pulling = Pulling { at: 500, under_way, ..Pulling::default() };
        assert!(!pulling.came(AttachmentId::from_bytes([9; 16]), 3, 400), "of another");
        assert_eq!(pulling.wake(), 500);
        assert!(pulling.came(id, 3, 400) && !pulling.came(id, 3, 450));
        assert_eq!(pulling.wake(), 400 + PATIENCE_MS, "each that comes is waited behind anew");
        assert!(pulling.came(id, 4, 600));
        assert_eq!(pulling.wake(), 0, "then the next are asked for");
    }

    #[test]
    fn while_the_disk_is_full_nothing_is_done_and_nobody_is_kept_awake() {
        let mut pulling = Pulling::default();
        pulling.put(node(1), question(1));
        assert_eq!(pulling.wake(), 0);
        pulling.rest(700);
        assert_eq!((pulling.wake(), pulling.take(699)), (700, None));
    }
}
