//! Figures on their way: facts and tallies wait as keys and go together, each as it then is, followed by a watermark. When
//! they go and who may state what is said in [`casework::figures`].

use federation::core::Output;
use protocol::fact::{CaseFact, FiguresWanted, Measure, Tally};
use protocol::id::NodeId;
use protocol::time::{CivilDay, UnixMillis};
use protocol::warning::Warning;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use casework::{Record, figures};

use super::Writer;
use super::batch::{Batch, Letter};
use super::port::{Answer, Failed};
use crate::alarms::AlarmKind;
use crate::api::stamp;
use crate::clock::random_bytes;
use crate::store::StoreError;
use crate::store::figures::{Dropped, DueTally, FiguresNews, Gap, WatchChange};

/// Facts and tallies of one turn at most.
const DUE_MAX: usize = 2_048;
/// Members whose figures are asked for again in one look.
const GAPS_MAX: u32 = 20;

impl Writer {
    pub(super) fn is_top(&self) -> bool {
        self.core.identity().parent.is_none()
    }

    /// Notices a link that came or went.
    pub(super) fn link_turned(&mut self, output: &Output) {
        let (peer, up) = match output {
            Output::LinkUp { peer } => (*peer, true),
            Output::LinkDown { peer } => (*peer, false),
            _ => return,
        };
        if self.core.identity().parent == Some(peer) {
            self.beat.linked(up);
        }
    }

    /// Everything of this node goes to the top again: whoever is new on the way there has none of it.
    pub(super) fn line_changed(&mut self, top: Option<NodeId>, batch: &mut Batch) {
        batch.all_due.extend(top);
        self.beat.forget();
        self.moving.retell(true, batch);
    }

    /// Facts of a decision do not go at once.
    pub(super) fn hold_back(&mut self, fact: &CaseFact, to: NodeId, batch: &mut Batch) {
        batch.facts_due.push((to, fact.key));
        self.beat.hold();
    }

    /// Sends what waits, when it is time, and looks for what is missing.
    pub(super) async fn look_after_figures(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clock.uptime_ms();
        if self.beat.looks(now) {
            self.look_for_gaps(batch).await?;
            let amiss = self.store.anything_amiss().await?;
            self.beat.looked(now, amiss);
        }
        if now < self.beat.send_at(self.is_top()) {
            return Ok(());
        }
        let facts = self.store.facts_due(DUE_MAX).await?;
        let tallies = self.store.tallies_due(DUE_MAX).await?;
        let more = facts.len() == DUE_MAX || tallies.len() == DUE_MAX;
        let anything = !facts.is_empty() || !tallies.is_empty();
        for due in facts {
            batch.facts_sent.push((due.reader, due.key));
            // Another owner has written since: its fact is its own to send.
            if due.fact.owner_node == self.me.node {
                batch.letters.push(figure(due.reader, true, Body::Fact(due.fact)));
            }
        }
        for due in tallies {
            batch.tallies_sent.push(due);
            if let Some(tally) = self.store.tally(self.me.node, due.day, due.measure).await? {
                batch.letters.push(figure(due.reader, true, Body::Tally(tally)));
            }
        }
        // What this very turn brought is not in the database yet: it goes next time.
        let new = !batch.facts_due.is_empty() || !batch.tallies_due.is_empty() || !batch.all_due.is_empty();
        if self.beat.sent(now, anything, more, new) {
            self.state(anything, batch).await?;
        }
        Ok(())
    }

    /// States what this node owns. Alone it needs no terminal receipt: the next one says as much.
    async fn state(&mut self, receipted: bool, batch: &mut Batch) -> Result<(), StoreError> {
        self.beat.stated(self.clock.uptime_ms(), u64::from_le_bytes(random_bytes()));
        let Some(top) = self.line.last().copied() else { return Ok(()) };
        let set = self.store.figure_set(self.me.node).await?;
        let last = self.store.own_mark().await?;
        let mark = figures::watermark(self.me.node, &set, last, self.clock.reading());
        batch.records.push(Record::Watermark(mark));
        batch.letters.push(figure(top.node, receipted, Body::Watermark(mark)));
        Ok(())
    }

    /// Figures that arrived. They name no case that would have to be read, save for a fact that is escalated.
    pub(super) fn figure_arrived(&mut self, origin: NodeId, body: Body, batch: &mut Batch) -> Result<(), String> {
        let record = figures::stated_by(origin, body).map_err(|refusal| refusal.code().to_owned())?;
        if let Record::Fact(fact) = &record
            && let Some(case) = fact.case
        {
            self.cases.counted(case, fact);
            if self.brief_belongs_here(fact) {
                batch.watched.insert(fact.key, case);
                self.look_soon();
            }
        }
        batch.records.push(record);
        Ok(())
    }

    /// Whether this node must hold the brief of a case beside its fact: it lies between the owner and the ceiling.
    fn brief_belongs_here(&self, fact: &CaseFact) -> bool {
        let up_to_here =
            |ceiling: NodeId| ceiling == self.me.node || self.line.iter().any(|ancestor| ancestor.node == ceiling);
        let below = self.shared.place(fact.owner_node).is_some_and(|place| place.via.is_some());
        !fact.void && fact.level >= Some(Warning::Red) && below && fact.ceiling.is_some_and(up_to_here)
    }

    /// A level above lacks figures of this node.
    pub(super) fn wanted(&mut self, origin: NodeId, wanted: &FiguresWanted, batch: &mut Batch) -> Result<(), String> {
        if !figures::may_ask(self.me.node, &self.line, origin, wanted) {
            return Err(casework::Refusal::WrongOrigin.code().to_owned());
        }
        tracing::info!(by = %origin, version = wanted.version, "figures are sent again");
        batch.all_due.push(origin);
        self.beat.forget();
        Ok(())
    }

    /// Adds to a tally of this node.
    pub(super) async fn count(
        &mut self,
        (day, measure): (CivilDay, Measure),
        add: i64,
        batch: &mut Batch,
    ) -> Result<Answer, StoreError> {
        let pending = batch.records.iter().rev().find_map(|record| match record {
            Record::Tally(tally) if (tally.node, tally.day, tally.measure) == (self.me.node, day, measure) => {
                Some(*tally)
            }
            _ => None,
        });
        let held = match pending {
            Some(tally) => Some(tally),
            None => self.store.tally(self.me.node, day, measure).await?,
        };
        let (value, version) = held.map_or((0, 0), |tally| (tally.value, tally.version));
        let Some(value) = value.checked_add_signed(add).filter(|value| i64::try_from(*value).is_ok()) else {
            return Ok(Err(Failed::TallyOutOfRange));
        };
        let (node, division) = (self.me.node, self.me.division);
        let tally = Tally { node, division, day, measure, value, version: version.saturating_add(1) };
        batch.records.push(Record::Tally(tally));
        if let Some(top) = self.line.last() {
            batch.tallies_due.push(DueTally { reader: top.node, day, measure });
            self.beat.hold();
        }
        Ok(Ok(None))
    }

    async fn look_for_gaps(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let (pace, now) = (self.beat.pace(), self.clock.wall());
        let before = |ms: i64| UnixMillis(now.0.saturating_sub(ms));
        for change in self.store.look_at_escalations(before(signed(pace.brief_grace_ms))).await? {
            let what = match change {
                WatchChange::Missing(d) => dropped(&d),
                WatchChange::Came(d) => format!("{}: its brief has come after all", d.case),
            };
            tracing::warn!("{what}");
            self.alarm(AlarmKind::Figures, what);
        }
        let (grace, patience) = (before(signed(pace.grace_ms)), before(pace.patience_ms()));
        let gaps = self.store.gaps(grace, before(pace.stale_ms()), patience, GAPS_MAX).await?;
        for gap in gaps {
            let linked =
                self.shared.place(gap.member).and_then(|place| place.via).is_some_and(|via| self.shared.is_up(via));
            if linked {
                self.mend(gap, now, batch).await?;
            }
        }
        Ok(())
    }

    /// Figures that are not as their owner states them: it is asked for all of them again. If that did not help, the fault may
    /// be here, so the digest is made anew from the rows before asking once more.
    async fn mend(&mut self, gap: Gap, now: UnixMillis, batch: &mut Batch) -> Result<(), StoreError> {
        if gap.asked == 0 {
            let what = format!("the figures of {} are not what it states: asked for again", gap.member);
            tracing::warn!(stated = gap.stated, since = gap.since.0, "{what}");
            self.alarm(AlarmKind::Figures, what);
        } else {
            self.store.recount(gap.member).await?;
            let news = self.store.compare_again(gap.member, now).await?;
            self.tell_figures_news(&news);
            if news.contains(&FiguresNews::Agreed(gap.member)) {
                return Ok(());
            }
        }
        self.store.asked_again(gap.member, now).await?;
        let digest = self.store.figure_set(gap.member).await?.hash();
        let wanted = FiguresWanted { of: gap.member, by: self.me.node, version: gap.version, digest };
        batch.letters.push(figure(gap.member, true, Body::FiguresWanted(wanted)));
        Ok(())
    }

    /// Tells what a transaction changed in who is whole.
    pub(super) fn tell_figures_news(&mut self, news: &[FiguresNews]) {
        for item in news {
            match item {
                FiguresNews::Agreed(member) => {
                    let what = format!("the figures of {member} are what it states again");
                    tracing::info!("{what}");
                    self.alarm(AlarmKind::Figures, what);
                }
                // Most often what is missing is on its way: only after a while is it asked for.
                FiguresNews::Differs(_) => self.look_soon(),
            }
        }
    }

    fn look_soon(&mut self) {
        self.beat.look_soon(self.clock.uptime_ms());
    }
}

/// What is told of an escalation whose brief is missing: once, and again when the node has been started anew.
pub(crate) fn dropped(what: &Dropped) -> String {
    let Dropped { case, owner, level, since } = what;
    let since = stamp::rfc3339(*since);
    format!(
        "{case}: its fact says level {level} at {owner}, its brief has not come since {since}: a dropped escalation"
    )
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn figure(to: NodeId, receipted: bool, body: Body) -> Letter {
    Letter { to, urgency: Urgency::Statistics, receipted, body }
}
