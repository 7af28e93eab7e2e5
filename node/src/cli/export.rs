//! `wuji export`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use crate::config::Config;
use crate::folder::Folder;
use crate::ops::export::{self, Form, What};
use crate::ops::home;

use super::bar::Bar;
use super::parcel::Parcel;
use super::{FolderArgument, say};

/// `wuji export`: a table of a node as a file, made while the node runs or not.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// What to export.
    what: Wanted,
    #[command(flatten)]
    folder: FolderArgument,
    /// The file to make; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Its form; without it, what the file's name ends in, else CSV.
    #[arg(long)]
    form: Option<Form>,
    /// One JSON object with the number of rows.
    #[arg(long)]
    json: bool,
    /// Of a bundle: the neighbour that it is for, by code or id; the node above when left out.
    #[arg(long, value_name = "NODE")]
    neighbour: Option<String>,
    /// Of a bundle: only what is for this node, by code or id.
    #[arg(long = "for", value_name = "NODE")]
    destination: Option<String>,
}

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    /// The cases that are held here, without names and narrative.
    Cases,
    /// One nameless record a case, of here and of all below: what every figure is made of.
    Figures,
    /// What was done, and whose data was read.
    Audit,
    /// What waits for a neighbour, for a stick to carry; the node has to run.
    Bundle,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let what = match self.what {
            Wanted::Cases => What::Cases,
            Wanted::Figures => What::Figures,
            Wanted::Audit => What::Audit,
            Wanted::Bundle => return self.parcel()?.export().await,
        };
        let for_parcels = self.neighbour.is_some() || self.destination.is_some();
        ensure!(!for_parcels, "--neighbour and --for are for `wuji export bundle`");
        let folder = Folder::new(self.folder.folder);
        let config = Config::load(folder.path())?;
        let store = home::rows(&folder, &config)?;
        let by_name = if self.to.extension().is_some_and(|end| end == "jsonl") { Form::Jsonl } else { Form::Csv };
        let mut bar = Bar::new();
        let done = export::export(&store, what, self.form.unwrap_or(by_name), &self.to, &mut bar).await;
        bar.done();
        let rows = done?;
        say(&if self.json {
            serde_json::json!({ "rows": rows, "file": self.to }).to_string()
        } else {
            format!("{rows} rows in {}", self.to.display())
        });
        Ok(())
    }

    fn parcel(self) -> anyhow::Result<Parcel> {
        ensure!(self.form.is_none(), "a bundle has one form: leave --form out");
        let (folder, file) = (self.folder.folder, self.to);
        Ok(Parcel { folder, file, neighbour: self.neighbour, destination: self.destination, json: self.json })
    }
}
