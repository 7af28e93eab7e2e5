//! The certificate of the front door: read, checked, shown at every handshake, and exchanged while the door is open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use federation::trust::name;
use federation::trust::tls::provider;
use protocol::time::UnixMillis;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use super::own;
use crate::clock::Clock;
use crate::config::Door;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why the door cannot speak HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// A file that cannot be read or holds nothing of its kind.
    #[error("{} holds no {what} in PEM that can be read", .file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What the reader says.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Key and certificate do not belong together, or the key is of a kind that is not known.
    #[error("the key {} does not fit the certificate {}", .key.display(), .certificate.display())]
    Mismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
    /// A certificate that has ended.
    #[error("the certificate {} ended: renew it and put the new one in its place", .0.display())]
    Ended(PathBuf),
    /// A file of the door's own.
    #[error("{} cannot be used", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The door's own certificate cannot be made.
    #[error("the front door's own certificate cannot be made")]
    Own(#[from] rcgen::Error),
    /// The door's own key is damaged.
    #[error("the front door's own authority in {} is damaged: move the folder away, and a new one is made", .0.display())]
    Damaged(PathBuf),
    /// No TLS configuration.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// Where a certificate comes from.
#[derive(Debug, Clone)]
enum Source {
    Files { certificate: PathBuf, key: PathBuf },
    Own { folder: PathBuf, names: Vec<String> },
}

/// A certificate with its key, and what people compare it by.
#[derive(Debug, Clone)]
struct Held {
    key: Arc<CertifiedKey>,
    changed: [Option<SystemTime>; 2],
}

/// The certificate that is shown, whichever it is at the moment.
#[derive(Debug)]
pub struct Certificates {
    source: Source,
    held: Arc<Shown>,
    authority: Option<String>,
}

#[derive(Debug)]
struct Shown(RwLock<Held>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).key.clone())
    }
}

impl Certificates {
    /// Reads or makes the certificate that the configuration asks for; none where the door speaks no HTTPS. Files of the
    /// door's own are kept in `folder`.
    pub fn of(door: &Door, folder: &Path) -> Result<Option<Self>, DoorError> {
        let source = match door {
            Door::Loopback | Door::Proxy { .. } => return Ok(None),
            Door::Files { certificate, key } => Source::Files { certificate: certificate.clone(), key: key.clone() },
            Door::Own { names } => Source::Own { folder: folder.join(super::OWN_FOLDER), names: names.clone() },
        };
        let now = Clock::default().wall();
        let (held, authority) = read(&source, now)?;
        Ok(Some(Self { source, held: Arc::new(Shown(RwLock::new(held))), authority }))
    }

    /// For the listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, DoorError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.held.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// SHA-256 of the certificate that is shown now.
    pub fn fingerprint(&self) -> String {
        let held = self.held.0.read().unwrap_or_else(PoisonError::into_inner);
        held.key.cert.first().map(|leaf| own::fingerprint(leaf)).unwrap_or_default()
    }

    /// SHA-256 of the door's own authority, which people compare once before they trust it; none for the operator's
    /// certificate.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Exchanges the certificate when its files changed or its end is near. Whether it did.
    pub fn refresh(&self) -> Result<bool, DoorError> {
        let now = Clock::default().wall();
        let shown = self.held.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let due = match &self.source {
            Source::Files { certificate, key } => changed(certificate, key) != shown.changed,
            Source::Own { .. } => shown.key.cert.first().is_none_or(|leaf| own::is_due(leaf, now)),
        };
        if due {
            let (held, _) = read(&self.source, now)?;
            *self.held.0.write().unwrap_or_else(PoisonError::into_inner) = held;
        }
        Ok(due)
    }

    /// Looks after the certificate until told to stop. `told` hears of each exchange and of each failure, in words; while
    /// new files cannot be used the certificate before them is shown on.
    pub async fn keep(&self, stopping: CancellationToken, told: impl Fn(Result<(), &DoorError>)) {
        let mut failed = None;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.refresh() {
                Ok(false) => {}
                Ok(true) => {
                    failed = None;
                    told(Ok(()));
                }
                Err(error) => {
                    let text = error.to_string();
                    if failed.as_ref() != Some(&text) {
                        told(Err(&error));
                        failed = Some(text);
                    }
                }
            }
        }
    }
}

fn changed(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|file| std::fs::metadata(file).and_then(|meta| meta.modified()).ok())
}

fn read(source: &Source, now: UnixMillis) -> Result<(Held, Option<String>), DoorError> {
    match source {
        Source::Files { certificate, key } => Ok((from_files(certificate, key, now)?, None)),
        Source::Own { folder, names } => {
            let own = own::ensure(folder, names, now)?;
            let key = CertifiedKey::from_der(own.chain, own.key, &provider())?;
            Ok((Held { key: Arc::new(key), changed: [None, None] }, Some(own.authority)))
        }
    }
}

fn from_files(certificate: &Path, key: &Path, now: UnixMillis) -> Result<Held, DoorError> {
    // Looked at before reading: a change in between is seen the next time.
    let changed = changed(certificate, key);
    let pem = |file: &Path, what| {
        let file = file.to_owned();
        move |source| DoorError::Pem { file, what, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| if chain.is_empty() { Err(rustls_pki_types::pem::Error::NoItemsFound) } else { Ok(chain) })
        .map_err(pem(certificate, "certificate"))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "private key"))?;
    let ended = |leaf: &CertificateDer<'_>| name::not_after(leaf).is_ok_and(|end| end < now.0.div_euclid(1_000));
    if chain.first().is_some_and(ended) {
        return Err(DoorError::Ended(certificate.to_owned()));
    }
    let both = CertifiedKey::from_der(chain, private, &provider()).map_err(|source| DoorError::Mismatch {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })?;
    Ok(Held { key: Arc::new(both), changed })
}
