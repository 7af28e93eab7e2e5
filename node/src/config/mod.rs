//! Configuration: `wuji.toml` in the node's folder, overridden by environment variables `WUJI__SECTION__KEY`.

mod attachments;
mod http;
mod names;
mod papers;
mod transport;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use protocol::division::{DivisionCode, GridKind};
use protocol::id::NodeId;
use serde::{Deserialize, Serialize};

use crate::person::realm::PeopleSection;
pub use attachments::AttachmentsSection;
pub use http::{Door, HttpSection, NoDoor};
pub use names::NamesSection;
pub use papers::PapersSection;
pub use transport::Transport;

/// The name of the file in a node's folder.
pub const FILE_NAME: &str = "wuji.toml";

/// The whole configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this node is.
    pub node: NodeSection,
    /// The link to other nodes.
    pub link: LinkSection,
    /// The API and the page.
    pub http: HttpSection,
    /// Where the rows are.
    #[serde(default)]
    pub database: DatabaseSection,
    /// What the operator decides about people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub people: PeopleSection,
    /// How often figures go up.
    #[serde(default)]
    pub figures: FiguresSection,
    /// How much may be attached to cases.
    #[serde(default, skip_serializing_if = "AttachmentsSection::is_default")]
    pub attachments: AttachmentsSection,
    /// Under which names divisions are shown.
    #[serde(default, skip_serializing_if = "NamesSection::is_default")]
    pub names: NamesSection,
    /// In which letters papers are printed.
    #[serde(default, skip_serializing_if = "PapersSection::is_default")]
    pub papers: PapersSection,
    /// The node above; absent at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentSection>,
}

fn is_default(section: &PeopleSection) -> bool {
    *section == PeopleSection::default()
}

/// Who this node is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSection {
    /// Fixed for life.
    pub id: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// Name as shown.
    pub name: String,
    /// On what a grid hangs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_kind: Option<GridKind>,
}

/// The link to other nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSection {
    /// UDP address to listen on.
    pub listen: SocketAddr,
    /// Whether to listen on TCP too, at the same number, for nodes below whose network lets no UDP pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tcp: bool,
    /// `host:port` by which children reach this node; goes into join tokens.
    pub advertise: String,
    /// Shortest wait before the parent is dialled again, milliseconds.
    #[serde(default = "retry_min_ms")]
    pub retry_min_ms: u64,
    /// Longest wait before the parent is dialled again, milliseconds.
    #[serde(default = "retry_max_ms")]
    pub retry_max_ms: u64,
    /// A file to which every received frame is appended, for an audit of what leaves a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<PathBuf>,
}

impl LinkSection {
    /// Where it listens, for people.
    pub(crate) fn places(&self) -> String {
        format!("UDP {}{}", self.listen, if self.tcp { " and TCP at the same number" } else { "" })
    }

    /// A link with the usual waits.
    pub fn new(listen: SocketAddr, advertise: String) -> Self {
        let (retry_min_ms, retry_max_ms) = (retry_min_ms(), retry_max_ms());
        Self { listen, tcp: false, advertise, retry_min_ms, retry_max_ms, capture: None }
    }
}

fn retry_min_ms() -> u64 {
    1_000
}

fn retry_max_ms() -> u64 {
    300_000
}

/// Where the rows are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    /// A PostgreSQL URL; absent: a SQLite file in the node's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// On a server: wait while another process writes this node, and take over when it is gone. Otherwise refuse to start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standby: bool,
}

/// How often figures go up, and how long is waited before somebody is told that some are missing. All milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FiguresSection {
    /// Changed facts go up at most so often.
    pub every_ms: u64,
    /// A node that has nothing new says so at least so often; one that is silent for two and a half times as long is not
    /// counted as complete above. The same at all nodes of a city.
    pub heartbeat_ms: u64,
    /// Figures that differ from what their owner states for so long are asked for again.
    pub grace_ms: u64,
    /// A red or orange fact without its brief alarms after so long.
    pub brief_grace_ms: u64,
}

impl Default for FiguresSection {
    fn default() -> Self {
        Self { every_ms: 10_000, heartbeat_ms: 900_000, grace_ms: 120_000, brief_grace_ms: 600_000 }
    }
}

impl FiguresSection {
    /// As the writer takes it.
    pub fn pace(&self) -> crate::writer::Pace {
        let Self { every_ms, heartbeat_ms, grace_ms, brief_grace_ms } = *self;
        crate::writer::Pace { every_ms, heartbeat_ms, grace_ms, brief_grace_ms }
    }
}

/// The node above.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentSection {
    /// The node.
    pub id: NodeId,
    /// `host:port` of its link.
    pub address: String,
    /// What carries the link to it. The node above must listen for it: see [`LinkSection::tcp`].
    #[serde(default, skip_serializing_if = "Transport::is_usual")]
    pub transport: Transport,
}

impl ParentSection {
    /// As it is dialled.
    pub(crate) fn dialled(&self) -> federation::driver::Parent {
        let Self { id, address, transport } = self;
        federation::driver::Parent { node: *id, address: address.clone(), spki: None, transport: (*transport).into() }
    }
}

impl Config {
    /// Where the rows of the node in this folder are.
    pub fn place(&self, folder: &crate::folder::Folder) -> crate::store::Place {
        match &self.database.url {
            Some(url) => crate::store::Place::Server(url.clone()),
            None => crate::store::Place::File(folder.database()),
        }
    }

    /// Reads the configuration of a folder, environment last.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        use anyhow::Context;
        let file = folder.join(FILE_NAME);
        config::Config::builder()
            .add_source(config::File::from(file.as_path()).format(config::FileFormat::Toml))
            .add_source(config::Environment::with_prefix("WUJI").separator("__"))
            .build()
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("the configuration {} cannot be used", file.display()))
    }

    /// Writes the configuration into a folder.
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        use anyhow::Context;
        let file = folder.join(FILE_NAME);
        let text = toml::to_string_pretty(self).context("the configuration cannot be written as TOML")?;
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}
