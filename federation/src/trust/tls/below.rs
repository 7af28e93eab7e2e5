//! The listening side: the server name picks the node, and with it certificate, roots and registry of this connection.
//!
//! rustls tells a verifier of client certificates nothing about the server name. So each handshake gets a configuration
//! of its own, whose certificate resolver notes the node that was asked for and whose verifier reads the note.

use std::sync::{Arc, OnceLock};

use protocol::id::NodeId;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DistinguishedName, Error, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Credentials, Protocols, TlsError, provider};
use crate::trust::name::{node_of, spki_sha256};
use crate::trust::registry::Registry;

/// A node as a handshake finds it.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    /// What it shows and believes now.
    pub(crate) credentials: Arc<Credentials>,
    /// The children it admits.
    pub(crate) registry: Registry,
}

/// The nodes that can be asked for.
pub(crate) trait Seats: std::fmt::Debug + Send + Sync {
    /// The node with this TLS name.
    fn seat(&self, server_name: &str) -> Option<Seat>;
}

/// One handshake: who is asked for decides what is shown and who is admitted.
#[derive(Debug)]
struct Handshake {
    seats: Arc<dyn Seats>,
    chosen: OnceLock<Seat>,
}

impl ResolvesServerCert for Handshake {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let seat = self.seats.seat(hello.server_name()?)?;
        Some(self.chosen.get_or_init(|| seat).credentials.shown.clone())
    }
}

/// Admits the children of the chosen node's registry, and lets those without a certificate through: for a link they are
/// turned away after the handshake, to ask they need none.
impl ClientCertVerifier for Handshake {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A child has one certificate, and strangers need not be told whom a node trusts.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let not_ours = || Error::from(CertificateError::ApplicationVerificationFailure);
        let seat = self.chosen.get().ok_or_else(not_ours)?;
        let verified = seat.credentials.believed.children.verify_client_cert(end_entity, intermediates, now)?;
        admitted_child(end_entity, &seat.registry).ok_or_else(not_ours)?;
        Ok(verified)
    }

    crate::signatures_by_the_provider!();
}

/// The child that a certificate belongs to: one exact name, and a key that the registry holds for that very name.
pub(crate) fn admitted_child(certificate: &CertificateDer<'_>, registry: &Registry) -> Option<NodeId> {
    let node = node_of(certificate).ok()?;
    let key = spki_sha256(certificate).ok()?;
    (registry.child(&key) == Some(node)).then_some(node)
}

/// For one connection that comes in: a link from a child, a join, or a renewal.
pub(crate) fn config_for_one(
    seats: Arc<dyn Seats>,
    time: Arc<dyn TimeProvider>,
    spoken: &Protocols,
) -> Result<ServerConfig, TlsError> {
    let handshake = Arc::new(Handshake { seats, chosen: OnceLock::new() });
    let mut config = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(handshake.clone())
        .with_cert_resolver(handshake);
    config.alpn_protocols = vec![spoken.link.to_vec(), spoken.join.to_vec(), spoken.renew.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}
