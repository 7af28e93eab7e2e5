//! `wuji quarantine`: what a running node keeps aside of its neighbours.

use clap::Args;
use protocol::id::NodeId;
use serde_json::{Value, json};

use super::asking::Node;
use super::{FolderArgument, say};

/// `wuji quarantine`.
#[derive(Debug, Args)]
pub(super) struct Quarantine {
    #[command(flatten)]
    folder: FolderArgument,
    /// Let go of what is kept aside of this neighbour, once it is known why it came.
    #[arg(long, value_name = "NODE")]
    clear: Option<NodeId>,
}

impl Quarantine {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let node = Node::of(self.folder.folder)?;
        let aside = match self.clear {
            Some(peer) => node.post(&format!("/quarantine/{peer}/clear"), &json!({})).await?,
            None => node.get("/quarantine").await?,
        };
        let neighbours = aside.as_array().map(Vec::as_slice).unwrap_or_default();
        if neighbours.is_empty() {
            say("nothing is kept aside");
        }
        neighbours.iter().for_each(|neighbour| say(&line(neighbour)));
        Ok(())
    }
}

fn line(neighbour: &Value) -> String {
    let word = |name: &str| neighbour.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| neighbour.get(name).and_then(Value::as_i64).unwrap_or_default();
    let (kept, bytes, refused) = (number("kept"), number("kept_bytes"), number("refused"));
    let mut line = format!("{} {}: {kept} bundles ({bytes} bytes) are kept aside", word("peer"), word("name"));
    if refused > 0 {
        line.push_str(&format!("; {refused} that came when there was no place left were counted only"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_counted_is_said_where_there_was_such() {
        let one =
            |refused: i64| line(&json!({ "peer": "01", "name": "x", "kept": 2, "kept_bytes": 9, "refused": refused }));
        assert_eq!(one(0), "01 x: 2 bundles (9 bytes) are kept aside");
        assert!(one(7).ends_with("; 7 that came when there was no place left were counted only"));
    }
}
