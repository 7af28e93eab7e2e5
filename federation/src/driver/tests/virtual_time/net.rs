//! A network of UDP in virtual time: addresses, names, translators of addresses, and what goes wrong on the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::driver::network::{Bound, Network, Resolved};

/// The largest datagram that passes, as on an Ethernet.
const DATAGRAM_BYTES: usize = 1_472;
/// Of 1,000.
const THOUSAND: u32 = 1_000;

/// The network. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Net(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: ChaCha8Rng,
    sockets: HashMap<SocketAddr, Weak<Socket>>,
    names: BTreeMap<String, SocketAddr>,
    /// Addresses that are cut off.
    cut: BTreeSet<IpAddr>,
    /// From these nothing goes to those.
    one_way: BTreeSet<(IpAddr, IpAddr)>,
    /// What stands outside for an address behind a translator, and the other way round.
    outside: HashMap<SocketAddr, SocketAddr>,
    inside: HashMap<SocketAddr, SocketAddr>,
    behind: BTreeMap<IpAddr, IpAddr>,
    delay: Duration,
    loss: u32,
    /// The shortest time between two datagrams of one address, and when the next may go.
    trickle: HashMap<IpAddr, (Duration, Instant)>,
    port: u16,
    order: u64,
}

#[derive(Debug)]
struct Datagram {
    /// As it seems.
    from: SocketAddr,
    /// Between whom it goes in truth.
    way: (IpAddr, IpAddr),
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Socket {
    net: Net,
    at: SocketAddr,
    inbox: Mutex<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    queue: BTreeMap<(Instant, u64), Datagram>,
    waker: Option<Waker>,
    timer: Pin<Box<Sleep>>,
}

impl Net {
    /// All chance on it follows from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: ChaCha8Rng::seed_from_u64(seed),
            sockets: HashMap::new(),
            names: BTreeMap::new(),
            cut: BTreeSet::new(),
            one_way: BTreeSet::new(),
            outside: HashMap::new(),
            inside: HashMap::new(),
            behind: BTreeMap::new(),
            delay: Duration::from_millis(15),
            loss: 0,
            trickle: HashMap::new(),
            port: 20_000,
            order: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn name(&self, name: &str, at: SocketAddr) {
        self.state().names.insert(name.to_owned(), at);
    }

    /// So many of a thousand datagrams are lost from now on.
    pub(super) fn lose(&self, of_a_thousand: u32) {
        self.state().loss = of_a_thousand;
    }

    /// Nothing comes from an address or goes to it.
    pub(super) fn cut(&self, ip: IpAddr, cut: bool) {
        let cuts = &mut self.state().cut;
        let _ = if cut { cuts.insert(ip) } else { cuts.remove(&ip) };
    }

    /// Nothing goes from here to there.
    pub(super) fn cut_one_way(&self, from: IpAddr, to: IpAddr, cut: bool) {
        let cuts = &mut self.state().one_way;
        let _ = if cut { cuts.insert((from, to)) } else { cuts.remove(&(from, to)) };
    }

    /// The sockets of an address are gone without a word, as when their process is killed.
    pub(super) fn unplug(&self, ip: IpAddr) {
        self.state().sockets.retain(|at, _| at.ip() != ip);
    }

    /// An address stands behind a translator, which shows it as this one and with other ports from now on.
    pub(super) fn rebind(&self, ip: IpAddr, outer: IpAddr) {
        let mut state = self.state();
        state.behind.insert(ip, outer);
        state.outside.retain(|inner, _| inner.ip() != ip);
        state.inside.retain(|_, inner| inner.ip() != ip);
    }

    /// From this address one datagram passes in such a time, and what comes meanwhile is lost; or all pass again.
    pub(super) fn trickle(&self, ip: IpAddr, every: Option<Duration>) {
        let trickle = &mut self.state().trickle;
        trickle.remove(&ip);
        trickle.extend(every.map(|every| (ip, (every, Instant::now()))));
    }
}

impl State {
    fn next_port(&mut self) -> u16 {
        self.port = self.port.checked_add(1).unwrap_or(20_000);
        self.port
    }

    /// The address that others see.
    fn seen(&mut self, inner: SocketAddr) -> SocketAddr {
        let Some(ip) = self.behind.get(&inner.ip()).copied() else { return inner };
        if let Some(outer) = self.outside.get(&inner) {
            return *outer;
        }
        let outer = SocketAddr::new(ip, self.next_port());
        self.outside.insert(inner, outer);
        self.inside.insert(outer, inner);
        outer
    }

    /// Whether nothing passes here.
    fn is_cut(&self, (from, to): (IpAddr, IpAddr)) -> bool {
        self.cut.contains(&from) || self.cut.contains(&to) || self.one_way.contains(&(from, to))
    }

    /// Whether a datagram is lost at the beginning of its way.
    fn is_lost(&mut self, from: IpAddr, now: Instant) -> bool {
        if self.random.next_u32() % THOUSAND < self.loss {
            return true;
        }
        match self.trickle.get_mut(&from) {
            Some((_, next)) if *next > now => true,
            Some((every, next)) => {
                *next = now + *every;
                false
            }
            None => false,
        }
    }

    /// Where a datagram goes, from whom it seems to come, and when it is there.
    fn carry(&mut self, socket: &Socket, transmit: &Transmit<'_>) -> Option<(Arc<Socket>, (Instant, u64), Datagram)> {
        // A process that was killed goes on in this one for a moment; nothing leaves it any more.
        let plugged = self.sockets.get(&socket.at)?;
        if !std::ptr::eq(plugged.as_ptr(), socket) {
            return None;
        }
        let now = Instant::now();
        let from = self.seen(socket.at);
        let inner = self.inside.get(&transmit.destination).copied().unwrap_or(transmit.destination);
        if self.is_lost(socket.at.ip(), now) {
            return None;
        }
        let target = self.sockets.get(&inner)?.upgrade()?;
        let jitter = Duration::from_millis(u64::from(self.random.next_u32() % 4));
        self.order += 1;
        let datagram = Datagram { from, way: (socket.at.ip(), inner.ip()), bytes: transmit.contents.to_vec() };
        Some((target, (now + self.delay + jitter, self.order), datagram))
    }
}

impl Network for Net {
    fn udp(&self, listen: SocketAddr, _: usize) -> io::Result<Bound> {
        let mut state = self.state();
        let port = if listen.port() == 0 { state.next_port() } else { listen.port() };
        let at = SocketAddr::new(listen.ip(), port);
        if state.sockets.get(&at).is_some_and(|held| held.strong_count() > 0) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let inbox = Inbox { queue: BTreeMap::new(), waker: None, timer: Box::pin(sleep_until(Instant::now())) };
        let socket = Arc::new(Socket { net: self.clone(), at, inbox: Mutex::new(inbox) });
        state.sockets.insert(at, Arc::downgrade(&socket));
        Ok(Bound { socket, warning: None })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> Resolved<'a> {
        let found = self.state().names.get(name).copied();
        Box::pin(async move { found.map(|at| vec![at]).ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if transmit.contents.len() > DATAGRAM_BYTES {
            return Ok(());
        }
        let Some((target, place, datagram)) = self.net.state().carry(self, transmit) else { return Ok(()) };
        let mut inbox = target.inbox.lock().unwrap();
        inbox.queue.insert(place, datagram);
        if let Some(waker) = inbox.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut inbox = self.inbox.lock().unwrap();
        loop {
            let Some(first) = inbox.queue.first_entry() else {
                inbox.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            let (due, _) = *first.key();
            if due <= Instant::now() {
                let Datagram { from, way, bytes } = first.remove();
                if self.net.state().is_cut(way) {
                    continue;
                }
                let len = bytes.len();
                bufs[0][..len].copy_from_slice(&bytes);
                meta[0] = RecvMeta { addr: from, len, stride: len, ecn: None, dst_ip: None };
                return Poll::Ready(Ok(1));
            }
            inbox.timer.as_mut().reset(due);
            if inbox.timer.as_mut().poll(cx).is_pending() {
                inbox.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.at)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct Writable;

impl UdpPoller for Writable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
