//! What `wuji demo` can be told.

use std::path::PathBuf;

use clap::Args;
use protocol::division::DivisionCode;

/// Options of `wuji demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Division table (CSV: code,name,level,parent_code); the table that ships with the program otherwise.
    #[arg(long, value_name = "FILE")]
    pub divisions: Option<PathBuf>,
    /// Code of the row at the top, when the table has several; its only one otherwise.
    #[arg(long, value_name = "CODE")]
    pub city: Option<DivisionCode>,
    /// Every division of the table, and a grid below each community, in one process.
    #[arg(long, conflicts_with_all = ["counties", "townships", "communities", "grids"])]
    pub full: bool,
    /// Counties that get a node.
    #[arg(long, default_value_t = 2)]
    pub counties: usize,
    /// Townships that get a node, in the first county (one in each other).
    #[arg(long, default_value_t = 2)]
    pub townships: usize,
    /// Communities that get a node, in the first township (one in each other).
    #[arg(long, default_value_t = 2)]
    pub communities: usize,
    /// Grids that get a node, in the first community (one in each other).
    #[arg(long, default_value_t = 2)]
    pub grids: usize,
    /// Cases: a number of made-up ones, or a file of one JSON object a line.
    #[arg(long, default_value = "60", value_name = "N|FILE.jsonl")]
    pub cases: String,
    /// Seed of the made-up cases.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave when everything has arrived; after 120 s without that, leave with 3 and say what waits.
    #[arg(long)]
    pub exit: bool,
    /// The last line of standard output is one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Where the nodes live.
    #[arg(long, default_value = "wuji-demo", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Begin with an empty folder.
    #[arg(long)]
    pub fresh: bool,
    /// Only count again over a folder that an earlier demo left behind.
    #[arg(long, value_name = "FOLDER")]
    pub verify: Option<PathBuf>,
}
