//! Join tokens: given by a parent to whoever sets up a node below it. A token pins the root and holds a secret that never
//! travels; it is worth one enrolment. That it is used once is the node's matter, in the transaction that vouches.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use protocol::bounded::Text;
use protocol::division::DivisionCode;
use protocol::id::{NodeId, TokenId};
use protocol::time::UnixMillis;
use protocol::wire::codec;

use super::{NoRandomness, random};

/// The longest life of a token.
pub const TOKEN_LIFE_MAX_MS: i64 = 24 * 60 * 60 * 1000;
const PREFIX: &str = "wuji1.";
const TOKEN_BYTES_MAX: usize = 1024;
const CHECK_BYTES: usize = 4;

/// A join token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The node that will be above.
    pub parent: NodeId,
    /// Where the new node will hang.
    pub division: DivisionCode,
    /// Where the parent listens: `host:port`.
    pub address: String,
    /// SHA-256 of the root's public key (SPKI).
    pub root: [u8; 32],
    /// Names the token.
    pub id: TokenId,
    /// The secret. Never travels.
    pub secret: [u8; 32],
    /// When it ends.
    pub expires: UnixMillis,
    /// The node that gets new keys with it, on other hardware; none for a new node.
    pub replaces: Option<NodeId>,
}

/// The text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a join token, or not the whole of it")]
pub struct NotAToken;

type Layout = (NodeId, DivisionCode, Text<200>, [u8; 32], TokenId, [u8; 32], UnixMillis, Option<NodeId>);

impl Token {
    /// A new token; its life is cut to 24 hours.
    pub fn new(
        parent: NodeId,
        division: DivisionCode,
        address: &str,
        root: [u8; 32],
        now: UnixMillis,
        life_ms: i64,
    ) -> Result<Self, NoRandomness> {
        Ok(Self {
            parent,
            division,
            address: Text::<200>::cut(address).as_str().to_owned(),
            root,
            id: TokenId::new(now, random()?),
            secret: random()?,
            expires: UnixMillis(now.0.saturating_add(life_ms.clamp(0, TOKEN_LIFE_MAX_MS))),
            replaces: None,
        })
    }

    /// The same token, for new keys of a node that exists.
    pub fn replacing(self, node: NodeId) -> Self {
        Self { replaces: Some(node), ..self }
    }

    /// Whether it may no longer be used; a token that claims more than 24 hours to come is none of ours.
    pub fn expired(&self, now: UnixMillis) -> bool {
        now >= self.expires || self.expires.0.saturating_sub(now.0) > TOKEN_LIFE_MAX_MS
    }
}

fn check(bytes: &[u8]) -> impl Iterator<Item = u8> {
    blake3::hash(bytes).as_bytes().to_owned().into_iter().take(CHECK_BYTES)
}

impl fmt::Display for Token {
    /// The text form, secret included: show it once, to the one who asked for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Text::cut(&self.address);
        let layout: Layout =
            (self.parent, self.division, address, self.root, self.id, self.secret, self.expires, self.replaces);
        let mut bytes = codec::encode_unbounded(&layout);
        let check: Vec<u8> = check(&bytes).collect();
        bytes.extend(check);
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Token {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim().strip_prefix(PREFIX).ok_or(NotAToken)?;
        if text.len() > TOKEN_BYTES_MAX {
            return Err(NotAToken);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotAToken)?;
        let end = bytes.len().checked_sub(CHECK_BYTES).ok_or(NotAToken)?;
        let (body, sum) = bytes.split_at_checked(end).ok_or(NotAToken)?;
        if !check(body).eq(sum.iter().copied()) {
            return Err(NotAToken);
        }
        let (parent, division, address, root, id, secret, expires, replaces): Layout =
            codec::decode(body, TOKEN_BYTES_MAX).map_err(|_| NotAToken)?;
        Ok(Self { parent, division, address: address.into(), root, id, secret, expires, replaces })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .field("parent", &self.parent)
            .field("division", &self.division)
            .field("address", &self.address)
            .field("expires", &self.expires)
            .field("replaces", &self.replaces)
            .finish_non_exhaustive()
    }
}
