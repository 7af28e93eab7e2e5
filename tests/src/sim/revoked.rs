//! Nodes that are revoked while the city goes on: what they had said by then counts, and nothing that they say later. Their
//! cases are taken over by those above, who decide so.

use std::collections::{BTreeMap, BTreeSet};

use casework::{Command, Known, OfferState};
use federation::sim::World;
use protocol::bounded::Text;
use protocol::chain::Epoch;
use protocol::event::Step;
use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, ContributionId, EventId, NodeId, OfferId, OrderId};
use protocol::wire::bundle::Bundle;
use protocol::wire::kind::Body;

use super::app::CityApp;

/// Something that a node said which others remember of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Event(EventId),
    Contribution(ContributionId),
    Order(OrderId),
    OrderAnswer(OrderId),
    Offer(OfferId),
    OfferAnswer(OfferId),
}

/// What decides between two facts of one case.
type Rank = (Epoch, u32, bool);

/// All that a node had said when its parent learned that it is revoked.
#[derive(Debug, Default)]
struct Said {
    words: BTreeSet<Word>,
    facts: BTreeMap<CaseKey, Rank>,
}

impl Said {
    /// What there is of a node anywhere: where it was taken in, and on its way.
    fn by(node: NodeId, world: &World<CityApp>) -> Self {
        let mut said = Self::default();
        for disk in world.nodes().filter_map(|at| world.disk(at)) {
            said.in_app(node, &disk.app);
            let bundles = disk.bundles.values().filter(|stored| stored.bundle.head().origin == node);
            bundles.for_each(|stored| said.in_bundle(&stored.bundle));
        }
        world.nodes().filter_map(|at| world.app(at)).for_each(|app| said.in_app(node, app));
        said
    }

    fn in_app(&mut self, node: NodeId, app: &CityApp) {
        for known in app.files() {
            self.words.extend(words_of(node, &known));
        }
        app.facts().filter(|fact| fact.owner_node == node).for_each(|fact| self.fact(fact));
    }

    fn fact(&mut self, fact: &CaseFact) {
        let rank = self.facts.entry(fact.key).or_insert_with(|| fact.rank());
        *rank = fact.rank().max(*rank);
    }

    fn in_bundle(&mut self, bundle: &Bundle) {
        for message in bundle.messages() {
            match Body::decode(message.kind, message.schema, &message.body) {
                Ok(Some(Body::Header(header) | Body::WideHeader(header))) => {
                    self.words.insert(Word::Event(header.id));
                }
                Ok(Some(Body::History(history) | Body::WideHistory(history))) => {
                    self.words.extend(history.headers.iter().map(|header| Word::Event(header.id)));
                }
                Ok(Some(Body::Handover(handover) | Body::WideHandover(handover))) => {
                    self.words.extend(handover.headers.iter().map(|header| Word::Event(header.id)));
                }
                Ok(Some(Body::Contribution(said))) => {
                    self.words.insert(Word::Contribution(said.id));
                }
                Ok(Some(Body::Order(order) | Body::WideOrder(order))) => drop(self.words.insert(Word::Order(order.id))),
                Ok(Some(Body::OrderAnswer(answer))) => {
                    self.words.insert(Word::OrderAnswer(answer.order));
                }
                Ok(Some(Body::Offer(offer) | Body::WideOffer(offer))) => drop(self.words.insert(Word::Offer(offer.id))),
                Ok(Some(Body::Accept(accept))) => {
                    self.words.insert(Word::OfferAnswer(accept.offer));
                }
                Ok(Some(Body::Decline(decline))) => {
                    self.words.insert(Word::OfferAnswer(decline.offer));
                }
                Ok(Some(Body::Fact(fact))) => self.fact(&fact),
                _ => {}
            }
        }
    }
}

/// What is held of a case that a node said.
fn words_of(node: NodeId, known: &Known) -> Vec<Word> {
    let chain = known.chain().iter().filter(|link| link.writer == node).map(|link| link.header.id);
    let aside = known.aside().filter(|(_, origin)| *origin == node).map(|(header, _)| header.id);
    let mut words: Vec<Word> = chain.chain(aside).map(Word::Event).collect();
    let contributed = known.contributions().filter(|file| file.from == node);
    words.extend(contributed.map(|file| Word::Contribution(file.id)));
    for file in known.orders() {
        let order = file.order.id;
        words.extend((file.order.from == node).then_some(Word::Order(order)));
        let answered = file.answered.as_ref().is_some_and(|answered| answered.by == node);
        words.extend(answered.then_some(Word::OrderAnswer(order)));
    }
    for file in known.offers() {
        let offer = file.offer.id;
        words.extend((file.offer.from == node).then_some(Word::Offer(offer)));
        let answered = matches!(file.state, OfferState::Accepted | OfferState::Declined { .. } | OfferState::Done);
        words.extend((file.to == node && answered).then_some(Word::OfferAnswer(offer)));
    }
    words
}

/// The nodes that are revoked.
#[derive(Debug, Default)]
pub(super) struct Revoked(BTreeMap<NodeId, Said>);

impl Revoked {
    /// The parent of a node learns that the node is revoked. The node goes on.
    pub(super) fn revoke(&mut self, node: NodeId, world: &mut World<CityApp>) {
        let said = Said::by(node, world);
        if world.revoke(node) {
            self.0.insert(node, said);
        }
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether it is one of them.
    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.0.contains_key(&node)
    }

    /// They.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.0.keys().copied()
    }

    /// What others hold that a node said after its parent knew, in words.
    pub(super) fn heard(&self, world: &World<CityApp>) -> Vec<String> {
        let others: Vec<NodeId> = world.nodes().filter(|at| !self.contains(*at)).collect();
        let mut wrong = Vec::new();
        for (at, app) in others.iter().filter_map(|at| Some((at, world.app(*at)?))) {
            for (node, said) in &self.0 {
                for known in app.files() {
                    let words = words_of(*node, &known);
                    let later = words.into_iter().filter(|word| !said.words.contains(word));
                    wrong.extend(later.map(|word| format!("{node} was revoked, and {word:?} of it is at {at}")));
                }
                let facts = app.facts().filter(|fact| fact.owner_node == *node);
                let later = facts.filter(|fact| said.facts.get(&fact.key).is_none_or(|rank| fact.rank() > *rank));
                wrong.extend(later.map(|fact| format!("{node} was revoked, and its fact {} is at {at}", fact.key)));
            }
        }
        wrong
    }
}

/// Cases at a node whose owner is revoked and with which something can still be done.
pub(super) fn orphans(app: &CityApp, owner: NodeId) -> Vec<CaseId> {
    let alive = |known: &Known| {
        known.case().is_some_and(|case| case.owner() == owner && !case.brief.void && case.brief.step != Step::Archived)
    };
    app.cases().filter(|known| alive(known)).map(|known| known.id()).collect()
}

/// A node takes a case over whose owner is revoked.
pub(super) fn take_over() -> Command {
    Command::TakeOver { reason: Text::cut("原承办节点证书已吊销") }
}
