//! Ports that a node can be told before it listens.
//!
//! A port that the system gave out and got back may be given to another socket a moment later, since it hands out the same
//! range to everybody who does not care. These come from below that range, each once a process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that Linux gives out by itself (from 32768).
const FIRST: u32 = 16_384;
const COUNT: u32 = 16_000;

/// An address on this machine on which nothing listens, neither over UDP nor over TCP.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Programs that run at the same time begin at different places.
        let place = std::process::id().wrapping_mul(977).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + place).expect("a port");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free on this machine");
}
