//! An act as the API and lists tell it: each by its own word, whether it came with the first version or later.

use protocol::event::Act;
use protocol::time::CivilDay;
use serde_json::Value;

use crate::calendar::Date;

/// An object with the word of the act in `act` and what it says beside it. One of a later version is `wider`, with its code.
pub fn told(act: &Act) -> Value {
    let told = match act {
        Act::Wider(wider) => match wider.read() {
            Some(act) => serde_json::to_value(act).map(dated),
            None => Ok(serde_json::json!({ "act": "wider", "code": wider.code })),
        },
        act => serde_json::to_value(act),
    };
    told.unwrap_or_default()
}

/// With its day as it is written everywhere.
fn dated(mut told: Value) -> Value {
    let day = told.get("on").and_then(Value::as_i64).and_then(|day| CivilDay::from_number(i32::try_from(day).ok()?));
    if let (Some(day), Some(on)) = (day, told.get_mut("on")) {
        *on = Value::String(Date(day).into());
    }
    told
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
        let telling = [Act::Filed, declined.into(), Act::Wider(later)];
        let told: Vec<String> = telling.iter().map(|act| told(act).to_string()).collect();
        assert_eq!(
            told,
            [r#"{"act":"filed"}"#, r#"{"act":"not_taken_on","ground":"pending"}"#, r#"{"act":"wider","code":60000}"#]
        );
    }
}
