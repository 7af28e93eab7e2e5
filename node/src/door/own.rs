//! A certificate of the door's own, for where nobody gives it one: a small authority that can vouch for the names of this
//! door and for nothing else, and a certificate under it that is renewed by itself. People trust the authority once.
//!
//! The federation's authority cannot do this: its root is bound to the names of links, so that it can never vouch for a
//! name on the web.

use std::net::IpAddr;
use std::path::Path;

use federation::trust::files::{read_private, write_private};
use federation::trust::name;
use protocol::time::UnixMillis;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

use super::tls::DoorError;

const ROOT_KEY_FILE: &str = "root.key";
const ROOT_FILE: &str = "root.der";
/// The authority as people install it on their devices.
const ROOT_PEM_FILE: &str = "authority.pem";
const LEAF_KEY_FILE: &str = "leaf.key";
const LEAF_FILE: &str = "leaf.der";
const NAMES_FILE: &str = "names";
const ROOT_LIFE: Duration = Duration::days(10 * 365);
/// What browsers accept at most is 398 days; shorter loses less with a stolen key.
const LEAF_LIFE: Duration = Duration::days(90);
/// Renewed when less than this is left.
const RENEW_BEFORE: Duration = Duration::days(30);
/// Clocks of devices are wrong.
const BACKDATED: Duration = Duration::DAY;

/// The door's own certificate.
pub(super) struct Own {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// SHA-256 of the authority.
    pub(super) authority: String,
}

/// SHA-256 of a certificate, as browsers show it.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Whether a certificate ends soon.
pub(super) fn is_due(leaf: &CertificateDer<'_>, now: UnixMillis) -> bool {
    let left = name::not_after(leaf).map(|end| end.saturating_sub(now.0.div_euclid(1_000)));
    left.is_ok_and(|seconds| seconds < RENEW_BEFORE.whole_seconds()) || left.is_err()
}

/// The certificate in a folder for these names; made or renewed when need be.
pub(super) fn ensure(folder: &Path, names: &[String], now: UnixMillis) -> Result<Own, DoorError> {
    let wanted = names.join("\n");
    let file = |name: &str| folder.join(name);
    let failed = |name: &str, source| DoorError::File { file: file(name), source };
    let kept = read_private(folder, NAMES_FILE).is_ok_and(|bytes| *bytes == wanted.as_bytes());
    if !kept {
        let (root, key) = found(names, now)?;
        let pem = pem(&root);
        // The names last: they are what makes the authority whole.
        for (name, bytes) in [
            (ROOT_KEY_FILE, key.serialize_der().as_slice()),
            (ROOT_FILE, root.as_ref()),
            (ROOT_PEM_FILE, pem.as_bytes()),
            (LEAF_FILE, &[]),
            (NAMES_FILE, wanted.as_bytes()),
        ] {
            write_private(folder, name, bytes).map_err(|source| failed(name, source))?;
        }
    }
    let read = |name: &str| read_private(folder, name).map_err(|source| failed(name, source));
    let root = CertificateDer::from(read(ROOT_FILE)?.to_vec());
    let leaf = CertificateDer::from(read(LEAF_FILE)?.to_vec());
    let (leaf, key) = if is_due(&leaf, now) {
        let root_key =
            KeyPair::try_from(read(ROOT_KEY_FILE)?.as_slice()).map_err(|_| DoorError::Damaged(folder.to_owned()))?;
        let issuer = Issuer::from_ca_cert_der(&root, root_key)?;
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let leaf = leaf_params(names, now)?.signed_by(&key, &issuer)?.der().clone();
        for (name, bytes) in [(LEAF_KEY_FILE, key.serialize_der().as_slice()), (LEAF_FILE, leaf.as_ref())] {
            write_private(folder, name, bytes).map_err(|source| failed(name, source))?;
        }
        (leaf, key.serialize_der())
    } else {
        (leaf, read(LEAF_KEY_FILE)?.to_vec())
    };
    let authority = fingerprint(&root);
    Ok(Own { chain: vec![leaf, root], key: PrivateKeyDer::Pkcs8(key.into()), authority })
}

fn moment(now: UnixMillis) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(now.0.div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn found(names: &[String], now: UnixMillis) -> Result<(CertificateDer<'static>, KeyPair), DoorError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Wuji front door of {}", names.join(", ")));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = moment(now).saturating_sub(BACKDATED);
    params.not_after = moment(now).saturating_add(ROOT_LIFE);
    // Whoever steals this key can pretend to be this door and nobody else.
    params.name_constraints = Some(bounds(names));
    let root = params.self_signed(&key)?;
    Ok((root.der().clone(), key))
}

fn bounds(names: &[String]) -> NameConstraints {
    let subtree = |name: &String| match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => GeneralSubtree::IpAddress(CidrSubnet::V4(v4.octets(), [0xff; 4])),
        Ok(IpAddr::V6(v6)) => GeneralSubtree::IpAddress(CidrSubnet::V6(v6.octets(), [0xff; 16])),
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    };
    let mut permitted: Vec<GeneralSubtree> = names.iter().map(subtree).collect();
    let mut excluded = Vec::new();
    // A kind of name that is not bounded at all would be free.
    if !permitted.iter().any(|tree| matches!(tree, GeneralSubtree::IpAddress(_))) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    if !permitted.iter().any(|tree| matches!(tree, GeneralSubtree::DnsName(_))) {
        permitted.push(GeneralSubtree::DnsName("door.invalid".to_owned()));
    }
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded }
}

fn leaf_params(names: &[String], now: UnixMillis) -> Result<CertificateParams, DoorError> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("", String::as_str));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = moment(now).saturating_sub(BACKDATED);
    params.not_after = moment(now).saturating_add(LEAF_LIFE);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = data_encoding::BASE64.encode(certificate);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
