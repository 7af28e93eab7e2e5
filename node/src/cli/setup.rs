//! `wuji init`, `wuji token`, `wuji join`.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use federation::trust::Token;
use protocol::division::DivisionCode;

use crate::folder::Folder;
use crate::names::Table;
use crate::node::{self, Plan};

use super::{FolderArgument, say};

/// Where a new node listens and what it is called.
#[derive(Debug, Args)]
struct PlanArguments {
    /// Name as shown; taken from the shipped table when left out.
    #[arg(long)]
    name: Option<String>,
    /// UDP address of the link.
    #[arg(long, default_value = "0.0.0.0:7440")]
    listen: SocketAddr,
    /// HOST:PORT by which nodes below reach the link; the listening address when left out.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// TCP address of API and page. Keep it on loopback or behind a proxy that speaks HTTPS.
    #[arg(long, default_value = "127.0.0.1:7480")]
    http: SocketAddr,
    /// URL of a PostgreSQL database; without it the rows go into a file in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl PlanArguments {
    fn plan(self, division: DivisionCode) -> Plan {
        let name = self
            .name
            .or_else(|| Table::shipped().ok().and_then(|table| table.name(division)))
            .unwrap_or_else(|| division.to_string());
        let advertise = self.advertise.unwrap_or_else(|| self.listen.to_string());
        Plan { division, name, link: self.listen, advertise, http: self.http, database: self.database }
    }
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
        let config = node::found(&folder, &self.plan.plan(self.division)).await?;
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
    /// Hours until the token ends, 24 at most.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=24))]
    hours: u8,
}

impl GiveToken {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let token = node::give_token(&folder, self.division, i64::from(self.hours) * 3_600_000).await?;
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
    plan: PlanArguments,
}

impl Join {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let token: Token = self.token.trim().parse().context("the token cannot be read")?;
        let plan = self.plan.plan(token.division);
        let config = node::join(&folder, &plan, &token).await?;
        say(&format!("{} ({}) has joined, in {}", config.node.name, config.node.id, folder.path().display()));
        Ok(())
    }
}
