//! A UDP relay between two nodes that can delay, lose, slow down or cut what passes. The kernel's `netem` is not everywhere;
//! this is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What a relay does to packets.
#[derive(Debug, Default)]
struct Weather {
    delay_ms: AtomicU64,
    lost_per_mille: AtomicU64,
    bytes_a_second: AtomicU64,
    cut: AtomicBool,
    carried: AtomicU64,
    lost: AtomicU64,
    /// When the narrow line has sent what was given to it, up and down together.
    line_free: Mutex<Option<Instant>>,
}

impl Weather {
    /// Decides about a packet: how long it takes, or none when it is lost.
    fn takes(&self, bytes: usize) -> Option<Duration> {
        let passed = self.carried.fetch_add(1, Ordering::Relaxed);
        // Spread evenly and the same in every run: the multiplier is prime to 1,000.
        let unlucky = passed.wrapping_mul(617) % 1_000 < self.lost_per_mille.load(Ordering::Relaxed);
        let delay = Duration::from_millis(self.delay_ms.load(Ordering::Relaxed));
        let narrow = self.narrow(bytes);
        if unlucky || narrow.is_none() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        narrow.map(|narrow| delay + narrow)
    }

    /// How long a packet waits for the line and takes on it; none: too many wait already.
    fn narrow(&self, bytes: usize) -> Option<Duration> {
        let rate = self.bytes_a_second.load(Ordering::Relaxed);
        if rate == 0 {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let mut line = self.line_free.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = line.unwrap_or(now).max(now);
        if begins - now > LINE_QUEUE_MAX {
            return None;
        }
        let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000) / rate;
        let ends = begins + Duration::from_micros(micros);
        *line = Some(ends);
        Some(ends - now)
    }
}

/// A relay in front of one parent. It serves one child at a time, which is what a link is.
#[derive(Debug)]
pub struct Relay {
    /// Where children dial.
    pub address: SocketAddr,
    weather: Arc<Weather>,
    task: JoinHandle<()>,
}

const PACKET_BYTES_MAX: usize = 65_536;
/// Packets that would wait longer before a narrow line are lost, as routers do.
const LINE_QUEUE_MAX: Duration = Duration::from_millis(500);

impl Relay {
    /// Stands up a relay in front of an address.
    pub async fn before(parent: SocketAddr) -> std::io::Result<Self> {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = front.local_addr()?;
        let weather = Arc::new(Weather::default());
        let task = tokio::spawn(carry(front, parent, weather.clone()));
        Ok(Self { address, weather, task })
    }

    /// Delays every packet, each way.
    pub fn delay(&self, by: Duration) {
        self.weather.delay_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Loses so many of a thousand packets, each way.
    pub fn lose(&self, per_mille: u64) {
        self.weather.lost_per_mille.store(per_mille, Ordering::Relaxed);
    }

    /// Lets so many bytes a second pass, both ways together.
    pub fn narrow(&self, bytes_a_second: u64) {
        self.weather.bytes_a_second.store(bytes_a_second, Ordering::Relaxed);
    }

    /// Packets that were lost by loss or at a narrow line.
    pub fn lost(&self) -> u64 {
        self.weather.lost.load(Ordering::Relaxed)
    }

    /// Drops every packet from now on, or lets them pass again.
    pub fn cut(&self, cut: bool) {
        self.weather.cut.store(cut, Ordering::Relaxed);
    }

    /// Packets that came, lost ones among them, while the line was not cut.
    pub fn carried(&self) -> u64 {
        self.weather.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(front: Arc<UdpSocket>, parent: SocketAddr, weather: Arc<Weather>) {
    let mut child: Option<(SocketAddr, Arc<UdpSocket>, JoinHandle<()>)> = None;
    let mut buffer = vec![0; PACKET_BYTES_MAX];
    while let Ok((length, from)) = front.recv_from(&mut buffer).await {
        if child.as_ref().is_none_or(|(known, ..)| *known != from) {
            if let Some((.., task)) = child.take() {
                task.abort();
            }
            let Ok(back) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { continue };
            if back.connect(parent).await.is_err() {
                continue;
            }
            let back = Arc::new(back);
            let task = tokio::spawn(answer(back.clone(), front.clone(), from, weather.clone()));
            child = Some((from, back, task));
        }
        if let Some((_, back, _)) = &child {
            let (back, packet) = (back.clone(), buffer.get(..length).unwrap_or_default().to_vec());
            pass(&weather, packet.len(), async move { back.send(&packet).await.map(|_| ()) });
        }
    }
}

async fn answer(back: Arc<UdpSocket>, front: Arc<UdpSocket>, child: SocketAddr, weather: Arc<Weather>) {
    let mut buffer = vec![0; PACKET_BYTES_MAX];
    loop {
        // A refused packet (the parent is not there just now) is reported here; the relay goes on.
        let Ok(length) = back.recv(&mut buffer).await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let (front, packet) = (front.clone(), buffer.get(..length).unwrap_or_default().to_vec());
        pass(&weather, packet.len(), async move { front.send_to(&packet, child).await.map(|_| ()) });
    }
}

fn pass(weather: &Weather, bytes: usize, send: impl Future<Output = std::io::Result<()>> + Send + 'static) {
    if weather.cut.load(Ordering::Relaxed) {
        return;
    }
    let Some(delay) = weather.takes(bytes) else { return };
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        // A lost packet is what networks do.
        let _ = send.await;
    });
}
