//! A node's own keys: for bundles (Ed25519), for what is sealed to it (X25519), for TLS (ECDSA P-256), and one secret
//! from which the transport derives what must outlive a restart.

use std::io;
use std::path::Path;

use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use protocol::bounded::Blob;
use protocol::chain::Signature;
use protocol::directory::{SealingKey, SigningKey};
use protocol::division::DivisionCode;
use protocol::id::{NodeId, TokenId};
use protocol::wire::control::JoinRequest;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::files::{read_private, write_private};
use super::{NoRandomness, random, sha256};

const SIGNING_FILE: &str = "signing.key";
const SEALING_FILE: &str = "sealing.key";
const TLS_FILE: &str = "tls.key";
const TRANSPORT_FILE: &str = "transport.key";

/// Why keys cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A file.
    #[error("key file {name}: {source}")]
    File {
        /// Its name.
        name: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A file that holds no key of its kind.
    #[error("{0} holds no key of its kind")]
    Malformed(&'static str),
    /// A certificate or request that cannot be built.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// The secret half of a node.
pub struct NodeKeys {
    signing: Ed25519KeyPair,
    signing_pkcs8: Zeroizing<Vec<u8>>,
    sealing: Zeroizing<[u8; 32]>,
    sealing_public: SealingKey,
    tls: KeyPair,
    tls_pkcs8: Zeroizing<Vec<u8>>,
    transport: Zeroizing<[u8; 32]>,
}

/// A fresh Ed25519 key in PKCS#8.
pub(super) fn new_ed25519() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).map_err(|_| KeyError::Random(NoRandomness))?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// The public half of an Ed25519 key.
pub(super) fn ed25519_public(key: &Ed25519KeyPair) -> SigningKey {
    SigningKey(copy(key.public_key().as_ref()))
}

/// Signs with an Ed25519 key.
pub(super) fn ed25519_sign(key: &Ed25519KeyPair, bytes: &[u8]) -> Signature {
    Signature(copy(key.sign(bytes).as_ref()))
}

/// A P-256 key from PKCS#8.
pub(super) fn p256(pkcs8: &[u8], name: &'static str) -> Result<KeyPair, KeyError> {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|_| KeyError::Malformed(name))
}

fn copy<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(from) {
        *to = *from;
    }
    bytes
}

impl NodeKeys {
    /// Makes new keys.
    pub fn generate() -> Result<Self, KeyError> {
        let tls = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let seed = Zeroizing::new(random::<32>()?);
        let (sealing, _) = X25519HkdfSha256::derive_keypair(&*seed);
        let sealing = Zeroizing::new(sealing.to_bytes().to_vec());
        let transport = Zeroizing::new(random::<32>()?.to_vec());
        Self::from_parts(new_ed25519()?, &sealing, Zeroizing::new(tls.serialize_der()), &transport)
    }

    fn from_parts(
        signing_pkcs8: Zeroizing<Vec<u8>>,
        sealing: &[u8],
        tls_pkcs8: Zeroizing<Vec<u8>>,
        transport: &[u8],
    ) -> Result<Self, KeyError> {
        let signing = Ed25519KeyPair::from_pkcs8(&signing_pkcs8).map_err(|_| KeyError::Malformed(SIGNING_FILE))?;
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(sealing)
            .map_err(|_| KeyError::Malformed(SEALING_FILE))?;
        let sealing_public = SealingKey(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into());
        let sealing = sealing.try_into().map_err(|_| KeyError::Malformed(SEALING_FILE))?;
        let transport = transport.try_into().map_err(|_| KeyError::Malformed(TRANSPORT_FILE))?;
        let tls = p256(&tls_pkcs8, TLS_FILE)?;
        Ok(Self {
            signing,
            signing_pkcs8,
            sealing: Zeroizing::new(sealing),
            sealing_public,
            tls,
            tls_pkcs8,
            transport: Zeroizing::new(transport),
        })
    }

    /// The same node with a new TLS key: what was sealed to it stays readable, what it signed stays signed by one key.
    pub fn renewed(&self) -> Result<Self, KeyError> {
        let tls = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let tls_pkcs8 = Zeroizing::new(tls.serialize_der());
        Self::from_parts(self.signing_pkcs8.clone(), &*self.sealing, tls_pkcs8, &*self.transport)
    }

    /// Writes the keys into `dir`, each file readable by its owner only.
    pub fn save(&self, dir: &Path) -> Result<(), KeyError> {
        let files: [(&'static str, &[u8]); 4] = [
            (SIGNING_FILE, &self.signing_pkcs8),
            (SEALING_FILE, &*self.sealing),
            (TLS_FILE, &self.tls_pkcs8),
            (TRANSPORT_FILE, &*self.transport),
        ];
        files.into_iter().try_for_each(|(name, bytes)| {
            write_private(dir, name, bytes).map_err(|source| KeyError::File { name, source })
        })
    }

    /// Reads the keys from `dir`.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        let read = |name| read_private(dir, name).map_err(|source| KeyError::File { name, source });
        Self::from_parts(read(SIGNING_FILE)?, &read(SEALING_FILE)?, read(TLS_FILE)?, &read(TRANSPORT_FILE)?)
    }

    /// Signs a bundle, a tenure or a head.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        ed25519_sign(&self.signing, bytes)
    }

    /// Public key for bundles.
    pub fn signing_key(&self) -> SigningKey {
        ed25519_public(&self.signing)
    }

    /// Public key for sealed parts.
    pub fn sealing_key(&self) -> SealingKey {
        self.sealing_public
    }

    /// SHA-256 of the TLS key's SPKI.
    pub fn tls_spki_sha256(&self) -> [u8; 32] {
        sha256(&self.tls.subject_public_key_info())
    }

    /// A certificate signing request: proves possession, asks for nothing else.
    pub fn csr(&self) -> Result<Vec<u8>, KeyError> {
        Ok(CertificateParams::default().serialize_request(&self.tls)?.der().to_vec())
    }

    /// The request by which these keys become a node.
    pub fn join_request(&self, token: TokenId, node: NodeId, division: DivisionCode) -> Result<JoinRequest, KeyError> {
        let csr = Blob::new(self.csr()?).map_err(|_| KeyError::Malformed(TLS_FILE))?;
        let (signing, sealing) = (self.signing_key(), self.sealing_key());
        Ok(JoinRequest { token, node, division, csr, signing, sealing, brings: None })
    }

    /// The TLS key as rustls takes it.
    pub(crate) fn tls_private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.tls_pkcs8.to_vec().into())
    }

    /// The private X25519 key.
    pub(super) fn sealing_private(&self) -> &[u8; 32] {
        &self.sealing
    }

    /// A secret for one purpose of the transport; the same after every restart.
    pub(crate) fn transport_secret(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &*self.transport)
    }
}

impl std::fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeKeys").field("signing", &self.signing_key()).finish_non_exhaustive()
    }
}
