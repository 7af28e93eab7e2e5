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
    /// One of those that everybody tries first.
    #[error("this password is one of those that everybody tries first")]
    Common,
    /// The log-in name, or made of it.
    #[error("a password must not hold the log-in name")]
    Name,
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

/// Whether a password may be chosen by this user: long enough, not their name, not what everybody tries first.
pub fn choose(password: &str, user: &str) -> Result<(), PasswordError> {
    check(password)?;
    let plain: String = password.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if user.chars().count() >= NAME_CHARS_MIN && plain.contains(&user.to_lowercase()) {
        return Err(PasswordError::Name);
    }
    let first = plain.chars().next();
    let same = plain.chars().all(|c| Some(c) == first);
    let common = COMMON.iter().any(|word| {
        // The word itself, twice, or with a few digits behind it.
        let rest = plain.strip_prefix(word).unwrap_or(&plain);
        rest.len() < plain.len() && (rest == *word || rest.chars().all(|c| c.is_ascii_digit() || c == '!'))
    });
    if same || common { Err(PasswordError::Common) } else { Ok(()) }
}

/// Log-in names shorter than this may stand in a password by chance.
const NAME_CHARS_MIN: usize = 3;

/// What everybody tries first, in lower case; ten characters and more are made of them with digits behind.
const COMMON: [&str; 40] = [
    "1234567890",
    "0123456789",
    "9876543210",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "abc123",
    "abcdef",
    "abcdefgh",
    "abcd1234",
    "a123456",
    "aa123456",
    "123456",
    "12345678",
    "123123",
    "111111",
    "000000",
    "888888",
    "666666",
    "5201314",
    "woaini",
    "woaini1314",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "admin",
    "administrator",
    "administrator1",
    "root",
    "welcome",
    "letmein",
    "changeme",
    "iloveyou",
    "wuji",
    "zhongguo",
];

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
    async fn a_password_of_more_than_256_bytes_is_neither_chosen_nor_hashed() {
        let (longest, longer) = ("x".repeat(BYTES_MAX), "x".repeat(BYTES_MAX + 1));
        assert_eq!((check(&longest).is_ok(), check(&longer).is_ok()), (true, false));
        let phc = hash(longest.clone()).await.unwrap();
        assert!(verify(longest, Some(phc.clone())).await);
        assert!(!verify(longer, Some(phc)).await);
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let phc = hash("correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"));
        assert!(verify("correct horse".into(), Some(phc.clone())).await);
        assert!(!verify("wrong horse".into(), Some(phc)).await);
    }

    #[test]
    fn what_everybody_tries_first_may_not_be_chosen() {
        for bad in
            ["1234567890", "Password123", "admin123456", "aaaaaaaaaaaa", "qwertyqwerty", "P@ssw0rd2026", "Wuji2026!!"]
        {
            assert_eq!(choose(bad, "clerk"), Err(PasswordError::Common), "{bad}");
        }
        assert_eq!(choose("my Clerk 2026", "clerk"), Err(PasswordError::Name));
        assert_eq!(choose("short", "clerk"), Err(PasswordError::Length));
        for good in ["correct horse battery", "越城区的桥很多而且很老", "admin of the lake"] {
            assert_eq!(choose(good, "clerk"), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn nobody_logs_in_with_nobodys_password() {
        assert!(!verify("nobody has this password".into(), None).await);
        assert_eq!(hash("short".into()).await, Err(PasswordError::Length));
    }

    #[test]
    fn a_name_of_two_characters_may_stand_in_a_password_and_one_of_three_not() {
        assert_eq!(choose("orange li lantern", "li"), Ok(()));
        assert_eq!(choose("orange lan tern", "lan"), Err(PasswordError::Name));
    }
}
