//! `wuji publish`: puts a list, rules, a policy, a calendar or a unit directory in force from this node down, through the
//! running node, as its operator.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use protocol::publication::PublicationKind;
use serde_json::{Value, json};

use super::asking::Node;
use super::{FolderArgument, say};

/// What every refusal begins with.
const NOTHING: &str = "nothing was published";

/// `wuji publish`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Publish {
    #[command(subcommand)]
    action: Option<Action>,
    /// categories, codes, mapping, rules, policy, calendar, units, terms or measures.
    #[arg(required = true)]
    kind: Option<String>,
    /// A JSON file; `wuji publish show` writes one to begin with.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Name, for codes and mapping.
    #[arg(long)]
    name: Option<String>,
    /// The day from which it holds, YYYY-MM-DD; at once when left out.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The node's folder.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER", required = true)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every edition that the node holds.
    List {
        #[command(flatten)]
        folder: FolderArgument,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Write the content that is in force.
    Show {
        /// categories, codes, mapping, rules, policy, calendar, units, terms or measures.
        kind: String,
        /// Its name, for codes and mapping.
        #[arg(long, default_value = casework::publish::MAIN)]
        name: String,
        #[command(flatten)]
        folder: FolderArgument,
    },
    /// Take back what this node published: what comes from above holds again.
    Withdraw {
        /// categories, codes, mapping, rules, policy, calendar, units, terms or measures.
        kind: String,
        /// Its name, for codes and mapping.
        #[arg(long, default_value = casework::publish::MAIN)]
        name: String,
        #[command(flatten)]
        folder: FolderArgument,
    },
}

impl Publish {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Some(Action::List { folder, json }) => list(&Node::of(folder.folder)?, json).await,
            Some(Action::Show { kind, name, folder }) => {
                let answer = Node::of(folder.folder)?.get(&format!("/publications/{}/{name}", known(&kind)?)).await?;
                say(&serde_json::to_string_pretty(answer.get("content").unwrap_or(&Value::Null))?);
                Ok(())
            }
            Some(Action::Withdraw { kind, name, folder }) => {
                let body = json!({ "kind": known(&kind)?, "name": name });
                told(&Node::of(folder.folder)?.post("/publications", &body).await.context(NOTHING)?);
                Ok(())
            }
            None => {
                let (Some(kind), Some(file), Some(folder)) = (self.kind, self.file, self.folder) else {
                    bail!("say what to publish: wuji publish KIND FILE --folder FOLDER, or wuji publish list");
                };
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("{} cannot be read; nothing was published", file.display()))?;
                let content: Value = serde_json::from_str(&text)
                    .with_context(|| format!("{} is no JSON; nothing was published", file.display()))?;
                let body = json!({ "kind": known(&kind)?, "name": self.name, "from": self.from, "content": content });
                told(&Node::of(folder)?.post("/publications", &body).await.context(NOTHING)?);
                Ok(())
            }
        }
    }
}

fn known(kind: &str) -> anyhow::Result<&str> {
    PublicationKind::from_word(kind).with_context(|| {
        let kinds = PublicationKind::words().collect::<Vec<_>>().join(", ");
        format!("there is no kind {kind:?}: kinds are {kinds}")
    })?;
    Ok(kind)
}

fn told(edition: &Value) {
    let part = |name: &str| edition.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = edition.get("version").and_then(Value::as_u64).unwrap_or_default();
    say(&format!("{} {} version {version}: {}", part("kind"), part("name"), part("state")));
}

async fn list(node: &Node, json: bool) -> anyhow::Result<()> {
    let all = node.get("/publications").await?;
    if json {
        say(&all.to_string());
        return Ok(());
    }
    for edition in all.as_array().into_iter().flatten() {
        let part = |name: &str| edition.get(name).and_then(Value::as_str).unwrap_or_default();
        let version = edition.get("version").and_then(Value::as_u64).unwrap_or_default();
        let issuer = edition.get("issuer_name").and_then(Value::as_str).unwrap_or("built in");
        let line = format!(
            "{:<11} {:<12} {version:>5}  {:<12} {:<10} {issuer}  {}",
            part("kind"),
            part("name"),
            part("state"),
            part("from").get(..10).unwrap_or("-"),
            part("trouble")
        );
        say(line.trim_end());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        publish: Publish,
    }

    fn line(words: &[&str]) -> Result<Publish, clap::Error> {
        let words = std::iter::once("publish").chain(words.iter().copied());
        Line::try_parse_from(words).map(|line| line.publish)
    }

    #[test]
    fn a_file_is_published_by_kind_and_the_rest_are_words_of_their_own() {
        let put = line(&["policy", "policy.json", "--folder", "f", "--from", "2027-01-01"]).unwrap();
        assert!(put.action.is_none());
        assert_eq!((put.kind.as_deref(), put.from.as_deref()), (Some("policy"), Some("2027-01-01")));
        assert!(matches!(line(&["list", "--folder", "f"]).unwrap().action, Some(Action::List { json: false, .. })));
        let shown = line(&["show", "codes", "--name", "judicial-18", "--folder", "f"]).unwrap();
        assert!(matches!(shown.action, Some(Action::Show { name, .. }) if name == "judicial-18"));
        assert!(line(&["policy", "--folder", "f"]).is_err(), "a file is needed");
        assert!(known("weather").is_err() && known("units").is_ok());
    }
}
