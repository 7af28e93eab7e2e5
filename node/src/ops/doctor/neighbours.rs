//! Who can be reached, and who can reach the API.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpStream, UdpSocket};

use crate::clock::random_bytes;
use crate::config::{Door, HttpSection, ParentSection, Transport};
use crate::ops::ask::{Asks, parent_up};

use super::{Finding, Patient};

const ANSWER: Duration = Duration::from_secs(2);
const TRIES: usize = 3;
/// A first packet is at least so long, or nobody answers it.
const FIRST_PACKET_BYTES: usize = 1_200;

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let (asks, parent) = (asks(patient), patient.config.parent.as_ref());
    let within = patient.within.as_ref();
    if within.is_some() && asks.is_none() {
        // A pack that does not run is said once; of its nodes, only what lies above it can be tried.
        let outside = parent.filter(|parent| within.is_some_and(|within| !within.ids.contains(&parent.id)));
        return match outside {
            Some(parent) => vec![above(parent, false, None).await],
            None => Vec::new(),
        };
    }
    let status = match &asks {
        Some(asks) => asks.status(&patient.folder, patient.config.node.division).await.ok(),
        None => None,
    };
    let mut findings = vec![running(status.as_ref())];
    if let Some(parent) = parent {
        findings.push(match status.as_ref().map(parent_up) {
            Some(Some(true)) => {
                let by = parent.transport.name();
                Finding::ok("node above", format!("the link to {} is up, over {by}", parent.address))
            }
            running => above(parent, running.is_some(), status.as_ref()).await,
        });
    }
    findings.extend(status.as_ref().map(alarms));
    findings
}

fn asks(patient: &Patient) -> Option<Asks> {
    match &patient.within {
        Some(within) => within.asks.clone(),
        None => Asks::of(patient.home.process().as_ref(), patient.home.http.listen).ok(),
    }
}

fn running(status: Option<&Value>) -> Finding {
    match status.and_then(|status| status.get("uptime_ms")).and_then(Value::as_u64) {
        Some(uptime) => Finding::ok("process", format!("runs, for {} minutes", uptime / 60_000)),
        None => Finding::warn("process", "does not answer on its API", "start it, if it should run"),
    }
}

fn alarms(status: &Value) -> Finding {
    let alarms = status.get("alarms").and_then(Value::as_array).map_or(0, Vec::len);
    if alarms == 0 {
        Finding::ok("alarms", "none since the start")
    } else {
        Finding::warn("alarms", format!("{alarms} since the start"), "wuji status names them")
    }
}

async fn above(parent: &ParentSection, runs: bool, status: Option<&Value>) -> Finding {
    const CHECK: &str = "node above";
    let ParentSection { address, transport, .. } = parent;
    let (by, why) = (transport.name(), status.and_then(|status| status.get("last_dial_failure")));
    let why = why.and_then(Value::as_str).map_or_else(String::new, |why| format!(" ({why})"));
    let answer = match transport {
        Transport::Quic => probe(address).await,
        Transport::Tcp => connects(address).await,
    };
    match answer {
        // Whether that is the right node, only its certificate says, in a real link.
        Ok(()) if runs => Finding::fail(
            CHECK,
            format!("{address} answers {by}, but the link is down{why}"),
            "is this node known there, and not revoked? See wuji status above",
        ),
        Ok(()) => Finding::ok(CHECK, format!("{address} answers {by}")),
        Err(why_not) => {
            let todo = match transport {
                Transport::Tcp => {
                    "does it run, with tcp = true in its [link]? Is TCP to that port open on the way? Work here goes on \
                     meanwhile"
                }
                Transport::Quic if connects(address).await.is_ok() => {
                    "UDP does not get through, but TCP to the same port does: have UDP opened on the way, or set \
                     transport = \"tcp\" in [parent]. Work here goes on meanwhile"
                }
                Transport::Quic => {
                    "does it run? Is UDP open on the way, in both directions? Work here goes on meanwhile"
                }
            };
            Finding::fail(CHECK, format!("{address}: {why_not}{why}"), todo)
        }
    }
}

/// Whether somebody takes TCP connections there. The listener takes no note of one that says nothing.
async fn connects(address: &str) -> Result<(), String> {
    match tokio::time::timeout(ANSWER, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Offers a version of QUIC that nobody speaks: whoever speaks QUIC there says so, and takes no note of it.
async fn probe(address: &str) -> Result<(), String> {
    let to = tokio::net::lookup_host(address)
        .await
        .map_err(|e| format!("the name cannot be resolved: {e}"))?
        .next()
        .ok_or("the name has no address")?;
    let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await.map_err(|e| e.to_string())?;
    socket.connect(to).await.map_err(|e| e.to_string())?;
    let id: [u8; 8] = random_bytes();
    let packet = first_packet(id);
    for _ in 0..TRIES {
        socket.send(&packet).await.map_err(|e| e.to_string())?;
        let mut answer = [0; 1_500];
        match tokio::time::timeout(ANSWER, socket.recv(&mut answer)).await {
            Ok(Ok(length)) if answer.get(..length).is_some_and(|answer| is_version_list(answer, id)) => return Ok(()),
            Ok(Ok(_)) => return Err("something answers that is not QUIC".to_owned()),
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => {}
        }
    }
    Err("no answer".to_owned())
}

/// A long header with a reserved version (RFC 9000 §15), padded.
fn first_packet(id: [u8; 8]) -> Vec<u8> {
    let mut packet = vec![0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8];
    packet.extend_from_slice(&random_bytes::<8>());
    packet.push(8);
    packet.extend_from_slice(&id);
    packet.resize(FIRST_PACKET_BYTES, 0);
    packet
}

/// Version negotiation (RFC 9000 §17.2.1): version zero, addressed to our id.
fn is_version_list(answer: &[u8], id: [u8; 8]) -> bool {
    answer.first().is_some_and(|first| first & 0x80 != 0)
        && answer.get(1..5) == Some(&[0; 4])
        && answer.get(5) == Some(&8)
        && answer.get(6..14) == Some(&id)
}

/// Who can come to the front door of a process, whose folder is `base`.
pub(super) fn exposed(http: &HttpSection, base: &Path) -> Finding {
    const CHECK: &str = "front door";
    let listen = http.listen;
    match http.door(base) {
        Ok(Door::Loopback) => Finding::ok(CHECK, format!("plain HTTP on {listen}, for this machine only")),
        Ok(Door::Proxy { .. }) if listen.ip().is_loopback() => {
            Finding::ok(CHECK, format!("{listen}, behind a proxy on this machine"))
        }
        Ok(Door::Proxy { .. }) => Finding::warn(
            CHECK,
            format!("{listen} speaks plain HTTP to a proxy across the network"),
            "be sure that nobody else can reach that way, or put the proxy on this machine",
        ),
        Ok(Door::Own { names }) => Finding::ok(
            CHECK,
            format!(
                "HTTPS on {listen} with a certificate of its own for {}: devices must trust it once",
                names.join(", ")
            ),
        ),
        Ok(Door::Files { certificate, key }) => {
            match [certificate, key].into_iter().find(|file| std::fs::File::open(file).is_err()) {
                None => Finding::ok(CHECK, format!("HTTPS on {listen} with the operator's certificate")),
                Some(file) => {
                    let todo = "let the node's user read it: it is read again whenever it changes";
                    Finding::fail(CHECK, format!("{} cannot be read", file.display()), todo)
                }
            }
        }
        Err(why) => Finding::fail(CHECK, why.to_string(), "correct [http] as it says"),
    }
}
