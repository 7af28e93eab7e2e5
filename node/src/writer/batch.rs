//! What one transaction of the writer will store: gathered first, then written in as few statements as can be.

use std::collections::{BTreeMap, BTreeSet};

use casework::{Case, Outgoing, Record};
use federation::core::Ticket;
use protocol::audit::AuditHead;
use protocol::directory::{Ancestor, SignedEntry};
use protocol::event::PaperNumber;
use protocol::id::{BundleId, CaseId, CaseKey, NodeId};
use protocol::publication::Published;
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::Body;
use protocol::wire::later::NotUnderstood;

use super::Answer;
use super::port::Ask;
use super::trust::TrustBatch;
use crate::person::audit::Entry;
use crate::store::attachments::Change;
use crate::store::cases::latest;
use crate::store::clocks::ClockRows;
use crate::store::figures::{DueTally, FiguresNews, NewFigures};
use crate::store::link::{KeepBundle, OutboxRow};
use crate::store::trust::{Child, Route, StoredLink};
use crate::store::unread::{Noted, Unread};
use crate::store::{StoreError, WriteStore};

/// A body on its way out.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) to: NodeId,
    pub(super) urgency: Urgency,
    pub(super) receipted: bool,
    pub(super) body: Body,
}

/// A reply that waits for the commit.
pub(super) type Reply = (tokio::sync::oneshot::Sender<Answer>, Answer);

/// What a transaction found out.
#[derive(Debug)]
pub(super) struct News {
    pub(super) figures: Vec<FiguresNews>,
    /// Neighbours of which no more is kept aside.
    pub(super) full: Vec<NodeId>,
    /// Neighbours of which not all was noted that this program cannot read.
    pub(super) unnoted: Vec<NodeId>,
}

/// Everything that one transaction holds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) tickets: Vec<Ticket>,
    pub(super) keep: Vec<KeepBundle>,
    pub(super) renumbered: Vec<NodeId>,
    pub(super) outbox: Vec<OutboxRow>,
    pub(super) acknowledged: BTreeMap<(NodeId, Lane), LinkSeq>,
    pub(super) receipted: BTreeMap<NodeId, Vec<BundleId>>,
    pub(super) links: BTreeMap<NodeId, StoredLink>,
    pub(super) quarantine: Vec<(NodeId, Bundle, String)>,
    /// What this program cannot read,
    pub(super) unread: Vec<Unread>,
    /// what an earlier one could not and this one has read,
    pub(super) read_again: Vec<Noted>,
    /// and what others did not understand.
    pub(super) not_understood: Vec<(NodeId, NotUnderstood)>,
    pub(super) records: Vec<Record>,
    /// Numbers that agreements got.
    pub(super) papers: Vec<(PaperNumber, CaseId)>,
    pub(super) cases: BTreeMap<CaseId, Case>,
    /// Cases of which a clock moved.
    pub(super) clocks: BTreeMap<CaseId, ClockRows>,
    /// All others are forgotten: by what they are counted from now on.
    pub(super) recount: Option<String>,
    /// Those of them whose words changed, and cases whose words are put into the search anew.
    pub(super) worded: BTreeSet<CaseId>,
    pub(super) remade: Vec<Case>,
    /// When lists say that these cases changed; none: now.
    pub(super) listed_at: Option<UnixMillis>,
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) letters: Vec<Letter>,
    pub(super) ancestors: Option<Vec<Ancestor>>,
    pub(super) entries: Vec<SignedEntry>,
    pub(super) children: Vec<Child>,
    pub(super) routes: Vec<Route>,
    pub(super) trust: TrustBatch,
    pub(super) publications: Vec<(Published, Option<String>)>,
    /// Facts of cases that they do not name, as far as the case is held here.
    pub(super) cases_of_facts: BTreeMap<CaseKey, CaseId>,
    /// Facts whose brief must be here as well.
    pub(super) watched: BTreeMap<CaseKey, CaseId>,
    /// The bundles that prove watermarks.
    pub(super) proofs: BTreeMap<NodeId, BundleId>,
    pub(super) facts_sent: Vec<(NodeId, CaseKey)>,
    pub(super) tallies_sent: Vec<DueTally>,
    pub(super) facts_due: Vec<(NodeId, CaseKey)>,
    pub(super) tallies_due: Vec<DueTally>,
    /// Readers that get everything this node owns.
    pub(super) all_due: Vec<NodeId>,
    /// What changes of attachments, in order.
    pub(super) attachments: Vec<Change>,
    pub(super) asks: Vec<Ask>,
    pub(super) audits: Vec<Entry>,
    pub(super) anchors: Vec<AuditHead>,
    pub(super) replies: Vec<Reply>,
    /// Nodes to which the way has changed.
    pub(super) rerouted: BTreeSet<NodeId>,
    /// This node hangs below another parent.
    pub(super) rehung: bool,
    /// What this transaction had numbered for neighbours whose numbering starts again.
    pub(super) unsent: Vec<(NodeId, BundleId)>,
}

impl Batch {
    /// Whether there is nothing to store.
    pub(super) fn is_empty(&self) -> bool {
        self.tickets.is_empty()
            && self.keep.is_empty()
            && self.records.is_empty()
            && self.remade.is_empty()
            && self.clocks.is_empty()
            && self.recount.is_none()
            && self.links.is_empty()
            && self.quarantine.is_empty()
            && self.unread.is_empty()
            && self.read_again.is_empty()
            && self.not_understood.is_empty()
            && self.ancestors.is_none()
            && self.entries.is_empty()
            && self.children.is_empty()
            && self.routes.is_empty()
            && self.trust.is_empty()
            && self.publications.is_empty()
            && self.facts_sent.is_empty()
            && self.tallies_sent.is_empty()
            && self.facts_due.is_empty()
            && self.tallies_due.is_empty()
            && self.all_due.is_empty()
            && self.attachments.is_empty()
            && self.asks.is_empty()
            && self.audits.is_empty()
            && self.anchors.is_empty()
    }

    /// Lets the replies go.
    pub(super) fn answer(&mut self) {
        for (reply, answer) in self.replies.drain(..) {
            // A caller that went away has its answer in the database.
            let _ = reply.send(answer);
        }
    }

    /// The numbering of a link starts again: rows given out before are void.
    pub(super) fn renumber(&mut self, peer: NodeId) {
        self.unsent.extend(self.outbox.iter().filter(|row| row.peer == peer).map(|row| (peer, row.bundle)));
        self.outbox.retain(|row| row.peer != peer);
        self.acknowledged.retain(|(p, _), _| *p != peer);
        self.renumbered.push(peer);
    }

    /// Writes all of it inside an open transaction.
    pub(super) async fn write(&self, me: NodeId, store: &mut WriteStore, now: UnixMillis) -> Result<News, StoreError> {
        let sealed_came = store.keep_bundles(&self.kept_once(), now).await?;
        for peer in &self.renumbered {
            store.drop_outbox(*peer).await?;
        }
        store.put_outbox(&self.outbox).await?;
        for ((peer, lane), upto) in &self.acknowledged {
            store.drop_acknowledged(*peer, *lane, *upto).await?;
        }
        for (by, bundles) in &self.receipted {
            store.mark_receipted(*by, bundles, now).await?;
        }
        for (peer, state) in &self.links {
            store.put_link(*peer, state).await?;
        }
        let full = self.write_quarantine(store, now).await?;
        let (unnoted, sealed_read) = self.write_unread(store, now).await?;
        store.put_records(&self.records).await?;
        store.put_paper_numbers(&self.papers, now).await?;
        // Bundles may hold names that are to be gone: some went just now, or a case with sealed parts came again.
        if sealed_came
            || sealed_read
            || self.records.iter().any(|record| matches!(record, Record::Erasure(_) | Record::Lapse(_)))
        {
            store.empty_sealed().await?;
        }
        let cases: Vec<&Case> = self.cases.values().collect();
        store.put_case_files(me, &cases, self.listed_at.unwrap_or(now)).await?;
        store.put_case_tasks(me, &cases).await?;
        if let Some(by) = &self.recount {
            store.drop_clocks(by).await?;
        }
        store.put_case_clocks(&self.clocks.values().collect::<Vec<_>>()).await?;
        self.write_search(store).await?;
        self.write_trust(store, now).await?;
        let figures = self.write_figures(store, now).await?;
        self.trust.write(store, now).await?;
        store.change_attachments(&self.attachments, now).await?;
        self.write_asks(store, now).await?;
        store.append_audit(&self.audits, now).await?;
        for head in &self.anchors {
            store.put_anchor(head).await?;
        }
        Ok(News { figures, full, unnoted })
    }

    /// After the records: what was erased or has lapsed took its row with it, and is found by the rest from here on.
    async fn write_search(&self, store: &mut WriteStore) -> Result<(), StoreError> {
        let remade: Vec<&Case> = self.remade.iter().collect();
        store.put_due(&remade).await?;
        store.put_search(&remade).await?;
        let gone = self.records.iter().filter_map(|record| match record {
            Record::Erasure(erase) => Some(erase.case),
            Record::Lapse(lapse) => Some(lapse.case),
            _ => None,
        });
        // Also where nothing went by which it was found: its row went all the same.
        let worded: BTreeSet<CaseId> = self.worded.iter().copied().chain(gone).collect();
        store.put_search(&worded.iter().filter_map(|case| self.cases.get(case)).collect::<Vec<_>>()).await
    }

    /// Those of which no more is kept aside.
    async fn write_quarantine(&self, store: &mut WriteStore, now: UnixMillis) -> Result<Vec<NodeId>, StoreError> {
        let mut of_each: BTreeMap<NodeId, Vec<(&Bundle, &str)>> = BTreeMap::new();
        for (peer, bundle, reason) in &self.quarantine {
            of_each.entry(*peer).or_default().push((bundle, reason));
        }
        let mut full = Vec::new();
        for (peer, bundles) in of_each {
            if store.put_quarantine(peer, &bundles, now).await?.refused > 0 {
                full.push(peer);
            }
        }
        Ok(full)
    }

    /// Neighbours of which not all was noted, and whether what was read now holds sealed parts.
    async fn write_unread(&self, store: &mut WriteStore, now: UnixMillis) -> Result<(Vec<NodeId>, bool), StoreError> {
        let sealed = store.unread_was_read(&self.read_again).await?;
        let unnoted = store.note_unread(&self.unread).await?;
        for (by, told) in &self.not_understood {
            store.put_not_understood(*by, told, now).await?;
        }
        Ok((unnoted, sealed))
    }

    async fn write_figures(&self, store: &mut WriteStore, now: UnixMillis) -> Result<Vec<FiguresNews>, StoreError> {
        let mut new = NewFigures {
            facts: Vec::new(),
            cases: &self.cases_of_facts,
            watched: &self.watched,
            tallies: Vec::new(),
            marks: Vec::new(),
            proofs: &self.proofs,
        };
        for record in latest(&self.records) {
            match record {
                Record::Fact(fact) => new.facts.push(fact),
                Record::Tally(tally) => new.tallies.push(tally),
                Record::Watermark(mark) => new.marks.push(mark),
                _ => {}
            }
        }
        let news = store.put_figures(&new, now).await?;
        // What was sent goes first: what became due again since stays.
        store.drop_facts_due(&self.facts_sent).await?;
        store.drop_tallies_due(&self.tallies_sent).await?;
        store.put_facts_due(&self.facts_due).await?;
        store.put_tallies_due(&self.tallies_due).await?;
        for reader in &self.all_due {
            store.all_due(*reader).await?;
        }
        Ok(news)
    }

    /// Each bundle once: how it arrived says more of it than where it goes.
    fn kept_once(&self) -> Vec<KeepBundle> {
        let mut once: BTreeMap<BundleId, &KeepBundle> = BTreeMap::new();
        for keep in &self.keep {
            let slot = once.entry(keep.bundle.head().id).or_insert(keep);
            if keep.via.is_some() {
                *slot = keep;
            }
        }
        once.into_values().cloned().collect()
    }

    async fn write_trust(&self, store: &mut WriteStore, now: UnixMillis) -> Result<(), StoreError> {
        if let Some(line) = &self.ancestors {
            store.set_ancestors(line).await?;
        }
        for entry in &self.entries {
            store.put_entry(entry).await?;
        }
        for child in &self.children {
            store.put_child(*child).await?;
        }
        for route in &self.routes {
            store.put_route(*route).await?;
        }
        for (published, by) in &self.publications {
            store.put_publication(published, by.as_deref(), now).await?;
        }
        Ok(())
    }

    async fn write_asks(&self, store: &mut WriteStore, now: UnixMillis) -> Result<(), StoreError> {
        const ANSWERS_KEPT_MS: i64 = 86_400_000;
        for ask in &self.asks {
            match ask {
                Ask::Person { realm, change } => store.change_people(*realm, change, now).await?,
                Ask::PutAnswered { name, key, answer } => {
                    store
                        .put_answered(name, key, answer, now, UnixMillis(now.0.saturating_sub(ANSWERS_KEPT_MS)))
                        .await?;
                }
                Ask::Duty(list) => store.put_duty(list).await?,
                Ask::Draft(change) => store.change_draft(change, now).await?,
                Ask::ClearQuarantine { of } => store.clear_quarantine(*of).await?,
                Ask::Report { .. } | Ask::Act { .. } | Ask::Publish(_) | Ask::Trust(_) | Ask::Note | Ask::Anchor => {}
                Ask::Parcel(_) => {}
                Ask::Count { .. } | Ask::Try { .. } | Ask::Attachment(_) => {}
            }
        }
        Ok(())
    }
}
