//! `[papers]`: in which letters papers are printed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// In which letters papers are printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PapersSection {
    /// A folder of fonts that go before Noto CJK: `text*` for text and `title*` for titles, as ttf, otf or ttc, in the order of
    /// their names. Fonts that a city has a licence for, such as 仿宋_GB2312 and 方正小标宋, are not for us to ship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fonts: Option<PathBuf>,
}

impl PapersSection {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
