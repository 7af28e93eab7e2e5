//! Who can open an archive: nobody but whoever has a passphrase, or the private key of a recipient.
//!
//! An archive has a random key of its own. That key stands in the archive's head, locked by Argon2id of the passphrase or
//! sealed (HPKE) to the recipient.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use federation::trust::files::{read_private, write_private};
use federation::trust::seal;
use protocol::bounded::Blob;
use protocol::directory::SealingKey;
use protocol::sealed::Sealed;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::random_bytes;

/// Shortest passphrase, in characters: it may be tried offline by whoever gets hold of the file.
pub const PASSPHRASE_CHARS_MIN: usize = 16;
/// Memory of one try at a passphrase, KiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over it.
const PASSES: u32 = 3;
/// Bounds for what an archive may ask of this machine: its head is not proven before the passphrase was tried.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const AAD: &[u8] = b"wuji backup key 1";
const PUBLIC_PREFIX: &str = "wuji-recipient-1-";

/// The key of one archive.
pub type ArchiveKey = Zeroizing<[u8; 32]>;

/// How an archive is locked, as its head says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum Lock {
    /// Not at all.
    Open,
    /// By a passphrase.
    Passphrase {
        /// Salt, in hexadecimal.
        salt: String,
        /// Memory, KiB.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// The archive's key, locked, in hexadecimal.
        key: String,
    },
    /// To a recipient's public key.
    Recipient {
        /// The public key, in hexadecimal.
        to: String,
        /// HPKE's encapsulated key, in hexadecimal.
        encapsulated: String,
        /// The archive's key, sealed, in hexadecimal.
        key: String,
    },
}

/// By what an archive shall be locked.
#[derive(Debug, Clone)]
pub enum LockWith {
    /// Not at all: no keys may be in it.
    Nothing,
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// A recipient.
    Recipient(SealingKey),
}

/// With what a locked archive is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenWith {
    /// The passphrase.
    pub passphrase: Option<Zeroizing<String>>,
    /// The recipient's private key.
    pub identity: Option<Zeroizing<[u8; 32]>>,
}

/// Bytes as hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect())
}

fn array<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    let bytes = from_hex(text).and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
    bytes.with_context(|| format!("{N} bytes in hexadecimal were expected"))
}

fn cipher(key: &[u8; 32]) -> anyhow::Result<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| anyhow::anyhow!("a key cannot be used"))?;
    Ok(LessSafeKey::new(key))
}

/// The key that a passphrase gives. It is made from a fresh salt for one use, so its only nonce is zero.
fn stretched(passphrase: &str, salt: &[u8], memory_kib: u32, passes: u32) -> anyhow::Result<LessSafeKey> {
    ensure!(
        memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX,
        "the archive asks for more work than any that this program made: it is damaged or hostile"
    );
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|e| anyhow::anyhow!("passphrase: {e}"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|e| anyhow::anyhow!("passphrase: {e}"))?;
    cipher(&key)
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// Makes an archive's key and locks it.
pub fn lock(with: &LockWith) -> anyhow::Result<(Lock, Option<ArchiveKey>)> {
    let key = Zeroizing::new(random_bytes::<32>());
    let lock = match with {
        LockWith::Nothing => return Ok((Lock::Open, None)),
        LockWith::Passphrase(passphrase) => {
            let salt = random_bytes::<16>();
            let mut locked = key.to_vec();
            stretched(passphrase, &salt, MEMORY_KIB, PASSES)?
                .seal_in_place_append_tag(zero_nonce(), Aad::from(AAD), &mut locked)
                .map_err(|_| anyhow::anyhow!("the archive's key cannot be locked"))?;
            Lock::Passphrase { salt: to_hex(&salt), memory_kib: MEMORY_KIB, passes: PASSES, key: to_hex(&locked) }
        }
        LockWith::Recipient(to) => {
            let sealed = seal::seal(*to, AAD, &*key).context("the recipient's key cannot be used")?;
            Lock::Recipient {
                to: to_hex(&to.0),
                encapsulated: to_hex(&sealed.encapsulated),
                key: to_hex(&sealed.ciphertext),
            }
        }
    };
    Ok((lock, Some(key)))
}

/// Opens an archive's key.
pub fn open(lock: &Lock, with: &OpenWith) -> anyhow::Result<Option<ArchiveKey>> {
    let plain = match lock {
        Lock::Open => return Ok(None),
        Lock::Passphrase { salt, memory_kib, passes, key } => {
            let Some(passphrase) = &with.passphrase else {
                bail!("the archive is locked by a passphrase: give it with --passphrase-file");
            };
            let mut locked = from_hex(key).context("the archive's head is damaged")?;
            let salt = from_hex(salt).context("the archive's head is damaged")?;
            stretched(passphrase, &salt, *memory_kib, *passes)?
                .open_in_place(zero_nonce(), Aad::from(AAD), &mut locked)
                .map(|plain| Zeroizing::new(plain.to_vec()))
                .map_err(|_| anyhow::anyhow!("this is not the passphrase of the archive, or its head is damaged"))?
        }
        Lock::Recipient { to, encapsulated, key } => {
            let Some(identity) = &with.identity else {
                bail!(
                    "the archive is sealed to the recipient {PUBLIC_PREFIX}{to}: give its private key with --identity"
                );
            };
            let ciphertext = from_hex(key).and_then(|bytes| Blob::new(bytes).ok());
            let ciphertext = ciphertext.context("the archive's head is damaged")?;
            let sealed = Sealed { suite: 1, encapsulated: array(encapsulated)?, ciphertext };
            Zeroizing::new(seal::open_with(identity, AAD, &sealed).with_context(|| {
                format!("this private key does not open it: the archive is sealed to {PUBLIC_PREFIX}{to}")
            })?)
        }
    };
    let key = <[u8; 32]>::try_from(plain.as_slice()).ok().context("the archive's head is damaged")?;
    Ok(Some(Zeroizing::new(key)))
}

/// Reads a passphrase: the first line of a file, `-` for standard input.
pub fn read_passphrase(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line).context("the passphrase cannot be read")?;
    } else {
        let file = std::fs::File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
        std::io::BufReader::new(file).read_line(&mut line).context("the passphrase cannot be read")?;
    }
    let passphrase = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(
        passphrase.chars().count() >= PASSPHRASE_CHARS_MIN,
        "a passphrase has at least {PASSPHRASE_CHARS_MIN} characters: whoever holds the file can try as often as he likes"
    );
    Ok(passphrase)
}

/// Reads a recipient's public key.
pub fn recipient(text: &str) -> anyhow::Result<SealingKey> {
    let digits = text.trim().strip_prefix(PUBLIC_PREFIX);
    let digits = digits.with_context(|| format!("a recipient begins with {PUBLIC_PREFIX}"))?;
    Ok(SealingKey(array(digits)?))
}

/// Makes a recipient: its private key goes into a file that only its owner can read; the public one is given back.
pub fn new_recipient(file: &Path) -> anyhow::Result<String> {
    let (dir, name) = parts(file)?;
    ensure!(!file.exists(), "{} is there already; nothing was changed", file.display());
    let (private, public) = seal::key_pair()?;
    write_private(dir, name, to_hex(&*private).as_bytes())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(format!("{PUBLIC_PREFIX}{}", to_hex(&public.0)))
}

/// Reads a recipient's private key.
pub fn identity(file: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let (dir, name) = parts(file)?;
    let bytes = read_private(dir, name).with_context(|| format!("{} cannot be read", file.display()))?;
    let text = std::str::from_utf8(&bytes).context("the file holds no private key")?;
    Ok(Zeroizing::new(array(text.trim()).context("the file holds no private key")?))
}

fn parts(file: &Path) -> anyhow::Result<(&Path, &str)> {
    let name = file.file_name().and_then(|name| name.to_str()).context("a file with a plain name is needed")?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((dir, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_asks_for_more_work_than_any_is_refused_before_the_work_is_done() {
        for (memory_kib, passes) in [(MEMORY_KIB_MAX + 1, 1), (64, PASSES_MAX + 1), (u32::MAX, u32::MAX)] {
            let why = stretched("a passphrase of mine", &[7; 16], memory_kib, passes).expect_err("refused").to_string();
            assert!(why.contains("damaged or hostile"), "{why}");
        }
        assert!(stretched("a passphrase of mine", &[7; 16], 64, 1).is_ok());
    }

    #[test]
    fn a_passphrase_has_sixteen_characters_at_least() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("passphrase");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("written");
            read_passphrase(&file).map(|read| read.len())
        };
        assert_eq!(read("0123456789abcdef\nthe second line").expect("long enough"), 16);
        assert!(read("0123456789abcde\n").is_err());
    }
}
