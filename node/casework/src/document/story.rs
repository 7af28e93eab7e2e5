//! A case as it is told on paper. This is the one place that reads what events say privately: a content that comes later is
//! one more line in [`words`].

use protocol::event::{Act, Brief, Content, Header, Party, Private, WideAct};
use protocol::id::NodeId;
use protocol::time::ClockReading;

use crate::case::{Case, Exit};
use crate::known::Known;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did<'k> {
    /// An act of the first version.
    First(&'k Act),
    /// One that came later.
    Wide(WideAct),
    /// One of a later version of this program.
    Later,
}

/// What was said with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words<'k> {
    /// Nothing.
    Silent,
    /// What was said is not held here.
    Gone,
    /// The report, which stands in the case.
    Report,
    /// A note.
    Note(&'k str),
    /// How the case was resolved.
    Terms {
        /// The words.
        terms: &'k str,
        /// The sum.
        amount_fen: Option<u64>,
    },
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'k> {
    /// Its number.
    pub number: u32,
    /// When.
    pub at: ClockReading,
    /// What.
    pub did: Did<'k>,
    /// Who, where that is held.
    pub by: &'k str,
    /// What was said.
    pub words: Words<'k>,
    /// The node that owned the case then.
    pub owner: NodeId,
    /// How the case stood after it: a paper tells of that, and not of what came later.
    pub brief: &'k Brief,
}

/// A case with its events.
#[derive(Debug, Clone)]
pub struct Story<'k> {
    /// The case.
    pub case: &'k Case,
    /// Its events, oldest first.
    pub entries: Vec<Entry<'k>>,
    /// The number of the event by which it was last opened again.
    again: u32,
}

/// What was said, of a private part that is held.
fn words(private: &Private) -> Words<'_> {
    match &private.content {
        Content::Nothing => Words::Silent,
        Content::Report { .. } => Words::Report,
        Content::Note { text } => Words::Note(text),
        Content::Resolution { terms, amount_fen } => Words::Terms { terms, amount_fen: *amount_fen },
    }
}

fn did(act: &Act) -> Did<'_> {
    match act {
        Act::Wider(wider) => wider.read().map_or(Did::Later, Did::Wide),
        first => Did::First(first),
    }
}

fn entry<'k>(header: &'k Header, private: Option<&'k Private>, owner: NodeId) -> Entry<'k> {
    Entry {
        number: header.number,
        at: header.at,
        did: did(&header.act),
        by: private.and_then(|p| p.by.as_ref()).map_or("", |by| by.name.as_str()),
        words: private.map_or(Words::Gone, words),
        owner,
        brief: &header.brief,
    }
}

impl<'k> Story<'k> {
    /// Tells a case; none where no chain of it is here.
    pub fn of(known: &'k Known) -> Option<Self> {
        let links = known.chain().iter();
        let entries: Vec<_> = links.map(|link| entry(&link.header, known.said(&link.header), link.writer)).collect();
        let reopened = entries.iter().filter(|entry| entry.did == Did::Wide(WideAct::Reopened {}));
        let again = reopened.map(|entry| entry.number).max().unwrap_or(0);
        Some(Self { case: known.case()?, entries, again })
    }

    /// Whether this node owns it.
    pub fn owned_by(&self, node: NodeId) -> bool {
        self.case.owned_by(node)
    }

    /// Its parties, where the report is held.
    pub fn parties(&self) -> &[Party] {
        self.case.report.as_ref().map_or(&[], |report| &report.parties)
    }

    /// The events that an act of the first version made.
    pub(crate) fn all(&self, fits: impl Fn(&Act) -> bool) -> impl Iterator<Item = &Entry<'k>> {
        self.entries.iter().filter(move |entry| matches!(entry.did, Did::First(act) if fits(act)))
    }

    /// The last of them that still counts: what stood before the case was opened again does not.
    pub(crate) fn last(&self, fits: impl Fn(&Act) -> bool) -> Option<&Entry<'k>> {
        let again = self.again;
        self.all(fits).filter(|entry| entry.number > again).last()
    }

    /// How it left the loop of handling, and the event that says so.
    pub(crate) fn exit(&self) -> Option<(Exit, &Entry<'k>)> {
        let exit = self.case.exit?;
        let of_it = |entry: &&Entry<'k>| {
            matches!(
                entry.did,
                Did::Wide(WideAct::NotTakenOn { .. } | WideAct::Withdrawn {} | WideAct::Referred { .. })
            )
        };
        Some((exit, self.entries.iter().rev().find(of_it)?))
    }

    /// The event by which it was taken on; before that, the report.
    pub(crate) fn taken_on(&self) -> Option<&Entry<'k>> {
        self.all(|act| matches!(act, Act::Filed)).last().or_else(|| self.entries.first())
    }

    /// The resolution, and the event that says so.
    pub(crate) fn resolved(&self) -> Option<&Entry<'k>> {
        self.last(|act| matches!(act, Act::Resolved))
    }

    /// The notes of the work, oldest first.
    pub(crate) fn work(&self) -> impl Iterator<Item = &Entry<'k>> {
        self.all(|act| matches!(act, Act::Progressed))
    }

    /// When it was settled how it ended, whichever way.
    pub(crate) fn ended(&self) -> Option<&Entry<'k>> {
        self.exit().map(|(_, entry)| entry).or_else(|| self.resolved())
    }
}

impl<'k> Entry<'k> {
    /// The words; empty where nothing was said, and none where that is not held.
    pub(crate) fn text(&self) -> Option<&'k str> {
        match self.words {
            Words::Gone => None,
            Words::Silent | Words::Report => Some(""),
            Words::Note(text) | Words::Terms { terms: text, .. } => Some(text),
        }
    }

    /// The words as they stand on paper.
    pub(crate) fn printed(&self) -> String {
        match self.text() {
            None => "（原文未在本节点保存）".to_owned(),
            Some(text) => super::piece::or_none(text),
        }
    }
}
