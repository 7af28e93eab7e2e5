//! Numbers that a seed draws (splitmix64, Steele and others 2014).

/// The same seed draws the same numbers again.
#[derive(Debug, Clone)]
pub struct Draw(pub u64);

impl Draw {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number below a limit.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// One of several.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_another_seed_something_else() {
        let drawn = |seed| {
            let mut draw = Draw(seed);
            std::array::from_fn::<_, 20, _>(|_| draw.number())
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }
}
