//! `wuji move`, `wuji moves`, `wuji follow`: a node hangs below another parent.

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::asking::Node;
use super::{FolderArgument, say};

/// `wuji move`.
#[derive(Debug, Args)]
pub(super) struct Move {
    #[command(flatten)]
    folder: FolderArgument,
    /// The node that moves: its division, or its id.
    node: String,
    /// Its new parent: its division, or its id.
    #[arg(long)]
    below: String,
    /// Where the new parent listens, HOST:PORT.
    #[arg(long)]
    address: String,
}

impl Move {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let wish = json!({ "act": "move", "node": self.node, "below": self.below, "address": self.address });
        Node::of(self.folder.folder)?.trust(Some(&wish)).await?;
        say(
            "asked of the authority; `wuji moves` shows it once it is ordered. Every node follows by itself, and nothing under way is lost",
        );
        Ok(())
    }
}

/// `wuji moves`.
#[derive(Debug, Args)]
pub(super) struct Moves {
    #[command(flatten)]
    folder: FolderArgument,
    /// Print the order for this node alone, by division or id, for `wuji follow` where no link brings it. Leaves with 1 while
    /// there is none.
    #[arg(long, value_name = "NODE")]
    order: Option<String>,
}

impl Moves {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let answer = Node::of(self.folder.folder)?.trust(None).await?;
        let moves = answer.get("moves").and_then(Value::as_array).context("an answer without moves")?;
        let Some(wanted) = self.order else {
            say(&serde_json::to_string_pretty(moves)?);
            return Ok(());
        };
        let is = |order: &Value, name: &str| order.get(name).and_then(Value::as_str) == Some(wanted.as_str());
        let found = moves.iter().find(|order| is(order, "division") || is(order, "node"));
        let order = found.and_then(|order| order.get("order")).and_then(Value::as_str);
        say(order.with_context(|| format!("no order to move {wanted} is known here"))?);
        Ok(())
    }
}

/// `wuji follow`.
#[derive(Debug, Args)]
pub(super) struct Follow {
    #[command(flatten)]
    folder: FolderArgument,
    /// The order, as `wuji moves --order` prints it.
    order: String,
}

impl Follow {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let wish = json!({ "act": "follow", "order": self.order.trim() });
        Node::of(self.folder.folder)?.trust(Some(&wish)).await?;
        say("followed; what waits for elsewhere goes by the new parent");
        Ok(())
    }
}
