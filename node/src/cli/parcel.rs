//! `wuji export bundle` and `wuji import bundle`: what waits for a neighbour as a file, where no network passes.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::api::stamp;
use crate::folder::Folder;
use crate::ops::home;
use crate::ops::lock::{from_hex, to_hex};
use crate::ops::parcel::{Pieces, Plan, Unreadable, check, find};
use crate::writer::parcels::ParcelRefused;

use super::asking::Node;
use super::{FolderArgument, say};

/// Exit code when some bundles were refused or kept aside.
const SET_ASIDE: u8 = 6;

/// What `wuji export bundle` was told.
pub(super) struct Parcel {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) neighbour: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) json: bool,
}

impl Parcel {
    pub(super) async fn export(self) -> anyhow::Result<()> {
        let node = Node::of(self.folder.clone())?;
        let store = home::rows(&Folder::new(&self.folder), &node.config)?;
        let to = match &self.neighbour {
            Some(neighbour) => find(&store, neighbour).await?,
            None => node.config.parent.as_ref().map(|parent| parent.id).context(
                "this node has none above it, and nothing was written: name the child that the parcel is for with \
                     --neighbour\n本节点没有上级，未写入任何文件：请用 --neighbour 指定包裹发往的下级",
            )?,
        };
        let destination = match &self.destination {
            Some(destination) => Some(find(&store, destination).await?),
            None => None,
        };
        let plan = Plan::of(&store, to, destination).await?;
        if plan.bundles == 0 {
            let told = json!({ "bundles": 0, "to": to.to_string(), "file": Value::Null }).to_string();
            say(if self.json { &told } else { "nothing waits there: no file was made" });
            return Ok(());
        }
        let bar = bar(plan.bundles, "written");
        let origins: Vec<String> = plan.origins.iter().map(ToString::to_string).collect();
        let introduced = node.post_told_in_both("/parcels/introductions", &json!({ "origins": origins })).await?;
        let draft = plan.write(&store, &self.file, &records(&introduced)?, || bar.inc(1)).await?;
        let wanted = json!({ "to": to.to_string(), "introductions": draft.introductions, "bundles": draft.bundles,
            "hash": to_hex(&draft.hash.0) });
        let signed = node.post_told_in_both("/parcels/sign", &wanted).await?;
        let head = signed.get("head").and_then(Value::as_str).and_then(from_hex).context(OTHER_VERSION)?;
        let head = draft.seal(&head)?.head;
        bar.finish_and_clear();
        say(&if self.json {
            let made = stamp::rfc3339(head.made);
            json!({ "bundles": head.bundles, "to": to.to_string(), "made": made, "file": self.file }).to_string()
        } else {
            format!("{} bundles for {to} in {}", head.bundles, self.file.display())
        });
        Ok(())
    }
}

const OTHER_VERSION: &str =
    "the node's answer does not fit: is it of another version?\n节点的答复无法识别：其版本是否与本程序不同？";

fn records(introduced: &Value) -> anyhow::Result<Vec<Vec<u8>>> {
    let all = introduced.get("introductions").and_then(Value::as_array).context(OTHER_VERSION)?;
    all.iter().map(|record| record.as_str().and_then(from_hex).context(OTHER_VERSION)).collect()
}

/// `wuji import bundle`.
#[derive(Debug, Args)]
pub(super) struct Carried {
    /// The file that `wuji export bundle` made at a neighbour.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    folder: FolderArgument,
    /// One JSON object with what became of the bundles.
    #[arg(long)]
    json: bool,
}

impl Carried {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let node = Node::of(self.folder.folder.clone())?;
        // All of it is read before the node gets any of it.
        let head = check(&self.file).map_err(|error| told(&self.file, error))?.head;
        let here = node.config.node.id;
        ensure!(head.to == here, "{}", both(ParcelRefused::ForAnother(head.to)));
        let bar = bar(u64::from(head.bundles), "taken in");
        let mut pieces = Pieces::of(&self.file).map_err(|error| told(&self.file, error))?;
        let mut sum = [0_u64; 4];
        while let Some((piece, bundles)) = pieces.next_piece().map_err(|error| told(&self.file, error))? {
            let answer = node.post_bytes("/parcels/take", piece).await.with_context(|| {
                format!("{} bundles were taken in; run the command again to go on, nothing is taken in twice", sum[0])
            })?;
            for (count, name) in sum.iter_mut().zip(FATES) {
                *count += answer.get(name).and_then(Value::as_u64).context(OTHER_VERSION)?;
            }
            bar.inc(bundles);
        }
        bar.finish_and_clear();
        let [new, known, set_aside, refused] = sum;
        say(&if self.json {
            json!({ "from": head.from.to_string(), "made": stamp::rfc3339(head.made), "new": new, "known": known,
                "set_aside": set_aside, "refused": refused })
            .to_string()
        } else {
            let odd = if set_aside + refused > 0 {
                format!("; {set_aside} were kept aside and {refused} refused, `wuji status` says why")
            } else {
                String::new()
            };
            format!("{new} bundles were taken in, {known} were here already{odd}")
        });
        Ok(if set_aside + refused > 0 { SET_ASIDE } else { 0 })
    }
}

/// What becomes of a bundle, as the node's answer names it.
const FATES: [&str; 4] = ["new", "known", "set_aside", "refused"];

fn both(refused: ParcelRefused) -> String {
    format!("{refused}\n{}", refused.chinese())
}

fn told(file: &Path, error: Unreadable) -> anyhow::Error {
    match error {
        Unreadable::NotAParcel(why) => anyhow!("{}: {}", file.display(), both(why.into())),
        Unreadable::Disk(error) => anyhow::Error::new(error).context(format!("{} cannot be read", file.display())),
    }
}

fn bar(bundles: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(bundles);
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.with_prefix(what)
}
