//! `wuji export`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Config;
use crate::folder::Folder;
use crate::ops::export::{self, Form, What};
use crate::ops::home;

use super::bar::Bar;
use super::{FolderArgument, say};

/// `wuji export`: a table of a node as a file, made while the node runs or not.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// What to export.
    what: What,
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
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let config = Config::load(folder.path())?;
        let store = home::rows(&folder, &config)?;
        let by_name = if self.to.extension().is_some_and(|end| end == "jsonl") { Form::Jsonl } else { Form::Csv };
        let mut bar = Bar::new();
        let done = export::export(&store, self.what, self.form.unwrap_or(by_name), &self.to, &mut bar).await;
        bar.done();
        let rows = done?;
        say(&if self.json {
            serde_json::json!({ "rows": rows, "file": self.to }).to_string()
        } else {
            format!("{rows} rows in {}", self.to.display())
        });
        Ok(())
    }
}
