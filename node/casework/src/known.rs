//! All that a node holds of one case.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::chain::{Epoch, Hash, TenureSeal};
use protocol::division::DivisionCode;
use protocol::erase::Erase;
use protocol::event::{Act, CaseEvent, Header, Private, PrivatePart, Salt, Step};
use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, ContributionId, EventId, NodeId, OfferId, OrderId};
use protocol::receipt::Receipt;

use crate::case::Case;
use crate::evolve::evolve_hashed;
use crate::few::{self, Few};
use crate::part::Part;
use crate::record::{ContributionFile, Follower, Lapse, OfferFile, OfferState, OrderFile, Record, RecordKey};
use crate::restricted::Reader;
use crate::tenure::{self, Held, Link};

/// Headers with their writers: several of one id, where a branch was written again.
type Events = Few<(EventId, Hash), (Arc<Header>, NodeId)>;

/// All that a node holds of one case, put together from its records.
///
/// Every decision works on a copy, since it may be refused half way. So a copy is cheap: it shares all parts, and a change
/// copies the one part that it touches, in which headers and private parts are shared in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    id: CaseId,
    events: Events,
    privates: Few<EventId, Arc<Part>>,
    seals: Few<(Epoch, Hash), TenureSeal>,
    key: Option<(CaseKey, DivisionCode)>,
    orders: Few<OrderId, OrderFile>,
    offers: Few<OfferId, OfferFile>,
    receipts: Few<RecordKey, Receipt>,
    followers: Few<RecordKey, Follower>,
    contributions: Few<ContributionId, ContributionFile>,
    erasures: Few<OrderId, Erase>,
    erased: Few<EventId, ()>,
    lapse: Option<Arc<Lapse>>,
    readers: Few<RecordKey, Reader>,
    fact: Option<Arc<CaseFact>>,
    chain: Arc<Vec<Link>>,
    case: Option<Arc<Case>>,
    checks_epochs: bool,
}

impl Known {
    /// Puts a case together. Records of other cases are left out; order does not matter.
    pub fn assemble(case: CaseId, rows: Vec<Record>) -> Self {
        Self::build(case, rows, true)
    }

    /// The same with a safeguard off.
    #[cfg(feature = "mutants")]
    pub fn assemble_as(case: CaseId, rows: Vec<Record>, mutant: Option<crate::world::Mutant>) -> Self {
        Self::build(case, rows, mutant != Some(crate::world::Mutant::NoEpochCheck))
    }

    fn build(case: CaseId, rows: Vec<Record>, checks_epochs: bool) -> Self {
        let mut known = Self {
            id: case,
            events: Few::default(),
            privates: Few::default(),
            seals: Few::default(),
            key: None,
            orders: Few::default(),
            offers: Few::default(),
            receipts: Few::default(),
            followers: Few::default(),
            contributions: Few::default(),
            erasures: Few::default(),
            erased: Few::default(),
            lapse: None,
            readers: Few::default(),
            fact: None,
            chain: Arc::default(),
            case: None,
            checks_epochs,
        };
        // A fact names its case only once that has escalated; until then the key tells whose it is.
        let (facts, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| matches!(row, Record::Fact(_)));
        for row in rows.into_iter().filter(|row| row.case() == Some(case)) {
            known.put(row);
        }
        for row in facts {
            let ours = matches!(&row, Record::Fact(fact) if known.key.is_some_and(|(key, _)| key == fact.key));
            if ours || row.case() == Some(case) {
                known.put(row);
            }
        }
        known.rebuild();
        known
    }

    /// The same records under another view of epochs.
    pub(crate) fn viewed(&self, checks_epochs: bool) -> Self {
        let mut known = Self { checks_epochs, ..self.clone() };
        if checks_epochs != self.checks_epochs {
            known.rebuild();
        }
        known
    }

    /// Takes one record in. After events, [`Known::rebuild`] is due.
    pub(crate) fn put(&mut self, record: Record) {
        match record {
            Record::Event { header, private, origin } => {
                if let Some(private) = private.filter(|_| !self.is_gone(header.id)) {
                    self.put_private(header.id, private);
                }
                let hash = header.hash();
                self.put_header(hash, header, origin);
            }
            Record::Seal(seal) => {
                self.seals.insert((seal.head.epoch, seal.head.hash), seal);
            }
            Record::Key { key, registered_by, .. } => self.key = Some((key, registered_by)),
            Record::Order(file) => {
                self.orders.insert(file.order.id, file);
            }
            Record::Offer(file) => {
                self.offers.insert(file.offer.id, file);
            }
            Record::Receipt(receipt) => {
                let key = Record::Receipt(receipt).key();
                if self.receipts.get(&key).is_none_or(|held| receipt.subject >= held.subject) {
                    self.receipts.insert(key, receipt);
                }
            }
            Record::Fact(fact) => {
                let newer = |held: &CaseFact| fact.rank() >= held.rank();
                if self.fact.as_deref().is_none_or(newer) {
                    self.fact = Some(Arc::new(fact));
                }
            }
            Record::Follower(follower) => {
                let key = RecordKey::Follower(follower.case, follower.node, follower.class);
                self.followers.insert(key, follower);
            }
            Record::Contribution(mut file) => {
                file.private = file.private.filter(|_| !self.is_gone(as_event(file.id)));
                self.contributions.insert(file.id, file);
            }
            Record::Erasure(erase) => {
                erase.events.iter().for_each(|event| self.erased.insert(*event, ()));
                self.erasures.insert(erase.id, erase);
                self.let_go();
            }
            Record::Lapse(lapse) => {
                self.lapse = Some(Arc::new(lapse));
                self.let_go();
            }
            Record::Reader(reader) => {
                self.readers.insert(Record::Reader(reader.clone()).key(), reader);
            }
            Record::Tally(_) | Record::Watermark(_) => {}
        }
    }

    /// What a level above would hold of it: everything but what is private.
    pub(crate) fn without_words(&self) -> Self {
        let mut known = self.clone();
        known.privates = Few::default();
        known.contributions.for_each_mut(|_, file| file.private = None);
        known.live_again();
        known
    }

    /// Takes in a fact of the case that came apart from its headers.
    pub fn counted(&mut self, fact: &CaseFact) {
        self.put(Record::Fact(fact.clone()));
    }

    /// Forgets the private parts that are to be gone.
    fn let_go(&mut self) {
        let lapsed = self.lapse.iter().flat_map(|lapse| &lapse.events);
        let gone: BTreeSet<EventId> = self.erased.keys().chain(lapsed).copied().collect();
        self.privates.retain(|event| !gone.contains(event));
        self.contributions.for_each_mut(|id, file| {
            if gone.contains(&as_event(*id)) {
                file.private = None;
            }
        });
    }

    /// Chooses the chain anew and lets the case evolve along it.
    pub(crate) fn rebuild(&mut self) {
        self.stand_on(tenure::choose(self.hashed(), self.checks_epochs));
    }

    /// Lets the case evolve along the chain.
    fn live_again(&mut self) {
        let case = self
            .chain
            .iter()
            .fold(None, |case, link| Some(evolve_hashed(case, &link.header, link.hash, self.said(&link.header))));
        self.case = case.map(Arc::new);
    }

    /// The private part that a header binds, if it is held.
    fn bound_part(&self, header: &Header) -> Option<&Arc<Part>> {
        self.privates.get(&header.id).filter(|part| part.commitment == header.commitment)
    }

    /// Takes a header in that was stored, as [`Known::rebuild`] does. Most often it is the next of the chain, and then there
    /// is nothing to choose.
    pub(crate) fn follow(&mut self, hash: Hash) {
        match self.next_of_chain(hash) {
            Some(link) => self.lengthen(link),
            None => self.rebuild(),
        }
    }

    fn lengthen(&mut self, link: Link) {
        let part = self.bound_part(&link.header).cloned();
        let (case, private) = (self.case.take().map(Arc::unwrap_or_clone), part.as_deref().map(|part| &part.salted.1));
        self.case = Some(Arc::new(evolve_hashed(case, &link.header, link.hash, private)));
        few::own(&mut self.chain, 1).push(link);
    }

    /// A header as the next link, if it follows the chain and no other waits for it.
    fn next_of_chain(&self, hash: Hash) -> Option<Link> {
        let last = self.chain.last()?;
        let (_, header, writer) = self.hashed().find(|(held, _, _)| *held == hash)?;
        let waited_for = self.hashed().any(|(_, other, _)| other.previous == hash);
        let link = Link { hash, header: header.clone(), writer };
        let highest = tenure::rank(&link, self.checks_epochs) > tenure::rank(last, self.checks_epochs);
        let next = !waited_for && highest && tenure::follows(last, header, writer, self.checks_epochs);
        next.then_some(link)
    }

    /// The valid chain that ends in a header or goes through it as far as it is held.
    pub(crate) fn branch_of(&self, hash: Hash) -> Option<Vec<Link>> {
        // Only what leads to the header and what follows it: the rest of the tree is left out.
        let mut keep: BTreeSet<Hash> = BTreeSet::new();
        let mut at = hash;
        while let Some((_, header, _)) = self.headers().find(|(held, _, _)| *held == at) {
            keep.insert(at);
            at = header.previous;
        }
        let mut ahead = vec![hash];
        while let Some(last) = ahead.pop() {
            for (next, _, _) in self.headers().filter(|(_, header, _)| header.previous == last) {
                if keep.insert(next) {
                    ahead.push(next);
                }
            }
        }
        let headers = self.hashed().filter(|(held, _, _)| keep.contains(held));
        let chain = tenure::choose(headers, self.checks_epochs);
        chain.iter().any(|link| link.hash == hash).then_some(chain)
    }

    /// Stands on a branch, whatever the choice of chains says; what is appended next makes it the longest.
    pub(crate) fn stand_on(&mut self, chain: Vec<Link>) {
        self.chain = Arc::new(chain);
        self.live_again();
    }

    /// Appends an event of this node to the chain. The caller has made it to fit.
    pub(crate) fn append(&mut self, header: Arc<Header>, private: (Salt, Private), writer: NodeId) {
        self.put_private(header.id, private);
        self.append_bare(header, writer);
    }

    /// The same without a private part of its own.
    pub(crate) fn append_bare(&mut self, header: Arc<Header>, writer: NodeId) {
        let hash = header.hash();
        self.put_header(hash, header.clone(), writer);
        self.lengthen(Link { hash, header, writer });
    }

    /// Takes a header in whose hash is known; [`Known::follow`] or [`Known::rebuild`] is due then.
    pub(crate) fn put_header(&mut self, hash: Hash, header: Arc<Header>, writer: NodeId) {
        self.events.insert((header.id, hash), (header, writer));
    }

    fn put_private(&mut self, event: EventId, private: (Salt, Private)) {
        self.privates.insert(event, Arc::new(Part::new(private)));
    }

    /// The case.
    pub fn id(&self) -> CaseId {
        self.id
    }

    /// The case as it stands, if any chain of it is here.
    pub fn case(&self) -> Option<&Case> {
        self.case.as_deref()
    }

    /// The valid chain, oldest first.
    pub fn chain(&self) -> &[Link] {
        &self.chain
    }

    /// The same, shared.
    pub(crate) fn shared_chain(&self) -> Arc<Vec<Link>> {
        self.chain.clone()
    }

    /// The events of the valid chain, with the private parts that are held.
    pub fn history(&self) -> impl Iterator<Item = CaseEvent> + '_ {
        self.chain.iter().map(|link| CaseEvent {
            header: Header::clone(&link.header),
            private: self.bound_part(&link.header).map(|part| part.salted.clone()),
        })
    }

    /// The private part of an event.
    pub fn private(&self, event: EventId) -> Option<&(Salt, Private)> {
        self.privates.get(&event).map(|part| &part.salted)
    }

    /// What was said with a header: its private part, if that is held and the one that the header binds.
    pub fn said(&self, header: &Header) -> Option<&Private> {
        self.bound_part(header).map(|part| &part.salted.1)
    }

    /// Headers that are held beside the chain: out of order, of a branch that lost, or by nobody who could write them.
    pub fn aside(&self) -> impl Iterator<Item = (&Header, NodeId)> {
        let inside: BTreeSet<Hash> = self.chain.iter().map(|link| link.hash).collect();
        self.events
            .iter()
            .filter(move |((_, hash), _)| !inside.contains(hash))
            .map(|(_, (header, origin))| (&**header, *origin))
    }

    /// Whether a header is held.
    pub fn holds(&self, event: EventId, hash: Hash) -> bool {
        self.events.contains(&(event, hash))
    }

    /// All headers held, with their writers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (Hash, &Header, NodeId)> {
        self.hashed().map(|(hash, header, origin)| (hash, &**header, origin))
    }

    /// The same, shared.
    pub(crate) fn hashed(&self) -> impl Iterator<Item = Held<'_>> {
        self.events.iter().map(|((_, hash), (header, origin))| (*hash, header, *origin))
    }

    /// Seals of the ended tenures of the chain, oldest first.
    pub fn seals(&self) -> impl Iterator<Item = &TenureSeal> {
        self.seals.values().filter(|seal| self.chain().iter().any(|link| link.hash == seal.head.hash))
    }

    /// Key in the figures and the registering division.
    pub fn key(&self) -> Option<(CaseKey, DivisionCode)> {
        self.key.or_else(|| self.fact.as_ref().map(|fact| (fact.key, fact.registered_by)))
    }

    /// The latest fact held.
    pub fn fact(&self) -> Option<&CaseFact> {
        self.fact.as_deref()
    }

    /// Orders issued or received here.
    pub fn orders(&self) -> impl Iterator<Item = &OrderFile> {
        self.orders.values()
    }

    /// One order.
    pub fn order(&self, id: OrderId) -> Option<&OrderFile> {
        self.orders.get(&id)
    }

    /// Offers made or received here.
    pub fn offers(&self) -> impl Iterator<Item = &OfferFile> {
        self.offers.values()
    }

    /// One offer.
    pub fn offer(&self, id: OfferId) -> Option<&OfferFile> {
        self.offers.get(&id)
    }

    /// Receipts.
    pub fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.receipts.values()
    }

    /// Who holds something of the case, as far as it left from here.
    pub fn followers(&self) -> impl Iterator<Item = &Follower> {
        self.followers.values()
    }

    /// Contributions sent or received here.
    pub fn contributions(&self) -> impl Iterator<Item = &ContributionFile> {
        self.contributions.values()
    }

    /// Erasures of private parts, as ordered by the owner.
    pub fn erasures(&self) -> impl Iterator<Item = &Erase> {
        self.erasures.values()
    }

    /// Who may read it at this node while it is restricted, and who might before.
    pub fn readers(&self) -> impl Iterator<Item = &Reader> {
        self.readers.values()
    }

    /// Whether the private part of an event was erased: it is not taken in again, whoever gives it back.
    pub fn is_erased(&self, event: EventId) -> bool {
        self.erased.contains(&event)
    }

    /// What went from here on its day, if anything has.
    pub fn lapse(&self) -> Option<&Lapse> {
        self.lapse.as_deref()
    }

    /// Whether the private part of an event is to be gone here: erased, or past its day.
    pub fn is_gone(&self, event: EventId) -> bool {
        self.is_erased(event) || self.lapse.as_ref().is_some_and(|lapse| lapse.events.contains(&event))
    }

    /// Private parts that are held.
    pub fn privates(&self) -> impl Iterator<Item = (EventId, &Private)> {
        self.privates.iter().map(|(event, part)| (*event, &part.salted.1))
    }

    /// Whether this node may append.
    pub fn owned_by(&self, node: NodeId) -> bool {
        self.case.as_deref().is_some_and(|case| case.owned_by(node))
    }

    /// Whether its chain has ended.
    pub(crate) fn is_archived(&self) -> bool {
        self.case().is_some_and(|case| case.brief.step == Step::Archived)
    }

    /// The next moment at which [`crate::wake`] has something to do here: the first open offer that runs out.
    pub fn wakes_at(&self) -> Option<protocol::time::UnixMillis> {
        self.offers.values().filter(|f| f.state == OfferState::Open).map(|f| f.offer.expires.corrected()).min()
    }

    /// Everybody who ever owned the case, in order, each once.
    pub fn owners(&self) -> Vec<NodeId> {
        let mut owners = Vec::new();
        for link in self.chain() {
            if !owners.contains(&link.writer) {
                owners.push(link.writer);
            }
        }
        owners
    }

    /// Whether it holds what programs of the first version cannot read.
    pub fn is_wide(&self) -> bool {
        self.chain.iter().any(|link| link.header.is_wide()) || self.privates().any(|(_, private)| private.is_wide())
    }

    /// All private parts of the chain that are held.
    pub(crate) fn parts(&self) -> Vec<PrivatePart> {
        self.history()
            .filter_map(|event| {
                let (salt, private) = event.private?;
                Some(PrivatePart { event: event.header.id, salt, private })
            })
            .collect()
    }

    /// Bytes of private text held, about: what a handover has to carry in one piece.
    pub(crate) fn private_bytes(&self) -> usize {
        self.privates.values().map(|part| part.weight()).fold(0, usize::saturating_add)
    }

    /// Whether the chain holds the receipt of an order.
    pub(crate) fn received(&self, order: OrderId) -> bool {
        self.chain.iter().any(|link| link.header.act == Act::OrderReceived { order })
    }

    /// Whether a header is part of the chain.
    pub(crate) fn in_branch(&self, hash: Hash) -> bool {
        self.chain.iter().any(|link| link.hash == hash)
    }

    /// Whether the chain holds an event with this id.
    pub(crate) fn in_chain(&self, event: EventId) -> bool {
        self.chain.iter().any(|link| link.header.id == event)
    }
}

/// A contribution carries the id of the event that it becomes where it is written.
pub(crate) fn as_event(id: ContributionId) -> EventId {
    EventId::from_bytes(*id.as_bytes())
}
