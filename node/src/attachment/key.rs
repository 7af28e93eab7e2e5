//! The key of one attachment. It encrypts the parts of that one alone and lies in its row, sealed with the vault: whoever erases the
//! row leaves parts that nobody can read, and a new key of the vault seals these rows anew and no part.

use protocol::attachment::Attachment;
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::clock::random_bytes;
use crate::person::vault::VaultError;

const KEY_BYTES: usize = 32;

/// The key of one attachment, and what that is.
#[derive(Clone)]
pub struct Secret {
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// What it is.
    pub attachment: Attachment,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("attachment", &self.attachment.id).finish_non_exhaustive()
    }
}

impl Secret {
    /// With a key of its own.
    pub fn fresh(attachment: Attachment) -> Self {
        Self { key: Zeroizing::new(random_bytes()), attachment }
    }

    /// As the vault seals it.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let facts = codec::encode_unbounded(&self.attachment);
        Zeroizing::new([self.key.as_slice(), &facts].concat())
    }

    /// The same out of what the vault opened.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, facts) = bytes.split_first_chunk::<KEY_BYTES>()?;
        let attachment = codec::decode(facts, BODY_BYTES_MAX).ok()?;
        Some(Self { key: Zeroizing::new(*key), attachment })
    }

    fn aead(&self) -> Result<LessSafeKey, VaultError> {
        let unbound = UnboundKey::new(&aead::CHACHA20_POLY1305, self.key.as_slice());
        unbound.map(LessSafeKey::new).map_err(|_| VaultError::Failed)
    }

    /// Encrypts a part.
    pub fn seal(&self, number: u16, mut part: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; aead::NONCE_LEN] = random_bytes();
        let place = Aad::from(number.to_be_bytes());
        let aead = self.aead()?;
        aead.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut part)
            .map_err(|_| VaultError::Failed)?;
        Ok([nonce.as_slice(), &part].concat())
    }

    /// Decrypts a part.
    pub fn open(&self, number: u16, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, body) = sealed.split_first_chunk::<{ aead::NONCE_LEN }>().ok_or(VaultError::Format)?;
        let mut body = body.to_vec();
        let place = Aad::from(number.to_be_bytes());
        let plain = self
            .aead()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut body)
            .map_err(|_| VaultError::Altered)?
            .len();
        body.truncate(plain);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use protocol::attachment::{Media, Sha256};
    use protocol::bounded::Text;
    use protocol::id::AttachmentId;

    use super::*;

    fn secret() -> Secret {
        let id = AttachmentId::from_bytes([1; 16]);
        let (name, caption) = (Text::cut("照片.jpg"), Text::cut("门口"));
        Secret::fresh(Attachment { id, sha256: Sha256([2; 32]), bytes: 5, media: Media(1), name, caption })
    }

    #[test]
    fn a_part_opens_as_itself_with_its_own_key_only() {
        let (one, other) = (secret(), secret());
        let sealed = one.seal(3, b"bytes".to_vec()).unwrap();
        assert_eq!(one.open(3, &sealed).unwrap(), b"bytes");
        assert_eq!(one.open(2, &sealed), Err(VaultError::Altered), "as another part");
        assert_eq!(other.open(3, &sealed), Err(VaultError::Altered), "with the key of another attachment");
        assert_eq!(one.open(3, b"short"), Err(VaultError::Format));
    }

    #[test]
    fn a_secret_is_read_back_and_cut_short_it_is_none() {
        let secret = secret();
        let bytes = secret.to_bytes();
        let read = Secret::from_bytes(&bytes).unwrap();
        assert_eq!((read.attachment, *read.key), (secret.attachment.clone(), *secret.key));
        assert!((0..bytes.len()).all(|end| Secret::from_bytes(&bytes[..end]).is_none()));
    }
}
