//! The front door's settings, and what they come to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The API and the page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSection {
    /// TCP address to listen on.
    pub listen: SocketAddr,
    /// The operator's certificate chain, PEM; a relative path counts from the configuration's folder. Read again when it
    /// changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Names and addresses under which people reach the door, where nobody gives it a certificate: it makes its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// A proxy before the door speaks HTTPS; the door itself speaks plain HTTP to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind_proxy: bool,
    /// Addresses of that proxy; those of this machine when left out. What others say of whom they forward is not believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<IpAddr>,
}

/// How people's browsers are met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// Plain HTTP, from this machine only.
    Loopback,
    /// Plain HTTP behind a proxy that speaks HTTPS.
    Proxy {
        /// Its addresses.
        trusted: Vec<IpAddr>,
    },
    /// HTTPS with the operator's certificate.
    Files {
        /// Certificate chain, PEM.
        certificate: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
    /// HTTPS with a certificate of the door's own.
    Own {
        /// Names and addresses it is for.
        names: Vec<String>,
    },
}

/// Why the settings of the front door are no door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDoor {
    /// Passwords would cross the network in the clear.
    #[error(
        "http.listen = {0} without HTTPS would carry passwords in the clear: set http.certificate and http.key, or \
         http.names to have a certificate made, or http.behind_proxy = true when a proxy speaks HTTPS; or listen on 127.0.0.1"
    )]
    Clear(SocketAddr),
    /// Half of a pair.
    #[error("http.certificate and http.key belong together: set both")]
    Half,
    /// More than one way at once.
    #[error("http.certificate, http.names and http.behind_proxy exclude each other: keep one")]
    Several,
    /// Proxies for a door that is not behind one.
    #[error("http.trusted_proxies says whom to believe and needs http.behind_proxy = true")]
    NoProxy,
    /// A name that no certificate can carry.
    #[error("http.names: {0:?} is neither a host name nor an address")]
    Name(String),
}

impl HttpSection {
    /// Plain HTTP on an address of this machine.
    pub fn plain(listen: SocketAddr) -> Self {
        Self {
            listen,
            certificate: None,
            key: None,
            names: Vec::new(),
            behind_proxy: false,
            trusted_proxies: Vec::new(),
        }
    }

    /// What the settings come to; relative paths count from `folder`.
    pub fn door(&self, folder: &Path) -> Result<Door, NoDoor> {
        let ways = [self.certificate.is_some() || self.key.is_some(), !self.names.is_empty(), self.behind_proxy];
        if ways.iter().filter(|way| **way).count() > 1 {
            return Err(NoDoor::Several);
        }
        if !self.trusted_proxies.is_empty() && !self.behind_proxy {
            return Err(NoDoor::NoProxy);
        }
        if let Some(bad) = self.names.iter().find(|name| !is_name(name)) {
            return Err(NoDoor::Name(bad.clone()));
        }
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Ok(Door::Files { certificate: folder.join(certificate), key: folder.join(key) })
            }
            (Some(_), None) | (None, Some(_)) => Err(NoDoor::Half),
            (None, None) if !self.names.is_empty() => Ok(Door::Own { names: self.names.clone() }),
            (None, None) if self.behind_proxy => Ok(Door::Proxy { trusted: self.trusted() }),
            (None, None) if self.listen.ip().to_canonical().is_loopback() => Ok(Door::Loopback),
            (None, None) => Err(NoDoor::Clear(self.listen)),
        }
    }

    fn trusted(&self) -> Vec<IpAddr> {
        if self.trusted_proxies.is_empty() {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        self.trusted_proxies.iter().map(IpAddr::to_canonical).collect()
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.parse::<IpAddr>().is_ok() || name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> HttpSection {
        toml::from_str(text).unwrap()
    }

    fn door(text: &str) -> Result<Door, NoDoor> {
        section(text).door(Path::new("/srv/wuji"))
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert_eq!(door("listen = '127.0.0.1:7480'"), Ok(Door::Loopback));
        assert_eq!(door("listen = '[::1]:7480'"), Ok(Door::Loopback));
        let open = "0.0.0.0:7480".parse().unwrap();
        assert_eq!(door("listen = '0.0.0.0:7480'"), Err(NoDoor::Clear(open)));
    }

    #[test]
    fn paths_count_from_the_folder_and_come_in_pairs() {
        let both = "listen = '0.0.0.0:443'\ncertificate = 'tls/chain.pem'\nkey = '/etc/key.pem'";
        let (certificate, key) = ("/srv/wuji/tls/chain.pem".into(), "/etc/key.pem".into());
        assert_eq!(door(both), Ok(Door::Files { certificate, key }));
        assert_eq!(door("listen = '0.0.0.0:443'\nkey = 'key.pem'"), Err(NoDoor::Half));
    }

    #[test]
    fn a_proxy_on_this_machine_is_trusted_unless_another_is_named() {
        let local = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(door("listen = '0.0.0.0:80'\nbehind_proxy = true"), Ok(Door::Proxy { trusted: local }));
        let named = "listen = '0.0.0.0:80'\nbehind_proxy = true\ntrusted_proxies = ['10.0.0.9']";
        assert_eq!(door(named), Ok(Door::Proxy { trusted: vec!["10.0.0.9".parse().unwrap()] }));
        assert_eq!(door("listen = '127.0.0.1:80'\ntrusted_proxies = ['10.0.0.9']"), Err(NoDoor::NoProxy));
    }

    #[test]
    fn ways_to_https_exclude_each_other_and_names_are_names() {
        assert_eq!(door("listen = '0.0.0.0:443'\nnames = ['a']\nbehind_proxy = true"), Err(NoDoor::Several));
        assert_eq!(door("listen = '0.0.0.0:443'\nnames = ['a_b']"), Err(NoDoor::Name("a_b".to_owned())));
        let names = vec!["wuji.example".to_owned(), "10.1.2.3".to_owned()];
        assert_eq!(door("listen = '0.0.0.0:443'\nnames = ['wuji.example', '10.1.2.3']"), Ok(Door::Own { names }));
    }
}
