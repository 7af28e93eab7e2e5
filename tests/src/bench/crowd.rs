//! Many children of one parent in this process, light: each is a link core with certificates of its own on the product's
//! driver, and keeps in memory what a node would have in its database. What the parent sees is what nodes send that went on
//! running; one that has just started says in addition which publications it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use federation::core::{
    ConnectionId, Core, Identity, Input, Kept, Limits, Now, Output, Page, Query, Ticket, Uptime, Write,
};
use federation::driver::settings::EVENTS_MAX;
use federation::driver::{Endpoint, Event, Host, HostSettings, Parent, Setup, Transport};
use federation::trust::tls::Chain;
use federation::trust::{Anchors, Directory, Registry};
use protocol::chain::Hash;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;
use protocol::wire::frame::{Lane, LinkSeq};
use tokio::sync::mpsc;
use wuji::clock::{Clock, random_bytes};

use super::Failure;
use super::child::Child;

/// Sockets that the children dial from, as if they stood behind so many routers.
const ROUTERS: usize = 8;

/// What happened to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Its link is up.
    Up,
    /// What it was given to send is durable at the parent.
    Durable,
}

struct News {
    child: usize,
    what: What,
    at: Instant,
}

/// The children.
#[derive(Debug)]
pub struct Crowd {
    hosts: Vec<Host>,
    orders: Vec<mpsc::UnboundedSender<Bundle>>,
    news: mpsc::UnboundedReceiver<News>,
}

/// What came of waiting for all children.
#[derive(Debug)]
pub struct Back {
    /// From the beginning until the link of half of them was up.
    pub half_up: Duration,
    /// Until the last was.
    pub all_up: Duration,
    /// Of each child that had something to send: from its link coming up until that was durable at the parent.
    pub durable: Vec<Duration>,
}

impl Crowd {
    /// Opens them; each dials at once.
    pub fn start(children: &[Child], parent: NodeId, address: SocketAddr) -> Result<Self, Failure> {
        let first = children.first().ok_or("a crowd of nobody")?;
        let directory = Directory::new(first.enrolled.authority);
        for child in children {
            directory.restore(child.enrolled.entry)?;
        }
        let (told, news) = mpsc::unbounded_channel();
        let open = || Host::bind((Ipv4Addr::LOCALHOST, 0).into(), HostSettings::default());
        let hosts = (0..ROUTERS).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
        let mut orders = Vec::with_capacity(children.len());
        for ((number, child), host) in children.iter().enumerate().zip(hosts.iter().cycle()) {
            let above = Parent { node: parent, address: address.to_string(), spki: None, transport: Transport::Quic };
            let (endpoint, events) = host.open(setup(child, &directory, above)?)?;
            let light = Light::new(child, parent, endpoint, number, told.clone())?;
            let (order, taken) = mpsc::unbounded_channel();
            tokio::spawn(light.run(events, taken));
            orders.push(order);
        }
        Ok(Self { hosts, orders, news })
    }

    /// Gives a child something to send, now or when its link comes up.
    pub fn send(&self, child: usize, bundle: Bundle) -> Result<(), Failure> {
        Ok(self.orders.get(child).ok_or("no such child")?.send(bundle)?)
    }

    /// Forgets what has happened so far.
    pub fn forget(&mut self) {
        while self.news.try_recv().is_ok() {}
    }

    /// Waits until every child's link has come up since `began`, and what was to be sent is durable above.
    pub async fn wait(&mut self, began: Instant, to_send: usize, limit: Duration) -> Result<Back, Failure> {
        let (mut up, mut durable) = (BTreeMap::new(), Vec::new());
        while up.len() < self.orders.len() || durable.len() < to_send {
            let left = limit.saturating_sub(began.elapsed());
            let Ok(Some(News { child, what, at })) = tokio::time::timeout(left, self.news.recv()).await else {
                let (up, all) = (up.len(), self.orders.len());
                return Err(format!("after {limit:?} {up} of {all} links are up, {} sent", durable.len()).into());
            };
            match what {
                What::Up => {
                    up.insert(child, at);
                }
                What::Durable => durable.extend(up.get(&child).map(|up| at.duration_since(*up))),
            }
        }
        let mut times: Vec<Duration> = up.values().map(|at| at.duration_since(began)).collect();
        times.sort();
        let (half, all) = (times.get(times.len() / 2), times.last());
        Ok(Back { half_up: half.copied().unwrap_or_default(), all_up: all.copied().unwrap_or_default(), durable })
    }

    /// Closes all links.
    pub async fn stop(self) {
        drop(self.orders);
        for host in self.hosts {
            host.shutdown().await;
        }
    }
}

fn setup(child: &Child, directory: &Directory, parent: Parent) -> Result<Setup, Failure> {
    Ok(Setup {
        node: child.node,
        keys: child.keys.clone(),
        chain: Chain::of(&child.enrolled)?,
        roots: Vec::new(),
        directory: directory.clone(),
        registry: Registry::new(),
        parent: Some(parent),
        events_max: EVENTS_MAX,
    })
}

/// One child.
struct Light {
    core: Core,
    endpoint: Endpoint,
    clock: Clock,
    number: usize,
    news: mpsc::UnboundedSender<News>,
    bundles: BTreeMap<BundleId, Bundle>,
    outbox: BTreeMap<(Lane, LinkSeq), (Hash, BundleId)>,
    seen: BTreeSet<BundleId>,
    /// The number of what it was given to send.
    awaited: Option<LinkSeq>,
}

impl Light {
    fn new(
        child: &Child,
        parent: NodeId,
        endpoint: Endpoint,
        number: usize,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Self, Failure> {
        let me = Identity {
            node: child.node,
            division: child.division,
            root: Anchors::of(&child.enrolled)?.greeting(),
            roots: Vec::new(),
            entry: child.enrolled.entry,
            parent: Some(parent),
        };
        let kept = Kept { seed: random_bytes(), ..Kept::default() };
        Ok(Self {
            core: Core::resume(me, kept, Limits::default()),
            endpoint,
            clock: Clock::default(),
            number,
            news,
            bundles: BTreeMap::new(),
            outbox: BTreeMap::new(),
            seen: BTreeSet::new(),
            awaited: None,
        })
    }

    async fn run(mut self, mut events: mpsc::Receiver<Event>, mut orders: mpsc::UnboundedReceiver<Bundle>) {
        self.feed(Input::Timeout);
        loop {
            let wake = self.core.next_timeout().map_or(u64::MAX, |at| at.0);
            let sleep = Duration::from_millis(wake.saturating_sub(self.clock.uptime_ms()).min(60_000));
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.event(event),
                    None => return,
                },
                order = orders.recv() => match order {
                    Some(bundle) => self.order(bundle),
                    None => return,
                },
                () = tokio::time::sleep(sleep) => {}
            }
            self.feed(Input::Timeout);
        }
    }

    fn order(&mut self, bundle: Bundle) {
        let id = bundle.head().id;
        self.feed(Input::Outgoing { bundles: vec![bundle] });
        self.awaited = self.outbox.iter().find(|(_, (_, held))| *held == id).map(|((_, seq), _)| *seq);
    }

    fn tell(&self, what: What) {
        // Nobody listens any more when the measurement is over.
        let _ = self.news.send(News { child: self.number, what, at: Instant::now() });
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Opened { connection, peer, dialled, .. } => {
                self.feed(Input::LinkOpened { peer, connection: ConnectionId(connection), dialled });
            }
            Event::Control { connection, frame } => {
                if let Control::Ack { lane: Lane::Cases, upto, .. } = &frame
                    && self.awaited.is_some_and(|awaited| awaited <= *upto)
                {
                    self.awaited = None;
                    self.tell(What::Durable);
                }
                self.feed(Input::Control { connection: ConnectionId(connection), frame });
            }
            Event::Bundle { connection, lane, seq, bundle } => {
                let seen = !self.seen.insert(bundle.head().id);
                let connection = ConnectionId(connection);
                self.feed(Input::Arrived { connection, lane, seq, bundle, seen, held_unreceipted: false });
            }
            Event::Misbehaved { connection, what } => {
                self.feed(Input::Misbehaved { connection: ConnectionId(connection), what });
            }
            Event::Closed { connection, .. } => {
                self.feed(Input::LinkClosed { connection: ConnectionId(connection) });
            }
            Event::DialFailed { .. } => self.feed(Input::DialFailed),
            Event::BadBundle { .. } | Event::Join(_) | Event::Ask(_) => {}
        }
    }

    /// Feeds the core and does what it says. Nothing here takes time to become durable.
    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now = Now { uptime: Uptime(self.clock.uptime_ms()), wall: self.clock.wall() };
            let mut out = Vec::new();
            self.core.handle(now, input, &mut out);
            let (mut tickets, mut pages) = (Vec::new(), Vec::new());
            for output in out {
                self.output(output, &mut tickets, &mut pages);
            }
            inputs.extend(pages.into_iter().map(|(ticket, page)| Input::Page { ticket, page }));
            if !tickets.is_empty() {
                inputs.push(Input::Committed { tickets });
            }
        }
    }

    fn output(&mut self, output: Output, tickets: &mut Vec<Ticket>, pages: &mut Vec<(Ticket, Page)>) {
        match output {
            Output::Dial => self.endpoint.dial(),
            Output::Send { connection, frame } => self.endpoint.send(connection.0, frame),
            Output::Persist { ticket, write } => {
                tickets.push(ticket);
                self.write(write);
            }
            Output::Fetch { ticket, query } => pages.push((ticket, self.look_up(query))),
            Output::Close { connection, why } => self.endpoint.close(connection.0, &why.to_string()),
            Output::LinkUp { .. } => self.tell(What::Up),
            Output::Tell { .. }
            | Output::Raise(_)
            | Output::LinkDown { .. }
            | Output::LearnAncestors(_)
            | Output::ClockOffset { .. } => {}
        }
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Outbox { lane, position, bundle, .. } => {
                self.outbox.insert((lane, position.seq), (position.hash, bundle.head().id));
                self.bundles.insert(bundle.head().id, bundle);
            }
            Write::Acked { lane, upto, .. } => self.outbox.retain(|(l, seq), _| *l != lane || *seq >= upto),
            Write::Renumber { .. } => self.outbox.clear(),
            _ => {}
        }
    }

    fn look_up(&self, query: Query) -> Page {
        match query {
            Query::Outbox { lane, after, count, .. } => {
                let rows = self.outbox.range((lane, after.next())..=(lane, LinkSeq(u64::MAX))).take(count);
                Page::Outbox(
                    rows.filter_map(|((_, seq), (hash, id))| {
                        let bundle = self.bundles.get(id)?;
                        Some((*seq, *hash, bundle.head().origin, bundle.bytes().clone()))
                    })
                    .collect(),
                )
            }
            Query::HashAt { lane, seq, .. } => Page::Hash(self.outbox.get(&(lane, seq)).map(|(hash, _)| *hash)),
            Query::Inventory { after, count, .. } => {
                let later = self.bundles.keys().filter(|id| after.is_none_or(|after| **id > after));
                Page::Inventory(later.copied().take(count).collect())
            }
            Query::Unseen { ids } => Page::Unseen(ids.into_iter().filter(|id| !self.seen.contains(id)).collect()),
            Query::Bundles { ids } => {
                Page::Bundles(ids.iter().filter_map(|id| self.bundles.get(id).cloned()).collect())
            }
        }
    }
}
