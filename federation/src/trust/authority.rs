//! The authority: it alone issues certificates and directory entries. It lives with the top node.

use std::path::Path;

use protocol::bounded::{Blob, List};
use protocol::directory::{Entry, SignedEntry, SigningKey};
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::wire::control::{Enrolled, JoinRequest};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
    SanType, SerialNumber,
};
use ring::signature::Ed25519KeyPair;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::files::{read_private, write_private};
use super::keys::{KeyError, ed25519_public, ed25519_sign, new_ed25519, p256};
use super::name::{self, ZONE, tls_name};
use super::{NoRandomness, random, sha256};

const ROOT_KEY_FILE: &str = "root.key";
const ROOT_FILE: &str = "root.der";
const ENTRY_KEY_FILE: &str = "entry.key";
const ROOT_LIFE: Duration = Duration::days(20 * 365);
/// Life of a node's certificate.
pub const LEAF_LIFE: Duration = Duration::days(90);
/// Certificates begin a day before they are issued: clocks of small boxes are wrong.
const BACKDATED: Duration = Duration::DAY;
/// Bytes of a raw P-256 public key: 4, x, y.
const P256_POINT_BYTES: usize = 65;

/// Why nothing is issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The request does not prove possession of its key, or asks for unknown extensions.
    #[error("the certificate request is not acceptable: {0}")]
    Request(rcgen::Error),
    /// Another algorithm than ECDSA P-256.
    #[error("the certificate request is not for a P-256 key")]
    Algorithm,
    /// The certificate cannot be built.
    #[error("the certificate cannot be built: {0}")]
    Build(#[from] rcgen::Error),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A certificate larger than the wire allows.
    #[error("the certificate is too large")]
    TooLarge,
    /// No such time.
    #[error("the clock shows no usable time")]
    Clock,
}

/// The authority. Its root certificate names its key for directory entries, so a token that pins the root pins both.
pub struct Authority {
    root: CertificateDer<'static>,
    root_pkcs8: Zeroizing<Vec<u8>>,
    issuer: Issuer<'static, KeyPair>,
    root_ends: OffsetDateTime,
    entry: Ed25519KeyPair,
    entry_pkcs8: Zeroizing<Vec<u8>>,
    serial: u64,
}

fn moment(at: UnixMillis) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).ok()
}

fn root_params(name: &str, entry: SigningKey, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let entry = data_encoding::HEXLOWER.encode(&entry.0);
    params.distinguished_name.push(DnType::OrganizationalUnitName, entry);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now.saturating_sub(BACKDATED);
    params.not_after = now.saturating_add(ROOT_LIFE);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(ZONE.to_owned())],
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    params
}

impl Authority {
    /// Founds a federation.
    pub fn found(name: &str, now: UnixMillis) -> Result<Self, KeyError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let now = moment(now).ok_or(KeyError::Malformed(ROOT_FILE))?;
        let entry_pkcs8 = new_ed25519()?;
        let entry = Ed25519KeyPair::from_pkcs8(&entry_pkcs8).map_err(|_| KeyError::Malformed(ENTRY_KEY_FILE))?;
        let root = root_params(name, ed25519_public(&entry), now).self_signed(&key)?;
        Self::from_parts(root.der().clone(), Zeroizing::new(key.serialize_der()), entry_pkcs8)
    }

    fn from_parts(
        root: CertificateDer<'static>,
        root_pkcs8: Zeroizing<Vec<u8>>,
        entry_pkcs8: Zeroizing<Vec<u8>>,
    ) -> Result<Self, KeyError> {
        let key = p256(&root_pkcs8, ROOT_KEY_FILE)?;
        if name::spki_sha256(&root).ok() != Some(sha256(&key.subject_public_key_info())) {
            return Err(KeyError::Malformed(ROOT_FILE));
        }
        let ends = name::not_after(&root).map_err(|_| KeyError::Malformed(ROOT_FILE))?;
        let root_ends = OffsetDateTime::from_unix_timestamp(ends).map_err(|_| KeyError::Malformed(ROOT_FILE))?;
        let issuer = Issuer::from_ca_cert_der(&root, key)?;
        let entry = Ed25519KeyPair::from_pkcs8(&entry_pkcs8).map_err(|_| KeyError::Malformed(ENTRY_KEY_FILE))?;
        if name::authority_of(&root) != Ok(ed25519_public(&entry)) {
            return Err(KeyError::Malformed(ENTRY_KEY_FILE));
        }
        Ok(Self { root, root_pkcs8, issuer, root_ends, entry, entry_pkcs8, serial: 0 })
    }

    /// Writes the authority into `dir`, each file readable by its owner only.
    pub fn save(&self, dir: &Path) -> Result<(), KeyError> {
        let files: [(&'static str, &[u8]); 3] =
            [(ROOT_KEY_FILE, &self.root_pkcs8), (ROOT_FILE, &self.root), (ENTRY_KEY_FILE, &self.entry_pkcs8)];
        files.into_iter().try_for_each(|(name, bytes)| {
            write_private(dir, name, bytes).map_err(|source| KeyError::File { name, source })
        })
    }

    /// Reads the authority from `dir`.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        let read = |name| read_private(dir, name).map_err(|source| KeyError::File { name, source });
        let root = CertificateDer::from(read(ROOT_FILE)?.to_vec());
        Self::from_parts(root, read(ROOT_KEY_FILE)?, read(ENTRY_KEY_FILE)?)
    }

    /// The public half of the key for directory entries.
    pub fn authority_key(&self) -> SigningKey {
        ed25519_public(&self.entry)
    }

    /// The root certificate.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// Serials go on above this one: the highest of the stored directory, after a start.
    pub fn resume_after(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// Issues certificate and directory entry. That `request` was proven and its division lies below `parent` is for
    /// the caller to know.
    pub fn issue(
        &mut self,
        request: &JoinRequest,
        parent: Option<NodeId>,
        now: UnixMillis,
    ) -> Result<Enrolled, IssueError> {
        let csr = CertificateSigningRequestDer::from(&*request.csr);
        let public = CertificateSigningRequestParams::from_der(&csr).map_err(IssueError::Request)?.public_key;
        if public.algorithm() != &rcgen::PKCS_ECDSA_P256_SHA256 || public.der_bytes().len() != P256_POINT_BYTES {
            return Err(IssueError::Algorithm);
        }
        let leaf = self.leaf_params(request.node, now)?.signed_by(&public, &self.issuer)?;
        // A serial is never below the clock, so an authority that was restored from a backup does not repeat one.
        let floor = u64::try_from(now.0).map_err(|_| IssueError::Clock)?;
        self.serial = self.serial.saturating_add(1).max(floor);
        let entry = Entry {
            node: request.node,
            division: request.division,
            parent,
            signing: request.signing,
            sealing: request.sealing,
            tls_spki_sha256: sha256(&public.subject_public_key_info()),
            serial: self.serial,
            issued: now,
        };
        let signature = ed25519_sign(&self.entry, &entry.signed_bytes());
        let blob = |der: &CertificateDer<'_>| Blob::new(der.to_vec()).map_err(|_| IssueError::TooLarge);
        let certificates = List::new(vec![blob(leaf.der())?, blob(&self.root)?]).map_err(|_| IssueError::TooLarge)?;
        Ok(Enrolled { entry: SignedEntry { entry, signature }, certificates, authority: self.authority_key() })
    }

    fn leaf_params(&self, node: NodeId, now: UnixMillis) -> Result<CertificateParams, IssueError> {
        let now = moment(now).ok_or(IssueError::Clock)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, node.to_string());
        params.subject_alt_names = vec![SanType::DnsName(tls_name(node).try_into()?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = now.saturating_sub(BACKDATED);
        params.not_after = now.saturating_add(LEAF_LIFE).min(self.root_ends);
        params.use_authority_key_identifier_extension = true;
        // 16 random bytes, positive and not zero.
        let mut serial = random::<16>()?;
        if let Some(first) = serial.first_mut() {
            *first = (*first & 0x7f) | 0x40;
        }
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        Ok(params)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("key", &self.authority_key()).finish_non_exhaustive()
    }
}
