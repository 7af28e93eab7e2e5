//! What a node shows of itself and whom it believes, as it changes over the years: certificates, authorities, time.

pub mod adopt;
mod files;
mod standing;
mod status;

pub(crate) use standing::{PARENT_TIME, Standing};
pub use status::{AuthorityStatus, MoveView, RevokedView, TrustStatus};
