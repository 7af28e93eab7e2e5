//! How the command line speaks to a node on the same machine: it knows the certificate from the node's folder, so the name
//! in it does not matter.

use std::sync::Arc;

use federation::trust::tls::provider;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, ClientConfig, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::own::fingerprint;

/// Accepts exactly one certificate.
#[derive(Debug)]
struct Exactly {
    sha256: String,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(end_entity) == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    federation::signatures_by_the_provider!();
}

/// A client that accepts the one certificate with this fingerprint; without one, for plain HTTP on this machine.
pub fn pinned(certificate_sha256: Option<&str>) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy();
    let Some(sha256) = certificate_sha256 else { return Ok(builder.build()?) };
    let verifier = Exactly { sha256: sha256.to_owned() };
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(builder.use_preconfigured_tls(config).build()?)
}
