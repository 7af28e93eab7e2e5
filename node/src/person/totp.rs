//! The second factor: time-based one-time codes (RFC 6238, HMAC-SHA-1, six digits, thirty seconds), as every
//! authenticator application understands them, and recovery codes for a lost phone.

use protocol::time::UnixMillis;
use ring::hmac;

use crate::clock::random_bytes;

/// Seconds of one code.
pub const STEP_S: i64 = 30;
/// Digits of one code.
pub const DIGITS: usize = 6;
/// Steps that a phone's clock may be off, either way.
const SKEW_STEPS: i64 = 1;
/// Bytes of a secret: as long as the hash (RFC 4226, 4).
pub const SECRET_BYTES: usize = 20;
/// Recovery codes that are given out at once.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of one recovery code: 80 bits, so that its plain hash cannot be searched.
const RECOVERY_BYTES: usize = 10;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
pub fn secret() -> Vec<u8> {
    random_bytes::<SECRET_BYTES>().to_vec()
}

/// New recovery codes, `XXXXXXXX-XXXXXXXX`.
pub fn recovery_codes() -> Vec<String> {
    let code = || {
        let text = base32(&random_bytes::<RECOVERY_BYTES>());
        let (left, right) = text.split_at(text.len() / 2);
        format!("{left}-{right}")
    };
    std::iter::repeat_with(code).take(RECOVERY_CODES).collect()
}

/// The hash by which a recovery code is known in the database; blanks, hyphens and case do not matter.
pub fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    *blake3::hash(plain.as_bytes()).as_bytes()
}

/// The step of a moment.
pub fn step_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(STEP_S * 1_000)
}

/// The code of a step (RFC 4226, 5.3).
pub fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let mut four = [0; 4];
    if let Some(slice) = bytes.get(offset..offset + 4) {
        four.copy_from_slice(slice);
    }
    (u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(DIGITS as u32)
}

/// The step that a code belongs to, if it is one of now and later than the last one used: a code is taken once.
pub fn verify(secret: &[u8], text: &str, now: UnixMillis, last_step: i64) -> Option<i64> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if plain.len() != DIGITS || !plain.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let given: u32 = plain.parse().ok()?;
    let middle = step_of(now);
    (middle - SKEW_STEPS..=middle + SKEW_STEPS).find(|step| *step > last_step && code(secret, *step) == given)
}

/// What an authenticator application scans.
pub fn uri(secret: &[u8], issuer: &str, user: &str) -> String {
    let (issuer, user) = (percent(issuer), percent(user));
    format!("otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}&digits={DIGITS}&period={STEP_S}", base32(secret))
}

/// Base 32 without padding (RFC 4648), as authenticators want it typed.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    ALPHABET.get((value & 31) as usize).map_or('A', |byte| char::from(*byte))
}

fn percent(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (seconds, wanted) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(secret, step_of(UnixMillis(seconds * 1_000))), wanted, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_around_its_time() {
        let secret = b"12345678901234567890";
        let at = UnixMillis(59_000);
        assert_eq!(verify(secret, "287 082", at, -1), Some(1));
        assert_eq!(verify(secret, "287082", at, 1), None, "used already");
        assert_eq!(verify(secret, "287082", UnixMillis(89_999), 0), Some(1), "one step late");
        assert_eq!(verify(secret, "287082", UnixMillis(120_000), 0), None, "two steps late");
        for wrong in ["28708", "2870822", "28708x", "", "+87082", "287083"] {
            assert_eq!(verify(secret, wrong, at, -1), None, "{wrong:?}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base_32_is_that_of_the_rfc() {
        for (plain, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_people_type_them() {
        let codes = recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), RECOVERY_CODES);
        let typed = codes[0].to_lowercase().replace('-', " ");
        assert_eq!(recovery_hash(&typed), recovery_hash(&codes[0]));
        assert_eq!(codes[0].len(), 17);
    }
}
