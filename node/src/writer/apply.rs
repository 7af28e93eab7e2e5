//! Requests and arrived messages meet the rules of casework.

use std::sync::Arc;

use casework::{
    Actor, Command, Decision, Incoming, Intake, Keys, Known, Letter, Notice, Outgoing, Record, Refusal, World,
};
use federation::core::{Deliver, Input};
use federation::driver::Event;
use federation::trust::{Directory, NodeKeys, seal};
use protocol::bounded::Text;
use protocol::chain::{Hash, Signature};
use protocol::division::DivisionCode;
use protocol::event::{Act, Header, PaperNumber, PrivatePart, WideAct};
use protocol::id::{CaseId, NodeId, OfferId, OrderId};
use protocol::moving::Moves;
use protocol::sealed::Sealed;
use protocol::wire::bundle::{Bundle, Message};
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::clock;
use crate::person::audit::Entry;
use crate::store::StoreError;
use crate::store::attachments::Change;
use crate::store::link::KeepBundle;

use super::audit;
use super::batch::Batch;
use super::port::{Answer, Ask, Failed, Request};
use super::search::other_words;
use super::{Work, Writer, refused};

/// The node's keys as casework sees them.
struct NodesKeys<'a> {
    keys: &'a NodeKeys,
    directory: &'a Directory,
    places: &'a Moves,
}

impl Keys for NodesKeys<'_> {
    fn sign(&self, bytes: &[u8]) -> Signature {
        self.keys.sign(bytes)
    }

    fn verify(&self, by: NodeId, bytes: &[u8], signature: &Signature) -> bool {
        let keys = self.directory.keys_ever(by);
        keys.into_iter().any(|key| federation::trust::directory::verified(key, bytes, signature))
    }

    fn division(&self, node: NodeId) -> Option<DivisionCode> {
        self.directory.get(node).map(|signed| signed.entry.division)
    }

    fn is_or_was_above(&self, above: DivisionCode, below: DivisionCode) -> bool {
        above.contains(below) || self.places.contains(above, below)
    }
}

impl Writer {
    /// Runs a rule in this node's world.
    fn in_world<T>(&self, rule: impl FnOnce(&mut World<'_>) -> T) -> T {
        let places = &self.publications.holds.places;
        let keys = NodesKeys { keys: &self.keys, directory: &self.directory, places };
        let mut entropy = |buffer: &mut [u8]| clock::random(buffer);
        rule(&mut World {
            me: self.me,
            line: &self.line,
            holds: &self.publications.holds,
            now: self.clock.reading(),
            entropy: &mut entropy,
            keys: &keys,
            mutant: None,
        })
    }

    pub(super) async fn known(&mut self, case: CaseId) -> Result<Arc<Known>, StoreError> {
        if let Some(known) = self.cases.get(case) {
            return Ok(known);
        }
        let known = Arc::new(Known::assemble(case, self.store.records(case).await?));
        self.cases.put(known.clone());
        Ok(known)
    }

    /// Reads all cases that some work is about at once, for what it costs is the way to the database and back.
    pub(super) async fn bring(&mut self, work: &[Work]) -> Result<(), StoreError> {
        let missing = self.cases.missing(work.iter().flat_map(|item| self.subjects(item)));
        if missing.len() < 2 {
            return Ok(());
        }
        for (case, rows) in self.store.records_of(&missing).await? {
            self.cases.put(Arc::new(Known::assemble(case, rows)));
        }
        Ok(())
    }

    /// The cases that one thing is about, as far as it is seen without acting.
    fn subjects(&self, work: &Work) -> Vec<CaseId> {
        match work {
            Work::Request(Request { ask: Ask::Report { intake, .. } | Ask::Try { intake, .. }, .. }) => {
                vec![intake.case]
            }
            Work::Request(Request { ask: Ask::Act { case, .. }, .. }) => vec![*case],
            Work::Link(Event::Bundle { bundle, .. }) => {
                let here = bundle.head().to == self.me.node;
                // Facts are counted without their case, and most of what only passes is not looked into.
                let read = bundle
                    .messages()
                    .iter()
                    .filter(|m| (here || m.kind.kept_on_the_way()) && !m.kind.is_of_the_figures());
                let bodies = read.filter_map(|m| Body::decode(m.kind, m.schema, &m.body).ok().flatten());
                bodies.filter_map(|body| casework::subject_of(&body)).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) async fn request(&mut self, request: Request, batch: &mut Batch) -> Result<(), StoreError> {
        self.shared.counters.requests.add(1);
        let Request { ask, entry, reply } = request;
        let answer = match self.done(ask, batch).await {
            Ok(answer) => answer,
            Err(error) => {
                // Nothing of the batch will be kept, and who asked is told so with the others.
                batch.replies.push((reply, Err(Failed::Store)));
                return Err(error);
            }
        };
        batch.audits.extend(entry.map(|entry| {
            // An entry that comes with an outcome keeps it: a note of a refusal is stored, and that is not its outcome.
            let outcome = if entry.outcome.is_empty() { audit::outcome(&answer) } else { entry.outcome.clone() };
            Entry { outcome, ..entry }
        }));
        batch.replies.push((reply, answer));
        Ok(())
    }

    /// What a request asks for; its answer once it is stored.
    async fn done(&mut self, ask: Ask, batch: &mut Batch) -> Result<Answer, StoreError> {
        Ok(match ask {
            ask if ask.adds() && self.room.is_short() => Err(Failed::NoRoom),
            Ask::Report { intake, by } => self.report(*intake, &by, batch).await?,
            Ask::Try { intake, by } => self.try_report(*intake, &by).await?,
            Ask::Act { case, seen: Some(seen), .. } if self.has_gone_on(case, seen).await? => refused(Refusal::Changed),
            Ask::Act { case, command, by, .. } => self.act(case, *command, &by, batch).await?,
            Ask::Attachment(change) => {
                batch.attachments.push(*change);
                Ok(None)
            }
            Ask::Parcel(ask) => self.parcel(ask, batch).await?,
            Ask::Publish(new) => self.publish(*new, batch).await?,
            Ask::Trust(act) => match self.trust_act(&act, batch).await? {
                Ok(()) => Ok(None),
                Err(why) => Err(Failed::Trust(why)),
            },
            Ask::Note => Ok(None),
            Ask::Anchor => {
                self.anchor(batch).await?;
                Ok(None)
            }
            Ask::Count { day, measure, add } => self.count((day, measure), add, batch).await?,
            other => {
                batch.asks.push(other);
                Ok(None)
            }
        })
    }

    async fn report(&mut self, intake: Intake, by: &Actor, batch: &mut Batch) -> Result<Answer, StoreError> {
        let case = intake.case;
        let known = self.known(case).await?;
        let retried = known.case().and_then(|case| case.report.as_ref()).is_some_and(|report| {
            report.title == intake.title && report.narrative == intake.narrative && report.parties == intake.parties
        });
        Ok(match self.in_world(|world| casework::open(intake, by, &known, world)) {
            Ok(decision) => Ok(self.adopt(case, decision, batch)),
            // A retried report is the same case: it gets the same answer. Another report under a used id is refused.
            Err(Refusal::AlreadyReported) if retried => Ok(known.case().cloned()),
            Err(refusal) => refused(refusal),
        })
    }

    /// The same rule in the same world; its decision is dropped.
    async fn try_report(&mut self, intake: Intake, by: &Actor) -> Result<Answer, StoreError> {
        let known = self.known(intake.case).await?;
        Ok(match self.in_world(|world| casework::open(intake, by, &known, world)) {
            Ok(_) => Ok(None),
            Err(refusal) => refused(refusal),
        })
    }

    /// Whether a case stands elsewhere than somebody saw it.
    async fn has_gone_on(&mut self, case: CaseId, seen: Hash) -> Result<bool, StoreError> {
        Ok(self.known(case).await?.case().is_some_and(|case| case.head.hash != seen))
    }

    async fn act(
        &mut self,
        case: CaseId,
        command: Command,
        by: &Actor,
        batch: &mut Batch,
    ) -> Result<Answer, StoreError> {
        let known = self.known(case).await?;
        if let Command::Merge { into, note } = command {
            return self.merge(&known, into, note, by, batch).await;
        }
        let command = self.numbered(&known, command, batch).await?;
        let attached = match &command {
            Command::Attach { attachment } => Some(attachment.id),
            _ => None,
        };
        Ok(match self.in_world(|world| casework::decide(&known, command, by, world)) {
            Ok(decision) => {
                batch.attachments.extend(attached.map(|id| Change::Attached((case, id))));
                Ok(self.adopt(case, decision, batch))
            }
            Err(refusal) => refused(refusal),
        })
    }

    /// Two cases become one, in one transaction.
    async fn merge(
        &mut self,
        goes: &Known,
        into: CaseId,
        note: Text<4000>,
        by: &Actor,
        batch: &mut Batch,
    ) -> Result<Answer, StoreError> {
        let stays = self.known(into).await?;
        Ok(match self.in_world(|world| casework::decide_pair(goes, &stays, note, by, world)) {
            Ok((gone, stayed)) => {
                self.adopt(into, stayed, batch);
                Ok(self.adopt(goes.id(), gone, batch))
            }
            Err(refusal) => refused(refusal),
        })
    }

    /// An agreement gets the next number of its committee, in the transaction that draws it up: one that is refused leaves no
    /// gap, and none is given twice.
    async fn numbered(&mut self, known: &Known, command: Command, batch: &Batch) -> Result<Command, StoreError> {
        let Command::Draw { asked, .. } = command else { return Ok(command) };
        let books = known.case().and_then(|case| casework::books(case, asked.on, self.clock.reading().day()));
        let number = match books {
            None => None,
            Some((committee, year)) => {
                let stored = self.store.last_paper_number(committee, year).await?;
                let of_it = batch.papers.iter().map(|(paper, _)| *paper);
                let given = of_it.filter(|paper| (paper.committee, paper.year) == (committee, year));
                Some(given.map(|paper| paper.number).max().unwrap_or(0).max(stored).saturating_add(1))
            }
        };
        Ok(Command::Draw { asked, number })
    }

    pub(super) async fn wake(&mut self, case: CaseId, batch: &mut Batch) -> Result<(), StoreError> {
        let known = self.known(case).await?;
        if let Some(decision) = self.in_world(|world| casework::wake(&known, world)) {
            if decision.records.iter().any(|record| matches!(record, Record::Lapse(_))) {
                self.did("names-lapsed", &case.to_string(), batch);
            }
            self.adopt(case, decision, batch);
        }
        Ok(())
    }

    /// An offer that its receiver cannot read ends.
    pub(super) async fn offer_refused(
        &mut self,
        case: CaseId,
        offer: OfferId,
        by: NodeId,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let known = self.known(case).await?;
        if let Some(decision) = self.in_world(|world| casework::refused_as_unknown(&known, offer, by, world)) {
            self.adopt(case, decision, batch);
        }
        Ok(())
    }

    /// Nobody waits for an order that its receiver cannot read.
    pub(super) async fn order_refused(
        &mut self,
        case: CaseId,
        order: OrderId,
        by: NodeId,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let known = self.known(case).await?;
        if let Some(decision) = self.in_world(|world| casework::order_refused(&known, order, by, world)) {
            self.adopt(case, decision, batch);
        }
        Ok(())
    }

    pub(super) async fn tell_again(&mut self, case: CaseId, batch: &mut Batch) -> Result<(), StoreError> {
        let known = self.known(case).await?;
        if let Some(decision) = self.in_world(|world| casework::tell_again(&known, world)) {
            self.adopt(case, decision, batch);
        }
        Ok(())
    }

    /// Puts a decision into the transaction.
    fn adopt(&mut self, case: CaseId, decision: Decision, batch: &mut Batch) -> Option<casework::Case> {
        let Decision { records, outgoing, known, notes } = decision;
        for note in notes {
            self.notice(case, &note);
        }
        for record in &records {
            match record {
                Record::Fact(fact) => drop(batch.cases_of_facts.insert(fact.key, case)),
                // One of this node's own that was given back after a restore counts too.
                Record::Event { header, origin, .. } if *origin == self.me.node => {
                    batch.papers.extend(paper_number(header).map(|paper| (paper, case)));
                }
                _ => {}
            }
        }
        batch.records.extend(records);
        for outgoing in outgoing {
            match outgoing.letter {
                Letter::Plain(Body::Fact(fact)) => self.hold_back(&fact, outgoing.to, batch),
                letter => batch.outgoing.push(Outgoing { letter, ..outgoing }),
            }
        }
        let after = known.case().cloned();
        self.follow_clocks(case, &known, batch);
        if let Some(after) = &after {
            if other_words(self.cases.get(case).as_deref(), after) {
                batch.worded.insert(case);
            }
            batch.cases.insert(case, after.clone());
        }
        if known.id() == case {
            self.cases.put(Arc::new(known));
        }
        after
    }

    fn notice(&self, case: CaseId, note: &Notice) {
        tracing::warn!(%case, ?note, "notice");
        self.alarm(AlarmKind::Case, format!("{case}: {note:?}"));
    }

    /// A bundle that the core admitted.
    pub(super) async fn arrived(
        &mut self,
        from: NodeId,
        bundle: Bundle,
        deliver: Deliver,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let applies = matches!(deliver, Deliver::Apply | Deliver::RelayAndKeep | Deliver::Returned);
        if !matches!(deliver, Deliver::Duplicate) {
            let here = bundle.head().to == self.me.node;
            let done = !bundle.head().receipted || here || matches!(deliver, Deliver::Returned);
            batch.keep.push(KeepBundle { bundle: bundle.clone(), via: Some(from), done });
        }
        if let Some(entry) = self.directory.get(bundle.head().origin).filter(|_| applies) {
            self.remember(entry, batch);
        }
        if !applies {
            return Ok(());
        }
        let returned = matches!(deliver, Deliver::Returned);
        // Of what only passes it reads what every level keeps: the rest of the bundle is for somebody else.
        let passes = matches!(deliver, Deliver::RelayAndKeep);
        for message in bundle.messages().iter().filter(|message| !passes || message.kind.kept_on_the_way()) {
            self.take_message(from, &bundle, message, returned, batch).await?;
        }
        self.note_unread(from, &bundle, returned, batch);
        Ok(())
    }

    /// One message of a neighbour's bundle. If it is not accepted, the bundle is kept aside as well.
    pub(super) async fn take_message(
        &mut self,
        from: NodeId,
        bundle: &Bundle,
        message: &Message,
        returned: bool,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if let Err(reason) = self.message(bundle, message, returned, batch).await? {
            tracing::warn!(%from, bundle = %bundle.head().id, %reason, "a message was not accepted");
            batch.quarantine.push((from, bundle.clone(), reason.clone()));
            self.feed(Input::Rejected { bundle: bundle.head().id, from, reason });
        }
        Ok(())
    }

    /// One message. The inner error says why it was not accepted.
    async fn message(
        &mut self,
        bundle: &Bundle,
        message: &Message,
        returned: bool,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let body = match self.vocabulary.read(message) {
            Ok(Some(body)) => body,
            Ok(None) => {
                tracing::info!(kind = message.kind.0, "a message of a later version is kept as it is");
                return Ok(Ok(()));
            }
            Err(malformed) => return Ok(Err(malformed.to_string())),
        };
        let origin = bundle.head().origin;
        match body {
            // Given back after a restore: whoever was restored asks its parent itself.
            Body::Published(_) | Body::Holdings(_) if returned => return Ok(Ok(())),
            Body::Published(published) => return self.published(origin, published, batch).await,
            Body::Holdings(holdings) => return self.holdings(origin, &holdings, batch).await,
            // Given back after a restore, it says where this node stood once.
            Body::AuditHead(head) if returned => {
                batch.anchors.push(head);
                return Ok(Ok(()));
            }
            Body::AuditHead(head) => return self.anchored_below(origin, head, batch).await,
            Body::Watermark(mark) => {
                batch.proofs.insert(mark.node, bundle.head().id);
                return Ok(self.figure_arrived(origin, body, batch));
            }
            Body::Fact(_) | Body::Tally(_) => return Ok(self.figure_arrived(origin, body, batch)),
            Body::FiguresWanted(_) if returned => return Ok(Ok(())),
            // Given back, it is what this node itself refused.
            Body::NotUnderstood(_) if returned => return Ok(Ok(())),
            Body::NotUnderstood(told) => return self.not_understood(origin, told, batch).await,
            Body::FiguresWanted(wanted) => return Ok(self.wanted(origin, &wanted, batch)),
            // Given back, it was answered, or will be asked again.
            Body::AttachmentAsked(_) | Body::AttachmentPart(_) | Body::AttachmentHeld(_) if returned => {
                return Ok(Ok(()));
            }
            Body::AttachmentAsked(asked) => return Ok(Ok(self.attachment_asked(origin, asked).await?)),
            Body::AttachmentPart(part) => return self.attachment_part(origin, part, batch).await,
            Body::AttachmentHeld(held) => return Ok(Ok(self.attachment_held(origin, held, batch).await?)),
            body if message.kind.is_the_links() => return self.link_message(origin, body, batch).await,
            _ => {}
        }
        let opened = match casework::sealed_part(&body).filter(|_| bundle.head().to == self.me.node && !returned) {
            Some(sealed) => match open(&self.keys, sealed) {
                Ok(parts) => Some(parts),
                Err(why) => return Ok(Err(why)),
            },
            None => None,
        };
        let case = casework::subject_of(&body);
        let known = match case {
            Some(case) => self.known(case).await?,
            None => Arc::new(Known::assemble(CaseId::from_bytes([0; 16]), Vec::new())),
        };
        let moves = matches!(body, Body::Handover(_) | Body::WideHandover(_));
        let incoming = Incoming { origin, body, opened, returned };
        match self.in_world(|world| casework::receive(&known, incoming, world)) {
            Ok(decision) => {
                if decision.records.iter().any(|record| matches!(record, Record::Erasure(_))) {
                    self.did("erase", &case.map(|case| case.to_string()).unwrap_or_default(), batch);
                }
                self.adopt(case.unwrap_or_else(|| CaseId::from_bytes([0; 16])), decision, batch);
                case.into_iter().filter(|_| moves).for_each(|case| self.want_attachments(case, batch));
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(refusal.code().to_owned())),
        }
    }
}

/// The number that an event gives to an agreement.
fn paper_number(header: &Header) -> Option<PaperNumber> {
    let Act::Wider(wider) = &header.act else { return None };
    match wider.read()? {
        WideAct::AgreementDrafted { paper, .. } => Some(paper),
        _ => None,
    }
}

fn open(keys: &NodeKeys, sealed: &Sealed) -> Result<Vec<PrivatePart>, String> {
    let plain = seal::open(keys, &[], sealed).map_err(|e| e.to_string())?;
    casework::private_parts(&plain).map_err(|e| e.to_string())
}
