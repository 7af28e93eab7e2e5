//! Who comes in over TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::driver::connection;
use crate::driver::host::{Shared, admit};
use crate::driver::settings::Transport;
use crate::trust::tls::below::config_for_one;

use super::{Connection, Facts, Pace, open, socket};

/// How long nobody is accepted after the kernel refused: it does so when a process has too many files open.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until the host closes.
pub(in crate::driver) async fn run(host: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = host.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a TCP connection is not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without a place the socket is closed at once: the child backs off instead of waiting for a time-out.
        let Ok(permit) = host.tcp_handshakes.clone().try_acquire_owned() else {
            host.counts.full();
            continue;
        };
        let task = host.clone();
        host.tasks.spawn(async move {
            let connection = tokio::select! {
                () = task.stop.cancelled() => return,
                connection = handshake(&task, stream, remote) => connection,
            };
            drop(permit);
            let connection = connection.map(connection::Connection::Tcp);
            if let Err(why) = connection.and_then(|connection| admit::admit(&task, connection)) {
                task.counts.failed();
                tracing::info!(%remote, why, "not admitted");
            }
        });
    }
}

async fn handshake(host: &Shared, stream: TcpStream, remote: SocketAddr) -> Result<Connection, String> {
    socket::prepare(&stream).map_err(|e| e.to_string())?;
    let spoken = Transport::Tcp.protocols();
    let config = config_for_one(host.nodes.clone(), host.settings.time.clone(), &spoken).map_err(|e| e.to_string())?;
    let accepting = TlsAcceptor::from(Arc::new(config)).accept(stream);
    let stream = match tokio::time::timeout(host.settings.handshake, accepting).await {
        Ok(stream) => stream.map_err(|e| e.to_string())?,
        Err(_) => return Err("the handshake is not done in time".to_owned()),
    };
    let (_, session) = stream.get_ref();
    let export =
        |kind: crate::driver::AskKind| session.export_keying_material([0; 32], kind.exporter_label(), Some(b"")).ok();
    let facts = Facts { server_name: session.server_name().map(str::to_owned), ..Facts::of(remote, session, export) };
    let (connection, pump) = open(stream, facts, Pace::listening(&host.settings));
    host.tasks.spawn(pump);
    Ok(connection)
}
