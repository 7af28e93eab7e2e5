//! The front door of a process: one TCP listener for API and page of all its nodes.
//!
//! It speaks HTTPS with the operator's certificate or with one of its own, or plain HTTP to a proxy that it is told about,
//! or plain HTTP on loopback. `/<division>/` leads to a node; a node that is alone is at `/` too.

mod bind;
mod client;
mod conduct;
mod front;
mod own;
mod running;
mod serve;
mod tls;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::config::{Door, HttpSection};

pub use bind::{NotBound, bind};
pub use client::pinned;
pub use conduct::{Base, Client};
pub use front::Front;
pub use running::RunningFile;
pub use serve::{CONNECTIONS_MAX, serve};
pub use tls::{Certificates, DoorError};

/// Where the files of the door's own are, in the folder of its process.
pub const OWN_FOLDER: &str = "door";

/// A door that is open, before anybody is let through.
#[derive(Debug)]
pub struct Opened {
    /// The listener.
    pub listener: TcpListener,
    /// The certificate, where the door itself speaks HTTPS.
    pub certificates: Option<Arc<Certificates>>,
    /// What the settings came to.
    pub door: Door,
}

/// Opens the door of a process: settings, certificate, listener. Files of the door's own are kept in `folder`.
pub async fn open(http: &HttpSection, folder: &Path) -> anyhow::Result<Opened> {
    let door = http.door(folder)?;
    let certificates = Certificates::of(&door, folder)?.map(Arc::new);
    Ok(Opened { listener: bind(http.listen).await?, certificates, door })
}

impl Opened {
    /// What is written into the folder while the process runs.
    pub fn running(&self, link: SocketAddr) -> anyhow::Result<RunningFile> {
        Ok(RunningFile {
            pid: std::process::id(),
            http: RunningFile::address(self.listener.local_addr()?, self.certificates.is_some()),
            link: link.to_string(),
            certificate_sha256: self.certificates.as_ref().map(|c| c.fingerprint()),
            authority_sha256: self.certificates.as_ref().and_then(|c| c.authority().map(str::to_owned)),
        })
    }
}
