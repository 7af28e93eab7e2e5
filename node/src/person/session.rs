//! Sessions: a random token in a cookie, its hash in the database.

use protocol::id::NodeId;
use protocol::time::UnixMillis;

use crate::clock::random_bytes;

/// How long a session lasts at most: a working day.
pub const LIFE_MS: i64 = 12 * 3_600_000;
/// How long it lasts without being used.
pub const IDLE_MS: i64 = 3_600_000;
/// How often it is written down that a session or a token is in use.
pub const SEEN_EVERY_MS: i64 = 60_000;

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

/// The cookie's name. Cookies do not tell ports apart: with the realm in the name, several nodes on one host do not
/// log each other's people out.
pub fn cookie_name(realm: NodeId) -> String {
    let id = realm.to_string();
    let tail = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    format!("wuji_session_{tail}")
}

/// The `Set-Cookie` value that opens a session. Over HTTPS it says that it never goes back over anything else.
pub fn set_cookie(realm: NodeId, token: &str, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", cookie_name(realm), LIFE_MS / 1_000)
}

/// The `Set-Cookie` value that ends it.
pub fn clear_cookie(realm: NodeId, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}", cookie_name(realm))
}

/// The first digits of a token's hash: they find a session or a token, and open nothing.
pub fn short(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The token in a `Cookie` header.
pub fn token_in(realm: NodeId, cookies: &str) -> Option<&str> {
    let name = cookie_name(realm);
    cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let node = NodeId::new(UnixMillis(1), [7; 10]);
        let opened = Opened::new(UnixMillis(0));
        let set = set_cookie(node, &opened.token, true);
        assert!(set.ends_with("; Secure"));
        let pair = set.split(';').next().unwrap();
        assert_eq!(token_in(node, &format!("a=b; {pair}; c=d")), Some(opened.token.as_str()));
        assert_eq!(hash(&opened.token), opened.hash);
        assert_eq!(token_in(NodeId::new(UnixMillis(1), [8; 10]), &set), None);
    }
}
