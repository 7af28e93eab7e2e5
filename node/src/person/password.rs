//! Passwords: Argon2id in PHC form, worked off the async threads and only a few at a time.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Shortest password that is taken, in characters (NIST SP 800-63B-4 asks for 8 where a second factor follows).
pub const CHARACTERS_MIN: usize = 10;
/// Longest password that is looked at, in bytes: hashing megabytes would be a way to keep the node busy.
pub const BYTES_MAX: usize = 256;
/// Hashes that are worked at once: each takes 19 MiB and a core.
const AT_ONCE_MAX: usize = 2;

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has at least {CHARACTERS_MIN} characters and at most {BYTES_MAX} bytes")]
    Length,
    /// The hash could not be worked out.
    #[error("the password could not be hashed")]
    Failed,
}

/// A hash that belongs to nobody: an unknown name costs the same work as a known one.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password").ok());

/// Turns at hashing.
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// Hashes a new password.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    check(&password)?;
    let _turn = TURNS.acquire().await.map_err(|_| PasswordError::Failed)?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await.map_err(|_| PasswordError::Failed)?
}

/// Whether a password fits a hash. Without a hash the same work is done, and the answer is no.
pub async fn verify(password: String, phc: Option<String>) -> bool {
    if password.len() > BYTES_MAX {
        return false;
    }
    let Ok(_turn) = TURNS.acquire().await else { return false };
    tokio::task::spawn_blocking(move || verify_now(&password, phc)).await.unwrap_or(false)
}

/// Whether a new password is long enough and not too long.
pub fn check(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < CHARACTERS_MIN || password.len() > BYTES_MAX {
        return Err(PasswordError::Length);
    }
    Ok(())
}

fn hash_now(password: &str) -> Result<String, PasswordError> {
    check(password)?;
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordError::Failed)?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, phc: Option<String>) -> bool {
    let known = phc.is_some();
    let Some(text) = phc.or_else(|| NOBODY.clone()) else { return false };
    let Ok(hash) = PasswordHash::new(&text) else { return false };
    let fits = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    fits && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let phc = hash("correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"));
        assert!(verify("correct horse".into(), Some(phc.clone())).await);
        assert!(!verify("wrong horse".into(), Some(phc)).await);
    }

    #[tokio::test]
    async fn nobody_logs_in_with_nobodys_password() {
        assert!(!verify("nobody has this password".into(), None).await);
        assert_eq!(hash("short".into()).await, Err(PasswordError::Length));
    }
}
