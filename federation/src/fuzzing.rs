//! What reads bytes that somebody else wrote, for `make fuzz` (`fuzz/`): join tokens, names in certificates, and the records
//! of a connection over TCP. Each target takes any bytes and fails by a panic.

use protocol::bounded::Text;

use crate::driver::fuzzing::records;
use crate::trust::name::{authority_of, node_of, not_after, spki_sha256, tls_name, validity};
use crate::trust::token::Token;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[("certificate", certificate), ("record", records), ("token", token)];

/// What is read of a certificate before anybody has checked who signed it.
fn certificate(bytes: &[u8]) {
    if let Ok(node) = node_of(bytes) {
        assert!(bytes.windows(tls_name(node).len()).any(|window| window == tls_name(node).as_bytes()), "no such name");
    }
    let readable = spki_sha256(bytes).is_ok();
    assert_eq!(not_after(bytes).is_ok(), readable);
    assert_eq!(validity(bytes).is_ok(), readable);
    assert!(readable || authority_of(bytes).is_err());
}

/// A token as a person pastes it; and what is in one, with a sum that is right.
fn token(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        one_token(text);
    }
    let sum = blake3::hash(bytes);
    let whole: Vec<u8> = bytes.iter().chain(sum.as_bytes().iter().take(4)).copied().collect();
    one_token(&format!("wuji1.{}", data_encoding::BASE64URL_NOPAD.encode(&whole)));
}

fn one_token(text: &str) {
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.to_string(), text.trim(), "a second form was accepted");
        assert_eq!(Text::<200>::cut(&token.address).as_str(), token.address, "longer than it may be");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_reader_of_the_link_panic() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        for (name, target) in TARGETS {
            let inputs = std::fs::read_to_string(corpus.join(name).with_extension("hex")).expect(name);
            assert!(!inputs.is_empty(), "{name} has no corpus");
            for line in inputs.lines() {
                target(&data_encoding::HEXLOWER.decode(line.as_bytes()).expect("hexadecimal"));
            }
        }
    }
}
