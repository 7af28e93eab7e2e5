//! Trust over time: renewal, revocation, roll-over of the root, a county that joins a city, clocks that are years wrong.

use proptest::prelude::*;
use protocol::directory::{RevocationReason, Role, SignedMandate};
use protocol::division::DivisionCode;
use protocol::id::TokenId;
use protocol::time::UnixMillis;
use protocol::wire::bundle::Urgency;
use protocol::wire::control::Enrolled;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::anchors::NotBelieved;
use super::directory::{Issuer, NotSigned, Signer};
use super::renewal::{self, GRACE_MS, NotRenewed};
use super::tests::{Member, directory, division, member, node, now};
use super::time::{Known, NodeTime, Told, joining, judged_by};
use super::verify::{self, VerifyError};
use super::*;

const DAY: i64 = 86_400_000;
const YEAR: i64 = 365 * DAY;

fn code(text: &str) -> DivisionCode {
    text.parse().unwrap()
}

/// A certificate of the length that is issued.
fn life(issued: UnixMillis) -> (UnixMillis, UnixMillis) {
    (UnixMillis(issued.0 - DAY), UnixMillis(issued.0 + 90 * DAY))
}

proptest! {
    #[test]
    fn a_renewal_falls_between_two_thirds_and_five_sixths_of_a_life(
        begin in 0..4_000_000_000_000_i64, length in 1..YEAR, random: u64,
    ) {
        let at = renewal::due(UnixMillis(begin), UnixMillis(begin + length), random).0;
        prop_assert!(at >= begin + length * 2 / 3 - 1 && at <= begin + length * 5 / 6 + 1, "{at}");
    }

    #[test]
    fn renewal_does_not_overflow(begin: i64, end: i64, random: u64) {
        let _ = renewal::due(UnixMillis(begin), UnixMillis(end), random);
    }

    #[test]
    fn time_never_falls_below_what_is_known(local: i64, uptime: u64, told in 0..4_000_000_000_000_i64) {
        let (not_before, not_after) = life(UnixMillis(1_780_000_000_000));
        let known = Known { not_before, not_after, told: Some(Told { at: UnixMillis(told), uptime_ms: 0 }) };
        let at = judged_by(UnixMillis(local), uptime, &known, false);
        prop_assert!(at >= not_before);
        prop_assert!(at.0 >= told || told > not_after.0);
    }
}

#[test]
fn nodes_that_were_set_up_together_renew_spread_over_the_window() {
    let (begin, end) = life(UnixMillis(1_780_000_000_000));
    let mut days = [0; 16];
    for n in 0..4_446_u32 {
        let at = renewal::due(begin, end, renewal::random_of(&n.to_be_bytes()));
        let day = (at.0 - begin.0 - (end.0 - begin.0) * 2 / 3) / DAY;
        days[usize::try_from(day).unwrap()] += 1;
    }
    assert!(days.iter().take(15).all(|count| (150..450).contains(count)), "{days:?}");
}

#[test]
fn a_renewal_is_proven_by_the_signing_key_of_the_entry_that_it_follows() {
    let mut authority = Authority::found("x", now()).unwrap();
    let mine = member(&mut authority, 1, Some(9));
    let entry = mine.enrolled.entry.entry;
    let next = mine.keys.renewed().unwrap();
    let request = renewal::request(&mine.keys, &next, node(1), entry.serial).unwrap();
    assert_eq!(renewal::check(&request, Some(&entry), now()), Ok(()));
    assert_eq!(renewal::check(&request, None, now()), Err(NotRenewed::Unknown));
    let mut altered = request.clone();
    altered.renewal.sealing = NodeKeys::generate().unwrap().sealing_key();
    assert_eq!(renewal::check(&altered, Some(&entry), now()), Err(NotRenewed::Proof), "a relay slips its own key in");
    let stranger = member(&mut authority, 2, Some(9));
    let forged = renewal::request(&stranger.keys, &next, node(1), entry.serial).unwrap();
    assert_eq!(renewal::check(&forged, Some(&entry), now()), Err(NotRenewed::Proof));
    let old = renewal::request(&mine.keys, &next, node(1), entry.serial - 1).unwrap();
    assert_eq!(renewal::check(&old, Some(&entry), now()), Err(NotRenewed::Outdated));
}

#[test]
fn a_renewal_is_accepted_to_the_last_moment_of_the_grace_and_no_longer() {
    let mut authority = Authority::found("x", now()).unwrap();
    let mine = member(&mut authority, 1, Some(9));
    let entry = mine.enrolled.entry.entry;
    let request = renewal::request(&mine.keys, &mine.keys.renewed().unwrap(), node(1), entry.serial).unwrap();
    let last = UnixMillis(entry.issued.0 + 90 * DAY + GRACE_MS);
    assert_eq!(renewal::check(&request, Some(&entry), last), Ok(()));
    assert_eq!(renewal::check(&request, Some(&entry), UnixMillis(last.0 + 1)), Err(NotRenewed::TooLate));
}

#[test]
fn a_renewed_node_keeps_its_place_and_its_keys_for_bundles_and_gets_a_higher_serial() {
    let mut authority = Authority::found("x", now()).unwrap();
    let mine = member(&mut authority, 1, Some(9));
    let entry = mine.enrolled.entry.entry;
    let next = mine.keys.renewed().unwrap();
    let request = renewal::request(&mine.keys, &next, node(1), entry.serial).unwrap();
    let issued = authority.renew(&request.renewal, &entry, now()).unwrap();
    let again = issued.entry.entry;
    assert_eq!((again.node, again.division, again.parent), (entry.node, entry.division, entry.parent));
    assert_eq!((again.signing, again.sealing), (entry.signing, entry.sealing));
    assert_ne!(again.tls_spki_sha256, entry.tls_spki_sha256);
    assert_eq!(again.tls_spki_sha256, next.tls_spki_sha256());
    assert!(again.serial > entry.serial);
    let held = directory(&authority, &[&mine]);
    assert_eq!(held.insert(issued.entry), Ok(true));
    let before = mine.bundle(1, node(9), Urgency::Red, 10);
    assert!(verify::bundle(before.bytes().clone(), &held).is_ok(), "what was sealed before the renewal");
    let dir = tempfile::tempdir().unwrap();
    next.save(dir.path()).unwrap();
    assert_eq!(NodeKeys::load(dir.path()).unwrap().transport_secret("x"), mine.keys.transport_secret("x"));
}

#[test]
fn many_renewals_do_not_push_an_earlier_signing_key_out_of_the_directory() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (first, mut entries) = (member(&mut authority, 1, None), Vec::new());
    let replaced = member(&mut authority, 1, None);
    let mut entry = replaced.enrolled.entry.entry;
    for _ in 0..20 {
        let request =
            renewal::request(&replaced.keys, &replaced.keys.renewed().unwrap(), node(1), entry.serial).unwrap();
        let issued = authority.renew(&request.renewal, &entry, now()).unwrap();
        entry = issued.entry.entry;
        entries.push(issued.entry);
    }
    let held = directory(&authority, &[&first, &replaced]);
    for signed in entries {
        assert_eq!(held.insert(signed), Ok(true));
    }
    assert_eq!(held.insert(replaced.enrolled.entry), Ok(false), "an older one changes nothing");
    assert_eq!(held.get(node(1)).unwrap().entry, entry);
    let bundle = first.bundle(1, node(9), Urgency::Red, 10);
    assert!(verify::bundle(bundle.bytes().clone(), &held).is_ok());
}

/// A bundle that says it was sealed at a moment.
fn sealed_at(member: &Member, at: u64) -> protocol::wire::bundle::Bundle {
    let template = member.bundle(1, node(9), Urgency::Red, 10);
    let id = protocol::id::BundleId::new(UnixMillis(i64::try_from(at).unwrap()), [3; 10]);
    let head = protocol::wire::bundle::BundleHead { id, ..*template.head() };
    protocol::wire::bundle::Bundle::seal(head, template.messages().to_vec(), |bytes| member.keys.sign(bytes)).unwrap()
}

#[test]
fn what_a_revoked_key_sealed_before_stays_valid_and_what_it_seals_later_is_refused() {
    let mut authority = Authority::found("x", now()).unwrap();
    let gone = member(&mut authority, 1, None);
    let held = directory(&authority, &[&gone]);
    let signed = authority.revoke(node(1), RevocationReason::Lost, now()).unwrap();
    let serial = signed.revocation.serial;
    assert!(directory::verified(authority.authority_key(), &signed.revocation.signed_bytes(), &signed.signature));
    assert!(held.revoke(node(1), serial));
    assert!(!held.revoke(node(1), serial), "known already");
    assert!(held.get(node(1)).is_none() && held.sealing_key(node(1)).is_none(), "nothing is sealed to it any more");
    assert!(verify::bundle(sealed_at(&gone, serial - 1).bytes().clone(), &held).is_ok());
    for late in [serial, serial + 1, serial + 1_000_000] {
        assert_eq!(verify::bundle(sealed_at(&gone, late).bytes().clone(), &held), Err(VerifyError::Revoked), "{late}");
    }
    assert_eq!(held.insert(gone.enrolled.entry), Ok(false), "handing the old entry on does not bring it back");
    assert!(held.get(node(1)).is_none());
    let back = member(&mut authority, 1, None);
    assert_eq!(held.insert(back.enrolled.entry), Ok(true), "a later entry does");
    assert!(verify::bundle(sealed_at(&back, serial + 5).bytes().clone(), &held).is_ok());
    assert_eq!(
        verify::bundle(sealed_at(&gone, serial + 5).bytes().clone(), &held),
        Err(VerifyError::Revoked),
        "the thief of the old machine stays out"
    );
    assert!(matches!(held.signer(node(1), gone.keys.signing_key().id(), serial - 1), Signer::Key(_)));
}

#[test]
fn a_revocation_that_comes_before_the_entry_still_counts() {
    let mut authority = Authority::found("x", now()).unwrap();
    let gone = member(&mut authority, 1, None);
    let signed = authority.revoke(node(1), RevocationReason::Operator, now()).unwrap();
    let held = Directory::new(authority.authority_key());
    assert!(held.revoke(node(1), signed.revocation.serial));
    assert_eq!(held.insert(gone.enrolled.entry), Ok(false));
    assert!(held.get(node(1)).is_none());
}

/// An authority and the one that takes its place, with what both say of each other.
struct RolledOver {
    old: Authority,
    new: Authority,
    successor: SignedMandate,
    predecessor: SignedMandate,
    retired: SignedMandate,
}

fn roll_over() -> RolledOver {
    let mut old = Authority::found("Shaoxing", now()).unwrap();
    let mut new = Authority::found("Shaoxing", now()).unwrap();
    let successor = old.succeeded_by(new.root(), now()).unwrap();
    let predecessor = new.mandate(old.root(), Role::Predecessor, now()).unwrap();
    let retired = new.mandate(old.root(), Role::Retired, now()).unwrap();
    RolledOver { old, new, successor, predecessor, retired }
}

fn spki(authority: &Authority) -> [u8; 32] {
    name::spki_sha256(authority.root()).unwrap()
}

/// Whether a node with these anchors accepts the chain that another shows.
fn accepted(anchors: &Anchors, shown: &tls::Chain, of: protocol::id::NodeId) -> bool {
    use rustls::client::danger::ServerCertVerifier;
    let mut store = rustls::RootCertStore::empty();
    for root in anchors.roots() {
        store.add(root).unwrap();
    }
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(store.into(), tls::provider());
    let (leaf, rest) = shown.certificates.split_first().unwrap();
    let name = tls_name(of).try_into().unwrap();
    verifier.build().unwrap().verify_server_cert(leaf, rest, &name, &[], UnixTime::now()).is_ok()
}

fn anchors(authority: &Authority) -> Anchors {
    Anchors::new(authority.root().clone()).unwrap()
}

fn taught(mut anchors: Anchors, mandates: &[&SignedMandate]) -> Anchors {
    for mandate in mandates {
        assert_eq!(anchors.apply(mandate), Ok(true));
        assert!(matches!(anchors.apply(mandate), Ok(false) | Err(NotBelieved::OfItself)), "said twice");
    }
    anchors
}

#[test]
fn during_a_roll_over_every_mixture_of_old_and_new_finds_together() {
    let RolledOver { mut old, mut new, successor, predecessor, .. } = roll_over();
    let (before, after) = (member(&mut old, 1, None), member(&mut new, 2, None));
    let missed_it = anchors(&old);
    let knows = taught(anchors(&old), &[&successor]);
    let joined_later = Anchors::of(&Enrolled {
        mandates: protocol::bounded::List::new(vec![predecessor]).unwrap(),
        ancestors: protocol::bounded::List::default(),
        ..after.enrolled.clone()
    })
    .unwrap();
    let shown_before = knows.chain(&before.enrolled).unwrap();
    let shown_after = knows.chain(&after.enrolled).unwrap();
    assert_eq!(shown_before.certificates.len(), 2, "a crosswise signed root would lead nowhere");
    assert_eq!(shown_after.certificates.len(), 3);
    for (who, name) in [(&missed_it, "missed it"), (&knows, "knows"), (&joined_later, "joined later")] {
        assert!(accepted(who, &shown_before, node(1)), "{name}: certificate from before");
        assert!(accepted(who, &shown_after, node(2)), "{name}: certificate from after");
    }
    for (a, b) in [(&missed_it, &knows), (&knows, &joined_later)] {
        assert!(a.greetings().contains(&b.greeting()), "greeted");
        assert!(b.greetings().contains(&a.greeting()), "greeted back");
    }
    assert_eq!(knows.greeting(), spki(&old), "the older root, which everybody knows");
    assert_eq!(knows.present(), new.authority_key());
    let plain = tls::Chain::of(&after.enrolled).unwrap();
    assert!(!accepted(&missed_it, &plain, node(2)), "it is the crosswise signature that carries");
}

#[test]
fn entries_of_both_authorities_count_until_the_old_one_is_retired() {
    let RolledOver { mut old, mut new, successor, retired, .. } = roll_over();
    let (a, b, late) = (member(&mut old, 1, None), member(&mut new, 2, None), member(&mut old, 3, None));
    let mut anchors = taught(anchors(&old), &[&successor]);
    let held = Directory::new(old.authority_key());
    held.trust(anchors.issuers());
    assert_eq!((held.insert(a.enrolled.entry), held.insert(b.enrolled.entry)), (Ok(true), Ok(true)));
    assert_eq!(anchors.apply(&retired), Ok(true));
    held.trust(anchors.issuers());
    assert_eq!(held.insert(late.enrolled.entry), Err(NotSigned));
    assert!(held.entries(node(1)).is_empty(), "not handed on");
    assert_eq!(held.keys_ever(node(1)), vec![a.keys.signing_key()], "old chains still verify");
    let again = Directory::new(old.authority_key());
    again.trust(anchors.issuers());
    assert_eq!(again.restore(a.enrolled.entry), Ok(true), "from the own store");
    assert_eq!(anchors.greeting(), spki(&new));
    assert_eq!(anchors.roots(), vec![new.root().clone()]);
    let shown = tls::Chain::of(&a.enrolled).unwrap();
    assert!(!accepted(&anchors, &shown, node(1)));
}

#[test]
fn only_the_present_authority_is_believed_about_others() {
    let RolledOver { mut old, mut new, successor, .. } = roll_over();
    let mut thief = Authority::found("thief", now()).unwrap();
    let mut anchors = taught(anchors(&old), &[&successor]);
    let rogue = old.succeeded_by(thief.root(), now()).unwrap();
    assert_eq!(anchors.apply(&rogue), Err(NotBelieved::NotPresent), "a stolen key that was succeeded");
    let own = thief.mandate(new.root(), Role::Predecessor, now()).unwrap();
    assert_eq!(anchors.apply(&own), Err(NotBelieved::NotPresent));
    let mut altered = new.mandate(thief.root(), Role::Predecessor, now()).unwrap();
    altered.mandate.role = Role::Within(division());
    assert_eq!(anchors.apply(&altered), Err(NotBelieved::Signature));
    let unknown = new.mandate(thief.root(), Role::Retired, now()).unwrap();
    assert_eq!(anchors.apply(&unknown), Err(NotBelieved::Unknown));
    assert_eq!(anchors.present(), new.authority_key());
}

#[test]
fn a_mandate_must_name_the_key_that_its_root_names() {
    let mut old = Authority::found("x", now()).unwrap();
    let (a, b) = (Authority::found("a", now()).unwrap(), Authority::found("b", now()).unwrap());
    let mut signed = old.mandate(a.root(), Role::Predecessor, now()).unwrap();
    signed.mandate.authority = b.authority_key();
    signed.signature = old.sign(&signed.mandate.signed_bytes());
    assert_eq!(anchors(&old).apply(&signed), Err(NotBelieved::Root(name::BadCertificate::Authority)));
}

#[test]
fn a_county_that_ran_alone_keeps_its_nodes_when_a_city_comes_above() {
    let mut county = Authority::found("county", now()).unwrap();
    let mut city = Authority::found("city", now()).unwrap();
    let grid = member(&mut county, 1, None);
    let place = code("330602000000");
    let up = county.succeeded_by(city.root(), now()).unwrap();
    let down = city.mandate(county.root(), Role::Within(place), now()).unwrap();
    let in_county = taught(anchors(&county), &[&up, &down]);
    let in_city = taught(anchors(&city), &[&down]);
    assert!(in_city.greetings().contains(&in_county.greeting()));
    assert!(in_county.greetings().contains(&in_city.greeting()));
    let held = Directory::new(city.authority_key());
    held.trust(in_city.issuers());
    assert_eq!(held.insert(grid.enrolled.entry), Ok(true), "an entry of the county's own authority");
    assert_eq!(in_city.roots(), vec![city.root().clone()], "its certificates open no door outside");
    let adopted = member(&mut city, 2, None);
    let shown = in_county.chain(&adopted.enrolled).unwrap();
    assert!(accepted(&anchors(&county), &shown, node(2)), "a grid that was asleep meanwhile");
    assert!(accepted(&in_city, &shown, node(2)));
}

#[test]
fn an_authority_that_ran_alone_says_nothing_about_nodes_outside_its_division() {
    let mut county = Authority::found("county", now()).unwrap();
    let mut city = Authority::found("city", now()).unwrap();
    let down = city.mandate(county.root(), Role::Within(code("330603000000")), now()).unwrap();
    let anchors = taught(anchors(&city), &[&down]);
    let held = Directory::new(city.authority_key());
    held.trust(anchors.issuers());
    let elsewhere = member(&mut county, 1, None);
    assert!(!code("330603000000").contains(division()));
    assert_eq!(held.insert(elsewhere.enrolled.entry), Err(NotSigned));
    let revocation = county.revoke(node(2), RevocationReason::Lost, now()).unwrap();
    let bytes = revocation.revocation.signed_bytes();
    assert!(!anchors.signed(Some(division()), &bytes, &revocation.signature));
    assert!(anchors.signed(Some(code("330603001000")), &bytes, &revocation.signature));
    assert!(!anchors.signed(None, &bytes, &revocation.signature));
}

#[test]
fn the_directory_asks_each_authority_that_counts() {
    let mut a = Authority::found("a", now()).unwrap();
    let b = Authority::found("b", now()).unwrap();
    let held = Directory::new(b.authority_key());
    let one = member(&mut a, 1, None);
    assert_eq!(held.insert(one.enrolled.entry), Err(NotSigned));
    let issuer = |key| Issuer { key, within: None, retired: false };
    held.trust(vec![issuer(b.authority_key()), issuer(a.authority_key())]);
    assert_eq!(held.insert(one.enrolled.entry), Ok(true));
}

#[test]
fn a_crosswise_signed_root_carries_the_name_and_key_of_the_root_itself() {
    let RolledOver { new, successor, .. } = roll_over();
    let Role::Successor { cross } = &successor.mandate.role else { panic!("a successor") };
    assert_eq!(name::spki_sha256(cross).unwrap(), spki(&new));
    assert_eq!(name::authority_of(cross), Err(name::BadCertificate::Authority), "not signed by itself");
    let root = CertificateDer::from(cross.to_vec());
    let roots = |der: &CertificateDer<'static>| {
        let mut store = rustls::RootCertStore::empty();
        store.add(der.clone()).unwrap();
        store.roots.pop().unwrap()
    };
    let (a, b) = (roots(&root), roots(new.root()));
    assert_eq!((a.subject, a.name_constraints), (b.subject, b.name_constraints));
}

fn known(told: Option<i64>) -> Known {
    let (not_before, not_after) = life(UnixMillis(1_780_000_000_000));
    Known { not_before, not_after, told: told.map(|at| Told { at: UnixMillis(at), uptime_ms: 1_000 }) }
}

const NOW: i64 = 1_780_000_000_000 + 10 * DAY;
const IN_2090: i64 = 3_786_912_000_000;

#[test]
fn a_clock_in_1970_is_lifted_to_what_is_known() {
    assert_eq!(judged_by(UnixMillis(0), 5_000, &known(None), false), known(None).not_before);
    assert_eq!(judged_by(UnixMillis(0), 5_000, &known(Some(NOW)), false).0, NOW + 4_000, "goes on with the uptime");
    assert_eq!(judged_by(UnixMillis(i64::MIN), 0, &known(None), false), known(None).not_before);
}

#[test]
fn a_clock_in_2090_is_not_believed_against_the_parent() {
    assert_eq!(judged_by(UnixMillis(IN_2090), 5_000, &known(Some(NOW)), false).0, NOW + 4_000);
    assert_eq!(judged_by(UnixMillis(IN_2090), 5_000, &known(None), false).0, IN_2090, "nobody says otherwise");
}

#[test]
fn a_machine_that_was_off_for_long_tries_its_clock_when_the_other_story_finds_nobody() {
    let later = UnixMillis(NOW + 200 * DAY);
    let time = NodeTime::new(Box::new(move || (later, 5_000)), known(Some(NOW)));
    assert_eq!(time.now().0, NOW + 4_000);
    time.doubted();
    assert_eq!(time.now(), later);
    time.doubted();
    assert_eq!(time.now().0, NOW + 4_000, "and back again");
    time.doubted();
    time.told(later);
    time.renewed(later, UnixMillis(later.0 + 90 * DAY));
    assert_eq!(time.now(), later);
}

#[test]
fn a_parent_in_2090_does_not_end_the_certificate() {
    assert_eq!(judged_by(UnixMillis(NOW), 5_000, &known(Some(IN_2090)), false).0, NOW);
    assert_eq!(judged_by(UnixMillis(0), 5_000, &known(Some(IN_2090)), false), known(None).not_before);
}

#[test]
fn a_good_clock_is_taken_as_it_is() {
    for told in [None, Some(NOW - 40 * 60_000)] {
        assert_eq!(judged_by(UnixMillis(NOW), 5_000, &known(told), false).0, NOW);
    }
}

#[test]
fn whoever_joins_judges_by_a_moment_in_the_life_of_the_token() {
    let token = Token::new(node(1), division(), "a:1", [0; 32], UnixMillis(NOW), DAY).unwrap();
    for local in [0, NOW, IN_2090, i64::MAX, i64::MIN] {
        let at = joining(UnixMillis(local), &token).0;
        assert!((NOW..=NOW + DAY).contains(&at), "{local}: {at}");
    }
    assert_eq!(joining(UnixMillis(NOW + 5), &token).0, NOW + 5);
}

#[test]
fn a_token_for_other_hardware_names_the_node() {
    let token = Token::new(node(1), division(), "a:1", [0; 32], now(), DAY).unwrap().replacing(node(7));
    assert_eq!(token.to_string().parse::<Token>().unwrap().replaces, Some(node(7)));
}

#[test]
fn an_authority_that_is_brought_along_signs_the_very_request() {
    let (county, keys) = (Authority::found("county", now()).unwrap(), NodeKeys::generate().unwrap());
    let request = keys.join_request(TokenId::from_bytes([0; 16]), node(1), division()).unwrap();
    let request = enrolment::bringing(request, &county).unwrap();
    assert_eq!(enrolment::brought(&request), Ok(Some(county.root().clone())));
    let other = protocol::wire::control::JoinRequest { node: node(2), ..request.clone() };
    assert!(enrolment::brought(&other).is_err(), "not for another node");
    let alone = protocol::wire::control::JoinRequest { brings: None, ..request };
    assert_eq!(enrolment::brought(&alone), Ok(None));
}
