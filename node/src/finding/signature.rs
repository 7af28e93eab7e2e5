//! Signatures: for each case two Bloom filters of its words, of those that are shown and of those that are masked.
//!
//! A filter tells whoever has the keys of the node that a word is *perhaps* or *surely not* in the case, so a hit is looked at
//! before it is told. The places of its bits come from a hash under a key of the case, made from the key of the node: whoever
//! has the database alone can neither try a name against it nor see that two cases hold the same word.

use std::hash::Hasher;

use protocol::id::CaseId;
use siphasher::sip128::{Hasher128, SipHasher24};

use super::words::{Gram, Words};

/// Which way signatures are made; another number has all made anew.
pub(crate) const MADE: i64 = 2;
/// Bits for each thing that a filter holds, and how many of them it sets: one *perhaps* of six hundred is wrong.
const BITS_EACH: u64 = 14;
const SET_EACH: u64 = 7;
const WORD_BITS: u64 = 64;

/// The key of the node for all its signatures.
#[derive(Clone, Copy)]
pub struct SearchKey(pub(crate) [u8; 32]);

impl std::fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchKey")
    }
}

impl SearchKey {
    /// The key of one case.
    pub(crate) fn of(&self, case: CaseId) -> CaseKeyed {
        let mut key = [0; 16];
        key.iter_mut().zip(blake3::keyed_hash(&self.0, case.as_bytes()).as_bytes()).for_each(|(to, from)| *to = *from);
        CaseKeyed(key)
    }
}

/// Hashes under the key of one case.
#[derive(Clone, Copy)]
pub(crate) struct CaseKeyed([u8; 16]);

impl std::fmt::Debug for CaseKeyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CaseKeyed")
    }
}

impl CaseKeyed {
    fn hash(&self, gram: Gram) -> (u64, u64) {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u64(gram.0);
        let hash = hasher.finish128();
        (hash.h1, hash.h2 | 1)
    }
}

/// A Bloom filter as long as what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter(Box<[u64]>);

impl Filter {
    fn of<'g>(key: &CaseKeyed, grams: impl ExactSizeIterator<Item = &'g Gram>) -> Self {
        let bits = u64::try_from(grams.len()).unwrap_or(u64::MAX).saturating_mul(BITS_EACH);
        let words = usize::try_from(bits.div_ceil(WORD_BITS)).unwrap_or(0);
        let mut filter = Self(vec![0; words].into_boxed_slice());
        for gram in grams {
            for (word, bit) in filter.places(key.hash(*gram)) {
                if let Some(word) = filter.0.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        filter
    }

    /// Where the bits of a hash are: the word, and the bit in it.
    fn places(&self, (first, step): (u64, u64)) -> [(usize, u64); SET_EACH as usize] {
        let bits = u128::from(WORD_BITS) * self.0.len() as u128;
        let mut at = first;
        std::array::from_fn(|_| {
            // The upper half of the product is evenly spread below the number of bits.
            let place = u64::try_from((u128::from(at) * bits) >> 64).unwrap_or(0);
            at = at.wrapping_add(step);
            (usize::try_from(place / WORD_BITS).unwrap_or(0), 1 << (place % WORD_BITS))
        })
    }

    fn holds(&self, hash: (u64, u64)) -> bool {
        let set = |(word, bit): (usize, u64)| self.0.get(word).is_some_and(|held| held & bit != 0);
        !self.0.is_empty() && self.places(hash).into_iter().all(set)
    }

    /// As it is stored.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Out of its row.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(u64::from_le_bytes);
        Self(words.collect())
    }

    /// Bytes that it takes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.0.len() * 8
    }
}

/// Both filters of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Signature {
    /// Of what everybody may read who may see the case.
    pub(crate) shown: Filter,
    /// Of what else is in it.
    pub(crate) hidden: Filter,
}

impl Signature {
    /// The signature of a case: `shown` as everybody reads it, `all` as it is.
    pub(crate) fn of(key: &CaseKeyed, shown: &Words, all: &Words) -> Self {
        let shown = shown.grams();
        let mut hidden = all.grams();
        hidden.retain(|gram| shown.binary_search(gram).is_err());
        Self { shown: Filter::of(key, shown.iter()), hidden: Filter::of(key, hidden.iter()) }
    }

    /// Whether something is perhaps in the case; `masked`: in what is shown of it. Who reads masked words asks the filter of
    /// these alone: not even the time that an answer takes tells them of others.
    pub(crate) fn may_hold(&self, key: &CaseKeyed, gram: Gram, masked: bool) -> bool {
        let hash = key.hash(gram);
        self.shown.holds(hash) || (!masked && self.hidden.holds(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(n: u8) -> CaseId {
        CaseId::from_bytes([n; 16])
    }

    fn words(text: &str) -> Words {
        let mut words = Words::default();
        words.put_short(text);
        words
    }

    fn key(n: u8) -> SearchKey {
        SearchKey([n; 32])
    }

    fn may_hold(signature: &Signature, key: &CaseKeyed, text: &str, masked: bool) -> bool {
        words(text).grams().into_iter().all(|gram| signature.may_hold(key, gram, masked))
    }

    #[test]
    fn what_is_in_a_case_is_always_perhaps_in_it_and_read_back_it_is_the_same() {
        let key = key(1).of(case(1));
        let text = "三楼住户把杂物堆在通道里屡劝不改";
        let signature = Signature::of(&key, &words(text), &words(text));
        assert!(may_hold(&signature, &key, text, true));
        assert!(!may_hold(&signature, &key, "拖欠工资", true));
        assert_eq!(Filter::read(&signature.shown.bytes()), signature.shown);
        assert_eq!(signature.hidden, Filter::default(), "nothing is hidden");
    }

    #[test]
    fn a_name_is_in_the_hidden_filter_alone() {
        let key = key(1).of(case(1));
        let signature = Signature::of(&key, &words("张**堵了通道"), &words("张三林堵了通道"));
        assert!(may_hold(&signature, &key, "张三林", false));
        assert!(!may_hold(&signature, &key, "张三林", true));
        assert!(may_hold(&signature, &key, "通道", true));
    }

    #[test]
    fn equal_words_look_unlike_in_two_cases_and_at_two_nodes() {
        let make = |node: u8, of: u8| {
            let key = key(node).of(case(of));
            Signature::of(&key, &Words::default(), &words("张三林")).hidden
        };
        let all = [make(1, 1), make(1, 2), make(2, 1)];
        assert!(all[0] != all[1] && all[0] != all[2]);
        assert_eq!(all[0], make(1, 1));
    }

    #[test]
    fn one_perhaps_of_some_hundred_is_wrong() {
        let key = key(3).of(case(3));
        let held: String = (0..300_u32).filter_map(|n| char::from_u32(0x4E00 + n * 7)).collect();
        let signature = Signature::of(&key, &words(&held), &words(&held));
        let wrong = (0..20_000_u64).filter(|n| signature.may_hold(&key, Gram((9 << 56) | n), true)).count();
        assert!(wrong < 20_000 / 300, "{wrong} of 20,000");
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        let key = key(1).of(case(1));
        assert!(!may_hold(&Signature::default(), &key, "张", false));
    }
}
