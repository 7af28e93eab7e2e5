//! A small federation for tests, and the tests of trust.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use protocol::bounded::Blob;
use protocol::directory::KeyId;
use protocol::division::DivisionCode;
use protocol::id::{BundleId, MessageId, NodeId, TokenId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Enrolled;
use protocol::wire::kind::Kind;

use super::enrolment::{self, Unproven};
use super::seal::{SealError, open, seal};
use super::verify::{self, VerifyError};
use super::*;

pub(crate) fn now() -> UnixMillis {
    #[expect(clippy::disallowed_methods, reason = "certificates of these tests must be valid on this machine, now")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMillis(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

pub(crate) fn division() -> DivisionCode {
    "330602001000".parse().unwrap()
}

/// One node of a test federation.
pub(crate) struct Member {
    pub(crate) node: NodeId,
    pub(crate) keys: Arc<NodeKeys>,
    pub(crate) enrolled: Enrolled,
}

impl Member {
    pub(crate) fn chain(&self) -> tls::Chain {
        tls::Chain::of(&self.enrolled).unwrap()
    }

    pub(crate) fn bundle(&self, n: u8, to: NodeId, urgency: Urgency, bytes: usize) -> Bundle {
        self.bundle_with_key(n, to, urgency, bytes, self.keys.signing_key().id())
    }

    pub(crate) fn bundle_with_key(&self, n: u8, to: NodeId, urgency: Urgency, bytes: usize, key: KeyId) -> Bundle {
        let id = BundleId::from_bytes([n; 16]);
        let head = BundleHead { id, origin: self.node, key, to, urgency, receipted: true };
        let message = Message { id: MessageId::from_bytes([n; 16]), kind: Kind(99), schema: 1, body: vec![n; bytes] };
        Bundle::seal(head, vec![message], |bytes| self.keys.sign(bytes)).unwrap()
    }
}

pub(crate) fn member(authority: &mut Authority, n: u8, parent: Option<u8>) -> Member {
    let keys = Arc::new(NodeKeys::generate().unwrap());
    let request = keys.join_request(TokenId::from_bytes([0; 16]), node(n), division()).unwrap();
    let enrolled = authority.issue(&request, parent.map(node), now()).unwrap();
    Member { node: node(n), keys, enrolled }
}

pub(crate) fn directory(authority: &Authority, members: &[&Member]) -> Directory {
    let directory = Directory::new(authority.authority_key());
    for member in members {
        assert!(directory.insert(member.enrolled.entry).unwrap());
    }
    directory
}

#[test]
fn keys_are_saved_for_their_owner_only_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let keys = NodeKeys::generate().unwrap();
    keys.save(dir.path()).unwrap();
    let read = NodeKeys::load(dir.path()).unwrap();
    assert_eq!(read.signing_key(), keys.signing_key());
    assert_eq!(read.sealing_key(), keys.sealing_key());
    assert_eq!(read.tls_spki_sha256(), keys.tls_spki_sha256());
    assert_eq!(read.transport_secret("x"), keys.transport_secret("x"));
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o640)).unwrap();
        assert!(NodeKeys::load(dir.path()).is_err(), "{file:?} is readable by the group");
        std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o600)).unwrap();
    }
}

#[test]
fn only_the_recipient_opens_a_sealed_part_and_only_unaltered() {
    let (mine, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let sealed = seal(mine.sealing_key(), b"case 1", b"a name and a phone number").unwrap();
    assert_eq!(open(&mine, b"case 1", &sealed).unwrap(), b"a name and a phone number");
    assert_eq!(open(&other, b"case 1", &sealed), Err(SealError::Closed));
    assert_eq!(open(&mine, b"case 2", &sealed), Err(SealError::Closed));
    let mut bytes = sealed.ciphertext.to_vec();
    bytes[0] ^= 1;
    let altered = protocol::sealed::Sealed { ciphertext: Blob::new(bytes).unwrap(), ..sealed.clone() };
    assert_eq!(open(&mine, b"case 1", &altered), Err(SealError::Closed));
    let later = protocol::sealed::Sealed { suite: 2, ..sealed };
    assert_eq!(open(&mine, b"case 1", &later), Err(SealError::Suite(2)));
}

#[test]
fn a_point_of_small_order_is_no_sealing_key() {
    assert!(seal(protocol::directory::SealingKey([0; 32]), b"", b"x").is_err());
}

#[test]
fn sealing_stops_at_the_limit() {
    let mine = NodeKeys::generate().unwrap();
    let most = protocol::sealed::SEALED_BYTES_MAX - 16;
    assert!(seal(mine.sealing_key(), b"", &vec![0; most]).is_ok());
    assert_eq!(seal(mine.sealing_key(), b"", &vec![0; most + 1]), Err(SealError::TooLarge));
}

fn token() -> Token {
    Token::new(node(1), division(), "parent.example:4433", [7; 32], now(), token::TOKEN_LIFE_MAX_MS).unwrap()
}

#[test]
fn a_token_reads_back_whole_or_not_at_all() {
    let token = token();
    let text = token.to_string();
    assert!(text.starts_with("wuji1."));
    assert_eq!(text.parse::<Token>().unwrap(), token);
    assert_eq!(format!(" {text}\n").parse::<Token>().unwrap(), token);
    for cut in 0..text.len() {
        assert!(text[..cut].parse::<Token>().is_err(), "{cut}");
    }
    for at in 6..text.len() - 1 {
        let mut other = text.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(String::from_utf8(other).unwrap().parse::<Token>().is_err(), "{at}");
    }
}

#[test]
fn a_token_does_not_show_its_secret_by_accident() {
    let token = Token { secret: [0xab; 32], ..token() };
    let shown = format!("{token:?}");
    assert!(!shown.contains("171, 171") && !shown.contains("abab"), "{shown}");
}

#[test]
fn a_token_lives_a_day_at_most() {
    let at = now();
    let token = Token::new(node(1), division(), "a:1", [0; 32], at, i64::MAX).unwrap();
    assert!(!token.expired(at));
    assert!(token.expired(UnixMillis(at.0 + token::TOKEN_LIFE_MAX_MS)));
    let forever = Token { expires: UnixMillis(i64::MAX), ..token };
    assert!(forever.expired(at));
}

#[test]
fn a_proof_holds_for_one_request_on_one_connection_in_time() {
    let keys = NodeKeys::generate().unwrap();
    let token = token();
    let request = keys.join_request(token.id, node(2), division()).unwrap();
    let exporter = [5; 32];
    let mac = enrolment::mac(&token.secret, &request, &exporter);
    let check = |token: &Token, request, exporter| enrolment::check(token, request, &mac, exporter, now());
    assert_eq!(check(&token, &request, &exporter), Ok(()));
    assert_eq!(check(&token, &request, &[6; 32]), Err(Unproven::Proof));
    let other = protocol::wire::control::JoinRequest { node: node(3), ..request.clone() };
    assert_eq!(check(&token, &other, &exporter), Err(Unproven::Proof));
    let secret = Token { secret: [0; 32], ..token.clone() };
    assert_eq!(check(&secret, &request, &exporter), Err(Unproven::Proof));
    let elsewhere = Token { division: "330602002000".parse().unwrap(), ..token.clone() };
    assert_eq!(check(&elsewhere, &request, &exporter), Err(Unproven::OtherDivision));
    let over = Token { expires: UnixMillis(now().0 - 1), ..token.clone() };
    assert_eq!(check(&over, &request, &exporter), Err(Unproven::Expired));
    let another = Token { id: TokenId::from_bytes([9; 16]), ..token };
    assert_eq!(check(&another, &request, &exporter), Err(Unproven::OtherToken));
}

#[test]
fn the_authority_issues_one_name_and_a_signed_entry() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = Authority::found("Shaoxing", now()).unwrap();
    authority.save(dir.path()).unwrap();
    let first = member(&mut authority, 1, None);
    let mut authority = Authority::load(dir.path()).unwrap();
    let second = member(&mut authority, 2, Some(1));
    assert!(second.enrolled.entry.entry.serial > 0);
    let root = first.chain().root_spki_sha256().unwrap();
    let at = rustls_pki_types::UnixTime::now();
    for member in [&first, &second] {
        let chain = member.chain();
        assert_eq!(name::node_of(&chain.certificates[0]).unwrap(), member.node);
        tls::check_issued(&chain, root, member.node, at).unwrap();
        assert!(tls::check_issued(&chain, [0; 32], member.node, at).is_err());
        assert!(tls::check_issued(&chain, root, node(9), at).is_err());
        let late = rustls_pki_types::UnixTime::since_unix_epoch(
            at.as_secs().checked_add(91 * 86_400).map(std::time::Duration::from_secs).unwrap(),
        );
        assert!(tls::check_issued(&chain, root, member.node, late).is_err(), "after 90 days");
        assert!(directory::entry_is_signed(authority.authority_key(), &member.enrolled.entry));
    }
}

#[test]
fn serials_rise_even_when_the_clock_does_not() {
    let mut authority = Authority::found("x", now()).unwrap();
    let ahead = u64::try_from(now().0).unwrap() + 1_000_000;
    authority.resume_after(ahead);
    let (a, b) = (member(&mut authority, 1, None), member(&mut authority, 1, None));
    assert!(a.enrolled.entry.entry.serial > ahead);
    assert!(b.enrolled.entry.entry.serial > a.enrolled.entry.entry.serial);
}

#[test]
fn a_request_for_a_key_that_is_not_held_is_refused() {
    let mut authority = Authority::found("x", now()).unwrap();
    let keys = NodeKeys::generate().unwrap();
    let request = keys.join_request(TokenId::from_bytes([0; 16]), node(1), division()).unwrap();
    let mut csr = request.csr.to_vec();
    let last = csr.len() - 1;
    csr[last] ^= 1;
    let altered = protocol::wire::control::JoinRequest { csr: Blob::new(csr).unwrap(), ..request.clone() };
    assert!(authority.issue(&altered, None, now()).is_err());
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&ed25519).unwrap();
    let other = protocol::wire::control::JoinRequest { csr: Blob::new(csr.der().to_vec()).unwrap(), ..request };
    assert!(matches!(authority.issue(&other, None, now()), Err(authority::IssueError::Algorithm)));
}

#[test]
fn names_that_a_request_asks_for_are_not_taken() {
    let mut authority = Authority::found("x", now()).unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = rcgen::CertificateParams::new(vec![tls_name(node(9)), "10.0.0.1".to_owned()]).unwrap();
    let csr = Blob::new(params.serialize_request(&key).unwrap().der().to_vec()).unwrap();
    let keys = NodeKeys::generate().unwrap();
    let request = keys.join_request(TokenId::from_bytes([0; 16]), node(1), division()).unwrap();
    let request = protocol::wire::control::JoinRequest { csr, ..request };
    let issued = tls::Chain::of(&authority.issue(&request, None, now()).unwrap()).unwrap();
    assert_eq!(name::node_of(&issued.certificates[0]), Ok(node(1)));
}

#[test]
fn the_directory_keeps_the_highest_serial_and_earlier_keys() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (old, new) = (member(&mut authority, 1, None), member(&mut authority, 1, None));
    let directory = Directory::new(authority.authority_key());
    assert_eq!(directory.insert(new.enrolled.entry), Ok(true));
    assert_eq!(directory.insert(old.enrolled.entry), Ok(false));
    assert_eq!(directory.insert(new.enrolled.entry), Ok(false));
    assert_eq!(directory.signing_key(node(1)), Some(new.keys.signing_key()));
    assert_eq!(directory.sealing_key(node(1)), Some(new.keys.sealing_key()));
    for member in [&old, &new] {
        let bytes = member.bundle(1, node(2), Urgency::Red, 10).bytes().clone();
        assert!(verify::bundle(bytes, &directory).is_ok());
    }
    let mut forged = new.enrolled.entry;
    forged.entry.serial += 1;
    assert_eq!(directory.insert(forged), Err(directory::NotSigned));
    let mut stranger = Authority::found("y", now()).unwrap();
    let theirs = member(&mut stranger, 1, None);
    assert_eq!(directory.insert(theirs.enrolled.entry), Err(directory::NotSigned));
}

#[test]
fn every_altered_byte_of_a_bundle_is_noticed() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (a, b) = (member(&mut authority, 1, None), member(&mut authority, 2, None));
    let directory = directory(&authority, &[&a, &b]);
    let bundle = a.bundle(1, node(2), Urgency::Orange, 20);
    assert_eq!(verify::bundle(bundle.bytes().clone(), &directory).unwrap().head(), bundle.head());
    for at in 0..bundle.bytes().len() {
        let mut bytes = bundle.bytes().to_vec();
        bytes[at] ^= 1;
        assert!(verify::bundle(bytes.into(), &directory).is_err(), "byte {at}");
    }
    let forged = a.bundle_with_key(1, node(2), Urgency::Red, 20, b.keys.signing_key().id());
    assert_eq!(verify::bundle(forged.bytes().clone(), &directory), Err(VerifyError::UnknownKey));
}

#[test]
fn the_root_names_the_key_for_entries_under_its_own_signature() {
    let authority = Authority::found("x", now()).unwrap();
    assert_eq!(name::authority_of(authority.root()), Ok(authority.authority_key()));
    let entry = data_encoding::HEXLOWER.encode(&authority.authority_key().0).into_bytes();
    let mut root = authority.root().to_vec();
    let at = root.windows(64).position(|w| w == entry).unwrap();
    root[at] = if root[at] == b'0' { b'1' } else { b'0' };
    assert_eq!(name::authority_of(&root), Err(name::BadCertificate::Authority));
    assert_eq!(name::spki_sha256(&root), name::spki_sha256(authority.root()), "the pin alone does not notice");
}
