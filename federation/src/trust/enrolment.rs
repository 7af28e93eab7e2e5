//! How a join request is proven: a MAC under the token's secret, over the request and a value that only the two ends of
//! this TLS session know. The secret stays where it is, and what travels is worthless on any other connection.

use protocol::bounded::Blob;
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::control::{Brings, JoinRequest};
use ring::hmac;
use rustls_pki_types::CertificateDer;

use super::authority::Authority;
use super::directory::verified;
use super::name::authority_of;
use super::token::Token;

/// Label of the TLS exporter.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-wuji-join-1";

/// Why a request is not what its token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// Another token.
    #[error("the request names another token")]
    OtherToken,
    /// Over.
    #[error("the token has expired")]
    Expired,
    /// Another division than the token is bound to.
    #[error("the token is bound to another division")]
    OtherDivision,
    /// Wrong secret, another session, or an altered request.
    #[error("the proof does not hold")]
    Proof,
}

fn message(request: &JoinRequest, exporter: &[u8; 32]) -> Vec<u8> {
    let mut bytes = codec::encode_unbounded(request);
    bytes.extend_from_slice(exporter);
    bytes
}

/// The proof of a request.
pub fn mac(secret: &[u8; 32], request: &JoinRequest, exporter: &[u8; 32]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut mac = [0; 32];
    for (to, from) in mac.iter_mut().zip(hmac::sign(&key, &message(request, exporter)).as_ref()) {
        *to = *from;
    }
    mac
}

/// Checks a request against its token. Whether the token was used before is for the caller to know.
pub fn check(
    token: &Token,
    request: &JoinRequest,
    mac: &[u8; 32],
    exporter: &[u8; 32],
    now: UnixMillis,
) -> Result<(), Unproven> {
    if request.token != token.id {
        return Err(Unproven::OtherToken);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &token.secret);
    hmac::verify(&key, &message(request, exporter), mac).map_err(|_| Unproven::Proof)?;
    if request.division != token.division {
        return Err(Unproven::OtherDivision);
    }
    if token.expired(now) {
        return Err(Unproven::Expired);
    }
    Ok(())
}

/// The authority that a joining node brings does not prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authority that comes along did not sign this request")]
pub struct NotBrought;

/// The same request, with the authority that the node ran alone with.
pub fn bringing(request: JoinRequest, authority: &Authority) -> Result<JoinRequest, NotBrought> {
    let root = Blob::new(authority.root().to_vec()).map_err(|_| NotBrought)?;
    let signature = authority.sign(&request.brought_bytes());
    Ok(JoinRequest { brings: Some(Box::new(Brings { root, signature })), ..request })
}

/// The root certificate of the authority that comes with a request, proven.
pub fn brought(request: &JoinRequest) -> Result<Option<CertificateDer<'static>>, NotBrought> {
    let Some(brings) = &request.brings else { return Ok(None) };
    let key = authority_of(&brings.root).map_err(|_| NotBrought)?;
    if !verified(key, &request.brought_bytes(), &brings.signature) {
        return Err(NotBrought);
    }
    Ok(Some(CertificateDer::from(brings.root.to_vec())))
}
