//! The bytes of an attachment, whole or a range of them, read part by part while they are sent.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Extracted};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use casework::attachment::attached;
use futures_util::stream;
use protocol::attachment::{Attachment, PART_BYTES_MAX};
use protocol::id::{AttachmentId, CaseId};
use serde::Deserialize;

use super::ticket;
use crate::api::caller::Caller;
use crate::api::cases::detail::must_see;
use crate::api::extract::{Params, id};
use crate::api::persons::must_reveal;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::store::attachments::{Held, State};

/// With what it is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct With {
    /// A ticket of the case.
    #[serde(default)]
    ticket: String,
}

/// The bytes of an attachment. `Range` may name one range of them.
#[utoipa::path(get, path = "/api/v1/cases/{id}/attachments/{attachment}/content", tag = "attachments",
    params(("id" = String, Path), ("attachment" = String, Path), With),
    responses((status = 200, body = Vec<u8>, content_type = "*/*"), (status = 206),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 416, body = ProblemBody)))]
pub(crate) async fn content(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path((case, attachment)): Path<(String, String)>,
    Params(with): Params<With>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (case, wanted): (CaseId, AttachmentId) = (id(&case)?, id(&attachment)?);
    let known = must_see(&state, &caller, case).await?;
    must_reveal(&caller, &known)?;
    // Where the words of the case have gone, what they named has gone with them.
    let named = attached(&known).find(|named| named.attachment.id == wanted).ok_or_else(Problem::not_found)?;
    ticket::must_have(&state, &caller, case, &with.ticket)?;
    let held = state.store.attachment(case, wanted).await?.filter(|held| held.secret.attachment == named.attachment);
    match held {
        Some(held) if held.state == State::Here => answer(state, held, &headers),
        Some(held) if held.state == State::Lost => Err(Problem::attachment_lost()),
        _ => Err(Problem::attachment_away()),
    }
}

fn answer(state: Arc<ApiState>, held: Held, headers: &HeaderMap) -> Result<Response, Problem> {
    let attachment = &held.secret.attachment;
    let (bytes, tag) = (u64::from(attachment.bytes), format!("\"{}\"", attachment.sha256));
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = match text(header::RANGE).filter(|_| same) {
        Some(range) => asked(range, bytes),
        None => Asked::All,
    };
    let (status, first, last) = match range {
        Asked::All => (StatusCode::OK, 0, bytes.saturating_sub(1)),
        Asked::Some { first, last } => (StatusCode::PARTIAL_CONTENT, first, last),
        Asked::Beyond => {
            let mut response = Problem::range_beyond().into_response();
            let all = axum::http::HeaderValue::from_str(&format!("bytes */{bytes}"));
            all.into_iter().for_each(|all| drop(response.headers_mut().insert(header::CONTENT_RANGE, all)));
            return Ok(response);
        }
    };
    let head = [
        (header::CONTENT_TYPE, attachment.media.name().to_owned()),
        (header::CONTENT_LENGTH, (last - first + 1).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, tag),
        (header::CONTENT_DISPOSITION, disposition(attachment)),
    ];
    let mut response = (status, head, Body::empty()).into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = axum::http::HeaderValue::from_str(&format!("bytes {first}-{last}/{bytes}"))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    *response.body_mut() = Body::from_stream(pieces(state, held, first, last));
    Ok(response)
}

/// The bytes from one to another, part by part. One that cannot be read ends the answer before its length.
fn pieces(
    state: Arc<ApiState>,
    held: Held,
    first: u64,
    last: u64,
) -> impl futures_util::Stream<Item = Result<Vec<u8>, std::io::Error>> {
    stream::unfold((state, held, Some(first)), move |(state, held, at)| async move {
        let at = at.filter(|at| *at <= last)?;
        let size = PART_BYTES_MAX as u64;
        let number = u16::try_from(at / size).unwrap_or(u16::MAX);
        let begins = u64::from(number) * size;
        let piece = match state.store.attachment_part(&held, number).await {
            Ok(part) => part.and_then(|part| {
                let from = usize::try_from(at - begins).ok()?;
                let upto = usize::try_from(last - begins + 1).ok()?.min(part.len());
                part.get(from..upto).map(<[u8]>::to_vec)
            }),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a part of an attachment cannot be read");
                None
            }
        };
        match piece {
            Some(piece) => Some((Ok(piece), (state, held, Some(begins + size)))),
            None => Some((Err(std::io::Error::other("a part is missing")), (state, held, None))),
        }
    })
}

/// What of the bytes is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// All: also where the range is one that need not be answered (RFC 9110, 14.2).
    All,
    /// From one to another, both included.
    Some {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// None of them is there.
    Beyond,
}

fn asked(range: &str, bytes: u64) -> Asked {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::All;
    };
    let end = bytes.saturating_sub(1);
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim().is_empty(), number(first), last.trim().is_empty(), number(last)) {
        (true, _, _, Some(0)) => Asked::Beyond,
        (true, _, _, Some(count)) => Asked::Some { first: bytes.saturating_sub(count), last: end },
        (false, Some(first), _, _) if first > end => Asked::Beyond,
        (false, Some(first), true, _) => Asked::Some { first, last: end },
        (false, Some(first), false, Some(last)) if last >= first => Asked::Some { first, last: last.min(end) },
        // Several ranges, or none that can be read.
        _ => Asked::All,
    }
}

/// It is saved, never shown in the place of a page; its name in both forms (RFC 6266).
fn disposition(attachment: &Attachment) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let fallback: String = attachment.name.chars().map(plain).collect();
    let encoded: String = attachment.name.bytes().map(percent).collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
        return char::from(byte).to_string();
    }
    format!("%{byte:02X}")
}

#[cfg(test)]
mod tests {
    use protocol::attachment::{Media, Sha256};
    use protocol::bounded::Text;

    use super::*;

    #[test]
    fn a_range_is_cut_to_what_is_there() {
        let some = |first, last| Asked::Some { first, last };
        for (range, expected) in [
            ("bytes=0-0", some(0, 0)),
            ("bytes=0-", some(0, 99)),
            ("bytes=10-19", some(10, 19)),
            ("bytes=90-1000", some(90, 99)),
            ("bytes=-10", some(90, 99)),
            ("bytes=-1000", some(0, 99)),
            ("bytes=100-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-2", Asked::All),
            ("bytes=0-1,5-6", Asked::All),
            ("bytes=a-b", Asked::All),
            ("bytes=-", Asked::All),
            ("lines=0-1", Asked::All),
            ("bytes=99999999999999999999-", Asked::All),
        ] {
            assert_eq!(asked(range, 100), expected, "{range}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let named = |name: &str| {
            let id = AttachmentId::from_bytes([1; 16]);
            let (sha256, media) = (Sha256([0; 32]), Media(1));
            disposition(&Attachment { id, sha256, bytes: 1, media, name: Text::cut(name), caption: Text::cut("") })
        };
        assert_eq!(named("照 1.jpg"), "attachment; filename=\"__1.jpg\"; filename*=UTF-8''%E7%85%A7%201.jpg");
        let hostile = named("a\"; filename=\"b.exe\n\t%00\\");
        assert!(
            hostile.starts_with("attachment; filename=\"a___filename__b.exe___00_\"; filename*=UTF-8''a%22%3B"),
            "{hostile}"
        );
        assert!(hostile.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{hostile}");
    }
}
