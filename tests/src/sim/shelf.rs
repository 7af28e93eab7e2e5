//! A sorted map whose clone costs nothing and whose change costs a few dozen entries: a disk keeps each state of a node, and
//! the next one differs from it by little.

use std::rc::Rc;

/// Entries of one shelf at most.
const FULL: usize = 48;

/// Sorted entries.
type Shelf<K, V> = Rc<Vec<(K, V)>>;

/// The map: shelves of entries, each shared with every clone that has not changed it.
#[derive(Debug)]
pub(super) struct Shelves<K, V> {
    shelves: Rc<Vec<Shelf<K, V>>>,
}

impl<K, V> Clone for Shelves<K, V> {
    fn clone(&self) -> Self {
        Self { shelves: self.shelves.clone() }
    }
}

impl<K, V> Default for Shelves<K, V> {
    fn default() -> Self {
        Self { shelves: Rc::default() }
    }
}

impl<K: Ord + Clone, V: Clone> Shelves<K, V> {
    /// The shelf where a key belongs.
    fn shelf(&self, key: &K) -> usize {
        let after = self.shelves.partition_point(|shelf| shelf.first().is_none_or(|(first, _)| first <= key));
        after.saturating_sub(1)
    }

    /// What is held under a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let shelf = self.shelves.get(self.shelf(key))?;
        let at = shelf.binary_search_by(|(held, _)| held.cmp(key)).ok()?;
        shelf.get(at).map(|(_, value)| value)
    }

    /// Puts something under a key, in place of what was there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let at = self.shelf(&key);
        let shelves = Rc::make_mut(&mut self.shelves);
        let Some(shelf) = shelves.get_mut(at) else { return shelves.push(Rc::new(vec![(key, value)])) };
        let entries = Rc::make_mut(shelf);
        match entries.binary_search_by(|(held, _)| held.cmp(&key)) {
            Ok(found) => entries[found].1 = value,
            Err(free) => entries.insert(free, (key, value)),
        }
        if entries.len() > FULL {
            let upper = entries.split_off(FULL / 2);
            shelves.insert(at + 1, Rc::new(upper));
        }
    }

    /// Takes out what is held under a key.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.shelf(key);
        let found = self.shelves.get(at)?.binary_search_by(|(held, _)| held.cmp(key)).ok()?;
        let shelves = Rc::make_mut(&mut self.shelves);
        let (_, value) = Rc::make_mut(&mut shelves[at]).remove(found);
        if shelves[at].is_empty() {
            shelves.remove(at);
        }
        Some(value)
    }

    /// All entries, sorted by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shelves.iter().flat_map(|shelf| shelf.iter().map(|(key, value)| (key, value)))
    }

    /// The keys, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, sorted by key.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_holds_what_a_sorted_map_holds_and_a_clone_stays_as_it_was() {
        let (mut shelves, mut map) = (Shelves::default(), BTreeMap::new());
        let mut number = 7_u32;
        let mut before = (shelves.clone(), map.clone());
        for round in 0..4_000_u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (number >> 8) % 600;
            if round % 3 == 0 {
                assert_eq!(shelves.remove(&key), map.remove(&key));
            } else {
                shelves.insert(key, round);
                map.insert(key, round);
            }
            if round == 2_000 {
                before = (shelves.clone(), map.clone());
            }
        }
        for (held, wanted) in [(&shelves, &map), (&before.0, &before.1)] {
            assert_eq!(held.iter().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
            assert!((0..600).all(|key| held.get(&key) == wanted.get(&key)));
        }
    }
}
