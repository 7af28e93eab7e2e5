//! Sessions: a random token in a cookie, its hash in the database.

use protocol::id::NodeId;
use protocol::time::UnixMillis;

use crate::clock::random_bytes;

/// How long a session lasts: a working day.
pub const LIFE_MS: i64 = 12 * 3_600_000;

/// A new session: the token for the person, the hash for the database.
#[derive(Clone)]
pub struct Opened {
    /// Goes into the cookie and nowhere else.
    pub token: String,
    /// Goes into the database.
    pub hash: [u8; 32],
    /// When it ends.
    pub expires: UnixMillis,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Opened {
    /// Opens a session.
    pub fn new(now: UnixMillis) -> Self {
        let token = protocol::chain::Hash(random_bytes()).to_string();
        let hash = hash(&token);
        Self { token, hash, expires: UnixMillis(now.0.saturating_add(LIFE_MS)) }
    }
}

/// The hash by which a token is known in the database.
pub fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// The cookie's name. Cookies do not tell ports apart: with the node in the name, several nodes on one host do not log
/// each other's people out.
pub fn cookie_name(node: NodeId) -> String {
    let id = node.to_string();
    let tail = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    format!("wuji_session_{tail}")
}

/// The `Set-Cookie` value that opens a session.
pub fn set_cookie(node: NodeId, token: &str) -> String {
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", cookie_name(node), LIFE_MS / 1_000)
}

/// The `Set-Cookie` value that ends it.
pub fn clear_cookie(node: NodeId) -> String {
    format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", cookie_name(node))
}

/// The token in a `Cookie` header.
pub fn token_in(node: NodeId, cookies: &str) -> Option<&str> {
    let name = cookie_name(node);
    cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let node = NodeId::new(UnixMillis(1), [7; 10]);
        let opened = Opened::new(UnixMillis(0));
        let set = set_cookie(node, &opened.token);
        let pair = set.split(';').next().unwrap();
        assert_eq!(token_in(node, &format!("a=b; {pair}; c=d")), Some(opened.token.as_str()));
        assert_eq!(hash(&opened.token), opened.hash);
        assert_eq!(token_in(NodeId::new(UnixMillis(1), [8; 10]), &set), None);
    }
}
