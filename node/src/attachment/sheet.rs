//! Reading the code of a printed sheet off its scan, so that the scan finds its slot by itself.

use std::io::Cursor;

use casework::document::SheetCode;
use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, ImageReader, Limits};
use protocol::attachment::Media;

/// Bytes of a picture that is looked at.
pub const LOOKED_AT_BYTES_MAX: u32 = 24 * 1024 * 1024;
/// Width and height of one, in pixels: a page of A3 at 600 dots an inch.
const SIDE_MAX: u32 = 10_000;
/// Memory that decoding one may take.
const MEMORY_MAX: u64 = 256 * 1024 * 1024;
/// Sides to which it is made smaller, one after the other, until a code is found: a camera's noise hides a code in too many
/// pixels, and too few of them lose it.
const SIDES: [u32; 3] = [1_600, 2_800, 4_200];

/// Whether a picture of this kind and size is looked at.
pub fn is_looked_at(media: Media, bytes: u32) -> bool {
    format(media).is_some() && bytes <= LOOKED_AT_BYTES_MAX
}

fn format(media: Media) -> Option<ImageFormat> {
    match media.name() {
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/png" => Some(ImageFormat::Png),
        _ => None,
    }
}

/// The first code of a sheet in a picture. What cannot be read as a picture has none: it is an attachment all the same.
pub fn code_in(media: Media, bytes: &[u8]) -> Option<SheetCode> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format(media)?);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let whole = reader.decode().ok()?.into_luma8();
    let longest = whole.width().max(whole.height());
    let smaller = SIDES.iter().filter(|side| **side < longest);
    let mut sides: Vec<u32> = smaller.copied().collect();
    sides.push(longest);
    sides.into_iter().find_map(|side| found(&scaled(&whole, longest, side)))
}

fn scaled(whole: &GrayImage, longest: u32, side: u32) -> GrayImage {
    if side == longest {
        return whole.clone();
    }
    let to = |length: u32| u32::try_from(u64::from(length) * u64::from(side) / u64::from(longest)).unwrap_or(1).max(1);
    image::imageops::resize(whole, to(whole.width()), to(whole.height()), FilterType::Triangle)
}

fn found(picture: &GrayImage) -> Option<SheetCode> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.as_raw();
    let at = |x: usize, y: usize| pixels.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, at);
    prepared.detect_grids().iter().find_map(|grid| grid.decode().ok()?.1.parse().ok())
}

#[cfg(test)]
mod tests {
    use casework::document::Paper;
    use image::{DynamicImage, Luma};
    use protocol::id::CaseId;
    use qrcodegen::{QrCode, QrCodeEcc};

    use super::*;

    fn code() -> SheetCode {
        SheetCode { case: CaseId::from_bytes([7; 16]), paper: Paper::Record, edition: 12, page: 2, pages: 3 }
    }

    /// A page with a code in its corner, so many pixels to a module.
    fn page(text: &str, module: u32) -> GrayImage {
        let qr = QrCode::encode_text(text, QrCodeEcc::Medium).expect("it fits");
        let side = u32::try_from(qr.size()).expect("small");
        let mut page = GrayImage::from_pixel(side * module * 4, side * module * 6, Luma([250]));
        let (left, top) = (side * module * 5 / 2, side * module / 2);
        for y in 0..side * module {
            for x in 0..side * module {
                let dark = qr.get_module((x / module).cast_signed(), (y / module).cast_signed());
                page.put_pixel(left + x, top + y, Luma([if dark { 20 } else { 250 }]));
            }
        }
        page
    }

    fn encoded(page: &GrayImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageLuma8(page.clone()).write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    }

    fn media(name: &str) -> Media {
        Media::named(name).expect("known")
    }

    #[test]
    fn the_code_of_a_sheet_is_found_on_scans_of_any_size_and_turned_as_they_come() {
        for module in [3, 6, 14] {
            let page = page(&code().to_string(), module);
            for turned in [page.clone(), image::imageops::rotate90(&page), image::imageops::rotate180(&page)] {
                let jpeg = encoded(&turned, ImageFormat::Jpeg);
                assert_eq!(code_in(media("image/jpeg"), &jpeg), Some(code()), "{module} pixels to a module");
            }
            assert_eq!(code_in(media("image/png"), &encoded(&page, ImageFormat::Png)), Some(code()));
        }
    }

    #[test]
    fn a_picture_without_a_code_of_ours_has_none() {
        let foreign = encoded(&page("https://example.org/pay", 4), ImageFormat::Jpeg);
        assert_eq!(code_in(media("image/jpeg"), &foreign), None);
        let mut damaged = encoded(&page(&code().to_string(), 4), ImageFormat::Jpeg);
        damaged.truncate(damaged.len() / 3);
        assert_eq!(code_in(media("image/jpeg"), &damaged), None);
        assert_eq!(code_in(media("image/jpeg"), b"no picture"), None);
    }

    #[test]
    fn a_picture_that_says_it_is_larger_than_a_page_is_not_decoded() {
        let wide = GrayImage::from_pixel(SIDE_MAX + 1, 1, Luma([0]));
        assert_eq!(code_in(media("image/png"), &encoded(&wide, ImageFormat::Png)), None);
        assert!(is_looked_at(media("image/png"), LOOKED_AT_BYTES_MAX));
        assert!(!is_looked_at(media("image/png"), LOOKED_AT_BYTES_MAX + 1));
        assert!(!is_looked_at(media("application/pdf"), 1));
    }
}
