//! What the writer does with each output of the link core.

use federation::core::{Alarm, Closing, KeptLink, Output, Page, Query, Write};
use protocol::bounded::List;
use protocol::id::{CaseId, NodeId};
use protocol::time::{CivilDay, UnixMillis};

use crate::alarms::AlarmKind;
use crate::clock::random_bytes;
use crate::store::StoreError;
use crate::store::link::{KeepBundle, OutboxRow};
use crate::store::trust::StoredLink;
use crate::trust::PARENT_TIME;

use super::batch::Batch;
use super::{BEFORE_ALL_CASES, Writer};

/// How long receipted bundles are kept for a neighbour that is restored from a backup.
const RETENTION_MS: i64 = 30 * 86_400_000;
/// How long bundles are kept that nobody gives a receipt for: receipts themselves, and watermarks that a later one replaces.
const UNANSWERED_MS: i64 = 3_600_000;
/// How long an upload is kept that is not attached to its case.
const UPLOAD_LIFE_MAX_MS: i64 = 3 * 86_400_000;
/// A duty list is kept for a year after its day.
const DUTY_KEPT_DAYS: i32 = 366;
/// A draft that nobody changes for thirty days goes.
const DRAFT_LIFE_MS: i64 = 30 * 86_400_000;
/// The shortest time between two rounds of housekeeping; the longest is twice as long.
const HOUSEKEEPING_MS: u64 = 10 * 60_000;

/// Cases that are looked at in one transaction, of all those that may have something due.
const LOOKED_AT_MAX: u32 = 64;

impl Writer {
    /// Works off the core's outputs. Frames go out at once: the core gives them only when they may go.
    pub(super) async fn drain(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        while let Some(output) = self.outputs.pop_front() {
            self.link_turned(&output);
            match output {
                Output::Persist { ticket, write } => {
                    batch.tickets.push(ticket);
                    self.persist(write, batch).await?;
                }
                Output::Fetch { ticket, query } => self.fetches.push_back((ticket, query)),
                Output::Tell { to, delivered } => self.tell(to, delivered, batch),
                Output::Send { connection, frame } => self.send(connection.0, frame),
                Output::Dial => self.endpoint.dial(),
                Output::Close { connection, why } => {
                    if matches!(why, Closing::Gap | Closing::Misbehaved) {
                        self.broke_rules(connection.0, &why.to_string());
                    }
                    self.endpoint.close(connection.0, &why.to_string());
                }
                Output::Raise(alarm) => {
                    tracing::warn!(?alarm, "alarm");
                    if let Alarm::Reconciled { peer, .. } = alarm {
                        self.may_have_forgotten(peer);
                    }
                    let (kind, what) = in_words(&alarm);
                    self.alarm(kind, what);
                }
                Output::LinkUp { peer } => {
                    tracing::info!(%peer, "link up");
                    self.shared.counters.links_up.add(1);
                    self.shared.link_up(peer, self.clock.wall());
                    if self.core.identity().parent == Some(peer) {
                        self.newest_is_proven();
                        self.tell_holdings(peer, batch);
                    }
                    self.tell_moves(peer, batch);
                }
                Output::LinkDown { peer } => {
                    tracing::info!(%peer, "link down");
                    self.shared.link_down(peer, self.clock.wall());
                }
                Output::LearnAncestors(line) => {
                    if line != self.line {
                        // Whoever is new in it has none of this node's figures and none of its cases.
                        if line.iter().any(|above| !self.line.contains(above)) {
                            self.line_changed(line.last().map(|top| top.node), batch);
                        }
                        self.line.clone_from(&line);
                        self.shared.set_line(&line);
                        batch.ancestors = Some(line);
                        self.send_subtree(batch);
                    }
                }
                Output::ClockOffset { ms } => {
                    self.clock.corrected_by(ms);
                    let told = UnixMillis(self.clock.wall().0.saturating_add(ms));
                    self.standing.time.told(told);
                    batch.trust.metas.push((PARENT_TIME, told.0.to_string()));
                }
            }
        }
        Ok(())
    }

    async fn persist(&mut self, write: Write, batch: &mut Batch) -> Result<(), StoreError> {
        match write {
            Write::Arrival { from, bundle, deliver, .. } => self.arrived(from, bundle, deliver, batch).await?,
            Write::Outbox { peer, lane, position, bundle } => {
                let id = bundle.head().id;
                let done = !bundle.head().receipted;
                batch.keep.push(KeepBundle { bundle, via: None, done });
                batch.outbox.push(OutboxRow { peer, lane, seq: position.seq, hash: position.hash, bundle: id });
            }
            Write::Unrouted { bundle } => batch.keep.push(KeepBundle { bundle, via: None, done: false }),
            Write::Link(link) => {
                batch.links.insert(link.peer, stored(&link));
            }
            Write::Acked { peer, lane, upto } => {
                batch.acknowledged.insert((peer, lane), upto);
            }
            Write::Renumber { peer } => batch.renumber(peer),
            Write::Receipted { by, bundles } => batch.receipted.entry(by).or_default().extend(bundles),
            Write::Quarantine { from, bundle, reason } => {
                tracing::warn!(%from, bundle = %bundle.head().id, %reason, "a bundle was kept aside");
                batch.quarantine.push((from, bundle, reason));
            }
        }
        Ok(())
    }

    pub(super) async fn look_up(&mut self, query: Query) -> Result<Page, StoreError> {
        Ok(match query {
            Query::Outbox { peer, lane, after, count, bytes } => {
                Page::Outbox(self.store.outbox_page(peer, lane, after, count, bytes).await?)
            }
            Query::HashAt { peer, lane, seq } => Page::Hash(self.store.outbox_hash(peer, lane, seq).await?),
            Query::Inventory { peer, after, count } => {
                Page::Inventory(self.store.inventory(peer, self.is_parent(peer), after, count).await?)
            }
            Query::Unseen { ids } => Page::Unseen(self.store.unseen(&ids).await?),
            Query::Bundles { ids } => Page::Bundles(self.store.bundles(&ids).await?),
        })
    }

    /// A neighbour did what no sound node does. The link opens again by itself, so somebody should look.
    pub(super) fn broke_rules(&mut self, connection: u64, what: &str) {
        // What the driver has named the core closes for, in words that say less.
        if self.cut_off.replace(connection) == Some(connection) {
            return;
        }
        self.alarm(AlarmKind::CutOff, format!("{} was cut off: {what}", self.named_peer(connection)));
    }

    /// What a neighbour sends has reached the bound of what is kept aside.
    pub(super) fn none_kept_aside(&self, peer: NodeId) {
        let what = format!(
            "{peer}: so much of it is kept aside that what comes now is only counted; nothing was lost, and its link stays \
             up: find out why it sends this, then say `wuji quarantine --clear {peer}`"
        );
        self.alarm(AlarmKind::AsideFull, what);
    }

    fn is_parent(&self, peer: NodeId) -> bool {
        self.line.first().is_some_and(|parent| parent.node == peer)
    }

    /// Offers that ran out, and bundles whose retention ended.
    pub(super) async fn housekeep(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clock.uptime_ms();
        if now < self.housekeeping_at {
            return Ok(());
        }
        // At another time than the other nodes of the process: together they would open all databases at once.
        self.housekeeping_at = now + HOUSEKEEPING_MS + u64::from(u32::from_le_bytes(random_bytes())) % HOUSEKEEPING_MS;
        let before = UnixMillis(self.clock.wall().0.saturating_sub(RETENTION_MS));
        let gone = self.store.prune_bundles(before).await?;
        self.store.prune_receipts_ahead(before).await?;
        self.store.prune_unanswered(UnixMillis(self.clock.wall().0.saturating_sub(UNANSWERED_MS))).await?;
        self.store.prune_sealed().await?;
        self.store.prune_not_understood(before).await?;
        self.store.prune_uploads(UnixMillis(self.clock.wall().0.saturating_sub(UPLOAD_LIFE_MAX_MS))).await?;
        self.store.prune_drafts(UnixMillis(self.clock.wall().0.saturating_sub(DRAFT_LIFE_MS))).await?;
        self.store.prune_duty(CivilDay::of(self.clock.wall()).plus(-DUTY_KEPT_DAYS)).await?;
        // Those whose receipt came after the erasure, and those that have left their outbox since.
        self.store.empty_sealed().await?;
        if gone > 0 {
            tracing::info!(gone, "bundles past their retention were dropped");
        }
        self.anchor_when_due(batch).await?;
        let today = CivilDay::of(self.clock.wall());
        if self.passing_day.replace(today) != Some(today) {
            self.passing = Some(BEFORE_ALL_CASES);
        }
        for case in self.store.cases_with_open_offers().await? {
            self.wake(case, batch).await?;
        }
        Ok(())
    }

    /// Takes the next of this node's red and orange cases further up, after the line or the policy has changed. Some at a
    /// time: what people file meanwhile does not wait behind them.
    pub(super) async fn reach_further(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(after) = self.reached else { return Ok(()) };
        let some = self.store.escalated_cases_after(after, LOOKED_AT_MAX).await?;
        if self.moving.retells() {
            for case in &some {
                self.tell_again(*case, batch).await?;
            }
        }
        self.reached = self.wake_some(some, batch).await?;
        if self.reached.is_none() {
            self.moving.retell(false, batch);
        }
        Ok(())
    }

    /// Counts the next provisional terms of this node's cases, after a start or another calendar.
    pub(super) async fn count_terms(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(after) = self.provisional else { return Ok(()) };
        let some = self.store.provisional_cases_after(after, LOOKED_AT_MAX).await?;
        self.provisional = self.wake_some(some, batch).await?;
        Ok(())
    }

    /// Looks at the next cases of others whose names are here, after a start, a day or a new policy: those whose day has
    /// passed go.
    pub(super) async fn let_names_go(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(after) = self.passing else { return Ok(()) };
        let some = self.store.others_cases_with_names_after(after, LOOKED_AT_MAX).await?;
        self.passing = self.wake_some(some, batch).await?;
        Ok(())
    }

    /// Looks at some cases; after which one the next come, if there may be more.
    async fn wake_some(&mut self, some: Vec<CaseId>, batch: &mut Batch) -> Result<Option<CaseId>, StoreError> {
        let last = some.last().copied().filter(|_| some.len() == LOOKED_AT_MAX as usize);
        for case in some {
            self.wake(case, batch).await?;
        }
        Ok(last)
    }
}

/// The numbering of a link as it is stored.
pub(crate) fn stored(link: &KeptLink) -> StoredLink {
    let lanes = link.lanes.iter().map(|l| (l.received, l.last, l.acked)).collect();
    (link.incarnation, link.peer_incarnation, link.peer_counter_seen, List::new(lanes).unwrap_or_default())
}

/// An alarm of the link core for people. The bundle that it is about is in the log: here one neighbour is one line, however
/// many bundles it sends.
fn in_words(alarm: &Alarm) -> (AlarmKind, String) {
    match alarm {
        Alarm::Reconciled { peer, doubt } => (AlarmKind::Link, format!("{peer}: the link was reconciled: {doubt:?}")),
        Alarm::Refused { peer, why } => (AlarmKind::Link, format!("{peer}: the link was refused: {why:?}")),
        Alarm::Misrouted { peer, .. } => {
            (AlarmKind::KeptAside, format!("{peer}: bundles were kept aside that cannot come from there"))
        }
        Alarm::Quarantined { peer, .. } => {
            (AlarmKind::KeptAside, format!("{peer}: bundles were kept aside that could not be accepted"))
        }
        Alarm::QuarantinedThere { peer, .. } => {
            (AlarmKind::KeptAside, format!("{peer} has kept bundles of this node aside"))
        }
        Alarm::NoRoute { to, .. } => {
            (AlarmKind::NoRoute, format!("{to}: the way to it is not known here; what is for it waits"))
        }
    }
}
