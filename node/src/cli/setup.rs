//! `wuji init`, `wuji token`, `wuji join`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use federation::trust::Token;
use protocol::division::DivisionCode;
use protocol::id::NodeId;

use crate::config::{Config, HttpSection, LinkSection, Transport};
use crate::folder::Folder;
use crate::names::Table;
use crate::node::{self, Plan, Wanted};

use super::{FolderArgument, say};

/// Where a new node listens and what it is called.
#[derive(Debug, Args)]
struct PlanArguments {
    /// Name as shown; taken from the shipped table when left out.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    link: LinkArguments,
    #[command(flatten)]
    door: DoorArguments,
    /// URL of a PostgreSQL database; without it the rows go into a file in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// Where links come in.
#[derive(Debug, Args)]
pub(super) struct LinkArguments {
    /// UDP address of the link.
    #[arg(long, default_value = "0.0.0.0:7440")]
    listen: SocketAddr,
    /// HOST:PORT by which nodes below reach the link; the listening address when left out.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
}

impl LinkArguments {
    fn advertised(&self) -> String {
        self.advertise.clone().unwrap_or_else(|| self.listen.to_string())
    }

    /// The section of a pack's file. Its own nodes reach each other under the same address, so one that is open to all is
    /// reached on this machine.
    pub(super) fn section(&self) -> LinkSection {
        let mut near = self.listen;
        if near.ip().is_unspecified() {
            near.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let advertise = self.advertise.clone().unwrap_or_else(|| near.to_string());
        LinkSection::new(self.listen, advertise)
    }
}

/// How the node above is reached.
#[derive(Debug, Args)]
pub(super) struct AboveArguments {
    /// What carries the link to the node above: tcp where a network lets no UDP pass and that node listens for it.
    #[arg(long, value_enum, default_value_t)]
    pub(super) transport: Transport,
}

/// How people's browsers are met.
#[derive(Debug, Args)]
pub(super) struct DoorArguments {
    /// TCP address of API and page. Beyond this machine it needs HTTPS: one of the three options below.
    #[arg(long, default_value = "127.0.0.1:7480")]
    http: SocketAddr,
    /// Certificate chain for HTTPS, PEM.
    #[arg(long, value_name = "FILE", requires = "https_key")]
    https_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "https_certificate")]
    https_key: Option<PathBuf>,
    /// Names and addresses under which people reach this node: a certificate for them is made here.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    https_names: Vec<String>,
    /// A proxy speaks HTTPS, and plain HTTP to this node.
    #[arg(long)]
    behind_proxy: bool,
    /// Addresses of that proxy; those of this machine when left out.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    trusted_proxies: Vec<IpAddr>,
}

impl DoorArguments {
    /// The section of the configuration; refused when it is no door, before anything is made.
    pub(super) fn section(self, folder: &Path) -> anyhow::Result<HttpSection> {
        let section = HttpSection {
            listen: self.http,
            certificate: self.https_certificate,
            key: self.https_key,
            names: self.https_names,
            behind_proxy: self.behind_proxy,
            trusted_proxies: self.trusted_proxies,
        };
        section.door(folder).context("nothing was made")?;
        Ok(section)
    }
}

impl PlanArguments {
    fn plan(self, division: DivisionCode, folder: &Folder) -> anyhow::Result<(Plan, HttpSection)> {
        let name = self
            .name
            .or_else(|| Table::shipped().ok().and_then(|table| table.name(division)))
            .unwrap_or_else(|| division.to_string());
        let advertise = self.link.advertised();
        let door = self.door.section(folder.path())?;
        Ok((
            Plan { division, name, link: self.link.listen, advertise, http: door.listen, database: self.database },
            door,
        ))
    }
}

/// The configuration with its front door, saved.
fn with_door(mut config: Config, door: HttpSection, folder: &Folder) -> anyhow::Result<Config> {
    config.http = door;
    config.save(folder.path())?;
    Ok(config)
}

/// `wuji init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    folder: FolderArgument,
    /// Division code of the top node, 12 digits.
    #[arg(long)]
    division: DivisionCode,
    #[command(flatten)]
    plan: PlanArguments,
}

impl Init {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let (plan, door) = self.plan.plan(self.division, &folder)?;
        let config = with_door(node::found(&folder, &plan).await?, door, &folder)?;
        say(&format!("{} ({}) is founded in {}", config.node.name, config.node.id, folder.path().display()));
        Ok(())
    }
}

/// `wuji token`.
#[derive(Debug, Args)]
pub(super) struct GiveToken {
    #[command(flatten)]
    folder: FolderArgument,
    /// Division code of the node that may join: 12 digits, 15 for a grid.
    #[arg(long)]
    division: DivisionCode,
    /// The token is for new keys of this node on other hardware, which hangs on that division already.
    #[arg(long, value_name = "NODE")]
    replace: Option<NodeId>,
    /// Let the node hang here although levels between have no node: they cannot be added in between later.
    #[arg(long)]
    skip_levels: bool,
    /// Hours until the token ends, 24 at most.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=24))]
    hours: u8,
}

impl GiveToken {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let wanted = Wanted { division: self.division, replaces: self.replace, skip_levels: self.skip_levels };
        let token = node::give_token_for(&folder, wanted, i64::from(self.hours) * 3_600_000).await?;
        say(&token.to_string());
        Ok(())
    }
}

/// `wuji join`.
#[derive(Debug, Args)]
pub(super) struct Join {
    #[command(flatten)]
    folder: FolderArgument,
    /// The token from the node above.
    #[arg(long)]
    token: String,
    #[command(flatten)]
    above: AboveArguments,
    #[command(flatten)]
    plan: PlanArguments,
}

impl Join {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let token: Token = self.token.trim().parse().context("the token cannot be read")?;
        let (plan, door) = self.plan.plan(token.division, &folder)?;
        let config = with_door(node::join_over(&folder, &plan, &token, self.above.transport).await?, door, &folder)?;
        say(&format!("{} ({}) has joined, in {}", config.node.name, config.node.id, folder.path().display()));
        Ok(())
    }
}
