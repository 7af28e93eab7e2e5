//! Who comes in over QUIC.

use std::sync::Arc;

use quinn::{Connection, Incoming};

use crate::driver::connection;
use crate::driver::host::{Shared, admit};

/// Accepts until the host closes.
pub(in crate::driver) async fn run(host: Arc<Shared>) {
    let half = host.settings.handshakes_max.div_ceil(2);
    while let Some(incoming) = host.listening.accept().await {
        let Ok(permit) = host.handshakes.clone().try_acquire_owned() else {
            // Cheaper than silence: the child backs off at once instead of waiting for a time-out.
            incoming.refuse();
            host.counts.full();
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
            let connection = handshake(&task, incoming).await.map(connection::Connection::Quic);
            drop(permit);
            if let Err(why) = connection.and_then(|connection| admit::admit(&task, connection)) {
                task.counts.failed();
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
