//! Parent and containment agree for every code that can be written, whatever levels are missing in it.

use proptest::prelude::*;

use protocol::division::{DivisionCode, Level};

use super::build::Gen;

fn ancestors(code: DivisionCode) -> Vec<DivisionCode> {
    std::iter::successors(code.parent(), |above| above.parent()).collect()
}

proptest! {
    #[test]
    fn a_parent_contains_its_child_and_stands_higher(seed: u64) {
        let code: DivisionCode = Gen::new(seed, 1).make();
        prop_assert!(code.contains(code));
        let mut below = code;
        for above in ancestors(code) {
            prop_assert!(above.level() < below.level());
            prop_assert!(above < below, "a division sorts before what it contains");
            prop_assert!(above.contains(code) && above.contains(below));
            prop_assert!(!below.contains(above));
            below = above;
        }
        prop_assert_eq!(below.level(), Level::Province, "every line ends at its province");
    }

    #[test]
    fn to_contain_is_to_be_an_ancestor(seed: u64, digits in 0_usize..15) {
        let mut g = Gen::new(seed, 1);
        let one: DivisionCode = g.make();
        // Codes drawn alone seldom meet, so the other one shares the front of this one.
        let cut = 10_u64.pow(digits as u32);
        let other = DivisionCode::from_number(one.number() - one.number() % cut + g.next() % cut);
        for (a, b) in [(Ok(one), other), (other, Ok(one))] {
            if let (Ok(a), Ok(b)) = (a, b) {
                prop_assert_eq!(a.contains(b), a == b || ancestors(b).contains(&a), "{} and {}", a, b);
            }
        }
    }

    #[test]
    fn a_grid_lies_in_its_division_and_nowhere_deeper(seed: u64, serial: u16) {
        let code: DivisionCode = Gen::new(seed, 1).make();
        match code.grid(serial) {
            Some(grid) => {
                prop_assert_eq!(grid.level(), Level::Grid);
                prop_assert_eq!(grid.parent(), Some(code));
                prop_assert_eq!(grid.grid(serial), None, "a grid has no grids");
            }
            None => prop_assert!(code.level() == Level::Grid || !(1..1_000).contains(&serial)),
        }
    }

    #[test]
    fn any_text_is_refused_or_reads_back(text in "[0-9]{11,16}|\\PC{0,16}") {
        if let Ok(code) = text.parse::<DivisionCode>() {
            let shown = code.to_string();
            // A twelve-digit code may be written with the empty grid part; it is shown without.
            let padded = format!("{shown}000");
            prop_assert!(text == shown || text == padded);
        }
    }
}

#[test]
fn round_codes_keep_their_level() {
    for (text, level) in [
        ("100000000000", Level::Province),
        ("990000000000", Level::Province),
        ("101000000000", Level::City),
        ("100001000000", Level::County),
        ("100000001000", Level::Township),
        ("100000000001", Level::Community),
        ("100000000000001", Level::Grid),
        ("110000000000", Level::Province),
        ("330600100000", Level::Township),
        ("330610000000", Level::County),
    ] {
        let code: DivisionCode = text.parse().unwrap();
        assert_eq!(code.level(), level, "{text}");
        assert_eq!(code.to_string(), text);
    }
}

#[test]
fn what_is_no_code_is_refused() {
    for number in [0, 1, 9_999_999_999_999, 1_000_000_000_000_000, u64::MAX] {
        assert!(DivisionCode::from_number(number).is_err(), "{number}");
    }
    for text in ["٣٣٠٦٠٢٠٠١٠٠٢", "+30602001002", "-30602001002", " 33060200100", "330602001002 "] {
        assert!(text.parse::<DivisionCode>().is_err(), "{text}");
    }
}

#[test]
fn the_shipped_table_says_what_the_codes_say() {
    let table = include_str!("../../../node/data/divisions.csv");
    let mut counted = 0;
    for row in table.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [code, name, level, parent] = fields[..] else { panic!("{row}") };
        let code: DivisionCode = code.parse().unwrap();
        let expected = match level {
            "city" => Level::City,
            "county" => Level::County,
            "township" => Level::Township,
            "village" => Level::Community,
            other => panic!("{other}"),
        };
        assert_eq!(code.level(), expected, "{name}");
        assert!(!name.is_empty());
        if !parent.is_empty() {
            assert_eq!(code.parent(), Some(parent.parse().unwrap()), "{name}");
        }
        counted += 1;
    }
    assert_eq!(counted, 2_278);
}
