//! A peer that has shaken hands and then sends any bytes.

use bytes::Bytes;

use super::mux::{Mux, News, Shape};
use super::record::{Broken, HEAD_BYTES, Head, Record};

/// Bytes that this side has to say on its first lane.
const SAID: usize = 20_000;
/// How much is read at a time: less than what comes, so that lanes fill up.
const READ: usize = 700;

/// Records as a connection takes them, until the first that no honest peer sends. The first byte says of which kind the
/// connection is.
pub(crate) fn records(bytes: &[u8]) {
    let Some((kind, mut rest)) = bytes.split_first() else { return };
    let shape = if kind % 2 == 0 { Shape::LINK } else { Shape::QUESTION };
    let mut mux = Mux::new(shape);
    mux.write(0, &Bytes::from(vec![7; SAID]));
    let room = usize::from(shape.lanes) * usize::try_from(shape.window).unwrap_or(usize::MAX);
    let (mut held, mut said) = (0, 0);
    while let Some(Ok((record, behind))) = first(rest) {
        rest = behind;
        let (lane, data) = match &record {
            Record::Data(lane, data) => (*lane, data.len()),
            other => (other.lane().unwrap_or(0), 0),
        };
        match mux.take(record) {
            Ok(News::Closed(_)) | Err(_) => return,
            Ok(News::None | News::Readable(_) | News::Work) => held += data,
        }
        assert!(held <= room, "{held} bytes are held, and there was room for {room}");
        held -= mux.read(lane, &mut [0; READ]).0;
        while let Some(record) = mux.next() {
            assert!(matches!(first(&record.to_bytes()), Some(Ok((ref read, []))) if *read == record));
            if let Record::Data(0, data) = record {
                said += data.len();
            }
        }
    }
    assert!(said <= SAID, "{said} bytes went out of {SAID}");
}

/// The first record, and what follows it; none when it is cut short.
fn first(bytes: &[u8]) -> Option<Result<(Record, &[u8]), Broken>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let head = match Head::parse(*head) {
        Ok(head) => head,
        Err(broken) => return Some(Err(broken)),
    };
    let (body, behind) = rest.split_at_checked(head.length())?;
    Some(head.with(body.to_vec()).map(|record| (record, behind)))
}
