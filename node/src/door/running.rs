//! Where a running process can be reached: written into its folder while it runs, because a configuration may say port 0
//! or be changed under a process that still runs with the old one.

use std::path::{Path, PathBuf};

use federation::trust::files::{read_private, write_private};
use serde::{Deserialize, Serialize};

use super::tls::Certificates;

const FILE_NAME: &str = "running.json";

/// What a running process says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningFile {
    /// The process.
    pub pid: u32,
    /// Address of API and page, as reached from this machine.
    pub http: String,
    /// UDP address of the link.
    pub link: String,
    /// SHA-256 of the certificate that is shown; none: no HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// SHA-256 of the door's own authority, for people to compare before they trust it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_sha256: Option<String>,
}

/// The file is taken away when this is dropped.
#[derive(Debug)]
pub struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        // A file that stays behind names a process that is gone; whoever reads it finds nobody at home.
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(%error, "the file that says where the process runs was gone");
        }
    }
}

impl RunningFile {
    /// The address under which this machine reaches a listener.
    pub fn address(listener: std::net::SocketAddr, https: bool) -> String {
        let mut at = listener;
        if at.ip().is_unspecified() {
            at.set_ip(match at {
                std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{}://{at}", if https { "https" } else { "http" })
    }

    /// Writes it into a folder, for as long as the answer lives. A full disk is no reason not to run: what is there can be
    /// read, and commands look for the process where the configuration says.
    pub fn write(&self, folder: &Path) -> std::io::Result<Written> {
        match write_private(folder, FILE_NAME, &serde_json::to_vec_pretty(self)?) {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                tracing::warn!(%error, "the file that says where the process runs was not written");
            }
            done => done?,
        }
        Ok(Written(folder.join(FILE_NAME)))
    }

    /// Notes that the process of a folder shows another certificate.
    pub fn shows(folder: &Path, certificates: &Certificates) -> std::io::Result<()> {
        let Some(mut file) = Self::read(folder) else { return Ok(()) };
        file.certificate_sha256 = Some(certificates.fingerprint());
        write_private(folder, FILE_NAME, &serde_json::to_vec_pretty(&file)?)
    }

    /// What the process of a node said last: its own, or that of the pack which the node's folder lies in.
    pub fn of_node(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        let pack = || folder.ancestors().skip(1).take(2).find(|above| above.join(crate::pack::FILE_NAME).is_file());
        Self::read(&folder).or_else(|| Self::read(pack()?))
    }

    /// What the process of a folder said last; none when none runs.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&read_private(folder, FILE_NAME).ok()?).ok()
    }
}
