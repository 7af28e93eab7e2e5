//! A UDP relay between two nodes that can delay or cut what passes. The kernel's `netem` is not everywhere; this is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What a relay does to packets.
#[derive(Debug, Default)]
struct Weather {
    delay_ms: AtomicU64,
    cut: AtomicBool,
    carried: AtomicU64,
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

    /// Drops every packet from now on, or lets them pass again.
    pub fn cut(&self, cut: bool) {
        self.weather.cut.store(cut, Ordering::Relaxed);
    }

    /// Packets that passed.
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
            pass(&weather, async move { back.send(&packet).await.map(|_| ()) });
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
        pass(&weather, async move { front.send_to(&packet, child).await.map(|_| ()) });
    }
}

fn pass(weather: &Arc<Weather>, send: impl Future<Output = std::io::Result<()>> + Send + 'static) {
    if weather.cut.load(Ordering::Relaxed) {
        return;
    }
    weather.carried.fetch_add(1, Ordering::Relaxed);
    let delay = Duration::from_millis(weather.delay_ms.load(Ordering::Relaxed));
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        // A lost packet is what networks do.
        let _ = send.await;
    });
}
