//! Test aid: what leaves this node, in plain text.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// An open capture file.
#[derive(Debug)]
pub(in crate::driver) struct Capture(Mutex<File>);

impl Capture {
    /// Opens the file for appending.
    pub(in crate::driver) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self(Mutex::new(file)))
    }

    /// Appends one batch of frames.
    pub(in crate::driver) fn write(&self, frames: &[Bytes]) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = frames.iter().try_for_each(|part| file.write_all(part)) {
            tracing::warn!(%error, "capture file");
        }
    }
}
