//! What a node sees of its host.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use protocol::id::NodeId;
use rustls_pki_types::CertificateDer;
use tokio::sync::mpsc;

use crate::core::FrameOut;
use crate::driver::ask::{AskError, Question};
use crate::driver::connection::{Connection, code};
use crate::driver::event::{AskKind, Event};
use crate::driver::link;
use crate::driver::settings::{HostSettings, Parent, Setup};
use crate::trust::NodeKeys;
use crate::trust::tls::{Anchor, Chain, TlsError};

use super::node::Node;
use super::{BindError, Gauge, Host};

/// One node on a host. Clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint {
    node: Arc<Node>,
    /// Set when the host was made for this node alone and ends with it.
    own: bool,
}

impl Endpoint {
    /// Opens a host for one node.
    pub fn bind(
        listen: SocketAddr,
        settings: HostSettings,
        setup: Setup,
    ) -> Result<(Self, mpsc::Receiver<Event>), BindError> {
        let settings = if settings.secret.is_some() { settings } else { settings.keyed_by(&setup.keys) };
        let (endpoint, events) = Host::bind(listen, settings)?.open(setup)?;
        Ok((Self { own: true, ..endpoint }, events))
    }

    pub(in crate::driver) fn of(node: Arc<Node>) -> Self {
        Self { node, own: false }
    }

    /// The host of this node.
    pub fn host(&self) -> Host {
        Host(self.node.host.clone())
    }

    /// Where its host listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.node.host.listening.local_addr()
    }

    /// What can be read off this node, by somebody who does not keep it open.
    pub fn gauge(&self) -> Gauge {
        Gauge { events: self.node.events.downgrade(), counts: self.node.host.counts.clone() }
    }

    /// Shows another certificate from now on, to children and to the parent, and leaves live connections alone. The roots
    /// that are believed stay as they are: see [`Self::trust`].
    pub fn present(&self, keys: &NodeKeys, chain: &Chain) -> Result<(), TlsError> {
        self.node.present(keys, chain)
    }

    /// Believes certificates under any of these roots from now on, and under no other. To go from one root to another:
    /// trust both everywhere, present certificates under the new one, then trust it alone.
    pub fn trust(&self, roots: Vec<CertificateDer<'static>>) -> Result<(), TlsError> {
        self.node.trust(roots)
    }

    /// Dials this parent from now on. A link to the former one lives until it is closed: see [`Self::disconnect`].
    pub fn reparent(&self, parent: Option<Parent>) {
        self.node.reparent(parent);
    }

    /// Asks the parent for a renewal, once, without a certificate. `request` makes the request from the connection's
    /// exporter value.
    pub async fn ask(&self, request: impl FnOnce(&[u8; 32]) -> Vec<u8>) -> Result<Vec<u8>, AskError> {
        let (parent, roots) = self.node.above().ok_or(AskError::NoParent)?;
        let question = Question { kind: AskKind::Renew, parent, anchor: Anchor::Roots(roots) };
        self.host().ask(question, request).await
    }

    /// Dials the parent. `Opened` or `DialFailed` follows.
    pub fn dial(&self) {
        let node = self.node.clone();
        self.node.tasks.spawn(async move {
            let outcome = tokio::select! {
                () = node.stop.cancelled() => return,
                // Boxed, so that a link does not carry the room for its dial through all its life.
                outcome = Box::pin(connect(&node)) => outcome,
            };
            let outcome = match outcome {
                Ok((connection, parent)) => link::run(node.clone(), connection, parent, true).await,
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                node.tell(Event::DialFailed { why }).await;
            }
        });
    }

    /// Queues a frame and returns at once; does nothing when there is no such connection, as `Closed` has said. The queues
    /// have no bound of their own: the core bounds bundles by the peer's credit and control frames by what it is asked.
    pub fn send(&self, connection: u64, frame: FrameOut) {
        if let Some(link) = self.node.link(connection) {
            link.queue(frame);
        }
    }

    /// Closes a connection after what waits on its control lane, in a second at most. Bundles that wait are not sent.
    pub fn close(&self, connection: u64, why: &str) {
        if let Some(link) = self.node.forget(connection) {
            let why = why.to_owned();
            self.node.tasks.spawn(async move { link.farewell(code::DONE, &why).await });
        }
    }

    /// Closes all connections at once.
    pub fn close_all(&self, why: &str) {
        self.node.live().iter().for_each(|link| link.close(code::DONE, why));
    }

    /// Closes all connections of a peer: what makes a change of the registry apply to live links. Waits for nothing from
    /// the peer; no event of it but `Closed` is queued any more.
    pub fn disconnect(&self, peer: NodeId, why: &str) {
        self.node.live().iter().filter(|link| link.peer == peer).for_each(|link| link.cut(why));
    }

    /// Takes the node off its host: tells its peers, and ends its tasks; the other nodes do not notice. A host that was
    /// bound for this node alone ends with it. Keep reading events until it returns, or drop the receiver first. Without
    /// this call its links live on, and so does a host, as long as the runtime.
    pub async fn shutdown(&self) {
        if self.own {
            self.host().shutdown().await;
        } else {
            self.node.shutdown().await;
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("node", &self.node.id).finish_non_exhaustive()
    }
}

async fn connect(node: &Node) -> Result<(Connection, NodeId), String> {
    let dial = node.whom().map_err(|e| e.to_string())?.ok_or("there is no parent to dial")?;
    let connection = node.host.dialling.reach(&dial.client, &dial.parent, node.host.settings.handshake).await?;
    Ok((connection, dial.parent.node))
}
