//! A digest over a set of figures that does not depend on order and changes in constant time with each of them.
//!
//! A node and every level above it keep one for the figures that the node owns. Equal digests mean equal sets: that is how
//! a level above knows, from one value in a signed watermark, that nothing is missing, outdated or altered.
//!
//! The construction is LtHash (Bellare and Micciancio 1997; parameters of Lewi et al. 2019): an element is stretched to
//! 1,024 numbers of 16 bits, and a set is their sum, number by number, modulo 2^16. What travels is BLAKE3 over the sum.
//! A plain XOR or a sum of 256-bit hashes would be shorter by far, and is enough against accident; but two sets with one
//! such sum can be found with some 2^32 steps (Wagner's generalised birthday), by whoever chooses the elements, and a fact
//! has a key of free choice. A node could then show its county one set and its city another under one watermark. Finding two
//! sets with one LtHash of this size is a lattice problem for which more than 2^200 steps are estimated. The price is 2 KiB a
//! node where a digest is kept, and about three microseconds a change.

use crate::chain::Hash;
use crate::fact::{CaseFact, Tally};
use crate::wire::codec;

/// Numbers of a sum.
const LANES: usize = 1_024;
/// Bytes of a sum as it is stored.
pub const SUM_BYTES: usize = LANES * 2;
/// Keeps facts, tallies and the sum apart from each other and from everything else that is hashed.
const FACT: &str = "wuji 2026 figures: case fact";
const TALLY: &str = "wuji 2026 figures: tally";
const SUM: &str = "wuji 2026 figures: sum";

/// The digest of the figures that one node owns.
#[derive(Clone, PartialEq, Eq)]
pub struct SetDigest {
    facts: u64,
    tallies: u64,
    sum: Vec<u16>,
}

impl Default for SetDigest {
    /// Of the empty set.
    fn default() -> Self {
        Self { facts: 0, tallies: 0, sum: vec![0; LANES] }
    }
}

impl SetDigest {
    /// The digest as it was stored; none when the bytes are not [`SUM_BYTES`] long.
    pub fn stored(facts: u64, tallies: u64, bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let whole = rest.is_empty() && pairs.len() == LANES;
        whole.then(|| Self { facts, tallies, sum: pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect() })
    }

    /// The sum as it is stored.
    pub fn bytes(&self) -> Vec<u8> {
        self.array().to_vec()
    }

    fn array(&self) -> [u8; SUM_BYTES] {
        let mut bytes = [0; SUM_BYTES];
        for (pair, number) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(&self.sum) {
            *pair = number.to_le_bytes();
        }
        bytes
    }

    /// Facts in the set.
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// Tallies in the set.
    pub fn tallies(&self) -> u64 {
        self.tallies
    }

    /// A fact joins the set.
    pub fn add_fact(&mut self, fact: &CaseFact) {
        self.facts = self.facts.saturating_add(1);
        self.mix(FACT, &codec::encode_unbounded(fact), u16::wrapping_add);
    }

    /// A fact leaves the set.
    pub fn remove_fact(&mut self, fact: &CaseFact) {
        self.facts = self.facts.saturating_sub(1);
        self.mix(FACT, &codec::encode_unbounded(fact), u16::wrapping_sub);
    }

    /// A tally joins the set.
    pub fn add_tally(&mut self, tally: &Tally) {
        self.tallies = self.tallies.saturating_add(1);
        self.mix(TALLY, &codec::encode_unbounded(tally), u16::wrapping_add);
    }

    /// A tally leaves the set.
    pub fn remove_tally(&mut self, tally: &Tally) {
        self.tallies = self.tallies.saturating_sub(1);
        self.mix(TALLY, &codec::encode_unbounded(tally), u16::wrapping_sub);
    }

    /// What a watermark states.
    pub fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new_derive_key(SUM);
        hasher.update(&self.facts.to_le_bytes()).update(&self.tallies.to_le_bytes()).update(&self.array());
        Hash(*hasher.finalize().as_bytes())
    }

    fn mix(&mut self, context: &str, element: &[u8], step: fn(u16, u16) -> u16) {
        let mut stretched = [0; SUM_BYTES];
        blake3::Hasher::new_derive_key(context).update(element).finalize_xof().fill(&mut stretched);
        for (number, pair) in self.sum.iter_mut().zip(stretched.as_chunks::<2>().0) {
            *number = step(*number, u16::from_le_bytes(*pair));
        }
    }
}

impl std::fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetDigest({} facts, {} tallies, {})", self.facts, self.tallies, self.hash())
    }
}

#[cfg(test)]
mod tests {
    use crate::id::NodeId;
    use crate::time::CivilDay;

    use super::*;
    use crate::fact::Measure;

    fn tally(day: i32, value: u64) -> Tally {
        Tally {
            node: NodeId::from_bytes([1; 16]),
            division: "330602001001001".parse().unwrap(),
            day: CivilDay::from_number(day).unwrap(),
            measure: Measure::VISITS,
            value,
            version: 1,
        }
    }

    #[test]
    fn order_does_not_matter_and_what_leaves_is_gone() {
        let (mut one, mut other) = (SetDigest::default(), SetDigest::default());
        for day in 0..20 {
            one.add_tally(&tally(20_000 + day, 3));
            other.add_tally(&tally(20_019 - day, 3));
        }
        assert_eq!(one, other);
        assert_eq!(one.hash(), other.hash());
        other.remove_tally(&tally(20_004, 3));
        assert_ne!(one.hash(), other.hash());
        other.add_tally(&tally(20_004, 4));
        assert_ne!(one.hash(), other.hash(), "another value is another set");
        other.remove_tally(&tally(20_004, 4));
        other.add_tally(&tally(20_004, 3));
        assert_eq!(one.hash(), other.hash());
    }

    #[test]
    fn a_stored_digest_goes_on_where_it_was() {
        let mut digest = SetDigest::default();
        digest.add_tally(&tally(20_000, 7));
        let mut again = SetDigest::stored(0, 1, &digest.bytes()).unwrap();
        again.add_tally(&tally(20_001, 7));
        digest.add_tally(&tally(20_001, 7));
        assert_eq!(again.hash(), digest.hash());
        assert_eq!(SetDigest::stored(0, 1, &[0; 7]), None);
    }

    #[test]
    fn the_same_element_twice_is_not_the_empty_set() {
        let mut twice = SetDigest::default();
        twice.add_tally(&tally(20_000, 7));
        twice.add_tally(&tally(20_000, 7));
        assert_ne!(twice.bytes(), SetDigest::default().bytes(), "as it would be with XOR");
    }
}
