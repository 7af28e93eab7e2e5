//! Attachments (附件) of a case: what it has, and their bytes. Uploading is [`crate::api::uploads`]'s.

pub(crate) mod content;
pub(crate) mod ticket;
pub(crate) mod view;
