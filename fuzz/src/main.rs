//! One program for all targets; the environment says which one is run. See `scripts/fuzz.sh`.
#![no_main]

mod targets;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("WUJI_FUZZ").unwrap_or_default();
    let mut all = targets::TARGETS.iter().chain(federation::fuzzing::TARGETS);
    let found = all.find(|(target, _)| *target == name);
    found.unwrap_or_else(|| panic!("WUJI_FUZZ names no target: {name:?}")).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
