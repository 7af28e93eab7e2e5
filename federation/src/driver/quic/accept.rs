//! Who comes in: a child of the node that it named, or somebody who asks without a certificate. Nobody else.

use std::sync::Arc;

use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming};

use crate::driver::event::AskKind;
use crate::trust::tls::{ALPN_JOIN, ALPN_LINK, ALPN_RENEW};

use super::host::Shared;
use super::{answer, code, link};

/// Accepts until the host closes.
pub(super) async fn run(host: Arc<Shared>) {
    let half = host.settings.handshakes_max.div_ceil(2);
    while let Some(incoming) = host.listening.accept().await {
        let Ok(permit) = host.handshakes.clone().try_acquire_owned() else {
            // Cheaper than silence: the child backs off at once instead of waiting for a time-out.
            incoming.refuse();
            continue;
        };
        if host.handshakes.available_permits() < half && !incoming.remote_address_validated() {
            // Under load an address is proven first; a forged one costs no handshake.
            if let Err(error) = incoming.retry() {
                error.into_incoming().refuse();
            }
            continue;
        }
        let task = host.clone();
        host.tasks.spawn(async move {
            let remote = incoming.remote_address();
            let connection = handshake(&task, incoming).await;
            drop(permit);
            if let Err(why) = connection.and_then(|connection| admit(&task, connection)) {
                tracing::info!(%remote, why, "not admitted");
            }
        });
    }
}

async fn handshake(host: &Shared, incoming: Incoming) -> Result<Connection, String> {
    let connecting = incoming.accept().map_err(|e| e.to_string())?;
    match tokio::time::timeout(host.settings.handshake, connecting).await {
        Ok(outcome) => outcome.map_err(|e| e.to_string()),
        Err(_) => Err("the handshake is not done in time".into()),
    }
}

/// Hands a connection to the node that it is for; the node's own tasks run it from here on.
fn admit(host: &Arc<Shared>, connection: Connection) -> Result<(), String> {
    let refuse = |why: &str| {
        connection.close(code::IDENTITY, why.as_bytes());
        Err(why.to_owned())
    };
    let data = connection.handshake_data().and_then(|d| d.downcast::<HandshakeData>().ok());
    let Some(HandshakeData { protocol: Some(protocol), server_name: Some(name), .. }) = data.map(|data| *data) else {
        return refuse("no protocol or no server name");
    };
    // The handshake has looked both up already; this holds even if that were broken, and the node may have left since.
    let Some(node) = host.nodes.by_name(&name) else { return refuse("no such node here") };
    let remote = connection.remote_address();
    match &*protocol {
        ALPN_LINK => {
            let Some(child) = node.child_of(&connection) else {
                return refuse("a link needs the certificate of a registered child");
            };
            node.tasks.clone().spawn(async move {
                if let Err(why) = link::run(node, connection, child, false).await {
                    tracing::info!(%remote, why, "not admitted");
                }
            });
        }
        ALPN_JOIN => answer::start(host, node, connection, AskKind::Join),
        ALPN_RENEW => answer::start(host, node, connection, AskKind::Renew),
        _ => return refuse("no such protocol"),
    }
    Ok(())
}
