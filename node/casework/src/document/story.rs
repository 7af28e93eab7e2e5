//! A case as it is told on paper. This is the one place that reads what events say privately: a content that comes later is
//! one more line in [`words`].

use std::borrow::Cow;

use protocol::event::{Act, Brief, Content, Header, Participant, Private, Standing, WideAct, WideContent};
use protocol::id::{AttachmentId, NodeId};
use protocol::time::ClockReading;

use super::{Paper, SheetCode};
use crate::case::{Case, Exit};
use crate::known::Known;
use crate::restricted;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What came after the first version.
    Wide(Box<WideContent>),
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
    pub brief: Cow<'k, Brief>,
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
    /// The number of the last event by which it changed who its parties are, or what the report says.
    named: u32,
}

/// What was said, of a private part that is held.
fn words(private: &Private) -> Words<'_> {
    match &private.content {
        Content::Nothing => Words::Silent,
        Content::Report { .. } => Words::Report,
        Content::Note { text } => Words::Note(text),
        Content::Resolution { terms, amount_fen } => Words::Terms { terms, amount_fen: *amount_fen },
        // One of a later version of this program is kept and handed on, and cannot be printed.
        Content::Wider(said) => said.read().map_or(Words::Gone, |content| Words::Wide(Box::new(content))),
    }
}

/// Of a content with several texts the one for whose sake it was written.
fn main_words(content: &WideContent) -> &str {
    match content {
        // Attachments are listed by themselves, and are no words about the work.
        WideContent::Participants { .. } | WideContent::Attached { .. } => "",
        WideContent::Amendment { reason, .. } => reason,
        WideContent::Mediators { note, .. } => note,
        WideContent::Performance { note, .. } | WideContent::Ruling { note, .. } => note,
        WideContent::Session { record, .. } => record,
        WideContent::Agreement { terms, .. } => terms,
        WideContent::Withheld { note, .. } => note,
        WideContent::Task { text, .. } => text,
        WideContent::TakenIn { narrative, .. } => narrative,
        WideContent::Sponsor { note, .. } => note,
        WideContent::FedBack { note, .. } => note,
    }
}

/// Whether an act changes who the parties are, or what the report says.
fn names(act: &WideAct) -> bool {
    matches!(act, WideAct::Joined { .. } | WideAct::PartyAmended { .. } | WideAct::Left { .. } | WideAct::Amended {})
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
        brief: Cow::Borrowed(&header.brief),
    }
}

/// Papers tell what a header withholds from above, as far as it is held: from each event on that says it, and before the first of
/// them what that one says.
fn whole(entries: &mut [Entry<'_>]) {
    let says = |entry: &Entry<'_>| match (&entry.did, &entry.words) {
        (Did::Wide(WideAct::Restricted {} | WideAct::WithheldChanged {}), Words::Wide(content)) => match &**content {
            WideContent::Withheld { what, .. } => Some(what.clone()),
            _ => None,
        },
        _ => None,
    };
    let mut held = entries.iter().find_map(says);
    for entry in entries {
        held = says(entry).or(held);
        if let Some(held) = held.as_ref().filter(|_| restricted::is_told(&entry.brief)) {
            restricted::put(held, entry.brief.to_mut());
        }
    }
}

impl<'k> Story<'k> {
    /// Tells a case; none where no chain of it is here.
    pub fn of(known: &'k Known) -> Option<Self> {
        let links = known.chain().iter();
        let mut entries: Vec<_> =
            links.map(|link| entry(&link.header, known.said(&link.header), link.writer)).collect();
        whole(&mut entries);
        let reopened = entries.iter().filter(|entry| entry.did == Did::Wide(WideAct::Reopened {}));
        let again = reopened.map(|entry| entry.number).max().unwrap_or(0);
        let renamed = entries.iter().filter(|entry| matches!(&entry.did, Did::Wide(act) if names(act)));
        let named = renamed.map(|entry| entry.number).max().unwrap_or(0);
        Some(Self { case: known.case()?, entries, again, named })
    }

    /// What was attached for a slot, the first first.
    pub(crate) fn brought(&self, of: u16) -> Vec<AttachmentId> {
        let placed = self.entries.iter().filter_map(|entry| match &entry.did {
            Did::Wide(WideAct::Placed { attachment, slot }) if *slot == of => Some(*attachment),
            _ => None,
        });
        placed.collect()
    }

    /// The name of what was attached, where it is held.
    pub(crate) fn attached_name(&self, id: AttachmentId) -> String {
        let name = self.entries.iter().find_map(|entry| match &entry.words {
            Words::Wide(content) => match &**content {
                WideContent::Attached { attachment } if attachment.id == id => Some(attachment.name.to_string()),
                _ => None,
            },
            _ => None,
        });
        name.unwrap_or_else(|| id.to_string())
    }

    /// The sheets that were scanned. One of a paper of a later version is not counted.
    pub(crate) fn scans(&self) -> Vec<SheetCode> {
        let scanned = self.entries.iter().filter_map(|entry| match &entry.did {
            Did::Wide(WideAct::SheetScanned { paper, edition, page, pages, .. }) => {
                let (paper, case) = (Paper::of_code(*paper)?, self.case.id);
                Some(SheetCode { case, paper, edition: *edition, page: *page, pages: *pages })
            }
            _ => None,
        });
        scanned.collect()
    }

    /// The number of the event that says that a slot stays empty.
    pub(crate) fn excused(&self, of: u16) -> Option<u32> {
        self.wide(|act| matches!(act, WideAct::SlotExcused { slot } if *slot == of)).last().map(|entry| entry.number)
    }

    /// What was said with an event, as it stands on paper.
    pub(crate) fn reason(&self, event: u32) -> String {
        self.entries.iter().find(|entry| entry.number == event).map_or_else(String::new, Entry::printed)
    }

    /// How many parts the plan of an agreement has.
    pub(crate) fn parts_of_plan(&self, number: u16) -> u16 {
        let of_it = |act: &WideAct| matches!(act, WideAct::AgreementDrafted { agreement, .. } if *agreement == number);
        let plan = self.wide(of_it).find_map(|entry| match &entry.words {
            Words::Wide(content) => match &**content {
                WideContent::Agreement { plan, .. } => Some(plan.len()),
                _ => None,
            },
            _ => None,
        });
        plan.and_then(|parts| u16::try_from(parts).ok()).unwrap_or(0)
    }

    /// Whether this node owns it.
    pub fn owned_by(&self, node: NodeId) -> bool {
        self.case.owned_by(node)
    }

    /// Everybody who is in it, where it is held who they are.
    pub(crate) fn people(&self) -> impl Iterator<Item = (u16, &'k Participant)> {
        let here = self.case.seats.iter().filter(|seat| !seat.left);
        here.filter_map(|seat| Some((seat.number, seat.who.as_deref()?)))
    }

    /// Its parties: those who do not only speak for others.
    pub(crate) fn parties(&self) -> impl Iterator<Item = &'k Participant> {
        self.people().map(|(_, who)| who).filter(|who| who.standing == Standing::Party)
    }

    /// The names behind numbers, in a sentence.
    pub(crate) fn named(&self, numbers: &[u16]) -> String {
        let of = |number: &u16| {
            let seat = self.case.seats.iter().find(|seat| seat.number == *number)?;
            Some(seat.who.as_deref()?.name.as_str())
        };
        numbers.iter().filter_map(of).collect::<Vec<_>>().join("、")
    }

    /// The edition of a paper that tells of an event: what is known of the parties since is in it too.
    pub(crate) fn edition(&self, told: u32) -> u32 {
        told.max(self.named)
    }

    /// The events of acts that came after the first version.
    pub(crate) fn wide(&self, fits: impl Fn(&WideAct) -> bool) -> impl Iterator<Item = &Entry<'k>> {
        self.entries.iter().filter(move |entry| matches!(&entry.did, Did::Wide(act) if fits(act)))
    }

    /// The events that an act of the first version made.
    pub(crate) fn all(&self, fits: impl Fn(&Act) -> bool) -> impl Iterator<Item = &Entry<'k>> {
        self.entries.iter().filter(move |entry| matches!(&entry.did, Did::First(act) if fits(act)))
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

    /// The notes of the work and what units reported of theirs, oldest first. What was attached is no word about the work: the scan
    /// of a signed sheet would make that sheet one of before.
    pub(crate) fn work(&self) -> impl Iterator<Item = &Entry<'k>> {
        self.entries.iter().filter(|entry| match &entry.did {
            Did::First(act) => matches!(act, Act::Progressed) && !entry.attaches(),
            Did::Wide(act) => matches!(act, WideAct::TaskReported { .. }),
            Did::Later => false,
        })
    }

    /// When it was settled how it ended, whichever way.
    pub(crate) fn ended(&self) -> Option<&Entry<'k>> {
        self.exit().map(|(_, entry)| entry).or_else(|| self.resolved())
    }
}

impl Entry<'_> {
    fn attaches(&self) -> bool {
        matches!(&self.words, Words::Wide(content) if matches!(**content, WideContent::Attached { .. }))
    }

    /// The words; empty where nothing was said, and none where that is not held.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.words {
            Words::Gone => None,
            Words::Silent | Words::Report => Some(""),
            Words::Note(text) | Words::Terms { terms: text, .. } => Some(text),
            Words::Wide(content) => Some(main_words(content)),
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
