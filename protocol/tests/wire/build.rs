//! Values of every wire type from a seed. One seed gives one value on every machine, so a failure names its cause.

use protocol::bounded::{Blob, List, Text};
use protocol::division::DivisionCode;
use protocol::time::{CivilDay, Minute, UnixMillis};

/// A small deterministic source (SplitMix64), and how long lists and texts may get.
pub(crate) struct Gen {
    state: u64,
    size: usize,
}

impl Gen {
    pub(crate) fn new(seed: u64, size: usize) -> Self {
        Self { state: seed, size }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number of any size class, since varints change form at 251, 2^16 and 2^32.
    pub(crate) fn number(&mut self, max: u64) -> u64 {
        let bits = self.below(65) as u32;
        let raw = self.next();
        let value = if bits == 0 { 0 } else { raw >> (64 - bits) };
        if value <= max { value } else { max - value % 3 }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn make<T: Arb>(&mut self) -> T {
        T::arb(self)
    }

    fn length(&mut self, max: usize) -> usize {
        let end = max.min(self.size);
        self.below(end + 1)
    }
}

/// Made from a seed.
pub(crate) trait Arb: Sized {
    fn arb(g: &mut Gen) -> Self;
}

/// An enum whose every variant can be made.
pub(crate) trait Variants: Sized {
    fn each(g: &mut Gen) -> Vec<Self>;
}

/// A struct from its fields.
macro_rules! fields {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Arb for $name {
            fn arb(g: &mut Gen) -> Self { Self { $($field: g.make()),+ } }
        }
    )+};
}

/// A tuple struct of one field.
macro_rules! wrapped {
    ($($name:ident),+ $(,)?) => {$(
        impl Arb for $name {
            fn arb(g: &mut Gen) -> Self { Self(g.make()) }
        }
    )+};
}

/// An id from its sixteen bytes.
macro_rules! ids {
    ($($name:ident),+ $(,)?) => {$(
        impl Arb for $name {
            fn arb(g: &mut Gen) -> Self { Self::from_bytes(g.make()) }
        }
    )+};
}

/// An enum from all its variants; `match` at the end fails to compile when one is missing.
macro_rules! variants {
    ($g:ident; $($name:ident { $($pattern:pat => $value:expr),+ $(,)? })+) => {$(
        impl Variants for $name {
            fn each($g: &mut Gen) -> Vec<Self> {
                let all = vec![$($value),+];
                all.iter().for_each(|value: &Self| match value { $($pattern => {})+ });
                all
            }
        }
        impl Arb for $name {
            fn arb(g: &mut Gen) -> Self {
                let mut all = Self::each(g);
                let at = g.below(all.len());
                all.swap_remove(at)
            }
        }
    )+};
}

pub(crate) use {fields, ids, variants, wrapped};

macro_rules! numbers {
    ($($name:ident),+) => {$(
        impl Arb for $name {
            fn arb(g: &mut Gen) -> Self { g.number(u64::from($name::MAX)) as $name }
        }
    )+};
}
numbers!(u8, u16, u32, u64);

impl Arb for bool {
    fn arb(g: &mut Gen) -> Self {
        g.below(2) == 1
    }
}

impl Arb for i64 {
    fn arb(g: &mut Gen) -> Self {
        let value = g.make::<u64>() as i64;
        if g.make() { value } else { value.wrapping_neg() }
    }
}

impl<const N: usize> Arb for [u8; N] {
    fn arb(g: &mut Gen) -> Self {
        std::array::from_fn(|_| g.next() as u8)
    }
}

impl Arb for (u16, u16) {
    fn arb(g: &mut Gen) -> Self {
        (g.make(), g.make())
    }
}

impl<T: Arb> Arb for Option<T> {
    fn arb(g: &mut Gen) -> Self {
        g.make::<bool>().then(|| g.make())
    }
}

impl<T: Arb> Arb for Box<T> {
    fn arb(g: &mut Gen) -> Self {
        Self::new(g.make())
    }
}

impl<const MAX: usize> Arb for Text<MAX> {
    fn arb(g: &mut Gen) -> Self {
        // One to four bytes a character in UTF-8.
        const CHARACTERS: [char; 8] = ['a', '7', ' ', '\n', 'é', '调', '解', '𠮷'];
        let length = g.length(MAX);
        let text: String = (0..length).map(|_| CHARACTERS[g.below(CHARACTERS.len())]).collect();
        Self::new(text).unwrap()
    }
}

impl<T: Arb, const MAX: usize> Arb for List<T, MAX> {
    fn arb(g: &mut Gen) -> Self {
        let length = g.length(MAX);
        Self::new((0..length).map(|_| g.make()).collect()).unwrap()
    }
}

impl<const MAX: usize> Arb for Blob<MAX> {
    fn arb(g: &mut Gen) -> Self {
        let length = g.length(MAX);
        Self::new(g.bytes(length)).unwrap()
    }
}

impl Arb for DivisionCode {
    fn arb(g: &mut Gen) -> Self {
        // Each group of digits may be missing, on which parent and containment depend.
        let mut number = 1 + g.below(99) as u64;
        for size in [100, 100, 1_000, 1_000, 1_000] {
            number = number * size + if g.below(3) == 0 { 0 } else { g.next() % size };
        }
        Self::from_number(number).unwrap()
    }
}

impl Arb for CivilDay {
    fn arb(g: &mut Gen) -> Self {
        Self::of(UnixMillis(g.make()))
    }
}

wrapped!(UnixMillis, Minute);
