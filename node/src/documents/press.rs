//! The press: makes volumes on threads of their own, so many at once. It is the process's, not a node's: what it bounds are the
//! processors and the memory of one machine, on which a pack runs many nodes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use casework::document::SheetCode;
use paper::{Bound, Fonts, Leaf, Mark};
use tokio::sync::Semaphore;

use super::{Job, NoFont, fonts};
use crate::config::PapersSection;

/// Volumes that are made at once.
const AT_ONCE_MAX: usize = 2;
/// Requests that wait for their turn.
const WAITING_MAX: usize = 16;
/// Bytes of text of one volume: more than any case can hold.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why there is no PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// There are no letters to print with.
    #[error(transparent)]
    NoFont(#[from] NoFont),
    /// Too many wait already.
    #[error("too many papers are being made")]
    Busy,
    /// It says more than is printed in one piece.
    #[error("the paper is too long")]
    TooLong,
    /// The layout failed.
    #[error(transparent)]
    Trouble(#[from] paper::Trouble),
    /// The process stops.
    #[error("the node stops")]
    Stopping,
}

/// Makes volumes.
#[derive(Debug)]
pub struct Press {
    places: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
    /// The fonts that are in use, and for which section they were read. They take some fifty megabytes: whoever prints while
    /// others do shares theirs, and they go with the last.
    held: Mutex<Option<(PapersSection, Weak<Fonts>)>>,
}

/// The press of this process.
pub static PRESS: Press = Press::new(AT_ONCE_MAX, WAITING_MAX);

impl Press {
    const fn new(at_once: usize, waiting_max: usize) -> Self {
        let (places, waiting) = (Semaphore::const_new(at_once), AtomicUsize::new(0));
        Self { places, waiting, waiting_max, held: Mutex::new(None) }
    }

    /// Makes a volume.
    pub async fn bind(&'static self, section: &PapersSection, job: Job) -> Result<Bound, NotMade> {
        if job.text_bytes() > TEXT_BYTES_MAX {
            return Err(NotMade::TooLong);
        }
        let waits = Waits::of(self)?;
        let place = self.places.acquire().await.map_err(|_| NotMade::Stopping)?;
        drop(waits);
        let section = section.clone();
        let made = tokio::task::spawn_blocking(move || {
            // Kept to the end of the work, also when nobody waits for it any longer.
            let _place = place;
            let fonts = self.fonts(&section)?;
            Ok(paper::bind(&job.volume, &fonts, &|leaf| mark(&job.codes, leaf))?)
        });
        made.await.map_err(|_| NotMade::Stopping)?
    }

    fn fonts(&self, section: &PapersSection) -> Result<Arc<Fonts>, NoFont> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = held.as_ref().filter(|(of, _)| of == section).and_then(|(_, fonts)| fonts.upgrade());
        if let Some(shared) = shared {
            return Ok(shared);
        }
        let read = Arc::new(fonts(section)?);
        *held = Some((section.clone(), Arc::downgrade(&read)));
        Ok(read)
    }
}

/// A request in the queue; out of it when dropped.
struct Waits<'p>(&'p Press);

impl<'p> Waits<'p> {
    fn of(press: &'p Press) -> Result<Self, NotMade> {
        let waits = Self(press);
        let before = press.waiting.fetch_add(1, Ordering::Relaxed);
        if before < press.waiting_max { Ok(waits) } else { Err(NotMade::Busy) }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a page carries. Beyond the last page that a code can name a page has none.
fn mark(codes: &[SheetCode], leaf: Leaf) -> Option<Mark> {
    let page = u16::try_from(leaf.page).ok()?.checked_add(1)?;
    let code = SheetCode { page, pages: u16::try_from(leaf.pages).ok()?, ..*codes.get(leaf.document)? };
    Some(Mark { code: code.to_string(), label: code.label() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use casework::document::{Paper, Piece, Sheet};
    use protocol::id::CaseId;

    fn job(words: &str) -> Job {
        let pieces = vec![Piece::Words(words.to_owned())];
        let sheet = Sheet { paper: Paper::Reply, title: "答复意见书".to_owned(), edition: 3, pieces };
        Job::paper(CaseId::from_bytes([7; 16]), &sheet)
    }

    #[tokio::test]
    async fn beyond_those_who_may_wait_a_request_is_turned_away_and_the_queue_frees_itself() {
        static NARROW: Press = Press::new(1, 1);
        let section = PapersSection::default();
        let taken = NARROW.places.acquire().await.unwrap();
        let mut first = Box::pin(NARROW.bind(&section, job("甲")));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_eq!(NARROW.bind(&section, job("乙")).await, Err(NotMade::Busy));
        // Whoever gives up waiting leaves the queue.
        drop(first);
        let mut next = Box::pin(NARROW.bind(&section, job("丙")));
        assert!(futures_util::poll!(&mut next).is_pending());
        drop(taken);
        assert!(next.await.is_ok());
    }

    #[tokio::test]
    async fn a_volume_longer_than_any_case_is_refused_before_it_is_laid_out() {
        let section = PapersSection::default();
        let long = "字".repeat(TEXT_BYTES_MAX / 3 + 1);
        assert_eq!(PRESS.bind(&section, job(&long)).await, Err(NotMade::TooLong));
    }

    #[tokio::test]
    async fn fonts_are_shared_while_somebody_prints_and_let_go_after() {
        static OWN: Press = Press::new(2, 2);
        let section = PapersSection::default();
        let (first, second) = (OWN.fonts(&section).unwrap(), OWN.fonts(&section).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        assert!(OWN.held.lock().unwrap().as_ref().is_some_and(|(_, fonts)| fonts.upgrade().is_none()));
    }
}
