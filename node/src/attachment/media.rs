//! What bytes are by their beginning. A name says nothing: what is taken in must begin as what it says that it is.

use protocol::attachment::Media;

/// The head of an entry of a ZIP archive, and where its name begins.
const ENTRY: &[u8] = b"PK\x03\x04";
const ENTRY_NAME_AT: usize = 30;

/// Whether bytes whose first part this is are of this medium.
pub fn begins_as(media: Media, first: &[u8]) -> bool {
    use infer::{audio, image, video};
    match media.name() {
        "image/jpeg" => image::is_jpeg(first),
        "image/png" => image::is_png(first),
        "image/webp" => image::is_webp(first),
        "image/heic" => first.len() >= HEAD_BYTES && image::is_heif(first),
        "audio/amr" => audio::is_amr(first),
        // Phones record one container under either name, with either brand.
        "audio/mp4" => audio::is_m4a(first) || video::is_mp4(first),
        "video/mp4" => video::is_mp4(first),
        "audio/mpeg" => audio::is_mp3(first),
        "audio/ogg" => audio::is_ogg(first),
        "audio/wav" => audio::is_wav(first),
        "application/pdf" => infer::archive::is_pdf(first),
        "application/ofd" => has_entry(first, b"OFD.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => has_entry(first, b"word/"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => has_entry(first, b"xl/"),
        _ => false,
    }
}

/// Bytes that a file of a camera has at least.
const HEAD_BYTES: usize = 16;

/// Whether it is a ZIP archive with an entry whose name begins so: what office papers are.
fn has_entry(first: &[u8], name: &[u8]) -> bool {
    let named = |(at, head): (usize, &[u8])| {
        head == ENTRY && first.get(at + ENTRY_NAME_AT..).is_some_and(|entry| entry.starts_with(name))
    };
    first.starts_with(ENTRY) && first.windows(ENTRY.len()).enumerate().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(name: &str) -> Media {
        Media::named(name).unwrap()
    }

    /// A beginning of each medium, as cameras, phones and programs write it.
    fn beginnings() -> Vec<(&'static str, Vec<u8>)> {
        let iso = |brand: &[u8]| [&[0, 0, 0, 24], b"ftyp".as_slice(), brand, &[0; 16]].concat();
        let zip =
            |name: &[u8]| [b"PK\x03\x04\x14\x00\x00\x00\x08\x00".as_slice(), &[0; 16], &[19, 0, 0, 0], name].concat();
        vec![
            ("image/jpeg", b"\xff\xd8\xff\xe1\x00\x10Exif".to_vec()),
            ("image/png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec()),
            ("image/webp", b"RIFF\x24\x00\x00\x00WEBPVP8 ".to_vec()),
            ("image/heic", iso(b"heic")),
            ("audio/amr", b"#!AMR\n\x3c\x91\x17\x16\xbe\x66".to_vec()),
            ("audio/mp4", iso(b"M4A ")),
            ("audio/mpeg", b"ID3\x04\x00\x00\x00\x00\x00\x00".to_vec()),
            ("audio/ogg", b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead".to_vec()),
            ("audio/wav", b"RIFF\x24\x00\x00\x00WAVEfmt ".to_vec()),
            ("video/mp4", iso(b"isom")),
            ("application/pdf", b"%PDF-1.7\n".to_vec()),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                [zip(b"[Content_Types].xml"), zip(b"_rels/.rels"), zip(b"word/document.xml")].concat(),
            ),
            (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                [zip(b"[Content_Types].xml"), zip(b"_rels/.rels"), zip(b"xl/workbook.xml")].concat(),
            ),
            ("application/ofd", zip(b"OFD.xml")),
        ]
    }

    #[test]
    fn each_medium_is_known_by_its_beginning() {
        let beginnings = beginnings();
        assert_eq!(beginnings.len(), Media::names().count(), "a medium without a beginning here");
        for (name, first) in &beginnings {
            assert!(begins_as(media(name), first), "{name}");
        }
    }

    #[test]
    fn what_begins_as_another_is_not_what_it_says() {
        for (name, first) in &beginnings() {
            // A voice message may come in the container of a film.
            let alike = |other: &str| *name == "video/mp4" && other == "audio/mp4";
            for other in Media::names().filter(|other| other != name && !alike(other)) {
                assert!(!begins_as(media(other), first), "{name} passes for {other}");
            }
        }
        for hostile in ["<html><script>alert(1)</script>", "#!/bin/sh\n", "MZ\u{90}\0", "PK\u{3}\u{4}", ""] {
            assert!(Media::names().all(|name| !begins_as(media(name), hostile.as_bytes())), "{hostile}");
        }
    }

    #[test]
    fn a_beginning_that_is_cut_anywhere_harms_nothing() {
        for (_, first) in &beginnings() {
            for end in 0..first.len() {
                let taken = Media::names().filter(|name| begins_as(media(name), &first[..end])).count();
                assert!(taken <= 2, "one container serves two media, and no other beginning two");
            }
        }
    }
}
