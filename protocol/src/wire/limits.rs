//! Every limit of the wire, by name.

/// Bytes of one message body: the largest handover that its types allow fits, so that no released case is stranded.
pub const BODY_BYTES_MAX: usize = 896 * 1024;
/// Bytes of one bundle with its signature.
pub const BUNDLE_BYTES_MAX: usize = 1024 * 1024;
/// Messages of one bundle.
pub const BUNDLE_MESSAGES_MAX: usize = 256;
/// Bytes of one control frame's body.
pub const CONTROL_BYTES_MAX: usize = 64 * 1024;
/// Ids on one page of an inventory.
pub const INVENTORY_PAGE_MAX: usize = 1024;
/// Levels above a node at most.
pub const ANCESTORS_MAX: usize = 8;
/// Memory that decoding one body may claim; in-memory size is larger than wire size.
pub const DECODE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one certificate, DER.
pub const CERTIFICATE_BYTES_MAX: usize = 4096;
/// Directory entries of one message about a subtree.
pub const SUBTREE_PAGE_MAX: usize = 256;
/// Mandates beside a certificate: authorities that count besides the one that issued it.
pub const MANDATES_MAX: usize = 4;
