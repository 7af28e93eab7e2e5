//! Contents of publications (发布内容): JSON with a schema number, read strictly, and refused with the field that is wrong.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The schema of every content that this version writes and applies.
pub const SCHEMA: u16 = 1;
/// Fields that one refusal names at most.
const FIELDS_MAX: usize = 20;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTrouble {
    /// Where, e.g. `units[3].code`.
    pub path: String,
    /// What, in English.
    pub en: String,
    /// What, in Chinese.
    pub zh: String,
}

impl FieldTrouble {
    /// A trouble with its sentences in both languages.
    pub fn new(path: impl Into<String>, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { path: path.into(), en: en.into(), zh: zh.into() }
    }
}

/// Why a content is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Written by a later version of this program: it is kept and passed on, and what held before goes on holding.
    #[error("it has schema {0}, which is newer than this program; update the program to apply it")]
    NewerSchema(u16),
    /// A kind of a later version of this program: the same.
    #[error("it is of kind {0}, which this program does not know; update the program to apply it")]
    UnknownKind(u16),
    /// Fields that are wrong, the first of them.
    #[error("{}", first(.0))]
    Fields(Vec<FieldTrouble>),
}

fn first(fields: &[FieldTrouble]) -> String {
    match fields.split_first() {
        Some((one, [])) => format!("{}: {}", one.path, one.en),
        Some((one, more)) => format!("{}: {} (and {} more)", one.path, one.en, more.len()),
        None => "it cannot be used".to_owned(),
    }
}

impl Trouble {
    /// The sentence in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            Self::NewerSchema(schema) => format!("内容格式版本 {schema} 高于本程序,升级程序后生效"),
            Self::UnknownKind(kind) => format!("未知发布类型 {kind},升级程序后生效"),
            Self::Fields(fields) => match fields.first() {
                Some(field) => format!("{}:{}", field.path, field.zh),
                None => "内容无法使用".to_owned(),
            },
        }
    }
}

/// A content that can be published.
pub trait Content: DeserializeOwned {
    /// Finds what the types alone do not refuse.
    fn check(&self, found: &mut Vec<FieldTrouble>);

    /// Reads and checks a content.
    fn read(bytes: &[u8]) -> Result<Self, Trouble> {
        let probe: Probe = serde_json::from_slice(bytes).map_err(|error| whole(&error))?;
        if probe.schema > SCHEMA {
            return Err(Trouble::NewerSchema(probe.schema));
        }
        let mut source = serde_json::Deserializer::from_slice(bytes);
        let content: Self = serde_path_to_error::deserialize(&mut source).map_err(|error| {
            let path = error.path().to_string();
            let what = error.inner().to_string();
            Trouble::Fields(vec![FieldTrouble::new(path, &what, format!("无法识别:{what}"))])
        })?;
        let mut found = Vec::new();
        content.check(&mut found);
        found.truncate(FIELDS_MAX);
        if found.is_empty() { Ok(content) } else { Err(Trouble::Fields(found)) }
    }
}

/// The one field that every schema has.
#[derive(Deserialize)]
struct Probe {
    schema: u16,
}

fn whole(error: &serde_json::Error) -> Trouble {
    let en = format!("the content is no JSON object with a schema number: {error}");
    Trouble::Fields(vec![FieldTrouble::new("schema", en, format!("内容不是带有 schema 版本号的 JSON 对象:{error}"))])
}

/// Says which entries of a list have a key that an earlier one has.
pub(crate) fn repeated<K: Ord>(
    list: &str,
    field: &str,
    keys: impl IntoIterator<Item = K>,
    found: &mut Vec<FieldTrouble>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, key) in keys.into_iter().enumerate() {
        if !seen.insert(key) {
            let path = format!("{list}[{index}].{field}");
            found.push(FieldTrouble::new(path, "this value stands in the list twice", "与前面的条目重复"));
        }
    }
}

/// Says that a text is missing.
pub(crate) fn required(path: impl FnOnce() -> String, text: &str, found: &mut Vec<FieldTrouble>) {
    if text.trim().is_empty() {
        found.push(FieldTrouble::new(path(), "a text is needed", "必须填写"));
    }
}
