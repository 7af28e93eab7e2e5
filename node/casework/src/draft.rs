//! A decision in the making: events are appended, letters are written, and at the end it is settled who hears of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::bounded::{List, Text};
use protocol::chain::{Epoch, Hash};
use protocol::event::{Act, Brief, Content, Header, Private, Salt, Signatory, WideAct, WideContent};
use protocol::fact::CaseFact;
use protocol::id::{CaseKey, EventId, NodeId, OfferId};
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::time::UnixMillis;
use protocol::transfer::History;
use protocol::warning::Warning;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use crate::case::Case;
use crate::evolve::foreseen;
use crate::fact::fact;
use crate::known::{Known, as_event};
use crate::letter::{Letter, Outgoing};
use crate::record::{Follower, FollowerClass, Record};
use crate::refusal::Refusal;
use crate::rights::Actor;
use crate::term::SoFar;
use crate::world::World;
use crate::{restricted, step, term};

/// Something that people should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// One writer wrote two headers of one number: it was restored, or worse.
    Equivocation {
        /// The writer.
        by: NodeId,
        /// Epoch of both.
        epoch: Epoch,
        /// Number of both.
        number: u32,
    },
    /// A header from somebody who does not own the epoch it is written in; it was not stored.
    NotTheOwner {
        /// Who sent it.
        by: NodeId,
        /// The event.
        event: EventId,
    },
    /// A private part that is not the one its header binds; it was not stored.
    Unbound {
        /// The event.
        event: EventId,
    },
    /// A restored owner wrote its own branch again behind what was given back.
    MintedAgain {
        /// Events that were written again.
        events: u32,
    },
    /// What this node wrote after it had lost the case went to the owner as contributions.
    LostWrites {
        /// Events.
        events: u32,
    },
    /// An order found nobody who has the case.
    OrderUnknown {
        /// Who answered.
        by: NodeId,
    },
}

/// What is to be stored and sent; nothing else happens.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Upserts.
    pub records: Vec<Record>,
    /// Letters, in order.
    pub outgoing: Vec<Outgoing>,
    /// All that is held of the case afterwards: what its stored records with these would be put together to.
    pub known: Known,
    /// What people should hear of.
    pub notes: Vec<Notice>,
}

impl Decision {
    /// The case afterwards, if any chain of it is held.
    pub fn case(&self) -> Option<&Case> {
        self.known.case()
    }
}

/// A decision in the making.
pub(crate) struct Draft<'d, 'w> {
    /// What is known, with everything that was decided so far.
    pub(crate) known: Known,
    /// The world.
    pub(crate) world: &'d mut World<'w>,
    /// The person who acts.
    pub(crate) by: Option<Signatory>,
    /// Levels above do not have the earlier headers.
    pub(crate) introduce: bool,
    /// What people should hear of.
    pub(crate) notes: Vec<Notice>,
    records: Vec<Record>,
    outgoing: Vec<Outgoing>,
    appended: Vec<Arc<Header>>,
    ceiling_before: Option<NodeId>,
    /// The offer that was open, of a case that every program could read.
    narrow_offer: Option<OfferId>,
}

impl<'d, 'w> Draft<'d, 'w> {
    pub(crate) fn new(known: &Known, world: &'d mut World<'w>, by: Option<&Actor>) -> Self {
        let known = known.viewed(world.checks_epochs());
        let offered = known.case().and_then(|case| case.offered).map(|(offer, _)| offer);
        Self {
            narrow_offer: offered.filter(|_| !known.is_wide()),
            ceiling_before: known.case().and_then(|case| case.brief.ceiling),
            known,
            world,
            by: by.map(|by| Signatory { name: by.name.clone(), user: by.user.clone() }),
            introduce: false,
            notes: Vec::new(),
            records: Vec::new(),
            outgoing: Vec::new(),
            appended: Vec::new(),
        }
    }

    pub(crate) fn me(&self) -> NodeId {
        self.world.me.node
    }

    /// The case, or the refusal that it is not here.
    pub(crate) fn case(&self) -> Result<Case, Refusal> {
        self.known.case().cloned().ok_or(Refusal::UnknownCase)
    }

    /// Stores a record.
    pub(crate) fn store(&mut self, record: Record) {
        let record = self.without_gone(record);
        self.known.put(record.clone());
        self.records.push(record);
    }

    /// Stores a header of another whose hash is known.
    pub(crate) fn store_header(&mut self, hash: Hash, header: Header, origin: NodeId) {
        let header = Arc::new(header);
        self.known.put_header(hash, header.clone(), origin);
        self.records.push(Record::Event { header, private: None, origin });
    }

    /// What is gone stays so, whoever gives it back.
    fn without_gone(&self, mut record: Record) -> Record {
        match &mut record {
            Record::Event { header, private, .. } if self.known.is_gone(header.id) => *private = None,
            Record::Contribution(file) if self.known.is_gone(as_event(file.id)) => file.private = None,
            _ => {}
        }
        record
    }

    /// Urgency of what belongs to this case.
    pub(crate) fn urgency(&self) -> Urgency {
        urgency(self.known.case().and_then(Case::peak))
    }

    /// Writes a letter; nothing is sent to this node itself.
    pub(crate) fn send(&mut self, to: NodeId, letter: Letter) {
        let urgency = self.urgency();
        self.post(to, urgency, letter);
    }

    /// Writes a letter without anything to seal.
    pub(crate) fn tell(&mut self, to: NodeId, body: Body) {
        self.send(to, Letter::Plain(body));
    }

    fn post(&mut self, to: NodeId, urgency: Urgency, letter: Letter) {
        if to != self.me() {
            self.outgoing.push(Outgoing { to, urgency, letter });
        }
    }

    /// Gives a receipt (回执).
    pub(crate) fn receipt(&mut self, to: NodeId, subject: Subject, progress: Progress) {
        let receipt = Receipt { subject, by: self.me(), progress, at: self.world.now };
        self.store(Record::Receipt(receipt));
        self.tell(to, Body::Receipt(receipt));
    }

    /// Notes that somebody holds something of the case.
    pub(crate) fn follow(&mut self, node: NodeId, class: FollowerClass, until_days: Option<u16>, why: &str) {
        let until = until_days.map(|days| self.world.now.day().plus(i32::from(days)));
        let held = self.known.followers().any(|f| f.node == node && f.class == class && f.why.as_str() == why);
        if node != self.me() && !(held && until.is_none()) {
            let (case, since) = (self.known.id(), self.world.now);
            self.store(Record::Follower(Follower { case, node, class, since, until, why: Text::cut(why) }));
        }
    }

    /// A fresh event id.
    pub(crate) fn event_id(&mut self) -> EventId {
        EventId::new(self.world.now.wall, self.world.random())
    }

    /// Appends an event of the loop or around it, in the epoch that runs.
    pub(crate) fn append(
        &mut self,
        act: impl Into<Act>,
        content: Content,
        change: impl FnOnce(&mut Brief),
    ) -> Result<(), Refusal> {
        let epoch = self.case()?.head.epoch;
        self.append_in(epoch, act.into(), content, change)
    }

    /// Appends an event in an epoch.
    pub(crate) fn append_in(
        &mut self,
        epoch: Epoch,
        act: Act,
        content: Content,
        change: impl FnOnce(&mut Brief),
    ) -> Result<(), Refusal> {
        let case = self.case()?;
        // Nobody who follows the case would take it in.
        if self.known.is_archived() {
            return Err(Refusal::IsArchived);
        }
        let mut brief = case.brief.clone();
        if let Some(step) = step::after(&act, &brief) {
            brief.step = step;
        }
        change(&mut brief);
        let then = foreseen(&case, &act, self.world.now);
        brief.next_term = term::next(self.world.holds, &brief, SoFar::of(&then), self.world.now);
        let withheld = then.restricted.then(|| brief.clone());
        if withheld.is_some() {
            brief = restricted::told(&brief, self.world.me.division);
        }
        let header = Header {
            id: self.event_id(),
            case: case.id,
            epoch,
            number: case.head.number.saturating_add(1),
            previous: case.head.hash,
            at: self.world.now,
            act,
            brief,
            commitment: protocol::event::Commitment([0; 32]),
        };
        self.commit(header, content);
        withheld.map_or(Ok(()), |now| self.keep_withheld(epoch, &now))
    }

    /// What changed of what is withheld from above is said behind the event that changed it, to those alone who may read it.
    fn keep_withheld(&mut self, epoch: Epoch, now: &Brief) -> Result<(), Refusal> {
        let held = self.known.case().and_then(|case| case.withheld.as_deref());
        let Some(changed) = held.and_then(|held| restricted::changed(held, now)) else { return Ok(()) };
        let content = WideContent::Withheld { what: changed.clone(), note: Text::default() };
        let content = content.widen().map_err(|_| Refusal::TooLong)?;
        self.append_in(epoch, WideAct::WithheldChanged {}.into(), content, |brief| restricted::put(&changed, brief))
    }

    /// Binds a private part to a header and appends both.
    pub(crate) fn commit(&mut self, mut header: Header, content: Content) {
        let private = Private { by: self.by.clone(), content };
        let salt = Salt(self.world.random());
        header.commitment = private.commit(salt);
        self.push(header, (salt, private));
    }

    /// Appends an event whose parts are made already.
    pub(crate) fn push(&mut self, header: Header, private: (Salt, Private)) {
        let (me, header) = (self.me(), Arc::new(header));
        self.records.push(Record::Event { header: header.clone(), private: Some(private.clone()), origin: me });
        self.appended.push(header.clone());
        self.known.append(header, private, me);
    }

    /// Appends an event whose private part is no longer here, as a restored node does.
    pub(crate) fn push_bare(&mut self, header: Header) {
        let (me, header) = (self.me(), Arc::new(header));
        self.records.push(Record::Event { header: header.clone(), private: None, origin: me });
        self.appended.push(header.clone());
        self.known.append_bare(header, me);
    }

    /// The key of the case in the figures, made when there is none.
    pub(crate) fn key(&mut self) -> (CaseKey, protocol::division::DivisionCode) {
        if let Some(key) = self.known.key() {
            return key;
        }
        // By the minute of the report, so that keys of one time lie together in every database above.
        let minute = self.known.case().map_or(self.world.now, |case| case.reported_at).minute();
        let at = UnixMillis(i64::from(minute.0).saturating_mul(60_000));
        let key = CaseKey::new(at, self.world.random());
        let registered_by = self.world.me.division;
        self.store(Record::Key { case: self.known.id(), key, registered_by });
        (key, registered_by)
    }

    /// Ends it: headers go to those who follow, the fact to the top.
    pub(crate) fn finish(mut self) -> Decision {
        if !self.appended.is_empty() {
            self.offer_again();
            self.headers_up();
            self.fact_up();
        } else {
            self.fact_given_up();
        }
        Decision { records: self.records, outgoing: self.outgoing, known: self.known, notes: self.notes }
    }

    /// What was offered holds more now than when it was offered: whoever could not take it on is to say so.
    fn offer_again(&mut self) {
        let open =
            self.known.case().and_then(|case| case.offered).filter(|(offer, _)| Some(*offer) == self.narrow_offer);
        let Some((offer, to)) = open.filter(|_| self.known.is_wide()) else { return };
        if let Some(file) = self.known.offer(offer).cloned() {
            crate::decide::tell_of(self, file.offer, to);
        }
    }

    /// An escalated case is followed to its archive by every level up to the ceiling, and by its former owners with all
    /// between: no level holds a chain with holes.
    fn headers_up(&mut self) {
        let Some(case) = self.known.case().cloned() else { return };
        let urgency = self.urgency();
        for (reader, why) in self.readers(case.brief.ceiling, self.appended.iter().map(Arc::as_ref)) {
            let new = self.ceiling_before.is_none()
                || (Some(reader) == case.brief.ceiling && self.ceiling_before != case.brief.ceiling);
            if (new && case.escalated()) || self.introduce {
                self.earlier_headers(reader, urgency);
            }
            self.follow(reader, FollowerClass::Brief, None, why);
            for header in self.appended.clone() {
                self.post(reader, urgency, Letter::Plain(Body::header(Header::clone(&header))));
            }
        }
    }

    /// Who gets headers of this case, each once, and why.
    fn readers<'h>(
        &self,
        ceiling: Option<NodeId>,
        headers: impl IntoIterator<Item = &'h Header>,
    ) -> Vec<(NodeId, &'static str)> {
        let mut all: Vec<(NodeId, &'static str)> = Vec::new();
        if let Some(ceiling) = ceiling {
            all.push((ceiling, "ceiling"));
            all.extend(self.known.owners().into_iter().map(|owner| (owner, "former-owner")));
        }
        for header in headers {
            if let Act::TakenOver { from } = header.act {
                all.push((from, "former-owner"));
            }
        }
        let mut done = BTreeSet::from([self.me()]);
        all.retain(|(reader, _)| done.insert(*reader));
        all
    }

    /// All headers so far to the ceiling once more; whoever holds them drops them. True when there is anybody to tell.
    pub(crate) fn tell_again(&mut self) -> bool {
        let me = self.me();
        let ceiling = self.known.case().filter(|case| case.owned_by(me)).and_then(|case| case.brief.ceiling);
        let Some(ceiling) = ceiling.filter(|ceiling| *ceiling != me) else { return false };
        let urgency = self.urgency();
        self.earlier_headers(ceiling, urgency);
        true
    }

    /// A header of this node was given back: it was restored. What went to others with it may be lost with the disk, a
    /// take-over to the owner before among it, so everybody who follows the case gets it; who has it takes it once. With the
    /// header that took the case up went all before it.
    pub(crate) fn send_again(&mut self, header: &Header) {
        let before = self.known.headers().find(|(hash, _, _)| *hash == header.previous);
        let rose = header.brief.ceiling.is_some_and(|to| before.and_then(|(_, h, _)| h.brief.ceiling) != Some(to));
        let urgency = self.urgency();
        for (reader, _) in self.readers(header.brief.ceiling, [header]) {
            if rose {
                self.earlier_headers(reader, urgency);
            }
            self.tell(reader, Body::header(header.clone()));
        }
    }

    /// What was written before this decision: one by one when all of it is this node's, else with the proof of each tenure.
    pub(crate) fn earlier_headers(&mut self, reader: NodeId, urgency: Urgency) {
        let fresh: Vec<Hash> = self.appended.iter().map(|header| header.hash()).collect();
        let earlier: Vec<_> = self.known.chain().iter().filter(|link| !fresh.contains(&link.hash)).cloned().collect();
        if earlier.is_empty() {
            return;
        }
        if earlier.iter().all(|link| link.writer == self.me()) {
            for link in earlier {
                self.post(reader, urgency, Letter::Plain(Body::header(Header::clone(&link.header))));
            }
            return;
        }
        let headers = List::new(earlier.iter().map(|link| Header::clone(&link.header)).collect());
        let seals = List::new(self.known.seals().copied().collect());
        if let (Ok(headers), Ok(seals)) = (headers, seals) {
            let history = History { case: self.known.id(), headers, seals };
            self.post(reader, urgency, Letter::Plain(Body::history(history)));
        }
    }

    fn fact_up(&mut self) {
        let (key, registered_by) = self.key();
        let Some(case) = self.known.case() else { return };
        let fact = fact(case, key, registered_by, self.world.me, &self.world.holds.policy);
        self.publish(fact);
    }

    /// The case was taken over: what this node counts as its own is so no more.
    fn fact_given_up(&mut self) {
        let me = self.me();
        let mine = self.known.fact().filter(|fact| fact.owner_node == me && !fact.released);
        let lost = self.known.case().is_some_and(|case| !case.owned_by(me));
        if let Some(fact) = mine.filter(|_| lost).cloned() {
            self.publish(CaseFact { released: true, ..fact });
        }
    }

    /// A fact goes to the top, and every level on the way keeps it. When the case was reported elsewhere it goes there as
    /// well, so that the levels between count the case of their area as it is and not as it was when it left.
    fn publish(&mut self, fact: CaseFact) {
        let reporter = self.known.case().map(|case| case.reporter);
        let above = |node: NodeId| self.world.line.iter().any(|ancestor| ancestor.node == node);
        let top = self.world.line.last().map(|top| top.node);
        let readers = [top, reporter.filter(|reporter| !above(*reporter))];
        self.store(Record::Fact(fact.clone()));
        for reader in readers.into_iter().flatten() {
            self.post(reader, Urgency::Statistics, Letter::Plain(Body::Fact(fact.clone())));
        }
    }
}

/// The urgency of a level.
pub(crate) fn urgency(level: Option<Warning>) -> Urgency {
    match level {
        Some(Warning::Orange | Warning::Later(_)) => Urgency::Orange,
        Some(Warning::Red) => Urgency::Red,
        Some(Warning::Yellow) | None => Urgency::Routine,
    }
}
