//! How much may be attached to cases of a node.

use protocol::attachment::ATTACHMENT_BYTES_MAX;
use serde::{Deserialize, Deserializer, Serialize};

const MIB: u32 = 1024 * 1024;
/// Largest attachment that can be set, in MiB: what the wire carries.
const LARGEST_MIB_MAX: u32 = ATTACHMENT_BYTES_MAX / MIB;
/// Most of one case that can be set, in MiB.
const CASE_MIB_MAX: u32 = 4096;

/// How much may be attached. It is asked where something is uploaded; what comes with a case from another node is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentsSection {
    /// MiB of one attachment at most, 1 to 100.
    #[serde(deserialize_with = "up_to::<LARGEST_MIB_MAX, _>")]
    pub largest_mib: u32,
    /// MiB of all attachments of one case at most, 1 to 4096.
    #[serde(deserialize_with = "up_to::<CASE_MIB_MAX, _>")]
    pub of_case_mib: u32,
}

impl Default for AttachmentsSection {
    fn default() -> Self {
        Self { largest_mib: 20, of_case_mib: 200 }
    }
}

impl AttachmentsSection {
    /// Bytes of one attachment at most.
    pub fn largest_bytes(&self) -> u32 {
        self.largest_mib.saturating_mul(MIB)
    }

    /// Bytes of all attachments of a case at most.
    pub fn case_bytes(&self) -> u64 {
        u64::from(self.of_case_mib).saturating_mul(u64::from(MIB))
    }

    /// Whether nothing was set.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn up_to<'de, const MAX: u32, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if (1..=MAX).contains(&number) {
        return Ok(number);
    }
    Err(serde::de::Error::custom(format!("{number} MiB is not within 1 to {MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<AttachmentsSection> {
        toml::from_str(text).ok()
    }

    #[test]
    fn how_much_may_be_attached_has_its_own_bounds() {
        assert_eq!(read(""), Some(AttachmentsSection::default()));
        assert_eq!(read("largest_mib = 100").map(|s| s.largest_bytes()), Some(ATTACHMENT_BYTES_MAX));
        assert_eq!(read("of_case_mib = 4096").map(|s| s.case_bytes()), Some(4 << 30));
        for wrong in ["largest_mib = 0", "largest_mib = 101", "of_case_mib = 0", "of_case_mib = 4097", "larges_mib = 5"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
