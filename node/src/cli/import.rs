//! `wuji import`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use federation::trust::Token;
use indicatif::{ProgressBar, ProgressStyle};
use protocol::division::DivisionCode;

use crate::divisions::{self, Sites};
use crate::names::Table;
use crate::pack::{Order, PackDatabase, join, make};

use super::cases::Cases;
use super::parcel::Carried;
use super::say;
use super::setup::{AboveArguments, DoorArguments, LinkArguments};
use super::user::UserTable;

/// `wuji import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a pack with a node for every division of a table.
    Divisions(Box<Divisions>),
    /// File the cases of an older system at a running node. Nothing is filed while a row is wrong.
    Cases(Cases),
    /// Read users out of a table: the same as `wuji user import`.
    Users(UserTable),
    /// Take in what a neighbour exported, where no network passes.
    Bundle(Carried),
}

#[derive(Debug, Args)]
struct Divisions {
    /// The table: CSV in UTF-8, code,name,level,parent_code.
    #[arg(value_name = "FILE")]
    table: PathBuf,
    /// Folder of the pack; must be free.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Code of the row at the top, when the table has several; its only one otherwise.
    #[arg(long, value_name = "CODE")]
    city: Option<DivisionCode>,
    /// A grid below each community that has none in the table.
    #[arg(long)]
    grids: bool,
    /// A token for the topmost row, from the node above it: the pack joins there. Without one it is a federation of its
    /// own, with its authority. An interrupted run goes on when it is given the same words again.
    #[arg(long, conflicts_with = "one_file")]
    token: Option<String>,
    #[command(flatten)]
    above: AboveArguments,
    #[command(flatten)]
    link: LinkArguments,
    #[command(flatten)]
    door: DoorArguments,
    /// URL of one PostgreSQL database for all nodes; without it each node has a file in its folder.
    #[arg(long, value_name = "URL", conflicts_with = "one_file")]
    database: Option<String>,
    /// One database file for all nodes.
    #[arg(long)]
    one_file: bool,
    /// Only read and check the table, and say what would be made.
    #[arg(long)]
    check: bool,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        match self.what {
            What::Divisions(divisions) => divisions.run().await.map(|()| 0),
            What::Cases(cases) => cases.run().await,
            What::Bundle(carried) => carried.run().await,
            What::Users(users) => users.run().await.map(|()| 0),
        }
    }
}

impl Divisions {
    fn sites(&self) -> anyhow::Result<Sites> {
        let file = &self.table;
        let source = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let refused = || format!("{} cannot be used; nothing was made", file.display());
        let table = Table::read(BufReader::new(source)).with_context(refused)?;
        let mut found = divisions::sites(&table, self.city).with_context(refused)?;
        if self.grids {
            found.sites = divisions::with_grids(found.sites);
        }
        Ok(found)
    }

    async fn run(self) -> anyhow::Result<()> {
        let found = self.sites()?;
        let token: Option<Token> =
            self.token.as_deref().map(|text| text.trim().parse().context("the token cannot be read")).transpose()?;
        found.passed_by.iter().for_each(|row| tell(&row.to_string()));
        if self.check {
            say(&format!("{} nodes would be made in {}", found.sites.len(), self.into.display()));
            return Ok(());
        }
        let bar = ProgressBar::new(u64::try_from(found.sites.len()).unwrap_or(u64::MAX)).with_prefix("nodes");
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        let order = Order {
            into: &self.into,
            sites: &found.sites,
            link: self.link.section(),
            http: self.door.section(&self.into)?,
            database: PackDatabase { url: self.database, file: self.one_file.then(|| "pack.db".into()) },
            users: Vec::new(),
            table: Some(&self.table),
        };
        let told = |done| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        let made = match &token {
            None => make(order, told).await?,
            Some(token) => join(order, token, self.above.transport, told).await?,
        };
        bar.finish_and_clear();
        say(&format!(
            "{} nodes are made in {}; start them with `wuji run {}`",
            made.nodes,
            self.into.display(),
            self.into.display()
        ));
        Ok(())
    }
}

#[expect(clippy::print_stderr, reason = "what was passed by is for the person at the terminal")]
fn tell(text: &str) {
    eprintln!("wuji: {text}");
}
