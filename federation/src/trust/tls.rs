//! rustls configurations: TLS 1.3 only, ring by name, no tickets, no resumption, no early data.
//!
//! webpki is the first gate, one exact DNS name the second, the registry or the pin the third.
//!
//! What a node shows and believes are its `Credentials`; they are exchanged as a whole while the node runs. [`below`] is
//! the listening side, where the server name picks the node; [`above`] is the dialling side, which accepts one parent.

pub mod above;
pub mod below;

use std::sync::{Arc, LazyLock};

use protocol::id::NodeId;
use protocol::wire::control::Enrolled;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::keys::NodeKeys;
use super::name::{BadCertificate, node_of, spki_sha256, tls_name};

pub use above::{Anchor, ask_config};

/// The names under which links, joins and renewals are spoken over one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// A link.
    pub link: &'static [u8],
    /// A join.
    pub join: &'static [u8],
    /// A renewal. Both ends may have expired certificates, so no other conversation is possible then.
    pub renew: &'static [u8],
}

/// Over QUIC.
pub const OVER_QUIC: Protocols = Protocols { link: b"wuji-link/1", join: b"wuji-join/1", renew: b"wuji-renew/1" };
/// Over TCP, where the lanes are made by records of our own: another protocol.
pub const OVER_TCP: Protocols =
    Protocols { link: b"wuji-link-tcp/1", join: b"wuji-join-tcp/1", renew: b"wuji-renew-tcp/1" };

/// The methods by which a verifier of certificates of either side checks signatures: as the one provider does. rustls asks
/// each verifier for them, though they say nothing about whom it trusts.
#[macro_export]
macro_rules! signatures_by_the_provider {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &::rustls_pki_types::CertificateDer<'_>,
            dss: &::rustls::DigitallySignedStruct,
        ) -> Result<::rustls::client::danger::HandshakeSignatureValid, ::rustls::Error> {
            let algorithms = $crate::trust::tls::provider().signature_verification_algorithms;
            ::rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &::rustls_pki_types::CertificateDer<'_>,
            dss: &::rustls::DigitallySignedStruct,
        ) -> Result<::rustls::client::danger::HandshakeSignatureValid, ::rustls::Error> {
            let algorithms = $crate::trust::tls::provider().signature_verification_algorithms;
            ::rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<::rustls::SignatureScheme> {
            $crate::trust::tls::provider().signature_verification_algorithms.supported_schemes()
        }
    };
}

/// Why a TLS configuration cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// rustls refuses.
    #[error("tls: {0}")]
    Rustls(#[from] Error),
    /// A verifier cannot be built.
    #[error("tls verifier: {0}")]
    Verifier(String),
    /// A certificate that is not as it must be.
    #[error("certificate: {0}")]
    Certificate(#[from] BadCertificate),
    /// No certificate.
    #[error("the certificate chain is empty")]
    NoCertificate,
    /// No root, so nobody would be believed.
    #[error("no root is trusted")]
    NoRoot,
    /// A certificate of another node.
    #[error("the certificate names another node")]
    OtherNode,
}

/// A node's certificates.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Leaf first, root last.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The root.
    pub root: CertificateDer<'static>,
}

impl Chain {
    /// From what the authority issued.
    pub fn of(enrolled: &Enrolled) -> Result<Self, TlsError> {
        Self::new(enrolled.certificates.iter().map(|der| der.to_vec()).collect())
    }

    /// From DER, leaf first, root last.
    pub fn new(ders: Vec<Vec<u8>>) -> Result<Self, TlsError> {
        let certificates: Vec<_> = ders.into_iter().map(CertificateDer::from).collect();
        let root = certificates.last().cloned().ok_or(TlsError::NoCertificate)?;
        Ok(Self { certificates, root })
    }

    /// SHA-256 of the root's public key: what a greeting and a token name.
    pub fn root_spki_sha256(&self) -> Result<[u8; 32], BadCertificate> {
        spki_sha256(&self.root)
    }
}

/// The one place that names the provider of cryptography.
pub fn provider() -> Arc<CryptoProvider> {
    // Shared: a pack has thousands of configurations.
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    PROVIDER.clone()
}

/// What a node believes: one root, or several while one follows another.
#[derive(Debug, Clone)]
pub(crate) struct Believed {
    children: Arc<dyn ClientCertVerifier>,
    parent: Arc<WebPkiServerVerifier>,
}

impl Believed {
    /// Certificates that lead to any of these roots.
    pub(crate) fn new(roots: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        if roots.is_empty() {
            return Err(TlsError::NoRoot);
        }
        let mut store = RootCertStore::empty();
        roots.iter().try_for_each(|root| store.add(root.clone()))?;
        let store = Arc::new(store);
        let children = WebPkiClientVerifier::builder_with_provider(store.clone(), provider())
            .build()
            .map_err(|e| TlsError::Verifier(e.to_string()))?;
        Ok(Self { children, parent: above::web_pki(store)? })
    }
}

/// What a node shows and what it believes.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    /// To children, with the root: one that joins knows only the hash of its key.
    shown: Arc<CertifiedKey>,
    /// To the parent, without the root, which it has.
    shown_above: Arc<CertifiedKey>,
    believed: Believed,
}

impl Credentials {
    /// Refuses a chain that is not for these keys.
    pub(crate) fn new(keys: &NodeKeys, chain: &Chain, believed: Believed) -> Result<Self, TlsError> {
        let shown = CertifiedKey::from_der(chain.certificates.clone(), keys.tls_private(), &provider())?;
        let without_root = match chain.certificates.split_last() {
            Some((_, rest)) if !rest.is_empty() => rest.to_vec(),
            _ => chain.certificates.clone(),
        };
        let shown_above = Arc::new(CertifiedKey::new(without_root, shown.key.clone()));
        Ok(Self { shown: Arc::new(shown), shown_above, believed })
    }

    /// The same certificate, with other roots.
    pub(crate) fn believing(&self, believed: Believed) -> Self {
        Self { shown: self.shown.clone(), shown_above: self.shown_above.clone(), believed }
    }

    /// What is believed.
    pub(crate) fn believed(&self) -> &Believed {
        &self.believed
    }
}

/// Refuses the certificates of another node.
pub(crate) fn names(chain: &Chain, node: NodeId) -> Result<(), TlsError> {
    let leaf = chain.certificates.first().ok_or(TlsError::NoCertificate)?;
    if node_of(leaf)? == node { Ok(()) } else { Err(TlsError::OtherNode) }
}

/// Checks a certificate that was just issued: it chains to its own root, which has the pinned key, and names `node`.
pub fn check_issued(chain: &Chain, root: [u8; 32], node: NodeId, now: UnixTime) -> Result<(), TlsError> {
    let (leaf, rest) = chain.certificates.split_first().ok_or(TlsError::NoCertificate)?;
    let verifier = above::ParentVerifier::new(Anchor::Pin(root), node, None)?;
    let name = ServerName::try_from(tls_name(node)).map_err(|_| TlsError::Certificate(BadCertificate::NotANode))?;
    rustls::client::danger::ServerCertVerifier::verify_server_cert(&verifier, leaf, rest, &name, &[], now)?;
    Ok(())
}
