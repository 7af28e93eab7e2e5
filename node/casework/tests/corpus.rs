//! What `make fuzz` has found worth keeping, read again by the same targets: no decoder panics, and each accepts one form.

#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use std::path::Path;

/// The bytes of a line of hexadecimal.
fn bytes_of(line: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        line.chars().map(|c| u8::try_from(c.to_digit(16).expect("a digit")).expect("small")).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn no_input_of_the_corpus_makes_a_decoder_panic_or_accept_a_second_form() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let inputs = std::fs::read_to_string(corpus.join(name).with_extension("hex")).expect(name);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        inputs.lines().for_each(|line| target(&bytes_of(line)));
    }
}
