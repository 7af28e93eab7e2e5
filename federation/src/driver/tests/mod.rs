//! The driver on the loopback, over real QUIC and real TCP: most tests run over both.

/// Runs each of these tests over each transport.
macro_rules! over_both {
    ($($test:ident,)+) => {
        mod over_quic {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::driver::settings::Transport::Quic).await;
            })+
        }

        mod over_tcp {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::driver::settings::Transport::Tcp).await;
            })+
        }
    };
}

mod asking;
mod changing;
mod hostile;
mod joining;
mod links;
mod packs;
mod raw;
mod refusals;
mod virtual_time;

use std::net::SocketAddr;
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::control::{Control, Verdict};
use tokio::sync::mpsc;

use super::event::Event;
use super::host::{Endpoint, Host};
use super::join::Way;
use super::settings::{EVENTS_MAX, HostSettings, Parent, Setup, Transport};
use crate::core::FrameOut;
use crate::trust::tests::Member;
use crate::trust::tls::Chain;
use crate::trust::{Directory, Registry};

/// An endpoint under test with its events.
pub(super) struct End {
    pub(super) endpoint: Endpoint,
    pub(super) events: mpsc::Receiver<Event>,
}

impl End {
    pub(super) fn bind(listen: SocketAddr, setup: Setup) -> Self {
        Self::bind_with(listen, settings(), setup)
    }

    pub(super) fn bind_with(listen: SocketAddr, settings: HostSettings, setup: Setup) -> Self {
        let (endpoint, events) = Endpoint::bind(listen, settings, setup).unwrap();
        Self { endpoint, events }
    }

    /// A node on a host with others.
    pub(super) fn open(host: &Host, setup: Setup) -> Self {
        let (endpoint, events) = host.open(setup).unwrap();
        Self { endpoint, events }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    /// The next event but the greeting, of which these tests have only the word that ends it.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await;
            match event.expect("an event in time").unwrap() {
                Event::Control { frame: Control::Verdict(Verdict::Resume), .. } => {}
                event => return event,
            }
        }
    }

    /// A link, not greeted yet.
    pub(super) async fn met(&mut self) -> (u64, NodeId) {
        match self.next().await {
            Event::Opened { connection, peer, .. } => (connection, peer),
            other => panic!("not opened: {other:?}"),
        }
    }

    /// A link, greeted from this side.
    pub(super) async fn opened(&mut self) -> (u64, NodeId) {
        let (connection, peer) = self.met().await;
        self.endpoint.send(connection, FrameOut::Control(Control::Verdict(Verdict::Resume)));
        (connection, peer)
    }

    pub(super) async fn closed(&mut self) -> String {
        loop {
            match self.next().await {
                Event::Closed { why, .. } => return why,
                other => drop(other),
            }
        }
    }

    /// Nothing happens for a while.
    pub(super) async fn silent(&mut self) {
        let event = tokio::time::timeout(Duration::from_millis(300), self.next()).await;
        assert!(event.is_err(), "{event:?}");
    }
}

pub(super) fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

pub(super) fn settings() -> HostSettings {
    // Small buffers, so that a test host's limits give no warning.
    HostSettings { socket_buffer: 64 * 1024, handshake: Duration::from_secs(5), tcp: true, ..HostSettings::default() }
}

pub(super) fn setup(member: &Member, directory: &Directory, parent: Option<Parent>) -> Setup {
    setup_with(member, member.chain(), directory, parent)
}

pub(super) fn setup_with(member: &Member, chain: Chain, directory: &Directory, parent: Option<Parent>) -> Setup {
    Setup {
        node: member.node,
        keys: member.keys.clone(),
        chain,
        roots: Vec::new(),
        directory: directory.clone(),
        registry: Registry::new(),
        parent,
        events_max: EVENTS_MAX,
    }
}

pub(super) fn way(over: Transport) -> Way {
    Way { bind: loopback(), over }
}

pub(super) fn above(over: Transport, member: &Member, address: SocketAddr) -> Parent {
    Parent { node: member.node, address: address.to_string(), spki: None, transport: over }
}
