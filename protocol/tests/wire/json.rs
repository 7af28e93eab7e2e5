//! The vocabulary as the API and the database of the figures write it: JSON holds what bytes hold, and refuses the same.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use protocol::bounded::Text;
use protocol::division::DivisionCode;
use protocol::event::{Act, Brief, Private};
use protocol::fact::CaseFact;
use protocol::order::{Asked, Order};
use protocol::time::CivilDay;

use super::build::{Arb, Gen, Variants};

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

fn made<T: Arb + Serialize + DeserializeOwned + PartialEq + Debug>(g: &mut Gen) {
    same(&g.make::<T>());
}

proptest! {
    #[test]
    fn json_reads_back(seed: u64) {
        let mut g = Gen::new(seed, 12);
        made::<Brief>(&mut g);
        made::<Private>(&mut g);
        made::<CaseFact>(&mut g);
        made::<Order>(&mut g);
        Act::each(&mut g).iter().for_each(same);
        Asked::each(&mut g).iter().for_each(same);
    }
}

#[test]
fn json_is_bounded_like_the_wire() {
    assert!(serde_json::from_str::<CivilDay>("84005").is_ok());
    assert!(serde_json::from_str::<CivilDay>("84006").is_err(), "after 2199");
    assert!(serde_json::from_str::<Text<3>>("\"调解员\"").is_ok());
    assert!(serde_json::from_str::<Text<3>>("\"调解员们\"").is_err());
    assert!(serde_json::from_str::<Text<3>>("\"\\u202e\"").is_err());
    assert!(serde_json::from_str::<DivisionCode>("\"330602001002\"").is_ok());
    assert!(serde_json::from_str::<DivisionCode>("330602001002").is_err(), "a code is text: JavaScript rounds numbers");
}
