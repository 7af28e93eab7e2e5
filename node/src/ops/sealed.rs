//! Whether the key file beside a database opens what is sealed in it: without the right one a node has no names, and does
//! not start.

use std::path::PathBuf;

use crate::folder::Folder;
use crate::node::VAULT_META;
use crate::person::vault::{self, Vault};
use crate::store::{Store, StoreError};

/// A key file that is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// Nothing was sealed yet: the file is made at the first start.
    NotYetMade,
    /// It opens what is stored.
    Opens,
}

/// Why what is sealed in a database does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The file is gone, damaged, or open to others.
    #[error("{0}")]
    Unreadable(String),
    /// It is the file of another database.
    #[error("{} is the key file of another database than this one", .0.display())]
    Foreign(PathBuf),
    /// It lacks a key, or one was altered.
    #[error("{} does not open what is stored: {why}", .file.display())]
    Closed {
        /// The file.
        file: PathBuf,
        /// What the vault says.
        why: StoreError,
    },
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries the key file of a folder on the rows of its node: one private part for each key that any is sealed with.
pub async fn fits(folder: &Folder, store: Store) -> Result<Fits, SealedError> {
    let file = folder.keys().join(vault::FILE_NAME);
    let written = store.meta(VAULT_META).await?;
    if written.is_none() && !file.exists() {
        return Ok(Fits::NotYetMade);
    }
    let vault = Vault::load(&folder.keys()).map_err(|why| SealedError::Unreadable(format!("{why:#}")))?;
    if written.is_some_and(|check| check != vault.check()) {
        return Err(SealedError::Foreign(file));
    }
    match store.with_vault(vault.into()).try_vault().await {
        Ok(()) => Ok(Fits::Opens),
        Err(why @ StoreError::Vault(_)) => Err(SealedError::Closed { file, why }),
        Err(other) => Err(other.into()),
    }
}
