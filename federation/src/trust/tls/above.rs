//! The dialling side: accepts one parent and nobody else.

use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Believed, Credentials, OVER_QUIC, OVER_TCP, Protocols, TlsError, provider};
use crate::trust::name::{BadCertificate, node_of, not_after, spki_sha256, tls_name};

/// For so long after its end a parent's certificate is still accepted by a child that asks for its own renewal through
/// it. The child believes the answer by the authority's signature, not by this connection.
pub const EXPIRED_PARENT_MAX: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Whom a dialling node believes before it has the parent's word for anything.
#[derive(Debug, Clone)]
pub enum Anchor {
    /// The roots are known.
    Roots(Vec<CertificateDer<'static>>),
    /// Only the SHA-256 of the root's public key is known; the peer shows the root itself.
    Pin([u8; 32]),
}

#[derive(Debug)]
enum Trust {
    Roots(Arc<WebPkiServerVerifier>),
    Pin([u8; 32]),
}

/// Accepts one parent.
#[derive(Debug)]
pub(super) struct ParentVerifier {
    trust: Trust,
    parent: NodeId,
    spki: Option<[u8; 32]>,
    /// How long ago the parent's certificate may have ended.
    grace: Duration,
}

pub(super) fn web_pki(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|e| TlsError::Verifier(e.to_string()))
}

fn refused(_: BadCertificate) -> Error {
    CertificateError::NotValidForName.into()
}

fn not_ours() -> Error {
    CertificateError::ApplicationVerificationFailure.into()
}

fn of_one(root: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut store = RootCertStore::empty();
    store.add(root.clone().into_owned())?;
    web_pki(Arc::new(store)).map_err(|e| Error::General(e.to_string()))
}

impl ParentVerifier {
    /// No certificate that has ended.
    pub(super) fn new(anchor: Anchor, parent: NodeId, spki: Option<[u8; 32]>) -> Result<Self, TlsError> {
        let trust = match anchor {
            Anchor::Roots(roots) => Trust::Roots(Believed::new(&roots)?.parent),
            Anchor::Pin(pin) => Trust::Pin(pin),
        };
        Ok(Self { trust, parent, spki, grace: Duration::ZERO })
    }

    /// Whether the certificate leads to a root and is the parent's by name, at the moment `at`.
    fn leads_to_a_root(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        ocsp_response: &[u8],
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = ServerName::try_from(tls_name(self.parent)).map_err(|_| not_ours())?;
        match &self.trust {
            Trust::Roots(webpki) => webpki.verify_server_cert(end_entity, intermediates, &name, ocsp_response, at),
            Trust::Pin(pin) => {
                let (root, between) = intermediates.split_last().ok_or_else(not_ours)?;
                if spki_sha256(root).map_err(refused)? != *pin {
                    return Err(CertificateError::UnknownIssuer.into());
                }
                of_one(root)?.verify_server_cert(end_entity, between, &name, ocsp_response, at)
            }
        }
    }

    /// The last moment of a certificate, when that is not longer ago than allowed.
    fn ended(&self, end_entity: &CertificateDer<'_>, now: UnixTime) -> Option<UnixTime> {
        let end = Duration::from_secs(u64::try_from(not_after(end_entity).ok()?).ok()?);
        let ago = Duration::from_secs(now.as_secs()).checked_sub(end)?;
        (ago < self.grace).then(|| UnixTime::since_unix_epoch(end))
    }
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
        let verified = match self.leads_to_a_root(end_entity, intermediates, ocsp_response, now) {
            Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
                // All other rules hold as they did in the certificate's last second.
                let end = self.ended(end_entity, now).ok_or(CertificateError::Expired)?;
                self.leads_to_a_root(end_entity, intermediates, ocsp_response, end)?
            }
            outcome => outcome?,
        };
        if node_of(end_entity).map_err(refused)? != self.parent {
            return Err(CertificateError::NotValidForName.into());
        }
        match self.spki {
            Some(spki) if spki_sha256(end_entity).map_err(refused)? != spki => Err(not_ours()),
            _ => Ok(verified),
        }
    }

    crate::signatures_by_the_provider!();
}

fn config(
    verifier: ParentVerifier,
    shown: Option<Arc<dyn ResolvesClientCert>>,
    alpn: &[u8],
    time: Arc<dyn TimeProvider>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match shown {
        Some(shown) => builder.with_client_cert_resolver(shown),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// For the dialling side of a link: shows the node's certificate, and accepts no certificate that has ended.
pub(crate) fn link_config(
    credentials: &Credentials,
    parent: NodeId,
    spki: Option<[u8; 32]>,
    time: Arc<dyn TimeProvider>,
    spoken: &Protocols,
) -> Result<ClientConfig, TlsError> {
    let trust = Trust::Roots(credentials.believed.parent.clone());
    let verifier = ParentVerifier { trust, parent, spki, grace: Duration::ZERO };
    let shown: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(credentials.shown_above.clone()));
    config(verifier, Some(shown), spoken.link, time)
}

/// For one question without a certificate of one's own, spoken under `alpn`. Only under that of a renewal may the
/// parent's certificate have ended, [`EXPIRED_PARENT_MAX`] ago at most.
pub fn ask_config(
    anchor: Anchor,
    parent: NodeId,
    spki: Option<[u8; 32]>,
    alpn: &[u8],
    time: Arc<dyn TimeProvider>,
) -> Result<ClientConfig, TlsError> {
    let mut verifier = ParentVerifier::new(anchor, parent, spki)?;
    if [OVER_QUIC.renew, OVER_TCP.renew].contains(&alpn) {
        verifier.grace = EXPIRED_PARENT_MAX;
    }
    config(verifier, None, alpn, time)
}
