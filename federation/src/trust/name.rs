//! What a certificate says: exactly one DNS name and nothing else, and its public key. webpki alone accepts certificates
//! without a name, with wildcards, or with names of kinds that no constraint bounds; this check is the second gate.

use protocol::directory::SigningKey;
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::sha256;

/// The zone below which all node names lie.
pub const ZONE: &str = "node.wuji.internal";

/// Why a certificate names no node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// Not a certificate.
    #[error("not a certificate")]
    Unreadable,
    /// No name, several, or one that is not a DNS name.
    #[error("not exactly one DNS name")]
    Names,
    /// A name that no node has.
    #[error("not the name of a node")]
    NotANode,
    /// A root that is not signed by itself, or names no key for directory entries.
    #[error("not a root that names the authority's key")]
    Authority,
}

/// The TLS name of a node.
pub fn tls_name(node: NodeId) -> String {
    format!("n{node}.{ZONE}")
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, BadCertificate> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(BadCertificate::Unreadable),
    }
}

/// The node that a certificate names. Says nothing about who signed it.
pub fn node_of(der: &[u8]) -> Result<NodeId, BadCertificate> {
    let certificate = parse(der)?;
    let names = certificate.subject_alternative_name().map_err(|_| BadCertificate::Names)?;
    let Some([GeneralName::DNSName(name)]) = names.as_ref().map(|n| n.value.general_names.as_slice()) else {
        return Err(BadCertificate::Names);
    };
    let id = name.strip_prefix('n').and_then(|n| n.strip_suffix(ZONE)).and_then(|n| n.strip_suffix('.'));
    let node = id.and_then(|id| id.parse().ok()).ok_or(BadCertificate::NotANode)?;
    // One spelling only: no capitals, no hyphens.
    if tls_name(node) == **name { Ok(node) } else { Err(BadCertificate::NotANode) }
}

/// SHA-256 of a certificate's public key (SPKI).
pub fn spki_sha256(der: &[u8]) -> Result<[u8; 32], BadCertificate> {
    Ok(sha256(parse(der)?.tbs_certificate.subject_pki.raw))
}

/// The key for directory entries that a root certificate names (its OU, in hexadecimal), after a check of the root's own
/// signature. So whoever pins the root's public key pins the authority's other key with it.
pub fn authority_of(root: &[u8]) -> Result<SigningKey, BadCertificate> {
    let certificate = parse(root)?;
    certificate.verify_signature(None).map_err(|_| BadCertificate::Authority)?;
    let mut units = certificate.subject().iter_organizational_unit();
    let (Some(unit), None) = (units.next(), units.next()) else {
        return Err(BadCertificate::Authority);
    };
    let text = unit.as_str().map_err(|_| BadCertificate::Authority)?;
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| BadCertificate::Authority)?;
    bytes.try_into().map(SigningKey).map_err(|_| BadCertificate::Authority)
}

/// When a certificate ends, in seconds since 1970.
pub fn not_after(der: &[u8]) -> Result<i64, BadCertificate> {
    Ok(parse(der)?.validity().not_after.timestamp())
}

/// From when to when a certificate is valid.
pub fn validity(der: &[u8]) -> Result<(UnixMillis, UnixMillis), BadCertificate> {
    let certificate = parse(der)?;
    let millis = |seconds: i64| UnixMillis(seconds.saturating_mul(1000));
    let validity = certificate.validity();
    Ok((millis(validity.not_before.timestamp()), millis(validity.not_after.timestamp())))
}

/// What a root says of itself: its name, its public key (SPKI, DER) and its end in seconds since 1970. Its signature and
/// the key in its name are checked by [`authority_of`].
pub(super) struct RootParts {
    pub(super) name: String,
    pub(super) spki: Vec<u8>,
    pub(super) ends: i64,
}

/// Takes a root apart.
pub(super) fn root_parts(der: &[u8]) -> Result<RootParts, BadCertificate> {
    let certificate = parse(der)?;
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    Ok(RootParts {
        name: name.ok_or(BadCertificate::Names)?.to_owned(),
        spki: certificate.tbs_certificate.subject_pki.raw.to_vec(),
        ends: certificate.validity().not_after.timestamp(),
    })
}
