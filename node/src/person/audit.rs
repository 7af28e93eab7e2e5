//! The audit (审计): one entry for every write and for every read of a person, chained by hashes. No entry holds content:
//! it says who did what to which object, by which session, with which outcome and, for a read of a person, why.

use protocol::bounded::is_hidden_control;
use protocol::chain::Hash;
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use tokio::task_local;

/// Longest object or reason, in characters; the rest is cut.
pub const TEXT_CHARS_MAX: usize = 200;

/// An entry before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// Log-in name, `token:NAME`, `operator`, `cli`, or `node` for what the node did by itself.
    pub who: String,
    /// Their roles then, separated by blanks.
    pub roles: String,
    /// The session or token: the first digits of its hash, which find it and do not open it.
    pub via: String,
    /// What was done: method and route, or a command.
    pub action: String,
    /// To what: ids out of the address, never content.
    pub object: String,
    /// `done`, or the stable code of the refusal.
    pub outcome: String,
    /// Why, where a reason was asked for.
    pub reason: String,
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chained {
    /// From 1, without gaps.
    pub number: u64,
    /// When it was stored.
    pub at: UnixMillis,
    /// The entry.
    pub entry: Entry,
    /// Hash over the one before and this one.
    pub hash: Hash,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub number: u64,
    /// Hash of the last.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { number: 0, hash: Hash::ZERO };

    /// The entry that follows, and where the chain stands then.
    pub fn then(self, at: UnixMillis, entry: Entry) -> Chained {
        let number = self.number.saturating_add(1);
        let hash = self.hash.chain(&canonical(number, at, &entry));
        Chained { number, at, entry, hash }
    }
}

/// What the hash covers: every field with its length, so that no two entries have the same bytes.
fn canonical(number: u64, at: UnixMillis, entry: &Entry) -> Vec<u8> {
    let mut bytes = b"wuji audit 1".to_vec();
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&at.0.to_be_bytes());
    let Entry { who, roles, via, action, object, outcome, reason } = entry;
    for text in [who, roles, via, action, object, outcome, reason] {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry is missing.
    #[error("entry {0} is missing")]
    Missing(u64),
    /// An entry, or one before it, is not what was written.
    #[error("entry {0} was altered")]
    Altered(u64),
    /// The chain ends before a place that was anchored.
    #[error("the entries after {have} are gone: entry {anchored} was anchored above")]
    CutOff {
        /// The last entry that is here.
        have: u64,
        /// The last entry that was anchored.
        anchored: u64,
    },
    /// At an anchored place the chain is another.
    #[error("entry {0} is not the one that was anchored above: the chain was written anew")]
    Rewritten(u64),
}

/// Checks entries as they are read, in order.
#[derive(Debug, Clone)]
pub struct Checker {
    head: Head,
    anchors: Vec<Head>,
}

impl Checker {
    /// Checks from the first entry, against heads that somebody else has kept.
    pub fn new(mut anchors: Vec<Head>) -> Self {
        anchors.sort_by_key(|anchor| anchor.number);
        Self { head: Head::START, anchors }
    }

    /// The next entry.
    pub fn next(&mut self, read: &Chained) -> Result<(), Broken> {
        let due = self.head.then(read.at, read.entry.clone());
        if read.number != due.number {
            return Err(Broken::Missing(due.number));
        }
        if read.hash != due.hash {
            return Err(Broken::Altered(due.number));
        }
        self.head = Head { number: due.number, hash: due.hash };
        let contradicts = |anchor: &Head| anchor.number == due.number && anchor.hash != due.hash;
        if self.anchors.iter().any(contradicts) { Err(Broken::Rewritten(due.number)) } else { Ok(()) }
    }

    /// After the last entry.
    pub fn end(self) -> Result<Head, Broken> {
        match self.anchors.last() {
            Some(anchor) if anchor.number > self.head.number => {
                Err(Broken::CutOff { have: self.head.number, anchored: anchor.number })
            }
            _ => Ok(self.head),
        }
    }
}

/// Text for an entry: one line, bounded.
pub fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_hidden_control(c) { ' ' } else { c }).take(TEXT_CHARS_MAX).collect()
}

task_local! {
    /// The entry of the request that is being answered. Whatever it asks of the writer is stored together with its entry, in
    /// one transaction, without any endpoint having to think of it.
    static REQUEST: std::cell::RefCell<Stamp>;
}

/// The entry of a request and whether it was stored already.
#[derive(Debug, Default)]
struct Stamp {
    entry: Entry,
    stored: bool,
}

/// Runs a request under its entry; afterwards says whether the writer has stored it.
pub async fn under<F: Future>(entry: Entry, request: F) -> (F::Output, Entry, bool) {
    REQUEST
        .scope(std::cell::RefCell::new(Stamp { entry, stored: false }), async {
            let output = request.await;
            let (entry, stored) = REQUEST.with(|stamp| {
                let stamp = stamp.borrow();
                (stamp.entry.clone(), stamp.stored)
            });
            (output, entry, stored)
        })
        .await
}

/// The entry of the request that runs, to be stored with what it asks for.
pub fn stamp() -> Option<Entry> {
    REQUEST
        .try_with(|stamp| {
            let mut stamp = stamp.borrow_mut();
            stamp.stored = true;
            stamp.entry.clone()
        })
        .ok()
}

/// Says more of the request that runs: to what, and why.
pub fn note(object: Option<&str>, reason: Option<&str>) {
    let _ = REQUEST.try_with(|stamp| {
        let entry = &mut stamp.borrow_mut().entry;
        if let Some(object) = object {
            entry.object = cut(object);
        }
        if let Some(reason) = reason {
            entry.reason = cut(reason);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_audit_is_cut_at_two_hundred_characters_and_is_one_line() {
        assert_eq!(cut(&"张".repeat(201)), "张".repeat(200));
        assert_eq!(cut("a\nb\u{202e}c"), "a b c");
    }

    fn chain(count: u64) -> Vec<Chained> {
        let mut head = Head::START;
        (1..=count)
            .map(|n| {
                let entry = Entry { who: format!("user{n}"), action: "POST".into(), ..Entry::default() };
                let next = head.then(UnixMillis(n.try_into().unwrap()), entry);
                head = Head { number: next.number, hash: next.hash };
                next
            })
            .collect()
    }

    fn check(entries: &[Chained], anchors: Vec<Head>) -> Result<Head, Broken> {
        let mut checker = Checker::new(anchors);
        entries.iter().try_for_each(|entry| checker.next(entry))?;
        checker.end()
    }

    fn head_of(entry: &Chained) -> Head {
        Head { number: entry.number, hash: entry.hash }
    }

    #[test]
    fn a_whole_chain_holds() {
        let entries = chain(5);
        assert_eq!(check(&entries, vec![head_of(&entries[2])]), Ok(head_of(&entries[4])));
        assert_eq!(check(&[], vec![]), Ok(Head::START));
    }

    #[test]
    fn every_field_is_under_the_hash() {
        let entries = chain(3);
        let changes: [fn(&mut Chained); 9] = [
            |c| c.at = UnixMillis(99),
            |c| c.entry.who.push('x'),
            |c| c.entry.roles.push('x'),
            |c| c.entry.via.push('x'),
            |c| c.entry.action.push('x'),
            |c| c.entry.object.push('x'),
            |c| c.entry.outcome.push('x'),
            |c| c.entry.reason.push('x'),
            |c| std::mem::swap(&mut c.entry.who, &mut c.entry.action),
        ];
        for change in changes {
            let mut altered = entries.clone();
            change(&mut altered[1]);
            assert_eq!(check(&altered, vec![]), Err(Broken::Altered(2)));
        }
    }

    #[test]
    fn a_deleted_entry_and_a_cut_end_are_found() {
        let entries = chain(5);
        let mut holed = entries.clone();
        holed.remove(2);
        assert_eq!(check(&holed, vec![]), Err(Broken::Missing(3)));
        let anchor = head_of(&entries[3]);
        assert_eq!(check(&entries[..2], vec![anchor]), Err(Broken::CutOff { have: 2, anchored: 4 }));
        assert!(check(&entries[..2], vec![]).is_ok(), "without an anchor a cut end cannot be seen");
    }

    #[test]
    fn a_chain_that_was_written_anew_does_not_meet_its_anchor() {
        let mut head = Head::START;
        let anew: Vec<_> = chain(5)
            .into_iter()
            .map(|old| {
                let next = head.then(old.at, Entry { who: "somebody else".into(), ..old.entry });
                head = head_of(&next);
                next
            })
            .collect();
        assert!(check(&anew, vec![]).is_ok());
        assert_eq!(check(&anew, vec![head_of(&chain(5)[2])]), Err(Broken::Rewritten(3)));
    }

    #[tokio::test]
    async fn what_a_request_asks_for_carries_its_entry() {
        assert_eq!(stamp(), None, "outside of a request there is none");
        let entry = Entry { who: "clerk".into(), ..Entry::default() };
        let ((), after, stored) = under(entry, async {
            note(Some("case 1"), Some("回访\n核实"));
            assert_eq!(stamp().unwrap().who, "clerk");
        })
        .await;
        assert!(stored);
        assert_eq!((after.object.as_str(), after.reason.as_str()), ("case 1", "回访 核实"));
    }
}
