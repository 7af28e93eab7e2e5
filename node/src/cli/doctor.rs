//! `wuji doctor`.

use clap::Args;

use crate::folder::Folder;
use crate::ops::doctor::{self, Grade};

use super::{FolderArgument, say};

/// `wuji doctor`: looks at a node and its machine, and says what to do. Exit codes: 0 in order, 1 warnings, 2 failures.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    folder: FolderArgument,
    /// Compare every index of the database with its table, which takes long.
    #[arg(long)]
    thorough: bool,
    /// One JSON array.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let findings = doctor::examine(Folder::new(self.folder.folder), self.thorough).await;
        if self.json {
            say(&serde_json::to_string(&findings)?);
        } else {
            for finding in &findings {
                let grade = match finding.grade {
                    Grade::Ok => "OK  ",
                    Grade::Warn => "WARN",
                    Grade::Fail => "FAIL",
                };
                say(&format!("{grade}  {}: {}", finding.check, finding.says));
                if let Some(todo) = &finding.todo {
                    say(&format!("      {todo}"));
                }
            }
        }
        Ok(match doctor::worst(&findings) {
            Grade::Ok => 0,
            Grade::Warn => 1,
            Grade::Fail => 2,
        })
    }
}
