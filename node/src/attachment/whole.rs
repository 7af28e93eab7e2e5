//! Whether all parts together are what the attachment is said to be.

use protocol::attachment::Attachment;
use ring::digest;

use super::media;

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes are those that were announced.
    Whole,
    /// They are others: damaged on the way, or the wrong file.
    OtherBytes,
    /// They are those, and do not begin as what they are said to be.
    OtherMedia,
}

/// Takes the parts in, the first first.
pub struct Check<'a> {
    attachment: &'a Attachment,
    hash: digest::Context,
    fits: Option<bool>,
}

impl<'a> Check<'a> {
    /// Before the first part.
    pub fn of(attachment: &'a Attachment) -> Self {
        Self { attachment, hash: digest::Context::new(&digest::SHA256), fits: None }
    }

    /// The next part.
    pub fn take(&mut self, part: &[u8]) {
        self.fits.get_or_insert_with(|| media::begins_as(self.attachment.media, part));
        self.hash.update(part);
    }

    /// After the last.
    pub fn end(self) -> Verdict {
        match self.hash.finish().as_ref() == self.attachment.sha256.0 {
            false => Verdict::OtherBytes,
            true if self.fits == Some(true) => Verdict::Whole,
            true => Verdict::OtherMedia,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::attachment::{Media, Sha256};
    use protocol::bounded::Text;
    use protocol::id::AttachmentId;

    use super::*;

    fn verdict(media: &str, announced: &[u8], parts: &[&[u8]]) -> Verdict {
        let sha256 = Sha256(digest::digest(&digest::SHA256, announced).as_ref().try_into().unwrap());
        let (id, name) = (AttachmentId::from_bytes([1; 16]), Text::cut("x"));
        let attachment =
            Attachment { id, sha256, bytes: 1, media: Media::named(media).unwrap(), name, caption: Text::cut("") };
        let mut check = Check::of(&attachment);
        parts.iter().for_each(|part| check.take(part));
        check.end()
    }

    #[test]
    fn bytes_are_whole_when_all_parts_give_the_hash_and_the_first_begins_as_it_should() {
        let paper = b"%PDF-1.7 and more";
        assert_eq!(verdict("application/pdf", paper, &[b"%PDF-1.7", b" and more"]), Verdict::Whole);
        assert_eq!(verdict("application/pdf", paper, &[b"%PDF-1.7"]), Verdict::OtherBytes);
        assert_eq!(verdict("application/pdf", paper, &[b" and more", b"%PDF-1.7"]), Verdict::OtherBytes);
        assert_eq!(verdict("image/jpeg", paper, &[paper]), Verdict::OtherMedia);
        assert_eq!(verdict("image/jpeg", b"", &[]), Verdict::OtherMedia, "nothing begins as nothing");
    }
}
