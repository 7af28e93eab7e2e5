//! Who comes in: a child with its certificate, or somebody who wants to join. Nobody else.

use std::sync::Arc;

use protocol::wire::codec;
use protocol::wire::control::JoinRequest;
use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming};
use tokio::sync::oneshot;

use crate::driver::event::{Event, JoinAsk, JoinReply};
use crate::driver::join::{JOIN_REPLY_BYTES_MAX, JOIN_REQUEST_BYTES_MAX, MAC_BYTES};
use crate::trust::enrolment::EXPORTER_LABEL;
use crate::trust::tls::{ALPN_JOIN, ALPN_LINK};

use super::{Inner, code, link};

/// Accepts until the endpoint closes.
pub(super) async fn run(inner: Arc<Inner>) {
    let half = inner.setup.settings.handshakes_max.div_ceil(2);
    while let Some(incoming) = inner.quic.accept().await {
        let Ok(permit) = inner.handshakes.clone().try_acquire_owned() else {
            // Cheaper than silence: the child backs off at once instead of waiting for a time-out.
            incoming.refuse();
            continue;
        };
        if inner.handshakes.available_permits() < half && !incoming.remote_address_validated() {
            // Under load an address is proven first; a forged one costs no handshake.
            if let Err(error) = incoming.retry() {
                error.into_incoming().refuse();
            }
            continue;
        }
        let task = inner.clone();
        inner.tasks.spawn(async move {
            let remote = incoming.remote_address();
            let connection = handshake(&task, incoming).await;
            drop(permit);
            let outcome = match connection {
                Ok(connection) => admit(task, connection).await,
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                tracing::info!(%remote, why, "not admitted");
            }
        });
    }
}

async fn handshake(inner: &Inner, incoming: Incoming) -> Result<Connection, String> {
    let connecting = incoming.accept().map_err(|e| e.to_string())?;
    match tokio::time::timeout(inner.setup.settings.handshake, connecting).await {
        Ok(outcome) => outcome.map_err(|e| e.to_string()),
        Err(_) => Err("the handshake is not done in time".into()),
    }
}

async fn admit(inner: Arc<Inner>, connection: Connection) -> Result<(), String> {
    let data = connection.handshake_data().and_then(|d| d.downcast::<HandshakeData>().ok());
    match data.and_then(|d| d.protocol).as_deref() {
        Some(ALPN_LINK) => match inner.child_of(&connection) {
            Some(child) => link::run(inner, connection, child, false).await,
            None => {
                connection.close(code::IDENTITY, b"a link needs the certificate of a registered child");
                Err("no certificate of a registered child".into())
            }
        },
        Some(ALPN_JOIN) => {
            let Ok(_permit) = inner.joins.clone().try_acquire_owned() else {
                connection.close(code::JOIN, b"too many joins at once");
                return Err("too many joins at once".into());
            };
            let joined = tokio::select! {
                () = inner.stop.cancelled() => Err("shutting down".into()),
                joined = join(&inner, &connection) => joined,
            };
            connection.close(code::JOIN, b"");
            joined
        }
        _ => {
            connection.close(code::IDENTITY, b"no such protocol");
            Err("no such protocol".into())
        }
    }
}

/// One request, one answer, then the asker closes.
async fn join(inner: &Inner, connection: &Connection) -> Result<(), String> {
    let limit = inner.setup.settings.handshake;
    let late = |_| "the request is not there in time".to_owned();
    let (mut send, receive) = tokio::time::timeout(limit, read_request(connection)).await.map_err(late)??;
    let (mac, request) = receive;
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
        .map_err(|_| "no exporter value".to_owned())?;
    let (reply, answer) = oneshot::channel();
    let remote = connection.remote_address();
    inner.tell(Event::Join(JoinAsk { request, mac, exporter, remote, reply })).await;
    let answer = tokio::time::timeout(inner.setup.settings.join_wait, answer).await;
    let answer = answer.ok().and_then(Result::ok).unwrap_or(JoinReply::Pending);
    let bytes = codec::encode(&answer, JOIN_REPLY_BYTES_MAX).map_err(|e| e.to_string())?;
    send.write_all(&bytes).await.map_err(|e| e.to_string())?;
    send.finish().map_err(|e| e.to_string())?;
    // The asker has read the answer when it closes.
    let _ = tokio::time::timeout(limit, connection.closed()).await;
    Ok(())
}

type Asked = (quinn::SendStream, ([u8; MAC_BYTES], JoinRequest));

async fn read_request(connection: &Connection) -> Result<Asked, String> {
    let (send, mut receive) = connection.accept_bi().await.map_err(|e| e.to_string())?;
    let bytes = receive.read_to_end(JOIN_REQUEST_BYTES_MAX).await.map_err(|e| e.to_string())?;
    let (mac, body) = bytes.split_first_chunk::<MAC_BYTES>().ok_or("the request is cut short")?;
    let request = codec::decode(body, JOIN_REQUEST_BYTES_MAX).map_err(|e| e.to_string())?;
    Ok((send, (*mac, request)))
}
