//! A private part (私密部分) as it is held.

use protocol::event::{Commitment, Content, Header, Private, Salt};

/// A private part, and what a header that binds it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The part with its salt.
    pub(crate) salted: (Salt, Private),
    /// What it comes to: computed once, for a case is put together again and again.
    pub(crate) commitment: Commitment,
}

impl Part {
    pub(crate) fn new(salted: (Salt, Private)) -> Self {
        let commitment = salted.1.commit(salted.0);
        Self { salted, commitment }
    }

    /// Bytes of text in it, about.
    pub(crate) fn weight(&self) -> usize {
        let content = match &self.salted.1.content {
            Content::Nothing => 0,
            Content::Report { title, narrative, parties } => parties
                .iter()
                .map(|p| {
                    p.name
                        .len()
                        .saturating_add(p.phone.len())
                        .saturating_add(p.address.len())
                        .saturating_add(p.identity.len())
                        .saturating_add(16)
                })
                .fold(title.len().saturating_add(narrative.len()), usize::saturating_add),
            Content::Note { text } => text.len(),
            Content::Resolution { terms, .. } => terms.len().saturating_add(16),
            Content::Wider(said) => said.body.len(),
        };
        content.saturating_add(256)
    }
}

/// Whether a private part is the one that a header binds.
pub(crate) fn bound(header: &Header, (salt, private): &(Salt, Private)) -> bool {
    private.commit(*salt) == header.commitment
}
