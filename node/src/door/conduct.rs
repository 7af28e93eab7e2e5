//! What the door adds to every request and every answer: who really calls, and what a browser must be told.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue, header};

/// A browser that was here once over HTTPS comes back over HTTPS only, for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Who calls, as far as addresses tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The caller's own address: what a trusted proxy says, otherwise the other end of the connection.
    pub address: IpAddr,
    /// Whether the caller's side speaks HTTPS.
    pub https: bool,
}

/// What stands before every path of a node as its caller sees it: empty, or `/<division>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(pub String);

/// How the listener is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reached {
    /// The connection itself is TLS.
    Https,
    /// Plain, from this machine.
    Plain,
    /// Plain, from a proxy that speaks HTTPS to the world.
    Proxied(Vec<IpAddr>),
}

impl Reached {
    /// Who calls. What headers say counts only when a trusted proxy wrote it.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        // On a socket for both families an IPv4 peer shows as a mapped address.
        let peer = peer.ip().to_canonical();
        match self {
            Self::Https => Client { address: peer, https: true },
            Self::Plain => Client { address: peer, https: false },
            Self::Proxied(trusted) if trusted.contains(&peer) => Client {
                address: forwarded_for(trusted, headers).unwrap_or(peer),
                // The proxy is there to speak HTTPS; one that does not says so.
                https: headers.get(FORWARDED_PROTO).is_none_or(|proto| proto.as_bytes() != b"http"),
            },
            Self::Proxied(_) => Client { address: peer, https: false },
        }
    }
}

/// The last address in the chain that is no trusted proxy: everything before it the caller could have made up.
fn forwarded_for(trusted: &[IpAddr], headers: &HeaderMap) -> Option<IpAddr> {
    let chain: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in chain.iter().rev() {
        let address = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !trusted.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// Finishes an answer: HTTPS is remembered, cookies never travel in the clear, and redirects stay below the base.
pub(super) fn finish(headers: &mut HeaderMap, client: Client, base: &Base) {
    if client.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().map(secured).collect();
        headers.remove(header::SET_COOKIE);
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    let local = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).filter(|to| to.starts_with('/'));
    if let Some(to) = local.filter(|_| !base.0.is_empty())
        && let Ok(to) = HeaderValue::from_str(&format!("{}{to}", base.0))
    {
        headers.insert(header::LOCATION, to);
    }
}

fn secured(cookie: &HeaderValue) -> HeaderValue {
    let has = |text: &str| text.split(';').any(|part| part.trim().eq_ignore_ascii_case("secure"));
    match cookie.to_str() {
        Ok(text) if !has(text) => HeaderValue::from_str(&format!("{text}; Secure")).unwrap_or_else(|_| cookie.clone()),
        _ => cookie.clone(),
    }
}
