//! Several nodes behind one socket.

use std::net::SocketAddr;

use protocol::id::NodeId;
use protocol::wire::bundle::Urgency;
use protocol::wire::frame::LinkSeq;

use super::{End, above, loopback, settings, setup};
use crate::core::FrameOut;
use crate::driver::event::Event;
use crate::driver::host::{BindError, Host};
use crate::driver::quic::socket;
use crate::driver::settings::{Parent, Transport};
use crate::trust::tests::{Member, directory, member, node, now};
use crate::trust::{Authority, Directory};

over_both! {
    nodes_behind_one_socket_each_get_their_own_child_and_its_frames,
    a_child_of_another_node_of_the_same_host_is_refused,
    a_server_name_that_is_not_here_is_refused,
    nodes_of_one_host_are_each_others_parent_and_child,
    a_node_that_leaves_its_host_takes_its_own_links_only,
    a_node_that_left_twice_does_not_take_its_successor_along,
    a_node_is_opened_once,
    a_host_that_ends_tells_the_links_of_all_its_nodes_and_opens_none_any_more,
}

/// A township's host: two communities, each with a child of its own, which lives on another host.
struct Pack {
    over: Transport,
    authority: Authority,
    knows: Directory,
    host: Host,
    left: End,
    right: End,
    communities: [Member; 2],
    grids: [Member; 2],
}

fn pack(over: Transport) -> Pack {
    let mut authority = Authority::found("x", now()).unwrap();
    let communities = [member(&mut authority, 1, None), member(&mut authority, 2, None)];
    let grids = [member(&mut authority, 11, Some(1)), member(&mut authority, 12, Some(2))];
    let knows = directory(&authority, &[&communities[0], &communities[1], &grids[0], &grids[1]]);
    let host = Host::bind(loopback(), settings()).unwrap();
    let [left, right] = [0, 1].map(|n| {
        let community = setup(&communities[n], &knows, None);
        community.registry.admit(grids[n].keys.tls_spki_sha256(), grids[n].node);
        End::open(&host, community)
    });
    Pack { over, authority, knows, host, left, right, communities, grids }
}

impl Pack {
    fn address(&self) -> SocketAddr {
        self.host.local_addr().unwrap()
    }

    /// A grid that dials a community.
    fn grid(&self, grid: usize, community: usize) -> End {
        let parent = above(self.over, &self.communities[community], self.address());
        let end = End::bind(loopback(), setup(&self.grids[grid], &self.knows, Some(parent)));
        end.endpoint.dial();
        end
    }
}

fn bundle(from: &Member, n: u8, to: NodeId) -> FrameOut {
    let bundle = from.bundle(n, to, Urgency::Red, 100);
    FrameOut::Bundle {
        lane: protocol::wire::frame::Lane::Cases,
        seq: LinkSeq(n.into()),
        bytes: bundle.bytes().clone(),
        origin: from.node,
    }
}

/// TLS 1.3 tells a client late that it is refused.
async fn refused(mut child: End) {
    loop {
        match child.next().await {
            Event::DialFailed { .. } | Event::Closed { .. } => break,
            Event::Opened { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn nodes_behind_one_socket_each_get_their_own_child_and_its_frames(over: Transport) {
    let mut pack = pack(over);
    let [mut one, mut two] = [pack.grid(0, 0), pack.grid(1, 1)];
    let up = [one.opened().await.0, two.opened().await.0];
    assert_eq!(pack.left.opened().await.1, pack.grids[0].node);
    assert_eq!(pack.right.opened().await.1, pack.grids[1].node);
    one.endpoint.send(up[0], bundle(&pack.grids[0], 1, node(1)));
    two.endpoint.send(up[1], bundle(&pack.grids[1], 2, node(2)));
    assert!(matches!(pack.left.next().await, Event::Bundle { bundle, .. } if bundle.head().origin == node(11)));
    assert!(matches!(pack.right.next().await, Event::Bundle { bundle, .. } if bundle.head().origin == node(12)));
    pack.left.silent().await;
    pack.right.silent().await;
}

async fn a_child_of_another_node_of_the_same_host_is_refused(over: Transport) {
    let mut pack = pack(over);
    refused(pack.grid(0, 1)).await;
    refused(pack.grid(1, 0)).await;
    pack.left.silent().await;
    pack.right.silent().await;
}

async fn a_server_name_that_is_not_here_is_refused(over: Transport) {
    let mut pack = pack(over);
    let elsewhere = Parent { node: node(99), address: pack.address().to_string(), spki: None, transport: over };
    let child = End::bind(loopback(), setup(&pack.grids[0], &pack.knows, Some(elsewhere)));
    child.endpoint.dial();
    refused(child).await;
    pack.left.silent().await;
    pack.right.silent().await;
}

async fn nodes_of_one_host_are_each_others_parent_and_child(over: Transport) {
    let mut pack = pack(over);
    let high = member(&mut pack.authority, 3, None);
    let top = setup(&high, &pack.knows, None);
    top.registry.admit(pack.communities[0].keys.tls_spki_sha256(), pack.communities[0].node);
    let mut top = End::open(&pack.host, top);
    pack.left.endpoint.reparent(Some(above(over, &high, pack.address())));
    pack.left.endpoint.dial();
    let (up, peer) = pack.left.opened().await;
    assert_eq!((peer, top.opened().await.1), (high.node, pack.communities[0].node));
    pack.left.endpoint.send(up, bundle(&pack.communities[0], 1, high.node));
    assert!(matches!(top.next().await, Event::Bundle { .. }));
}

async fn a_node_that_leaves_its_host_takes_its_own_links_only(over: Transport) {
    let mut pack = pack(over);
    let [mut one, mut two] = [pack.grid(0, 0), pack.grid(1, 1)];
    one.opened().await;
    let (up, _) = two.opened().await;
    pack.left.opened().await;
    pack.right.opened().await;
    pack.left.endpoint.shutdown().await;
    assert!(one.closed().await.contains("shutting down"));
    // It is gone for newcomers too.
    refused(pack.grid(0, 0)).await;
    two.endpoint.send(up, bundle(&pack.grids[1], 1, node(2)));
    assert!(matches!(pack.right.next().await, Event::Bundle { .. }));
    // And it may come back.
    let again = setup(&pack.communities[0], &pack.knows, None);
    again.registry.admit(pack.grids[0].keys.tls_spki_sha256(), pack.grids[0].node);
    pack.left = End::open(&pack.host, again);
    one.endpoint.dial();
    one.opened().await;
    assert_eq!(pack.left.opened().await.1, pack.grids[0].node);
}

async fn a_node_that_left_twice_does_not_take_its_successor_along(over: Transport) {
    let pack = pack(over);
    pack.left.endpoint.shutdown().await;
    let again = setup(&pack.communities[0], &pack.knows, None);
    again.registry.admit(pack.grids[0].keys.tls_spki_sha256(), pack.grids[0].node);
    let mut again = End::open(&pack.host, again);
    pack.left.endpoint.shutdown().await;
    pack.grid(0, 0).opened().await;
    again.opened().await;
}

async fn a_node_is_opened_once(over: Transport) {
    let pack = pack(over);
    let again = pack.host.open(setup(&pack.communities[0], &pack.knows, None));
    assert!(matches!(again, Err(BindError::OpenAlready(twice)) if twice == pack.communities[0].node));
}

async fn a_host_that_ends_tells_the_links_of_all_its_nodes_and_opens_none_any_more(over: Transport) {
    let mut pack = pack(over);
    let [mut one, mut two] = [pack.grid(0, 0), pack.grid(1, 1)];
    one.opened().await;
    two.opened().await;
    pack.left.opened().await;
    pack.right.opened().await;
    pack.host.shutdown().await;
    for end in [&mut one, &mut two] {
        assert!(end.closed().await.contains("shutting down"));
    }
    assert_eq!(pack.left.closed().await, "shutting down");
    assert_eq!(pack.right.closed().await, "shutting down");
    let late = pack.host.open(setup(&pack.communities[0], &pack.knows, None));
    assert!(matches!(late, Err(BindError::Closed)));
}

#[test]
fn buffers_that_the_kernel_cuts_are_told_with_the_command_that_mends_it() {
    assert_eq!(socket::clamped(4_194_304, 4_194_304, 4_194_304), None);
    for (receive, send) in [(212_992, 4_194_304), (4_194_304, 212_992)] {
        let warning = socket::clamped(4_194_304, receive, send).unwrap();
        assert!(warning.contains("212992"), "{warning}");
        assert!(warning.contains("sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304"), "{warning}");
    }
}

#[tokio::test]
async fn a_host_with_small_buffers_has_no_warnings_and_one_with_impossible_ones_has() {
    let modest = Host::bind(loopback(), settings()).unwrap();
    assert!(modest.warnings().is_empty(), "{:?}", modest.warnings());
    let greedy = crate::driver::settings::HostSettings { socket_buffer: 1 << 30, ..settings() };
    let greedy = Host::bind(loopback(), greedy).unwrap();
    assert_eq!(greedy.warnings().len(), 1);
    assert!(greedy.warnings()[0].contains("net.core.rmem_max=1073741824"));
}
