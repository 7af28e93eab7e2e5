//! An act as the API and lists tell it: each by its own word, whether it came with the first version or later.

use protocol::event::Act;
use serde_json::Value;

/// An object with the word of the act in `act` and what it says beside it. One of a later version is `wider`, with its code.
pub fn told(act: &Act) -> Value {
    let told = match act {
        Act::Wider(wider) => match wider.read() {
            Some(act) => serde_json::to_value(act),
            None => Ok(serde_json::json!({ "act": "wider", "code": wider.code })),
        },
        act => serde_json::to_value(act),
    };
    told.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::bounded::Blob;
    use protocol::event::{DeclineGround, WideAct, Wider};

    #[test]
    fn each_act_has_a_word_of_its_own() {
        let declined = WideAct::NotTakenOn { ground: DeclineGround::Pending };
        let later = Wider { code: 60_000, body: Blob::default() };
        let telling = [Act::Filed, Act::Wider(declined.widen()), Act::Wider(later)];
        let told: Vec<String> = telling.iter().map(|act| told(act).to_string()).collect();
        assert_eq!(
            told,
            [r#"{"act":"filed"}"#, r#"{"act":"not_taken_on","ground":"pending"}"#, r#"{"act":"wider","code":60000}"#]
        );
    }
}
