//! `wuji user`. Passwords come on standard input, never on the command line, where other users of the machine see them.

use std::io::BufRead;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::folder::Folder;
use crate::person;
use crate::store::{self, persons::UserRow};

use super::{FolderArgument, say};

const PASSWORD_CHARS_MIN: usize = 10;

/// `wuji user`.
#[derive(Debug, Args)]
pub(super) struct UserCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a user, or change one; the password is the first line of standard input.
    Put {
        #[command(flatten)]
        folder: FolderArgument,
        /// Log-in name.
        #[arg(long)]
        name: String,
        /// Name as shown to others; the log-in name when left out.
        #[arg(long)]
        shown: Option<String>,
        /// Roles, separated by blanks: grid_worker mediator clerk handler supervisor administrator viewer.
        #[arg(long)]
        roles: String,
        /// May not log in.
        #[arg(long)]
        disabled: bool,
    },
    /// List the users.
    List {
        #[command(flatten)]
        folder: FolderArgument,
    },
}

impl UserCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Put { folder, name, shown, roles, disabled } => {
                let folder = Folder::new(folder.folder);
                let config = Config::load(folder.path())?;
                ensure!(!name.trim().is_empty(), "a user needs a log-in name");
                ensure!(
                    !person::roles(&roles).is_empty(),
                    "no known role in {roles:?}; roles, separated by blanks, are: grid_worker mediator clerk handler \
                     supervisor administrator viewer"
                );
                let mut password = String::new();
                std::io::stdin().lock().read_line(&mut password).context("the password cannot be read")?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                ensure!(
                    password.chars().count() >= PASSWORD_CHARS_MIN,
                    "a password has at least {PASSWORD_CHARS_MIN} characters"
                );
                let hash = person::password::hash(password).await?;
                let user =
                    UserRow { shown: shown.unwrap_or_else(|| name.clone()), name, roles, password: hash, disabled };
                let (_, mut write) = store::open(&config.place(&folder), config.node.id).await?;
                write.put_user(&user, Clock::default().wall()).await?;
                say(&format!("{} is a user of {}", user.name, config.node.name));
            }
            Action::List { folder } => {
                let folder = Folder::new(folder.folder);
                let config = Config::load(folder.path())?;
                let (store, _) = store::open(&config.place(&folder), config.node.id).await?;
                for user in store.users().await? {
                    let state = if user.disabled { "  disabled" } else { "" };
                    say(&format!("{}  {}  {}{state}", user.name, user.shown, user.roles));
                }
            }
        }
        Ok(())
    }
}
