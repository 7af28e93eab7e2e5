//! Sorted entries that copies share until one of them changes: what is held of a case is a handful of each kind, and most
//! often nothing. So they lie in one piece of memory, as long as they are, and an empty one takes none.

use std::sync::Arc;

/// A small sorted map.
#[derive(Debug, PartialEq)]
pub(crate) struct Few<K, V>(Option<Arc<Vec<(K, V)>>>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K, V> Clone for Few<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Few<K, V> {
    fn entries(&self) -> &[(K, V)] {
        self.0.as_deref().map(Vec::as_slice).unwrap_or_default()
    }

    /// All entries, sorted by key.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries().iter().map(|(key, value)| (key, value))
    }

    /// The keys, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, sorted by key.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord + Clone, V: Clone> Few<K, V> {
    /// What is held under a key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let at = self.entries().binary_search_by(|(held, _)| held.cmp(key)).ok()?;
        self.entries().get(at).map(|(_, value)| value)
    }

    /// Whether anything is held under a key.
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Puts something under a key, in place of what was there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let place = self.entries().binary_search_by(|(held, _)| held.cmp(&key));
        let entries = own(self.0.get_or_insert_default(), usize::from(place.is_err()));
        match place.map(|at| entries.get_mut(at)) {
            Ok(Some(entry)) => entry.1 = value,
            Ok(None) => entries.push((key, value)),
            Err(at) => entries.insert(at, (key, value)),
        }
    }

    /// Keeps what fits.
    pub(crate) fn retain(&mut self, fits: impl Fn(&K) -> bool) {
        if self.keys().any(|key| !fits(key)) {
            own(self.0.get_or_insert_default(), 0).retain(|(key, _)| fits(key));
        }
    }

    /// Changes values in place.
    pub(crate) fn for_each_mut(&mut self, change: impl Fn(&K, &mut V)) {
        if let Some(entries) = self.0.as_mut() {
            own(entries, 0).iter_mut().for_each(|(key, value)| change(key, value));
        }
    }
}

/// A list that nobody else shares, with room for more: a copy is made as long as it will be.
pub(crate) fn own<T: Clone>(shared: &mut Arc<Vec<T>>, more: usize) -> &mut Vec<T> {
    if Arc::get_mut(shared).is_none() {
        let mut copy = Vec::with_capacity(shared.len().saturating_add(more));
        copy.extend_from_slice(shared);
        *shared = Arc::new(copy);
    }
    Arc::make_mut(shared)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_holds_what_a_sorted_map_holds_and_a_copy_stays_as_it_was() {
        let (mut few, mut map) = (Few::default(), BTreeMap::new());
        let mut before = (few.clone(), map.clone());
        let mut number = 7_u32;
        for round in 0..400_u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (number >> 8) % 60;
            few.insert(key, round);
            map.insert(key, round);
            if round % 50 == 49 {
                few.retain(|held| *held != key);
                map.retain(|held, _| *held != key);
                few.for_each_mut(|_, value| *value += 1);
                map.values_mut().for_each(|value| *value += 1);
            }
            if round == 200 {
                before = (few.clone(), map.clone());
            }
        }
        for (few, map) in [(&few, &map), (&before.0, &before.1)] {
            assert!(few.iter().eq(map.iter()));
            assert!((0..60).all(|key| few.get(&key) == map.get(&key) && few.contains(&key) == map.contains_key(&key)));
        }
    }
}
