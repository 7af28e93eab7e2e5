use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use protocol::time::UnixMillis;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::conduct::{Client, Reached, finish};
use super::*;
use crate::clock::Clock;
use crate::config::HttpSection;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn peer(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 40_000)
}

fn client(address: &str, https: bool) -> Client {
    Client { address: address.parse().unwrap(), https }
}

#[test]
fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let proxied = Reached::Proxied(vec!["10.0.0.9".parse().unwrap(), "10.0.0.8".parse().unwrap()]);
    let told = headers(&[("x-forwarded-for", "6.6.6.6, 9.9.9.9, 10.0.0.8"), ("x-forwarded-proto", "https")]);
    assert_eq!(proxied.client(peer("10.0.0.9"), &told), client("9.9.9.9", true), "the last that is no proxy");
    assert_eq!(proxied.client(peer("::ffff:10.0.0.9"), &told), client("9.9.9.9", true), "as a mapped address");
    assert_eq!(proxied.client(peer("5.5.5.5"), &told), client("5.5.5.5", false), "anybody may write headers");
    assert_eq!(Reached::Plain.client(peer("127.0.0.1"), &told), client("127.0.0.1", false));
    let garbled = headers(&[("x-forwarded-for", "9.9.9.9, unknown")]);
    assert_eq!(proxied.client(peer("10.0.0.9"), &garbled), client("10.0.0.9", true));
    let plain = headers(&[("x-forwarded-proto", "http")]);
    assert_eq!(proxied.client(peer("10.0.0.9"), &plain), client("10.0.0.9", false));
}

#[test]
fn over_https_cookies_are_secure_and_the_browser_remembers() {
    let mut answer = headers(&[("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; secure"), ("location", "/login")]);
    finish(&mut answer, client("9.9.9.9", true), &Base("/330600000000".to_owned()));
    let cookies: Vec<_> = answer.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    assert_eq!(cookies, ["a=1; Path=/; Secure", "b=2; secure"]);
    assert_eq!(answer[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    assert_eq!(answer[header::LOCATION], "/330600000000/login");
    let mut answer = headers(&[("set-cookie", "a=1; Path=/"), ("location", "https://elsewhere/")]);
    finish(&mut answer, client("127.0.0.1", false), &Base("/330600000000".to_owned()));
    assert_eq!(answer[header::SET_COOKIE], "a=1; Path=/");
    assert_eq!(answer[header::LOCATION], "https://elsewhere/");
    assert!(!answer.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

const DAY_MS: i64 = 86_400_000;

#[test]
fn the_doors_own_authority_stays_and_its_certificate_is_renewed_ahead_of_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["wuji.example".to_owned(), "10.1.2.3".to_owned()];
    let at = |days: i64| UnixMillis(Clock::default().wall().0 + days * DAY_MS);
    let first = own::ensure(folder.path(), &names, at(0)).unwrap();
    let same = own::ensure(folder.path(), &names, at(30)).unwrap();
    assert_eq!(first.chain, same.chain);
    let renewed = own::ensure(folder.path(), &names, at(70)).unwrap();
    assert_ne!(first.chain[0], renewed.chain[0]);
    assert_eq!(first.authority, renewed.authority, "people trust it once");
    let other = own::ensure(folder.path(), &["other.example".to_owned()], at(70)).unwrap();
    assert_ne!(first.authority, other.authority, "it may vouch for its names only");
}

/// Serves a door that leads nowhere, and gives its address.
async fn open_door(http: &str, folder: &Path, stop: CancellationToken) -> (SocketAddr, Arc<Certificates>) {
    let section: HttpSection = toml::from_str(http).unwrap();
    let opened = open(&section, folder).await.unwrap();
    let (at, certificates) = (opened.listener.local_addr().unwrap(), opened.certificates.clone().unwrap());
    let front = Arc::new(Front::pack(&opened.door));
    tokio::spawn(async move { serve(opened.listener, opened.certificates, front, stop.cancelled()).await });
    (at, certificates)
}

/// GET over TLS by a client that trusts one authority; the status line, or why there was no connection.
async fn get(at: SocketAddr, name: &str, authority: &[u8]) -> Result<String, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from(authority.to_vec())).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(federation::trust::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(at).await.map_err(|e| e.to_string())?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.map_err(|e| e.to_string())?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await.map_err(|e| e.to_string())?;
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_door_speaks_https_with_a_certificate_of_its_own_for_its_names_only() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let http = "listen = '127.0.0.1:0'\nnames = ['wuji.example', '127.0.0.1']";
    let (at, _) = open_door(http, folder.path(), stop.clone()).await;
    let authority = std::fs::read(folder.path().join("door/root.der")).unwrap();
    assert_eq!(get(at, "wuji.example", &authority).await.unwrap(), "HTTP/1.1 200 OK");
    assert_eq!(get(at, "127.0.0.1", &authority).await.unwrap(), "HTTP/1.1 200 OK");
    assert!(get(at, "other.example", &authority).await.is_err());
    stop.cancel();
}

/// A self-signed certificate in PEM files, as an operator brings one.
fn bring(folder: &Path, name: &str) -> Vec<u8> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("chain.pem"), certificate.pem()).unwrap();
    certificate.der().to_vec()
}

const FILES: &str = "listen = '127.0.0.1:0'\ncertificate = 'chain.pem'\nkey = 'key.pem'";

#[tokio::test]
async fn a_certificate_that_is_exchanged_on_disk_is_shown_without_a_restart_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = bring(folder.path(), "wuji.example");
    let stop = CancellationToken::new();
    let (at, certificates) = open_door(FILES, folder.path(), stop.clone()).await;
    assert_eq!(get(at, "wuji.example", &first).await.unwrap(), "HTTP/1.1 200 OK");
    assert!(!certificates.refresh().unwrap(), "nothing changed");
    let second = bring(folder.path(), "wuji.example");
    touch_later(folder.path());
    assert!(certificates.refresh().unwrap());
    assert!(get(at, "wuji.example", &first).await.is_err());
    assert_eq!(get(at, "wuji.example", &second).await.unwrap(), "HTTP/1.1 200 OK");
    std::fs::write(folder.path().join("chain.pem"), "nonsense").unwrap();
    touch_later(folder.path());
    let why = certificates.refresh().unwrap_err().to_string();
    assert!(why.contains("chain.pem holds no certificate in PEM"), "{why}");
    assert_eq!(get(at, "wuji.example", &second).await.unwrap(), "HTTP/1.1 200 OK", "the one before is kept");
    stop.cancel();
}

/// Gives the files a later time: file systems may keep whole seconds only.
fn touch_later(folder: &Path) {
    for name in ["chain.pem", "key.pem"] {
        let file = std::fs::File::options().append(true).open(folder.join(name)).unwrap();
        let later = file.metadata().unwrap().modified().unwrap() + std::time::Duration::from_secs(2);
        file.set_modified(later).unwrap();
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_with_both_names() {
    let folder = tempfile::tempdir().unwrap();
    bring(folder.path(), "a.example");
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    bring(folder.path(), "b.example");
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let section: HttpSection = toml::from_str(FILES).unwrap();
    let why = open(&section, folder.path()).await.unwrap_err().to_string();
    assert!(why.contains("key.pem does not fit the certificate") && why.contains("chain.pem"), "{why}");
}

#[tokio::test]
async fn a_port_that_is_taken_says_so_and_what_to_do() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let why = bind(taken.local_addr().unwrap()).await.unwrap_err().to_string();
    assert!(why.contains("is in use") && why.contains("ss -ltnp"), "{why}");
}

#[test]
fn where_a_process_runs_is_known_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = RunningFile {
        pid: 7,
        http: RunningFile::address("0.0.0.0:443".parse().unwrap(), true),
        link: "0.0.0.0:7440".to_owned(),
        certificate_sha256: Some("AB".to_owned()),
        authority_sha256: None,
    };
    assert_eq!(file.http, "https://127.0.0.1:443");
    let written = file.write(folder.path()).unwrap();
    assert_eq!(RunningFile::read(folder.path()), Some(file));
    drop(written);
    assert_eq!(RunningFile::read(folder.path()), None);
}
