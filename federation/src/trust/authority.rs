//! The authority: it alone issues certificates and directory entries. It lives with the top node.

use std::path::Path;

use protocol::bounded::{Blob, List, Text};
use protocol::chain::Signature;
use protocol::directory::{
    Ancestor, Entry, Mandate, Revocation, RevocationReason, Role, SealingKey, SignedEntry, SignedMandate,
    SignedRevocation, SigningKey,
};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::moving::{Move, SignedMove};
use protocol::time::UnixMillis;
use protocol::wire::control::{Enrolled, JoinRequest, Renewal};
use protocol::wire::limits::ANCESTORS_MAX;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
    SanType, SerialNumber, SubjectPublicKeyInfo,
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
    /// A root certificate of another authority that is none.
    #[error("the other authority's root: {0}")]
    Root(name::BadCertificate),
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

fn moment_seconds(at: UnixMillis) -> Result<OffsetDateTime, IssueError> {
    moment(at).ok_or(IssueError::Clock)
}

/// 16 random bytes, positive and not zero.
fn certificate_serial() -> Result<[u8; 16], NoRandomness> {
    let mut serial = random::<16>()?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(serial)
}

/// To whom something is issued.
struct Wanted {
    node: NodeId,
    division: DivisionCode,
    parent: Option<NodeId>,
    signing: SigningKey,
    sealing: SealingKey,
}

/// What an authority is asked to write into a move beside the entry.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// The parent before.
    pub from: Ancestor,
    /// The line from now on, the new parent first.
    pub line: List<Ancestor, ANCESTORS_MAX>,
    /// Where the new parent listens.
    pub address: Text<200>,
    /// Who ordered it.
    pub by: NodeId,
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

    /// The highest serial so far.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Serials go on above this one: the highest of the stored directory, after a start.
    pub fn resume_after(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// Issues certificate and directory entry to a node that joins. That `request` was proven and its division lies below
    /// `parent` is for the caller to know.
    pub fn issue(
        &mut self,
        request: &JoinRequest,
        parent: Option<NodeId>,
        now: UnixMillis,
    ) -> Result<Enrolled, IssueError> {
        let JoinRequest { node, division, csr, signing, sealing, .. } = request;
        let wanted = Wanted { node: *node, division: *division, parent, signing: *signing, sealing: *sealing };
        self.issue_to(wanted, csr, now)
    }

    /// Issues again to a node that has an entry. That the renewal was proven is for the caller to know.
    pub fn renew(&mut self, renewal: &Renewal, entry: &Entry, now: UnixMillis) -> Result<Enrolled, IssueError> {
        let Renewal { csr, signing, sealing, .. } = renewal;
        let wanted = Wanted {
            node: entry.node,
            division: entry.division,
            parent: entry.parent,
            signing: *signing,
            sealing: *sealing,
        };
        self.issue_to(wanted, csr, now)
    }

    /// Lets a node hang below another parent: its entry with the same keys, under the next serial. The certificate names the
    /// node alone and stays. That the order was given by somebody who may is for the caller to know.
    pub fn relocate(&mut self, entry: &Entry, wanted: Relocation, now: UnixMillis) -> Result<SignedMove, IssueError> {
        let Relocation { from, line, address, by } = wanted;
        let parent = line.first().map(|to| to.node);
        let entry = Entry { parent, serial: self.next_serial(now)?, issued: entry.issued, ..*entry };
        let signature = self.sign(&entry.signed_bytes());
        let order = Move { entry: SignedEntry { entry, signature }, from, line, address, by };
        let signature = self.sign(&order.signed_bytes());
        Ok(SignedMove { order, signature })
    }

    fn issue_to(&mut self, wanted: Wanted, csr: &[u8], now: UnixMillis) -> Result<Enrolled, IssueError> {
        let csr = CertificateSigningRequestDer::from(csr);
        let public = CertificateSigningRequestParams::from_der(&csr).map_err(IssueError::Request)?.public_key;
        if public.algorithm() != &rcgen::PKCS_ECDSA_P256_SHA256 || public.der_bytes().len() != P256_POINT_BYTES {
            return Err(IssueError::Algorithm);
        }
        let leaf = self.leaf_params(wanted.node, now)?.signed_by(&public, &self.issuer)?;
        let entry = Entry {
            node: wanted.node,
            division: wanted.division,
            parent: wanted.parent,
            signing: wanted.signing,
            sealing: wanted.sealing,
            tls_spki_sha256: sha256(&public.subject_public_key_info()),
            serial: self.next_serial(now)?,
            issued: now,
        };
        let signature = self.sign(&entry.signed_bytes());
        let blob = |der: &CertificateDer<'_>| Blob::new(der.to_vec()).map_err(|_| IssueError::TooLarge);
        let certificates = List::new(vec![blob(leaf.der())?, blob(&self.root)?]).map_err(|_| IssueError::TooLarge)?;
        Ok(Enrolled {
            entry: SignedEntry { entry, signature },
            certificates,
            authority: self.authority_key(),
            mandates: List::default(),
            ancestors: List::default(),
        })
    }

    /// A serial is never below the clock, so an authority that was restored from a backup does not repeat one.
    fn next_serial(&mut self, now: UnixMillis) -> Result<u64, IssueError> {
        let floor = u64::try_from(now.0).map_err(|_| IssueError::Clock)?;
        self.serial = self.serial.saturating_add(1).max(floor);
        Ok(self.serial)
    }

    /// Signs with the key for directory entries.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        ed25519_sign(&self.entry, bytes)
    }

    /// Voids what was issued to a node so far.
    pub fn revoke(
        &mut self,
        node: NodeId,
        reason: RevocationReason,
        now: UnixMillis,
    ) -> Result<SignedRevocation, IssueError> {
        let revocation = Revocation { node, serial: self.next_serial(now)?, reason };
        Ok(SignedRevocation { revocation, signature: self.sign(&revocation.signed_bytes()) })
    }

    /// Says what another authority, of which the root certificate is given, is to this one.
    pub fn mandate(&mut self, root: &[u8], role: Role, now: UnixMillis) -> Result<SignedMandate, IssueError> {
        let authority = name::authority_of(root).map_err(IssueError::Root)?;
        let root = Blob::new(root.to_vec()).map_err(|_| IssueError::TooLarge)?;
        let mandate = Mandate { root, authority, role, serial: self.next_serial(now)? };
        let signature = self.sign(&mandate.signed_bytes());
        Ok(SignedMandate { mandate, by: self.authority_key(), signature })
    }

    /// Names the authority that takes the place of this one, and signs its root crosswise.
    pub fn succeeded_by(&mut self, root: &[u8], now: UnixMillis) -> Result<SignedMandate, IssueError> {
        let cross = Blob::new(self.cross(root)?.to_vec()).map_err(|_| IssueError::TooLarge)?;
        self.mandate(root, Role::Successor { cross }, now)
    }

    /// The other root's name and key under the signature of this one.
    fn cross(&self, root: &[u8]) -> Result<CertificateDer<'static>, IssueError> {
        let entry = name::authority_of(root).map_err(IssueError::Root)?;
        let parts = name::root_parts(root).map_err(IssueError::Root)?;
        let public = SubjectPublicKeyInfo::from_der(&parts.spki)?;
        let ends = OffsetDateTime::from_unix_timestamp(parts.ends).map_err(|_| IssueError::Clock)?;
        let begins = moment_seconds(name::validity(root).map_err(IssueError::Root)?.0)?;
        let mut params = root_params(&parts.name, entry, begins);
        params.not_before = begins;
        params.not_after = ends.min(self.root_ends);
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&certificate_serial()?));
        Ok(params.signed_by(&public, &self.issuer)?.der().clone())
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
        params.serial_number = Some(SerialNumber::from_slice(&certificate_serial()?));
        Ok(params)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("key", &self.authority_key()).finish_non_exhaustive()
    }
}
