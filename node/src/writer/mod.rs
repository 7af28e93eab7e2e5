//! The writer: the one task of a node that changes its database and owns its link core.
//!
//! It takes what waits (requests, what arrived on links, timers), lets the rules decide, writes everything in one
//! transaction, and only after the commit lets acknowledgements, frames and replies go. It never waits to fill a batch:
//! it commits what arrived while the last commit ran.

mod apply;
mod attachments;
mod audit;
mod batch;
mod cases;
mod clocks;
mod enrol;
mod events;
pub(crate) mod figures;
mod mandates;
pub mod moves;
mod outgoing;
pub mod parcels;
pub mod port;
mod pressure;
pub mod publications;
mod renewal;
mod revocation;
mod room;
mod search;
mod steps;
pub mod trust;
mod unread;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use casework::Me;
use casework::figures::Beat;
pub use casework::figures::Pace;
use federation::core::{Core, Input, Now, Output, Query, Ticket, Uptime};
use federation::driver::{Endpoint, Event};
use federation::trust::{Authority, Directory, NodeKeys, Registry};
use protocol::directory::Ancestor;
use protocol::id::{BundleId, CaseId, NodeId, TokenId};
use protocol::time::{CivilDay, UnixMillis};
use protocol::wire::later::Vocabulary;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::alarms::AlarmKind;
use crate::clock::Clock;
use crate::shared::Shared;
use crate::store::{StoreError, WriteStore};
use crate::trust::Standing;

pub(crate) use self::mandates::SUBTREE_WAITS;

use self::attachments::Pulling;
use self::batch::{Batch, News};
use self::cases::CaseCache;
use self::moves::Moving;
use self::port::{Answer, Request};
use self::pressure::Pressure;
use self::publications::Publications;
use self::renewal::Renewed;
use self::room::Room;
use self::trust::Tending;

/// Requests and arrivals of one transaction at most.
const BATCH_ITEMS_MAX: usize = 512;
/// Bytes of arrivals of one transaction at most.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// The longest sleep without work: housekeeping comes round at least so often.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// What a writer is made of.
pub struct Parts {
    /// Who the node is.
    pub me: Me,
    /// Its keys.
    pub keys: Arc<NodeKeys>,
    /// Keys of others.
    pub directory: Directory,
    /// Children that may connect.
    pub registry: Registry,
    /// The authority, at the top.
    pub authority: Option<Authority>,
    /// The link core.
    pub core: Core,
    /// The database.
    pub store: WriteStore,
    /// The driver's endpoint.
    pub endpoint: Endpoint,
    /// The clock.
    pub clock: Clock,
    /// The line above.
    pub line: Vec<Ancestor>,
    /// What was published, and what of it is in force.
    pub publications: Publications,
    /// How often figures go up.
    pub pace: Pace,
    /// What the API may look at.
    pub shared: Arc<Shared>,
    /// Certificates and authorities.
    pub(crate) standing: Standing,
    /// When and how they are looked after.
    pub(crate) tending: Tending,
    /// Nodes that moved.
    pub(crate) moving: Moving,
    /// Where the disk of the rows can be looked at; none: they are on another machine.
    pub(crate) room: Option<PathBuf>,
    /// The kinds that it reads.
    pub(crate) vocabulary: Vocabulary,
}

/// No case has a lower id.
const BEFORE_ALL_CASES: CaseId = CaseId::from_bytes([0; 16]);

/// The writer of one node.
pub struct Writer {
    me: Me,
    keys: Arc<NodeKeys>,
    directory: Directory,
    registry: Registry,
    authority: Option<Authority>,
    core: Core,
    store: WriteStore,
    endpoint: Endpoint,
    clock: Clock,
    line: Vec<Ancestor>,
    publications: Publications,
    shared: Arc<Shared>,
    cases: CaseCache,
    outputs: VecDeque<Output>,
    fetches: VecDeque<(Ticket, Query)>,
    enrolling: BTreeMap<NodeId, TokenId>,
    housekeeping_at: u64,
    standing: Standing,
    tending: Tending,
    /// The head of the audit was sent up since this start.
    anchored: bool,
    beat: Beat,
    /// Up to which of its red and orange cases this node has looked who follows them above; none: all.
    reached: Option<CaseId>,
    /// Up to which of the cases of others it has looked whose names may be held here; none: all, for the day.
    passing: Option<CaseId>,
    passing_day: Option<CivilDay>,
    room: Room,
    /// Who is at the other end of each connection that is open.
    peers: BTreeMap<u64, NodeId>,
    pressure: Pressure,
    /// Nodes that moved.
    moving: Moving,
    /// The connection that was cut off last.
    cut_off: Option<u64>,
    vocabulary: Vocabulary,
    /// Attachments that come and go.
    pulling: Pulling,
    /// Up to which bundle it has read what an earlier program could not; none: all.
    unread_after: Option<i64>,
    /// Up to which case it has looked whether its words are in the search; none: all.
    findable: Option<CaseId>,
    made_findable: usize,
    /// Up to where cases were looked at whose term is provisional; none: all were.
    provisional: Option<CaseId>,
    /// Up to where cases were looked at that may have no clock; none: all were.
    clockless: Option<CaseId>,
    /// What clocks are counted by may have changed.
    recount: bool,
    /// What the latest row of lists says of when it changed; none: not looked up yet.
    listed: Option<UnixMillis>,
}

/// One thing to take in.
enum Work {
    Request(Request),
    Link(Event),
    Renewed(Renewed),
}

impl Writer {
    /// Puts a writer together.
    pub fn new(parts: Parts) -> Self {
        let Parts { me, keys, directory, registry, authority, core, store, endpoint, clock, line, .. } = parts;
        let (publications, pace, shared, standing, tending) =
            (parts.publications, parts.pace, parts.shared, parts.standing, parts.tending);
        Self {
            me,
            keys,
            directory,
            registry,
            authority,
            core,
            store,
            endpoint,
            clock,
            line,
            publications,
            shared,
            cases: CaseCache::default(),
            outputs: VecDeque::new(),
            fetches: VecDeque::new(),
            enrolling: BTreeMap::new(),
            housekeeping_at: 0,
            standing,
            tending,
            anchored: false,
            beat: Beat::new(pace),
            // A run that was cut off half way begins again.
            reached: Some(BEFORE_ALL_CASES),
            passing: None,
            passing_day: None,
            room: Room::new(parts.room),
            moving: parts.moving,
            peers: BTreeMap::new(),
            pressure: Pressure::default(),
            cut_off: None,
            vocabulary: parts.vocabulary,
            pulling: Pulling::default(),
            unread_after: Some(0),
            findable: Some(BEFORE_ALL_CASES),
            made_findable: 0,
            provisional: Some(BEFORE_ALL_CASES),
            clockless: Some(BEFORE_ALL_CASES),
            recount: true,
            listed: None,
        }
    }

    /// Works until it is told to stop, every port is gone, or the database fails for good. What was asked before the word
    /// to stop is still done.
    pub(crate) async fn run(
        mut self,
        requests: mpsc::Receiver<Request>,
        events: mpsc::Receiver<Event>,
        stopping: CancellationToken,
    ) -> Result<(), StoreError> {
        let done = self.work(requests, events, stopping).await;
        if let Err(error) = self.store.release().await {
            tracing::debug!(%error, "the lease was not given back and will run out");
        }
        done
    }

    async fn work(
        &mut self,
        mut requests: mpsc::Receiver<Request>,
        mut events: mpsc::Receiver<Event>,
        stopping: CancellationToken,
    ) -> Result<(), StoreError> {
        let mut work = Vec::new();
        let lost = self.store.lost();
        let (answers, mut answered) = mpsc::unbounded_channel();
        self.tending.answers = Some(answers);
        // A turn has a large state; on the heap it is there while it runs, and a node asleep has none.
        Box::pin(self.turn(&mut work)).await?;
        self.store.rest();
        loop {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => work.push(Work::Link(event)),
                    None => return Ok(()),
                },
                request = requests.recv() => match request {
                    Some(request) => work.push(Work::Request(request)),
                    None => return Ok(()),
                },
                () = lost.cancelled() => return Err(StoreError::LeaseLost),
                // The writer holds the other end: it is never closed.
                Some(answer) = answered.recv() => work.push(Work::Renewed(answer)),
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(self.sleep()) => {}
            }
            self.look_at_queues(&requests, &events);
            gather(&mut work, &mut requests, &mut events);
            Box::pin(self.turn(&mut work)).await?;
            self.store.rest();
            if stopping.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Until the core or housekeeping wants to be woken.
    fn sleep(&self) -> Duration {
        let now = self.clock.uptime_ms();
        let wake = self.core.next_timeout().map_or(u64::MAX, |at| at.0).min(self.tending.at);
        let looks = [self.reached, self.passing, self.findable, self.provisional, self.clockless];
        let goes_on = looks.iter().any(Option::is_some) || self.unread_after.is_some();
        let wake = if goes_on { now } else { wake };
        let wake = wake.min(self.pulling.wake()).min(self.housekeeping_at).min(self.beat.wake(self.is_top()));
        Duration::from_millis(wake.saturating_sub(now)).max(self.room.pause()).min(IDLE_MAX)
    }

    fn now(&self) -> Now {
        Now { uptime: Uptime(self.clock.uptime_ms()), wall: self.clock.wall() }
    }

    /// Tells whoever operates the node.
    fn alarm(&self, kind: AlarmKind, what: String) {
        self.shared.alarm(kind, what, self.clock.wall());
    }

    /// Feeds the core and keeps its answers in order.
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.core.handle(self.now(), input, &mut out);
        self.outputs.extend(out);
    }

    /// One turn: take everything in, store it, let go what waited for the commit; again while that gives more to store.
    async fn turn(&mut self, work: &mut Vec<Work>) -> Result<(), StoreError> {
        if self.must_choose_again() {
            self.choose_again().await;
        }
        self.look_at_room();
        let mut batch = Batch::default();
        match self.take_turn(work, &mut batch).await {
            // Not every statement is in the batch's transaction. None is worth the node: it is run again when its time comes.
            Err(error @ StoreError::NoRoom(_)) => {
                batch.replies.extend(work.drain(..).filter_map(unheard));
                self.not_stored(error, &mut batch).await?;
                batch.answer();
                Ok(())
            }
            done => done,
        }
    }

    async fn take_turn(&mut self, work: &mut Vec<Work>, batch: &mut Batch) -> Result<(), StoreError> {
        self.read_again(batch).await?;
        // By what is stored, so before anything of this turn.
        self.look_after_attachments(batch).await?;
        self.take_in(work, batch).await?;
        self.feed(Input::Timeout);
        self.housekeep(batch).await?;
        self.reach_further(batch).await?;
        self.let_names_go(batch).await?;
        self.count_terms(batch).await?;
        self.make_findable(batch).await?;
        self.count_clocks(batch).await?;
        self.tend_trust(batch);
        self.drain(batch).await?;
        self.look_after_figures(batch).await?;
        loop {
            self.drain(batch).await?;
            self.send_letters(batch);
            self.drain(batch).await?;
            self.reroute(batch).await?;
            self.drain(batch).await?;
            if !batch.is_empty() {
                self.commit(batch).await?;
            }
            batch.answer();
            if self.outputs.is_empty() && self.fetches.is_empty() && !self.moving.is_rerouting() {
                self.redial();
                return Ok(());
            }
            *batch = Batch::default();
            self.drain(batch).await?;
            while let Some((ticket, query)) = self.fetches.pop_front() {
                let page = self.look_up(query).await?;
                self.feed(Input::Page { ticket, page });
            }
        }
    }

    async fn take_in(&mut self, work: &mut Vec<Work>, batch: &mut Batch) -> Result<(), StoreError> {
        let ids: Vec<BundleId> = work
            .iter()
            .filter_map(|w| match w {
                Work::Link(Event::Bundle { bundle, .. }) => Some(bundle.head().id),
                _ => None,
            })
            .collect();
        let known = if ids.is_empty() { BTreeMap::new() } else { self.store.known_bundles(&ids).await? };
        self.bring(work).await?;
        // What is not reached stays where it is: those who wait are told why.
        work.reverse();
        while let Some(item) = work.pop() {
            match item {
                Work::Request(request) => self.request(request, batch).await?,
                Work::Link(event) => self.event(event, &known, batch).await?,
                Work::Renewed(answer) => self.answered(answer, batch),
            }
            self.drain(batch).await?;
        }
        Ok(())
    }

    async fn commit(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let (now, began) = (self.clock.wall(), self.clock.uptime_us());
        match self.store_all(batch, now).await {
            Ok(news) => {
                self.tell_figures_news(&news.figures);
                news.full.into_iter().for_each(|peer| self.none_kept_aside(peer));
                news.unnoted.into_iter().for_each(|peer| self.none_noted(peer));
            }
            Err(error) => return self.not_stored(error, batch).await,
        }
        for case in batch.cases.keys() {
            self.shared.changed(*case);
        }
        if !batch.publications.is_empty() || batch.ancestors.is_some() {
            self.choose_again().await;
        }
        self.shared.counters.commits.add(self.clock.uptime_us().saturating_sub(began));
        self.look_at_backlogs(&batch.links);
        self.had_room();
        let tickets = std::mem::take(&mut batch.tickets);
        self.feed(Input::Committed { tickets });
        Ok(())
    }

    async fn store_all(&mut self, batch: &mut Batch, now: UnixMillis) -> Result<News, StoreError> {
        self.store.begin().await?;
        if !batch.cases.is_empty() {
            batch.listed_at = Some(self.listed_at(now).await?);
        }
        let news = batch.write(self.me.node, &mut self.store, now).await?;
        self.store.commit().await?;
        Ok(news)
    }

    /// Nothing of the batch is kept: callers are told, links start again from what the disk has.
    async fn not_stored(&mut self, error: StoreError, batch: &mut Batch) -> Result<(), StoreError> {
        tracing::error!(error = &error as &dyn std::error::Error, "a transaction was not stored");
        self.shared.counters.not_stored.add(1);
        self.store.rollback().await.unwrap_or_else(|e| tracing::debug!(%e, "nothing to roll back"));
        let full = matches!(error, StoreError::NoRoom(_));
        for (_, answer) in &mut batch.replies {
            *answer = Err(if full { port::Failed::NoRoom } else { port::Failed::Store });
        }
        self.has_stalled(full);
        if matches!(error, StoreError::LeaseLost) {
            return Err(error);
        }
        self.cases.forget();
        self.choose_again().await;
        self.beat.forget();
        // What was looked at in passing is looked at again, and the audit's head sent again.
        self.reached = Some(BEFORE_ALL_CASES);
        self.passing_day = None;
        self.unread_after = Some(0);
        self.findable = Some(BEFORE_ALL_CASES);
        self.provisional = Some(BEFORE_ALL_CASES);
        self.clockless = Some(BEFORE_ALL_CASES);
        self.recount = true;
        self.anchored = false;
        self.pulling.again();
        batch.tickets.clear();
        let kept = crate::node::kept(&mut self.store, &self.line).await?;
        self.moving = Moving::load(&mut self.store, &kept.former).await?;
        self.put_places();
        self.endpoint.close_all("the node could not store what arrived");
        // The new core knows of no link, so it will not say that these went down.
        self.shared.all_down(self.clock.wall());
        self.beat.cut();
        self.core = Core::resume(self.core.identity().clone(), kept, self.core.limits());
        // Nor of a dial, and would dial at once: what cannot be stored now would come round without a pause.
        self.feed(Input::Timeout);
        self.feed(Input::DialFailed);
        self.outputs.clear();
        self.fetches.clear();
        Ok(())
    }
}

/// Whoever waits for what was not reached, for want of room.
fn unheard(work: Work) -> Option<batch::Reply> {
    match work {
        Work::Request(request) => Some((request.reply, Err(port::Failed::NoRoom))),
        Work::Link(_) | Work::Renewed(_) => None,
    }
}

/// Takes what else is waiting, up to the limits of a transaction.
fn gather(work: &mut Vec<Work>, requests: &mut mpsc::Receiver<Request>, events: &mut mpsc::Receiver<Event>) {
    let mut bytes = 0;
    while work.len() < BATCH_ITEMS_MAX && bytes < BATCH_BYTES_MAX {
        if let Ok(event) = events.try_recv() {
            if let Event::Bundle { bundle, .. } = &event {
                bytes += bundle.bytes().len();
            }
            work.push(Work::Link(event));
        } else if let Ok(request) = requests.try_recv() {
            work.push(Work::Request(request));
        } else {
            break;
        }
    }
}

/// What a caller gets when the rules refuse.
fn refused(refusal: casework::Refusal) -> Answer {
    Err(port::Failed::Refused(refusal))
}
