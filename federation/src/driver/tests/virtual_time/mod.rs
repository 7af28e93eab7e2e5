//! The real driver, quinn, rustls and the core on a network and a clock of our own: months pass in seconds.

mod net;
mod station;

mod certificates;
mod month;
mod paths;
mod storm;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use protocol::division::DivisionCode;
use protocol::id::{NodeId, TokenId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::Urgency;
use protocol::wire::codec;
use protocol::wire::control::Enrolled;
use rustls_pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

use crate::core::{Identity, Limits};
use crate::driver::ask::AskError;
use crate::driver::host::{Endpoint, Host};
use crate::driver::settings::{EVENTS_MAX, HostSettings, Parent, Setup, Transport};
use crate::sim::tests::Toy;
use crate::sim::{Disk, Hung, Live, tree};
use crate::trust::name::spki_sha256;
use crate::trust::renewal::{self, RenewReply};
use crate::trust::time::{Known, NodeTime, Told};
use crate::trust::tls::Chain;
use crate::trust::{Authority, Directory, NodeKeys, Registry};

use net::Net;
use station::{Office, Order, Seen, Station};

/// The moment at which every world begins.
const BEGINNING: i64 = 1_764_000_000_000;
const DAY: Duration = Duration::from_hours(24);
const TOP_NAME: &str = "city.example:4433";
/// The node above all others, by place in the world.
const TOP: usize = 0;

/// Runs a test in virtual time.
fn in_virtual_time(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// The folder of a node: what outlives its processes.
struct Folder {
    node: NodeId,
    division: DivisionCode,
    parent: Option<NodeId>,
    keys: Arc<NodeKeys>,
    enrolled: Enrolled,
    roots: Vec<CertificateDer<'static>>,
    /// A renewal that was begun: the next keys, and the request.
    renewing: Option<(Arc<NodeKeys>, Vec<u8>)>,
    disk: Rc<RefCell<Disk<Toy>>>,
    directory: Directory,
    registry: Registry,
    listen: SocketAddr,
    /// How far its clock is off, milliseconds.
    off: i64,
    seen: Rc<RefCell<Seen>>,
    running: Option<Running>,
}

impl Folder {
    fn identity(&self) -> Identity {
        let roots: Vec<_> = self.roots.iter().map(|root| spki_sha256(root).unwrap()).collect();
        Identity {
            node: self.node,
            division: self.division,
            root: roots[0],
            roots,
            entry: self.enrolled.entry,
            parent: self.parent,
        }
    }
}

struct Running {
    host: Host,
    endpoint: Endpoint,
    orders: mpsc::UnboundedSender<Order>,
    task: AbortHandle,
    time: Arc<NodeTime>,
}

/// A city with its children.
struct World {
    net: Net,
    began: Instant,
    office: Rc<RefCell<Office>>,
    folders: Vec<Folder>,
    settings: HostSettings,
    seed: u64,
    starts: u64,
    filed: Vec<u32>,
}

fn wall(began: Instant, off: i64) -> UnixMillis {
    UnixMillis(BEGINNING + i64::try_from(began.elapsed().as_millis()).unwrap() + off)
}

/// The life of a certificate, milliseconds.
fn life(enrolled: &Enrolled) -> (UnixMillis, UnixMillis) {
    let issued = enrolled.entry.entry.issued.0;
    let day = i64::try_from(DAY.as_millis()).unwrap();
    (UnixMillis(issued - day), UnixMillis(issued + 90 * day))
}

impl World {
    /// A city and so many children, all of them enrolled so long ago, none of them running.
    fn new(seed: u64, children: u64, enrolled_ago: Duration) -> Self {
        let issued = UnixMillis(BEGINNING - i64::try_from(enrolled_ago.as_millis()).unwrap());
        let mut authority = Authority::found("a city in virtual time", issued).unwrap();
        let places = tree(&[children]);
        let below: Vec<NodeId> = places.iter().skip(1).map(|(node, ..)| *node).collect();
        let mut folders: Vec<Folder> = Vec::new();
        for (number, (node, division, parent)) in places.into_iter().enumerate() {
            let keys = Arc::new(NodeKeys::generate().unwrap());
            let request = keys.join_request(TokenId::from_bytes([0; 16]), node, division).unwrap();
            let enrolled = authority.issue(&request, parent, issued).unwrap();
            let directory = Directory::new(authority.authority_key());
            directory.insert(enrolled.entry).unwrap();
            if let Some(top) = folders.first() {
                top.directory.insert(enrolled.entry).unwrap();
                top.registry.admit(keys.tls_spki_sha256(), node);
            }
            let children = if parent.is_none() { below.clone() } else { Vec::new() };
            let routes = children.iter().map(|child| (*child, *child)).collect();
            let parents = parent.iter().map(|parent| (node, *parent)).collect::<BTreeMap<_, _>>().into();
            let disk = Disk::new(Hung { me: node, parent, children, routes, parents }, Toy::default());
            folders.push(Folder {
                node,
                division,
                parent,
                keys,
                roots: vec![authority.root().clone()],
                enrolled,
                renewing: None,
                disk: Rc::new(RefCell::new(disk)),
                directory,
                registry: Registry::new(),
                listen: SocketAddr::from((
                    [10, 0, u8::try_from(number / 250).unwrap(), u8::try_from(number % 250).unwrap() + 1],
                    4433,
                )),
                off: 0,
                seen: Rc::default(),
                running: None,
            });
        }
        let (net, settings) = (Net::new(seed), HostSettings::default());
        net.name(TOP_NAME, folders[TOP].listen);
        let office = Rc::new(RefCell::new(Office { authority, answers: BTreeMap::new() }));
        let filed = vec![0; folders.len()];
        Self { net, began: Instant::now(), office, folders, settings, seed, starts: 0, filed }
    }

    /// The same, all running, after so long that all links are up and quiet.
    async fn running(seed: u64, children: u64) -> Self {
        let mut world = Self::new(seed, children, DAY);
        world.start_all();
        world.all_up_within(Duration::from_secs(20)).await;
        // Whoever dies within moments of its first greeting may have said a run of numbers that is not durable yet.
        sleep(Duration::from_secs(5)).await;
        world
    }

    fn start_all(&mut self) {
        (0..self.folders.len()).for_each(|at| self.start(at));
    }

    fn children(&self) -> std::ops::Range<usize> {
        TOP + 1..self.folders.len()
    }

    /// Starts the process of a node.
    fn start(&mut self, at: usize) {
        self.starts += 1;
        let (began, folder) = (self.began, &mut self.folders[at]);
        let (off, started) = (folder.off, Instant::now());
        let clock = move || (wall(began, off), u64::try_from(started.elapsed().as_millis()).unwrap());
        let (not_before, not_after) = life(&folder.enrolled);
        // The authority's own word on the time stands until the parent has told it, as with the node.
        let told = Told { at: folder.enrolled.entry.entry.issued, uptime_ms: 0 };
        let told = folder.parent.map(|_| told);
        let time = Arc::new(NodeTime::new(Box::new(clock), Known { not_before, not_after, told }));
        let settings =
            HostSettings { network: Arc::new(self.net.clone()), time: time.clone(), ..self.settings.clone() };
        let chain = Chain::of(&folder.enrolled).unwrap();
        let parent =
            folder.parent.map(|node| Parent { node, address: TOP_NAME.into(), spki: None, transport: Transport::Quic });
        let identity = folder.identity();
        let setup = Setup {
            node: folder.node,
            keys: folder.keys.clone(),
            chain,
            roots: folder.roots.clone(),
            directory: folder.directory.clone(),
            registry: folder.registry.clone(),
            parent,
            events_max: EVENTS_MAX,
        };
        let host = Host::bind(folder.listen, settings.keyed_by(&folder.keys)).unwrap();
        let (endpoint, events) = host.open(setup).unwrap();
        let (orders, told) = mpsc::unbounded_channel();
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        seed[8..16].copy_from_slice(&self.starts.to_be_bytes());
        let signer = folder.keys.clone();
        let live = Live::start(identity, &folder.disk.borrow(), Limits::default(), seed)
            .signing(folder.keys.signing_key().id(), move |bytes| signer.sign(bytes));
        folder.seen.borrow_mut().up.clear();
        let station = Station {
            live,
            disk: folder.disk.clone(),
            endpoint: endpoint.clone(),
            events,
            orders: told,
            seen: folder.seen.clone(),
            me: folder.node,
            parent: folder.parent,
            began: started,
            wall: Box::new(move || wall(began, off)),
            time: time.clone(),
            directory: folder.directory.clone(),
            registry: folder.registry.clone(),
            office: (at == TOP).then(|| self.office.clone()),
        };
        let task = spawn_local(station.run()).abort_handle();
        folder.running = Some(Running { host, endpoint, orders, task, time });
    }

    /// Ends a process as a signal does that it obeys.
    async fn stop(&mut self, at: usize) {
        let running = self.folders[at].running.take().unwrap();
        let _ = running.orders.send(Order::End);
        running.host.shutdown().await;
        running.task.abort();
    }

    /// Ends a process as `kill -9` does.
    fn kill(&mut self, at: usize) {
        let running = self.folders[at].running.take().unwrap();
        self.net.unplug(self.folders[at].listen.ip());
        running.task.abort();
        // What it held in memory goes; nobody outside hears of it.
        spawn_local(async move { running.host.shutdown().await });
    }

    fn process(&self, at: usize) -> &Running {
        self.folders[at].running.as_ref().unwrap()
    }

    fn order(&self, at: usize, order: Order) {
        self.process(at).orders.send(order).unwrap_or_else(|_| panic!("{at} does not run"));
    }

    /// A child files something for the city.
    fn file(&mut self, from: usize, urgency: Urgency) {
        self.filed[from] += 1;
        self.order(from, Order::File(self.folders[TOP].node, urgency));
    }

    /// Each child files something for the city.
    fn file_everywhere(&mut self, urgency: Urgency) {
        self.children().for_each(|child| self.file(child, urgency));
    }

    /// The city's machine is carried to another address, under its name.
    fn carry_top(&mut self) {
        let moved = ([10, 9, 0, 1], 4433).into();
        self.folders[TOP].listen = moved;
        self.net.name(TOP_NAME, moved);
    }

    /// Whether the link of a child is up, at both ends.
    fn is_up(&self, child: usize) -> bool {
        let (top, low) = (&self.folders[TOP], &self.folders[child]);
        low.seen.borrow().up.contains_key(&top.node) && top.seen.borrow().up.contains_key(&low.node)
    }

    /// How long it takes until something holds.
    async fn takes(&self, limit: Duration, mut holds: impl FnMut(&Self) -> bool) -> Option<Duration> {
        let began = Instant::now();
        while !holds(self) {
            if began.elapsed() > limit {
                return None;
            }
            sleep(Duration::from_millis(20)).await;
        }
        Some(began.elapsed())
    }

    async fn all_up_within(&self, limit: Duration) -> Duration {
        let took = self.takes(limit, |world| world.children().all(|child| world.is_up(child))).await;
        took.unwrap_or_else(|| {
            let down: Vec<_> = self.children().filter(|child| !self.is_up(*child)).collect();
            let why = self.folders[down[0]].seen.borrow().why.clone();
            panic!("not up in time: {down:?}, the first because of {why:?}")
        })
    }

    /// How many of a child's bundles the city has taken in, each once.
    fn taken(&self, child: usize) -> usize {
        let (top, node) = (self.folders[TOP].disk.borrow(), self.folders[child].node);
        let from = top.bundles.values().filter(|stored| stored.bundle.head().origin == node);
        from.inspect(|stored| assert_eq!(stored.applied, 1, "taken in twice")).count()
    }

    /// Everything that was filed is at the city once, and each child has its receipts.
    async fn all_delivered_within(&self, limit: Duration) {
        let there = |world: &Self| {
            world.children().all(|child| {
                let waits = world.folders[child].disk.borrow().bundles.values().any(|stored| !stored.done);
                !waits && world.taken(child) == world.filed[child] as usize
            })
        };
        let took = self.takes(limit, there).await;
        assert!(took.is_some(), "something that was filed did not arrive, or its receipt did not");
    }

    /// Nobody's operator was told of anything.
    fn no_alarms(&self) {
        for (at, folder) in self.folders.iter().enumerate() {
            assert!(folder.seen.borrow().alarms.is_empty(), "{at}: {:?}", folder.seen.borrow().alarms);
        }
    }

    /// A node's request for a new certificate: the same until it is answered.
    fn request(&mut self, at: usize) -> Vec<u8> {
        let folder = &mut self.folders[at];
        let (keys, node, entry) = (folder.keys.clone(), folder.node, folder.enrolled.entry.entry);
        let (_, bytes) = folder.renewing.get_or_insert_with(|| {
            let next = Arc::new(keys.renewed().unwrap());
            let request = renewal::request(&keys, &next, node, entry.serial).unwrap();
            (next, codec::encode_unbounded(&request))
        });
        bytes.clone()
    }

    /// Renews the certificate of a node, the city's own among them.
    async fn renew_as_node(&mut self, at: usize) {
        if at != TOP {
            return self.renew(at).await.unwrap();
        }
        let now = wall(self.began, 0);
        let folder = &mut self.folders[TOP];
        let next = Arc::new(folder.keys.renewed().unwrap());
        let entry = folder.enrolled.entry.entry;
        let request = renewal::request(&folder.keys, &next, folder.node, entry.serial).unwrap();
        let enrolled = self.office.borrow_mut().authority.renew(&request.renewal, &entry, now).unwrap();
        self.take_over(TOP, next, enrolled);
    }

    /// A node shows another certificate from now on.
    fn take_over(&mut self, at: usize, keys: Arc<NodeKeys>, enrolled: Enrolled) {
        let folder = &mut self.folders[at];
        let running = folder.running.as_ref().unwrap();
        running.endpoint.present(&keys, &Chain::of(&enrolled).unwrap()).unwrap();
        folder.directory.insert(enrolled.entry).unwrap();
        let (not_before, not_after) = life(&enrolled);
        running.time.renewed(not_before, not_after);
        (folder.keys, folder.enrolled) = (keys, enrolled);
        let _ = running.orders.send(Order::Identify(Box::new(folder.identity())));
    }

    /// Asks for a renewal, once.
    async fn renew(&mut self, at: usize) -> Result<(), AskError> {
        let request = self.request(at);
        let endpoint = self.process(at).endpoint.clone();
        let reply = endpoint.ask(|_| request).await?;
        let RenewReply::Renewed(enrolled) = codec::decode(&reply, 32 * 1024).unwrap() else {
            return Err(AskError::Unreachable("refused".into()));
        };
        let (next, _) = self.folders[at].renewing.take().unwrap();
        self.take_over(at, next, *enrolled);
        Ok(())
    }
}
