//! The same with each of many, so many at a time.

use tokio::task::{JoinError, JoinSet};

/// Begins with the items in their order, at most so many at once, and tells each outcome as it comes. An error is a task that
/// broke off; the others go on.
pub(crate) async fn several<T, F>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    mut begin: impl FnMut(T) -> F,
    mut ended: impl FnMut(Result<F::Output, JoinError>),
) where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (mut items, mut under_way) = (items.into_iter(), JoinSet::new());
    loop {
        if under_way.len() < at_once
            && let Some(item) = items.next()
        {
            under_way.spawn(begin(item));
            continue;
        }
        let Some(outcome) = under_way.join_next().await else { return };
        ended(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_than_so_many_are_under_way_and_each_outcome_is_told_once() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut told = Vec::new();
        let begin = |n: usize| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                assert_ne!(n, 5, "one breaks off");
                now.fetch_sub(1, Ordering::SeqCst);
                n
            }
        };
        several(0..20, 3, begin, |outcome| told.push(outcome.ok())).await;
        told.sort_unstable();
        assert_eq!(told.iter().filter(|n| n.is_none()).count(), 1);
        assert_eq!(told.iter().flatten().count(), 19);
        assert!((2..=4).contains(&most.load(Ordering::SeqCst)), "the one that broke off never counted itself out");
    }
}
