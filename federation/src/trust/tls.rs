//! rustls configurations: TLS 1.3 only, ring by name, no tickets, no resumption, no early data.
//!
//! webpki is the first gate, one exact DNS name the second, the registry or the pin the third.

use std::sync::Arc;

use protocol::id::NodeId;
use protocol::wire::control::Enrolled;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::keys::NodeKeys;
use super::name::{BadCertificate, node_of, spki_sha256, tls_name};
use super::registry::Registry;

/// ALPN of a link.
pub const ALPN_LINK: &[u8] = b"wuji-link/1";
/// ALPN of a join.
pub const ALPN_JOIN: &[u8] = b"wuji-join/1";

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
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(root: &CertificateDer<'_>) -> Result<Arc<RootCertStore>, Error> {
    let mut store = RootCertStore::empty();
    store.add(root.clone().into_owned())?;
    Ok(Arc::new(store))
}

fn refused(_: BadCertificate) -> Error {
    CertificateError::NotValidForName.into()
}

fn not_ours() -> Error {
    CertificateError::ApplicationVerificationFailure.into()
}

/// Server side: admits the children of the registry, and lets those without a certificate through to the join protocol.
#[derive(Debug)]
struct ChildVerifier {
    webpki: Arc<dyn ClientCertVerifier>,
    registry: Registry,
}

impl ClientCertVerifier for ChildVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.webpki.verify_client_cert(end_entity, intermediates, now)?;
        admitted_child(end_entity, &self.registry).ok_or_else(not_ours)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// The child that a certificate belongs to: one exact name, and a key that the registry holds for that very name.
pub(crate) fn admitted_child(certificate: &CertificateDer<'_>, registry: &Registry) -> Option<NodeId> {
    let node = node_of(certificate).ok()?;
    let key = spki_sha256(certificate).ok()?;
    (registry.child(&key) == Some(node)).then_some(node)
}

#[derive(Debug)]
enum Trust {
    /// The root is known.
    Root(Arc<WebPkiServerVerifier>),
    /// Only the hash of the root's key is known; the peer shows the root itself.
    Pin([u8; 32]),
}

/// Client side: accepts one parent.
#[derive(Debug)]
struct ParentVerifier {
    trust: Trust,
    parent: NodeId,
    spki: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

fn web_pki(root: &CertificateDer<'_>, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(roots(root)?, provider.clone())
        .build()
        .map_err(|e| Error::General(e.to_string()))
}

impl ServerCertVerifier for ParentVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = ServerName::try_from(tls_name(self.parent)).map_err(|_| not_ours())?;
        let verified = match &self.trust {
            Trust::Root(webpki) => webpki.verify_server_cert(end_entity, intermediates, &name, ocsp_response, now)?,
            Trust::Pin(pin) => {
                let (root, between) = intermediates.split_last().ok_or_else(not_ours)?;
                if spki_sha256(root).map_err(refused)? != *pin {
                    return Err(CertificateError::UnknownIssuer.into());
                }
                let webpki = web_pki(root, &self.provider)?;
                webpki.verify_server_cert(end_entity, between, &name, ocsp_response, now)?
            }
        };
        if node_of(end_entity).map_err(refused)? != self.parent {
            return Err(CertificateError::NotValidForName.into());
        }
        match self.spki {
            Some(spki) if spki_sha256(end_entity).map_err(refused)? != spki => Err(not_ours()),
            _ => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// For the listening side: links from children, and joins.
pub fn server_config(
    keys: &NodeKeys,
    chain: &Chain,
    registry: Registry,
    time: Arc<dyn TimeProvider>,
) -> Result<ServerConfig, TlsError> {
    let webpki = WebPkiClientVerifier::builder_with_provider(roots(&chain.root)?, provider())
        .build()
        .map_err(|e| TlsError::Verifier(e.to_string()))?;
    let mut config = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(ChildVerifier { webpki, registry }))
        .with_single_cert(chain.certificates.clone(), keys.tls_private())?;
    config.alpn_protocols = vec![ALPN_LINK.to_vec(), ALPN_JOIN.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}

/// For the dialling side of a link.
pub fn link_config(
    keys: &NodeKeys,
    chain: &Chain,
    parent: NodeId,
    spki: Option<[u8; 32]>,
    time: Arc<dyn TimeProvider>,
) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let trust = Trust::Root(web_pki(&chain.root, &provider)?);
    let mut config = ClientConfig::builder_with_details(provider.clone(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ParentVerifier { trust, parent, spki, provider }))
        .with_client_auth_cert(chain.certificates.clone(), keys.tls_private())?;
    config.alpn_protocols = vec![ALPN_LINK.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// For joining: no certificate yet, and of the federation only the hash of its root's key is known.
pub fn join_config(root: [u8; 32], parent: NodeId, time: Arc<dyn TimeProvider>) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let verifier = ParentVerifier { trust: Trust::Pin(root), parent, spki: None, provider: provider.clone() };
    let mut config = ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_JOIN.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// Checks a certificate that was just issued: it chains to its own root, which has the pinned key, and names `node`.
pub fn check_issued(chain: &Chain, root: [u8; 32], node: NodeId, now: UnixTime) -> Result<(), TlsError> {
    let (leaf, rest) = chain.certificates.split_first().ok_or(TlsError::NoCertificate)?;
    let verifier = ParentVerifier { trust: Trust::Pin(root), parent: node, spki: None, provider: provider() };
    let name = ServerName::try_from(tls_name(node)).map_err(|_| TlsError::Certificate(BadCertificate::NotANode))?;
    verifier.verify_server_cert(leaf, rest, &name, &[], now)?;
    Ok(())
}
