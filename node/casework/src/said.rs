//! What was said with an act of a case, where that is held.

use protocol::event::{Act, Content, WideAct, WideContent};

use crate::case::Case;
use crate::known::Known;

impl Known {
    /// The names of parties that are known here: words that must not go up.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let reported = self.privates().flat_map(|(_, part)| match &part.content {
            Content::Report { parties, .. } => parties.iter().map(|party| party.name.as_str()).collect(),
            _ => Vec::new(),
        });
        reported.chain(self.case().into_iter().flat_map(Case::names))
    }

    /// What was said with the first act that fits, where that is held.
    pub fn words_of(&self, fits: impl Fn(&WideAct) -> bool) -> Option<WideContent> {
        let found = self.chain().iter().find(|link| match &link.header.act {
            Act::Wider(wider) => wider.read().is_some_and(|act| fits(&act)),
            _ => false,
        })?;
        match &self.said(&found.header)?.content {
            Content::Wider(said) => said.read(),
            _ => None,
        }
    }

    /// The words of an agreement, where they are held.
    pub fn agreement_words(&self, number: u16) -> Option<WideContent> {
        self.words_of(|act| matches!(act, WideAct::AgreementDrafted { agreement, .. } if *agreement == number))
    }
}
