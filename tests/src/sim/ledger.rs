//! What a node keeps in memory and on disk alike. A commit brings to the disk what has changed since the last one, so that
//! neither copies what stays as it was.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A sorted map that knows what has changed in it since the last commit.
#[derive(Debug, Clone)]
pub(super) struct Ledger<K, V> {
    held: BTreeMap<K, V>,
    /// Keys that were put or taken out since, some perhaps twice.
    changed: Vec<K>,
}

/// What a commit changes in a [`Ledger`].
#[derive(Debug)]
pub(super) struct Changes<K, V>(Vec<(K, Option<V>)>);

impl<K, V> Default for Ledger<K, V> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), changed: Vec::new() }
    }
}

impl<K: Ord + Copy, V: Clone> Ledger<K, V> {
    /// What is held under a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.held.get(key)
    }

    /// What is held under a key, made if there is nothing, to be changed in place.
    pub(super) fn change(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.changed.push(key);
        self.held.entry(key).or_default()
    }

    /// Puts something under a key, in place of what was there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.changed.push(key);
        self.held.insert(key, value);
    }

    /// Takes out what is held under a key.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.changed.push(*key);
        self.held.remove(key)
    }

    /// Takes everything out.
    pub(super) fn take(&mut self) -> Vec<K> {
        let keys: Vec<K> = std::mem::take(&mut self.held).into_keys().collect();
        self.changed.extend(keys.iter().copied());
        keys
    }

    /// All entries, sorted by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.held.iter()
    }

    /// The keys, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.held.keys()
    }

    /// The values, sorted by key.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.held.values()
    }

    /// What has changed since this was asked last.
    pub(super) fn changes(&mut self) -> Changes<K, V> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        Changes(changed.into_iter().map(|key| (key, self.held.get(&key).cloned())).collect())
    }

    /// Takes in what has changed elsewhere.
    pub(super) fn keep(&mut self, Changes(changes): Changes<K, V>) {
        for (key, value) in changes {
            match value {
                Some(value) => drop(self.held.insert(key, value)),
                None => drop(self.held.remove(&key)),
            }
        }
    }
}

/// A list that only grows. All copies share it; one that goes on from an older state than the others, as a restored disk
/// does, goes on with a list of its own.
#[derive(Debug)]
pub(super) struct Log<T> {
    shared: Rc<RefCell<Vec<T>>>,
    /// How much of it belongs to this copy.
    length: usize,
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), length: self.length }
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { shared: Rc::default(), length: 0 }
    }
}

impl<T: Clone> Log<T> {
    /// Adds to the end.
    pub(super) fn push(&mut self, entry: T) {
        let forked = self.shared.borrow().len() != self.length;
        if forked {
            self.shared = Rc::new(RefCell::new(self.to_vec()));
        }
        let mut all = self.shared.borrow_mut();
        all.push(entry);
        self.length = all.len();
    }

    /// All of it, the oldest first.
    pub(super) fn to_vec(&self) -> Vec<T> {
        self.shared.borrow().iter().take(self.length).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_in_the_changes_of_each_commit_holds_what_the_node_holds() {
        let (mut node, mut disk) = (Ledger::<u32, u32>::default(), Ledger::default());
        let mut number = 7_u32;
        for round in 0..4_000_u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (number >> 8) % 600;
            match round % 4 {
                0 => drop(node.remove(&key)),
                1 => *node.change(key) += 1,
                _ => node.insert(key, round),
            }
            if round % 1_000 == 999 {
                node.take();
            }
            if round % 7 == 0 {
                disk.keep(node.changes());
                assert!(node.iter().eq(disk.iter()), "round {round}");
            }
        }
    }

    #[test]
    fn a_copy_of_a_log_stays_as_it_was_and_goes_on_by_itself() {
        let mut log = Log::default();
        log.push(1);
        log.push(2);
        let mut old = log.clone();
        log.push(3);
        assert_eq!((log.to_vec(), old.to_vec()), (vec![1, 2, 3], vec![1, 2]));
        old.push(4);
        assert_eq!((log.to_vec(), old.to_vec()), (vec![1, 2, 3], vec![1, 2, 4]));
    }
}
