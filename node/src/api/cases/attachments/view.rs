//! Attachments as the API shows them.

use std::collections::BTreeMap;

use casework::attachment::{Attached, attached, filed};
use casework::document::SheetCode;
use casework::{Known, Place};
use protocol::attachment::{Attachment, PART_BYTES_MAX};
use protocol::id::AttachmentId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::cases::pieces::Shown;
use crate::api::problem::Problem;
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::person::mask;
use crate::store::attachments::{Held, State};

/// An attachment of a case, or an upload that is to be one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentView {
    /// Its id.
    pub id: String,
    /// `open`: parts are being uploaded; `whole`: all are here, and it waits for its case; `here`; `coming` from a former owner;
    /// `lost`: nobody who had the case has it; `elsewhere`: it is with the owner of the case.
    pub state: &'static str,
    /// The name of the file; names of parties are masked in it.
    pub name: String,
    /// What it shows; masked likewise.
    pub caption: String,
    /// Its media type.
    pub media: &'static str,
    /// Bytes.
    pub bytes: u32,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
    /// How many parts it has.
    pub parts: u16,
    /// Bytes of each but the last.
    pub part_bytes: usize,
    /// How many of them are here.
    pub parts_here: u16,
    /// Of an upload: the parts that are not here yet, counted from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<u16>,
    /// The event that names it.
    pub event: Option<String>,
    /// When it was attached.
    pub at: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// Where it is filed in the dossier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filed: Vec<FiledView>,
}

/// Where an attachment is filed in the dossier of its case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FiledView {
    /// The word of the slot, or of the paper of which it is a scanned sheet.
    pub place: &'static str,
    /// What that is called.
    pub name: &'static str,
    /// The same in English.
    pub name_en: &'static str,
    /// Of a sheet: which page of the paper it is, from 1.
    pub page: Option<u16>,
    /// Of a sheet: how many pages the paper has.
    pub pages: Option<u16>,
}

impl FiledView {
    fn of(place: Place) -> Self {
        match place {
            Place::Slot(slot) => {
                Self { place: slot.word(), name: slot.chinese(), name_en: slot.english(), page: None, pages: None }
            }
            Place::Sheet(SheetCode { paper, page, pages, .. }) => Self {
                place: paper.word(),
                name: paper.chinese(),
                name_en: paper.english(),
                page: Some(page),
                pages: Some(pages),
            },
        }
    }
}

impl AttachmentView {
    fn of(attachment: &Attachment, state: &'static str, parts_here: u16) -> Self {
        Self {
            id: attachment.id.to_string(),
            state,
            name: attachment.name.to_string(),
            caption: attachment.caption.to_string(),
            media: attachment.media.name(),
            bytes: attachment.bytes,
            sha256: attachment.sha256.to_string(),
            parts: attachment.parts(),
            part_bytes: PART_BYTES_MAX,
            parts_here,
            missing: Vec::new(),
            event: None,
            at: None,
            by: None,
            filed: Vec::new(),
        }
    }

    /// An upload, for who uploads it.
    pub(in crate::api) fn upload(held: &Held, here: &[u16]) -> Self {
        let missing = if held.state == State::Open { held.missing(here) } else { Vec::new() };
        let count = u16::try_from(here.len()).unwrap_or(u16::MAX);
        Self { missing, ..Self::of(&held.secret.attachment, held.state.word(), count) }
    }
}

/// The attachments of a case, oldest first.
pub(crate) async fn of_case(state: &ApiState, known: &Known, shown: Shown) -> Result<Vec<AttachmentView>, Problem> {
    let named: Vec<Attached> = attached(known).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows = state.store.attachments(known.id()).await?;
    let here: BTreeMap<AttachmentId, (State, u16)> =
        rows.iter().map(|(held, count)| (held.secret.attachment.id, (held.state, *count))).collect();
    let names: Vec<&str> = known.names().collect();
    let hidden = |text: &str| match shown {
        Shown::Masked => mask::prose(text, names.iter().copied()),
        Shown::Plain => text.to_owned(),
    };
    let view = |named: &Attached| {
        let (word, count) = match here.get(&named.attachment.id) {
            Some((state, count)) => (state.word(), *count),
            None => ("elsewhere", 0),
        };
        AttachmentView {
            name: hidden(&named.attachment.name),
            caption: hidden(&named.attachment.caption),
            event: Some(named.event.to_string()),
            at: Some(stamp::rfc3339(named.at.corrected())),
            by: named.by.as_ref().map(|by| by.name.to_string()),
            filed: filed(known).filter(|(of, _)| *of == named.attachment.id).map(|(_, at)| FiledView::of(at)).collect(),
            ..AttachmentView::of(&named.attachment, word, count)
        }
    };
    Ok(named.iter().map(view).collect())
}
