//! Attachments (附件) of cases: their bytes, part by part. What they are is said by events, which the rules of cases know.

pub mod key;
pub mod media;
pub mod sheet;
pub mod whole;
