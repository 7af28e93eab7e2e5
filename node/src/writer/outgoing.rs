//! What goes out: letters sealed, gathered by destination and urgency, signed as bundles and given to the core.

use std::collections::BTreeMap;

use casework::{Outgoing, Record};
use federation::core::Input;
use federation::trust::seal;
use protocol::directory::SignedEntry;
use protocol::id::{BundleId, MessageId, NodeId};
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Delivered;
use protocol::wire::kind::Body;
use protocol::wire::limits::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX};

use crate::clock::random_bytes;

use super::Writer;
use super::batch::{Batch, Letter};

/// Bytes of messages in one bundle: room is left for heads and signature.
const MESSAGES_BYTES_MAX: usize = BUNDLE_BYTES_MAX - 16 * 1024;

impl Writer {
    /// A terminal receipt of the link.
    pub(super) fn tell(&mut self, to: NodeId, delivered: Delivered, batch: &mut Batch) {
        batch.letters.push(Letter {
            to,
            urgency: Urgency::Routine,
            receipted: false,
            body: Body::Delivered(delivered),
        });
    }

    /// Seals and signs everything that waits to go out, and lets the core number it.
    pub(super) fn send_letters(&mut self, batch: &mut Batch) {
        for outgoing in without_older_receipts(std::mem::take(&mut batch.outgoing)) {
            let (to, urgency, receipted) = (outgoing.to, outgoing.urgency, outgoing.is_answered());
            let sealer = |node: NodeId, plain: &[u8]| {
                self.directory.sealing_key(node).and_then(|key| seal::seal(key, &[], plain).ok())
            };
            match outgoing.into_body(&sealer) {
                Some(body) => batch.letters.push(Letter { to, urgency, receipted, body }),
                None => tracing::error!(%to, "no sealing key is known for this node: its message was not sent"),
            }
        }
        let mut groups: BTreeMap<(NodeId, Urgency, bool), Vec<Message>> = BTreeMap::new();
        for letter in with_receipts_together(std::mem::take(&mut batch.letters)) {
            if letter.to == self.me.node {
                continue;
            }
            match self.message_of(&letter.body) {
                Some(message) => {
                    groups.entry((letter.to, letter.urgency, letter.receipted)).or_default().push(message);
                }
                None => tracing::error!(to = %letter.to, "a message is above its limit and was not sent"),
            }
        }
        // The most urgent first, so that it gets the lower number.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((_, urgency, _), _)| std::cmp::Reverse(*urgency));
        let bundles: Vec<Bundle> =
            groups.into_iter().flat_map(|(group, messages)| self.bundles(group, messages)).collect();
        if !bundles.is_empty() {
            self.feed(Input::Outgoing { bundles });
        }
    }

    fn message_of(&self, body: &Body) -> Option<Message> {
        let id = match body {
            Body::Header(header) | Body::WideHeader(header) => header.id.into(),
            _ => MessageId::new(self.clock.wall(), random_bytes()),
        };
        let (kind, schema) = body.kind();
        body.encode().ok().map(|body| Message { id, kind, schema, body })
    }

    fn bundles(&self, (to, urgency, receipted): (NodeId, Urgency, bool), messages: Vec<Message>) -> Vec<Bundle> {
        let mut bundles = Vec::new();
        let mut part = Vec::new();
        let mut bytes = 0;
        for message in messages {
            if part.len() >= BUNDLE_MESSAGES_MAX || bytes + message.body.len() > MESSAGES_BYTES_MAX {
                bundles.extend(self.bundle(to, urgency, receipted, std::mem::take(&mut part)));
                bytes = 0;
            }
            bytes += message.body.len() + 32;
            part.push(message);
        }
        bundles.extend(self.bundle(to, urgency, receipted, part));
        bundles
    }

    fn bundle(&self, to: NodeId, urgency: Urgency, receipted: bool, messages: Vec<Message>) -> Option<Bundle> {
        let head = BundleHead {
            id: BundleId::new(self.clock.wall(), random_bytes()),
            origin: self.me.node,
            key: self.keys.signing_key().id(),
            to,
            urgency,
            receipted,
        };
        Bundle::seal(head, messages, |bytes| self.keys.sign(bytes))
            .inspect_err(|error| tracing::error!(%to, %error, "a bundle could not be sealed"))
            .ok()
    }

    /// Takes a directory entry in, if the authority signed it.
    pub(super) fn learn(&mut self, entry: SignedEntry, batch: &mut Batch) {
        match self.directory.insert(entry) {
            Ok(true) => batch.entries.push(entry),
            Ok(false) => {}
            Err(_) => tracing::warn!(node = %entry.entry.node, "a directory entry that the authority did not sign"),
        }
    }

    /// Keeps an entry that the driver was introduced to, once.
    pub(super) fn remember(&mut self, entry: SignedEntry, batch: &mut Batch) {
        if self.shared.first_sight(entry.entry.node, entry.entry.serial) {
            batch.entries.push(entry);
        }
    }
}

/// A receipt of a case says that everything up to a number is here: of those of one transaction the last is enough.
fn without_older_receipts(all: Vec<Outgoing>) -> Vec<Outgoing> {
    let receipt = |outgoing: &Outgoing| match &outgoing.letter {
        casework::Letter::Plain(Body::Receipt(receipt)) => {
            Some(((outgoing.to, Record::Receipt(*receipt).key()), receipt.subject))
        }
        _ => None,
    };
    let mut last = BTreeMap::new();
    for (key, subject) in all.iter().filter_map(receipt) {
        let slot = last.entry(key).or_insert(subject);
        *slot = subject.max(*slot);
    }
    let mut kept = all;
    kept.retain(|outgoing| receipt(outgoing).is_none_or(|(key, subject)| last.get(&key) == Some(&subject)));
    kept
}

/// A receipt of the link goes in one bundle with the receipts of cases to the same node: one way for both.
fn with_receipts_together(mut letters: Vec<Letter>) -> Vec<Letter> {
    let mut of_cases: BTreeMap<NodeId, Urgency> = BTreeMap::new();
    for letter in letters.iter().filter(|letter| !letter.receipted && matches!(letter.body, Body::Receipt(_))) {
        let urgency = of_cases.entry(letter.to).or_insert(letter.urgency);
        *urgency = letter.urgency.max(*urgency);
    }
    for letter in letters.iter_mut().filter(|letter| matches!(letter.body, Body::Delivered(_))) {
        letter.urgency = of_cases.get(&letter.to).copied().unwrap_or(letter.urgency);
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::chain::Epoch;
    use protocol::id::{CaseId, OrderId};
    use protocol::receipt::{Progress, Receipt, Subject};
    use protocol::time::ClockReading;

    fn receipt(to: u8, subject: Subject, progress: Progress) -> Outgoing {
        let receipt = Receipt { subject, by: NodeId::from_bytes([9; 16]), progress, at: ClockReading::default() };
        let letter = casework::Letter::Plain(Body::Receipt(receipt));
        Outgoing { to: NodeId::from_bytes([to; 16]), urgency: Urgency::Orange, letter }
    }

    fn of_case(case: u8, number: u32) -> Subject {
        Subject::Case { case: CaseId::from_bytes([case; 16]), epoch: Epoch::default(), number }
    }

    #[test]
    fn of_the_receipts_of_a_case_to_one_reader_the_last_goes() {
        let order = Subject::Order { order: OrderId::from_bytes([5; 16]), case: CaseId::from_bytes([1; 16]) };
        let all = vec![
            receipt(1, of_case(1, 4), Progress::Delivered),
            receipt(1, of_case(2, 2), Progress::Delivered),
            receipt(1, of_case(1, 5), Progress::Delivered),
            receipt(2, of_case(1, 4), Progress::Delivered),
            receipt(1, order, Progress::Delivered),
            receipt(1, order, Progress::Read),
        ];
        let expected: Vec<_> = [1, 2, 3, 4, 5].map(|index| all[index].letter.clone()).into();
        let kept: Vec<_> = without_older_receipts(all).into_iter().map(|outgoing| outgoing.letter).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_receipt_of_the_link_goes_with_the_receipts_of_cases_to_the_same_node_and_else_as_it_was() {
        let letter =
            |to: u8, urgency, body| Letter { to: NodeId::from_bytes([to; 16]), urgency, receipted: false, body };
        let delivered =
            || Body::Delivered(Delivered { bundles: protocol::bounded::List::new(Vec::new()).expect("none") });
        let casework::Letter::Plain(of_case) = receipt(1, of_case(1, 4), Progress::Delivered).letter else {
            panic!("a receipt has nothing to seal")
        };
        let together = with_receipts_together(vec![
            letter(1, Urgency::Routine, delivered()),
            letter(2, Urgency::Routine, delivered()),
            letter(1, Urgency::Orange, of_case),
        ]);
        let urgencies: Vec<_> = together.iter().map(|letter| letter.urgency).collect();
        assert_eq!(urgencies, [Urgency::Orange, Urgency::Routine, Urgency::Orange]);
    }
}
