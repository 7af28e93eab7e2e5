//! A node in the middle that has its own keys and every bundle that passes, and nothing else of anybody's. What it drops or
//! sends twice is played in the simulator; here is what it alters and makes up.

use protocol::directory::{RevocationReason, SignedEntry};
use protocol::wire::bundle::{Bundle, BundleHead, Urgency};

use super::directory::NotSigned;
use super::tests::{directory, member, node, now};
use super::verify::{self, VerifyError};
use super::*;

#[test]
fn scenario_10_what_a_malicious_middle_alters_or_cuts_short_is_refused() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (township, grid) = (member(&mut authority, 2, None), member(&mut authority, 1, Some(2)));
    let city = directory(&authority, &[&township, &grid]);
    let red = grid.bundle(1, node(9), Urgency::Red, 40);
    for length in 0..red.bytes().len() {
        assert!(verify::bundle(red.bytes()[..length].into(), &city).is_err(), "cut to {length}");
    }
    // Another text, another destination, another urgency, signed by the key that it has.
    let other = grid.bundle(1, node(9), Urgency::Red, 41);
    let heads =
        [*red.head(), BundleHead { to: node(8), ..*red.head() }, BundleHead { urgency: Urgency::Bulk, ..*red.head() }];
    for (head, text) in heads.into_iter().zip([&other, &red, &red]) {
        let forged = Bundle::seal(head, text.messages().to_vec(), |bytes| township.keys.sign(bytes)).unwrap();
        assert_eq!(verify::bundle(forged.bytes().clone(), &city), Err(VerifyError::Signature));
    }
    assert!(verify::bundle(red.bytes().clone(), &city).is_ok());
}

#[test]
fn scenario_10_a_key_that_a_malicious_middle_mints_for_a_grid_is_nobodys() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (township, grid) = (member(&mut authority, 2, None), member(&mut authority, 1, Some(2)));
    let city = directory(&authority, &[&township, &grid]);
    let minted = NodeKeys::generate().unwrap();
    let template = grid.bundle(1, node(9), Urgency::Red, 40);
    let head = BundleHead { key: minted.signing_key().id(), ..*template.head() };
    let forged = Bundle::seal(head, template.messages().to_vec(), |bytes| minted.sign(bytes)).unwrap();
    assert_eq!(verify::bundle(forged.bytes().clone(), &city), Err(VerifyError::UnknownKey));
    // Nor does an entry help that the township signs, or that stands under a signature of the authority for another key.
    let real = grid.enrolled.entry;
    let entry =
        protocol::directory::Entry { signing: minted.signing_key(), serial: real.entry.serial + 1, ..real.entry };
    let signed = SignedEntry { entry, signature: township.keys.sign(&entry.signed_bytes()) };
    assert_eq!(city.insert(signed), Err(NotSigned));
    assert_eq!(city.insert(SignedEntry { entry, signature: real.signature }), Err(NotSigned));
    assert_eq!(city.signing_key(node(1)), Some(grid.keys.signing_key()));
    assert_eq!(verify::bundle(forged.bytes().clone(), &city), Err(VerifyError::UnknownKey));
}

#[test]
fn scenario_10_an_old_entry_that_a_malicious_middle_shows_again_takes_no_place() {
    let mut authority = Authority::found("x", now()).unwrap();
    let stolen = member(&mut authority, 1, None);
    let city = directory(&authority, &[&stolen]);
    let signed = authority.revoke(node(1), RevocationReason::Lost, now()).unwrap();
    assert!(city.revoke(node(1), signed.revocation.serial));
    let new = member(&mut authority, 1, None);
    assert_eq!(city.insert(new.enrolled.entry), Ok(true));
    assert_eq!(city.insert(stolen.enrolled.entry), Ok(false));
    assert_eq!(city.signing_key(node(1)), Some(new.keys.signing_key()));
    assert_eq!(city.sealing_key(node(1)), Some(new.keys.sealing_key()), "nothing is sealed to the old key");
}
