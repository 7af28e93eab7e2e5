//! Sealing private parts to one node (HPKE, RFC 9180, base mode). The origin is proven by the bundle's signature around it.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use protocol::bounded::Blob;
use protocol::directory::SealingKey;
use protocol::sealed::Sealed;

use zeroize::Zeroizing;

use super::keys::NodeKeys;
use super::{NoRandomness, random};

const SUITE: u8 = 1;
const INFO: &[u8] = b"wuji sealed 1";

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is no X25519 key, or gives no secret.
    #[error("the recipient's sealing key is unusable")]
    Key,
    /// More than a sealed message carries.
    #[error("too large to seal")]
    TooLarge,
    /// A suite of another version.
    #[error("unknown suite {0}")]
    Suite(u8),
    /// Sealed to somebody else, with other associated data, or altered.
    #[error("cannot be opened with this key")]
    Closed,
}

/// Seals `plain` to a node. `aad` is what must stay beside it unchanged.
pub fn seal(to: SealingKey, aad: &[u8], plain: &[u8]) -> Result<Sealed, SealError> {
    let to = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&to.0).map_err(|_| SealError::Key)?;
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &to, INFO, plain, aad)
            .map_err(|_| SealError::Key)?;
    let ciphertext = Blob::new(ciphertext).map_err(|_| SealError::TooLarge)?;
    Ok(Sealed { suite: SUITE, encapsulated: encapsulated.to_bytes().into(), ciphertext })
}

/// Opens what was sealed to this node.
pub fn open(keys: &NodeKeys, aad: &[u8], sealed: &Sealed) -> Result<Vec<u8>, SealError> {
    open_with(keys.sealing_private(), aad, sealed)
}

/// A key pair, private and public, for what is sealed to an office instead of a node: backups are.
pub fn key_pair() -> Result<(Zeroizing<[u8; 32]>, SealingKey), NoRandomness> {
    let seed = Zeroizing::new(random::<32>()?);
    let (private, public) = X25519HkdfSha256::derive_keypair(&*seed);
    Ok((Zeroizing::new(private.to_bytes().into()), SealingKey(public.to_bytes().into())))
}

/// Opens what was sealed to the public half of a private key.
pub fn open_with(private: &[u8; 32], aad: &[u8], sealed: &Sealed) -> Result<Vec<u8>, SealError> {
    if sealed.suite != SUITE {
        return Err(SealError::Suite(sealed.suite));
    }
    let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(private).map_err(|_| SealError::Key)?;
    let encapsulated =
        <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| SealError::Closed)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        INFO,
        &sealed.ciphertext,
        aad,
    )
    .map_err(|_| SealError::Closed)
}
