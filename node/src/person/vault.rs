//! The vault: what is private is encrypted with keys that stand in a file beside the database, never in it. Whoever has
//! a copy of the database alone, or of a backup of it, reads no name.
//!
//! Sealed bytes are `format · key id · nonce · ChaCha20-Poly1305(content)`. What a row is (its node, case and event) is
//! authenticated with it, so that a row that was copied elsewhere does not open. Numbers are found by a keyed hash.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use federation::trust::files::{read_private, write_private};
use protocol::chain::Hash;
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::clock::random_bytes;
use crate::finding::SearchKey;

/// The file with the keys, in the folder of keys.
pub const FILE_NAME: &str = "persons.key";
/// Keys that one file may hold: one a rotation, old ones go when nothing is sealed with them.
const KEYS_MAX: usize = 200;
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 2 + aead::NONCE_LEN;
const INDEX_CONTEXT: &str = "wuji 2026 persons index";
const SEARCH_CONTEXT: &str = "wuji 2026 cases search";
const CHECK_CONTEXT: &str = "wuji 2026 persons check";

/// What is wrong with sealed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes were not sealed by this program.
    #[error("not sealed bytes")]
    Format,
    /// The key is not in the key file.
    #[error("sealed with key {0}, which the key file does not hold")]
    KeyMissing(u8),
    /// The bytes were altered, or belong to another row.
    #[error("altered, or of another row")]
    Altered,
    /// The bytes could not be sealed.
    #[error("cannot be sealed")]
    Failed,
}

struct Key {
    id: u8,
    secret: [u8; 32],
    aead: LessSafeKey,
}

impl Key {
    fn new(id: u8, secret: [u8; 32]) -> anyhow::Result<Self> {
        let unbound = UnboundKey::new(&aead::CHACHA20_POLY1305, &secret)
            .map_err(|_| anyhow::anyhow!("a key of the vault cannot be used"))?;
        Ok(Self { id, secret, aead: LessSafeKey::new(unbound) })
    }
}

/// The keys of one node.
pub struct Vault {
    /// The oldest first; the last one seals.
    keys: Vec<Key>,
    index: [u8; 32],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Makes the key file of a new node; an existing one stays.
    pub fn create(folder: &Path) -> anyhow::Result<()> {
        if Self::file(folder).exists() {
            return Ok(());
        }
        save(folder, &[(1, random_bytes())], &random_bytes())
    }

    /// Reads the key file.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = Self::file(folder);
        let bytes = read_private(folder, FILE_NAME).with_context(|| {
            format!(
                "{} cannot be read. Without it no name in the database can be shown; nothing is lost as long as you bring \
                 it back from where you keep the keys of this node",
                path.display()
            )
        })?;
        let text = std::str::from_utf8(&bytes).context("the key file is damaged")?;
        Self::parse(text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// A vault with keys of its own, for tests and tools that keep nothing.
    pub fn fresh() -> anyhow::Result<Self> {
        Ok(Self { keys: vec![Key::new(1, random_bytes())?], index: random_bytes() })
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let (mut keys, mut index) = (Vec::new(), None);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) = line.split_once('=').context("a line without =")?;
            let secret = value.trim().parse::<Hash>().context("a key is 64 hexadecimal digits")?.0;
            match name.trim() {
                "index" => index = Some(secret),
                id => keys.push(Key::new(id.parse().context("a key is named by a number from 1 to 255")?, secret)?),
            }
        }
        if keys.is_empty() || keys.len() > KEYS_MAX {
            bail!("the key file holds {} keys", keys.len());
        }
        keys.sort_by_key(|key| key.id);
        if keys.windows(2).any(|pair| matches!(pair, [a, b] if a.id == b.id)) {
            bail!("two keys have one number");
        }
        Ok(Self { keys, index: index.context("the index key is missing")? })
    }

    /// Adds a key that seals from now on. Old ones stay to open what they sealed.
    pub fn rotate(&mut self, folder: &Path) -> anyhow::Result<u8> {
        let id = self.current().checked_add(1).context("the key file is full")?;
        self.keys.push(Key::new(id, random_bytes())?);
        self.save(folder)?;
        Ok(id)
    }

    /// Drops every key but the one that seals: nothing may be sealed with another any more.
    pub fn retire(&mut self, folder: &Path) -> anyhow::Result<()> {
        let current = self.current();
        self.keys.retain(|key| key.id == current);
        self.save(folder)
    }

    fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let keys: Vec<_> = self.keys.iter().map(|key| (key.id, key.secret)).collect();
        save(folder, &keys, &self.index)
    }

    /// Keys in the file: more than one while what an old one sealed is being sealed anew.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The key that seals.
    pub fn current(&self) -> u8 {
        self.keys.last().map_or(0, |key| key.id)
    }

    /// The key that some sealed bytes need.
    pub fn key_of(sealed: &[u8]) -> Option<u8> {
        match sealed {
            [FORMAT, id, ..] => Some(*id),
            _ => None,
        }
    }

    /// Seals bytes for the row that `place` names.
    pub fn seal(&self, place: &[u8], content: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.last().ok_or(VaultError::Failed)?;
        let nonce: [u8; aead::NONCE_LEN] = random_bytes();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len() + aead::MAX_TAG_LEN);
        bytes.extend_from_slice(&[FORMAT, key.id]);
        bytes.extend_from_slice(&nonce);
        let mut body = content.to_vec();
        key.aead
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body)
            .map_err(|_| VaultError::Failed)?;
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Opens what was sealed for that row.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or(VaultError::Format)?;
        let id = Self::key_of(head).ok_or(VaultError::Format)?;
        let nonce = head.get(2..).and_then(|n| n.try_into().ok()).ok_or(VaultError::Format)?;
        let key = self.keys.iter().find(|key| key.id == id).ok_or(VaultError::KeyMissing(id))?;
        let mut body = body.to_vec();
        let plain = key
            .aead
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body)
            .map_err(|_| VaultError::Altered)?;
        Ok(plain.to_vec())
    }

    /// The hash by which a phone's or a document's number is found. Blanks and hyphens do not matter; a number of fewer
    /// than six characters is nobody's.
    pub fn number_hash(&self, number: &str) -> Option<[u8; 32]> {
        let plain: String = number.chars().filter_map(digit).collect();
        let key = blake3::derive_key(INDEX_CONTEXT, &self.index);
        (plain.len() >= NUMBER_CHARS_MIN).then(|| *blake3::keyed_hash(&key, plain.as_bytes()).as_bytes())
    }

    /// The key under which words of cases are found. It stays when the keys that seal change.
    pub fn search_key(&self) -> SearchKey {
        SearchKey(blake3::derive_key(SEARCH_CONTEXT, &self.index))
    }

    /// What stands in the database to tell that this key file belongs to it.
    pub fn check(&self) -> String {
        blake3::Hash::from_bytes(blake3::derive_key(CHECK_CONTEXT, &self.index)).to_hex().to_string()
    }
}

/// Shortest number that is looked for.
const NUMBER_CHARS_MIN: usize = 6;

/// A digit in its plain form; what people put between digits is none.
fn digit(c: char) -> Option<char> {
    match c {
        '\u{FF10}'..='\u{FF19}' => char::from_u32(u32::from(c) - 0xFF10 + u32::from('0')),
        c if c.is_ascii_alphanumeric() => Some(c.to_ascii_uppercase()),
        _ => None,
    }
}

fn save(folder: &Path, keys: &[(u8, [u8; 32])], index: &[u8; 32]) -> anyhow::Result<()> {
    let mut text =
        String::from("# Keys for what is private in this node's database. Keep a copy apart from its backups.\n");
    text.push_str(&format!("index = {}\n", Hash(*index)));
    for (id, secret) in keys {
        text.push_str(&format!("{id} = {}\n", Hash(*secret)));
    }
    write_private(folder, FILE_NAME, text.as_bytes())
        .with_context(|| format!("{} cannot be written", folder.join(FILE_NAME).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_in_their_own_row_only() {
        let vault = Vault::fresh().unwrap();
        let sealed = vault.seal(b"row 1", "张三".as_bytes()).unwrap();
        assert_eq!(vault.open(b"row 1", &sealed).unwrap(), "张三".as_bytes());
        assert_eq!(vault.open(b"row 2", &sealed), Err(VaultError::Altered));
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert!(vault.open(b"row 1", &altered).is_err(), "byte {place}");
        }
        assert_ne!(sealed, vault.seal(b"row 1", "张三".as_bytes()).unwrap(), "equal content does not look equal");
        assert!(!sealed.windows(3).any(|w| w == "张".as_bytes()));
        assert_eq!(Vault::fresh().unwrap().open(b"row 1", &sealed), Err(VaultError::Altered));
    }

    #[test]
    fn a_key_file_holds_two_hundred_keys_at_most_and_one_at_least() {
        let file = |keys: usize| {
            let secret = "0".repeat(64);
            let lines: String = (1..=keys).map(|id| format!("{id} = {secret}\n")).collect();
            Vault::parse(&format!("index = {secret}\n{lines}")).is_ok()
        };
        assert_eq!([0, 1, KEYS_MAX, KEYS_MAX + 1].map(file), [false, true, true, false]);
    }

    #[test]
    fn a_number_of_fewer_than_six_characters_is_not_searched_for() {
        let vault = Vault::fresh().unwrap();
        assert!(vault.number_hash("12-34 5").is_none());
        assert_eq!(vault.number_hash("12-34 56"), vault.number_hash("123456"));
        assert!(vault.number_hash("123456").is_some());
    }

    #[test]
    fn a_rotated_key_seals_and_the_old_one_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        Vault::create(folder.path()).unwrap();
        let mut vault = Vault::load(folder.path()).unwrap();
        let old = vault.seal(b"r", b"x").unwrap();
        assert_eq!(vault.rotate(folder.path()).unwrap(), 2);
        let again = Vault::load(folder.path()).unwrap();
        assert_eq!(again.open(b"r", &old).unwrap(), b"x");
        let new = again.seal(b"r", b"y").unwrap();
        assert_eq!((Vault::key_of(&old), Vault::key_of(&new)), (Some(1), Some(2)));
        let mut again = again;
        again.retire(folder.path()).unwrap();
        let last = Vault::load(folder.path()).unwrap();
        assert_eq!(last.open(b"r", &old), Err(VaultError::KeyMissing(1)));
        assert_eq!(last.open(b"r", &new).unwrap(), b"y");
        assert_eq!(last.check(), vault.check(), "it is the same node's file still");
    }

    #[test]
    fn making_it_again_leaves_the_keys() {
        let folder = tempfile::tempdir().unwrap();
        Vault::create(folder.path()).unwrap();
        let first = Vault::load(folder.path()).unwrap().check();
        Vault::create(folder.path()).unwrap();
        assert_eq!(Vault::load(folder.path()).unwrap().check(), first);
    }

    #[test]
    fn a_number_is_found_however_it_was_typed() {
        let vault = Vault::fresh().unwrap();
        let hash = vault.number_hash("13812341234");
        assert!(hash.is_some());
        for typed in ["138-1234-1234", " 138 1234 1234", "１３８１２３４１２３４"] {
            assert_eq!(vault.number_hash(typed), hash, "{typed}");
        }
        assert_ne!(vault.number_hash("13812341235"), hash);
        assert_ne!(Vault::fresh().unwrap().number_hash("13812341234"), hash, "another node finds another hash");
        assert_eq!(vault.number_hash("12345"), None);
    }
}
