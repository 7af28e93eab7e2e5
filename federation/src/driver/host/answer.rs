//! The answering side of a conversation of one request and one answer. The asker shows no certificate; whether its
//! request is proven is for the node to find out.

use std::sync::Arc;

use bytes::Bytes;
use protocol::wire::codec;
use tokio::sync::oneshot;

use crate::driver::ask::{REPLY_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::driver::connection::{Connection, SendHalf, code};
use crate::driver::event::{Ask, AskKind, Event, JoinAsk, JoinReply};
use crate::driver::join::MAC_BYTES;

use super::Shared;
use super::node::Node;

/// Answers one asker, unless too many are being answered.
pub(in crate::driver) fn start(host: &Arc<Shared>, node: Arc<Node>, connection: Connection, kind: AskKind) {
    let Ok(permit) = host.asks.clone().try_acquire_owned() else {
        host.counts.ask();
        connection.close(code::ASK, "too many requests at once");
        return;
    };
    node.tasks.clone().spawn(async move {
        let answered = tokio::select! {
            () = node.stop.cancelled() => Err("shutting down".into()),
            answered = answer(&node, &connection, kind) => answered,
        };
        drop(permit);
        let why = answered.err().unwrap_or_default();
        connection.close(code::ASK, &why);
        if !why.is_empty() {
            tracing::info!(remote = %connection.remote_address(), ?kind, why, "a request was not answered");
        }
    });
}

/// One request, one answer, then the asker closes.
async fn answer(node: &Node, connection: &Connection, kind: AskKind) -> Result<(), String> {
    let settings = &node.host.settings;
    let late = |_| "the request is not there in time".to_owned();
    let request = tokio::time::timeout(settings.handshake, request(connection)).await.map_err(late)??;
    let (mut send, request) = request;
    let exporter = connection.exporter(kind)?;
    let remote = connection.remote_address();
    let reply = match kind {
        AskKind::Join => {
            let (reply, answer) = oneshot::channel();
            node.tell(Event::Join(join_ask(&request, exporter, remote, reply)?)).await;
            let answer = tokio::time::timeout(settings.ask_wait, answer).await;
            let answer = answer.ok().and_then(Result::ok).unwrap_or(JoinReply::Pending);
            codec::encode(&answer, REPLY_BYTES_MAX).map_err(|e| e.to_string())?
        }
        AskKind::Renew => {
            let (reply, answer) = oneshot::channel();
            node.tell(Event::Ask(Ask { kind, request, exporter, remote, reply })).await;
            let answer = tokio::time::timeout(settings.ask_wait, answer).await;
            answer.ok().and_then(Result::ok).ok_or("no answer yet, ask again")?
        }
    };
    if reply.len() > REPLY_BYTES_MAX {
        return Err("the answer is too large".into());
    }
    let ended = |_| "the asker has gone".to_owned();
    send.write(&mut [Bytes::from(reply)]).await.map_err(ended)?;
    send.finish().map_err(ended)?;
    // The asker has read the answer when it closes.
    let _ = tokio::time::timeout(settings.handshake, connection.closed()).await;
    Ok(())
}

async fn request(connection: &Connection) -> Result<(SendHalf, Vec<u8>), String> {
    let (send, mut receive) = connection.question(false).await?;
    let bytes = receive.read_to_end(REQUEST_BYTES_MAX).await?;
    Ok((send, bytes))
}

fn join_ask(
    bytes: &[u8],
    exporter: [u8; 32],
    remote: std::net::SocketAddr,
    reply: oneshot::Sender<JoinReply>,
) -> Result<JoinAsk, String> {
    let (mac, body) = bytes.split_first_chunk::<MAC_BYTES>().ok_or("the request is cut short")?;
    let request = codec::decode(body, REQUEST_BYTES_MAX).map_err(|e| e.to_string())?;
    Ok(JoinAsk { request, mac: *mac, exporter, remote, reply })
}
