//! `wuji user`. Passwords come on standard input, never on the command line, where other users of the machine see them.

use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use casework::Grant;
use clap::{Args, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::folder::Folder;
use crate::ops::home::{Home, Keeper};
use crate::person::audit::Entry;
use crate::person::change::{Change, PutUser};
use crate::person::{import, password, roles};
use crate::store::people::{People, UserRow};
use crate::store::{self, WriteStore};

use super::{FolderArgument, say};

/// `wuji user`.
#[derive(Debug, Args)]
pub(super) struct UserCommand {
    #[command(subcommand)]
    action: Action,
}

/// A user of a node.
#[derive(Debug, Args)]
struct Named {
    #[command(flatten)]
    folder: FolderArgument,
    /// Log-in name.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a user, or change one; the password is the first line of standard input.
    #[command(alias = "put")]
    Add {
        #[command(flatten)]
        named: Named,
        /// Name as shown to others; the log-in name when left out.
        #[arg(long)]
        shown: Option<String>,
        /// Roles with their scopes, separated by blanks: clerk, clerk@330602001000, handler#12. Roles: grid_worker mediator
        /// clerk handler supervisor administrator viewer hotline auditor.
        #[arg(long)]
        roles: String,
        /// May not log in.
        #[arg(long)]
        disabled: bool,
        /// The first log-in asks for a new password.
        #[arg(long)]
        must_change: bool,
    },
    /// List the users.
    List {
        #[command(flatten)]
        folder: FolderArgument,
    },
    /// Give a user a role: clerk, clerk@330602001000, handler#12.
    Grant {
        #[command(flatten)]
        named: Named,
        /// The role with its scope.
        #[arg(long)]
        role: String,
    },
    /// Take a role from a user.
    Revoke {
        #[command(flatten)]
        named: Named,
        /// The role with its scope, as the list shows it.
        #[arg(long)]
        role: String,
    },
    /// Let a user log in no more; their sessions end.
    Disable(Named),
    /// Let a user log in again.
    Enable(Named),
    /// Forget a user's failed log-ins.
    Unlock(Named),
    /// Set a new password, the first line of standard input; the user changes it at the next log-in.
    ResetPassword(Named),
    /// Take a user's second factor away, after a lost phone.
    ResetSecondFactor(Named),
    /// Read users out of a table (CSV: name, shown, grants, password). Nothing is changed while a row is wrong.
    Import(UserTable),
}

/// A table of users.
#[derive(Debug, Args)]
pub(super) struct UserTable {
    #[command(flatten)]
    folder: FolderArgument,
    /// The table.
    #[arg(value_name = "FILE", required_unless_present = "file", conflicts_with = "file")]
    table: Option<PathBuf>,
    /// The same.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Only say what is wrong with it.
    #[arg(long)]
    check: bool,
}

impl UserTable {
    /// Reads it in.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let file = self.table.or(self.file).context("say which table: wuji import users FILE")?;
        import_table(self.folder, &file, self.check).await
    }
}

/// The people of a node or of a pack, read and changed beside the process or without it.
struct Place {
    people: People,
    write: WriteStore,
    /// Of whom.
    name: String,
}

impl Place {
    async fn open(folder: FolderArgument) -> anyhow::Result<Self> {
        let keeper = Keeper::of(&Folder::new(folder.folder))?;
        let node = Config::load(keeper.folder.path())?;
        let home = Home::of(&keeper.folder, &node)?;
        let (store, write) = store::open(&home.place, node.node.id).await?;
        let name =
            if keeper.realm == node.node.id { node.node.name } else { format!("all nodes in {}", home.base.display()) };
        Ok(Self { people: store.people(keeper.realm), write, name })
    }

    async fn user(&self, name: &str) -> anyhow::Result<UserRow> {
        match self.people.user(name).await? {
            Some(user) => Ok(user),
            None => bail!("there is no user {name} here: `wuji user list` shows who there is"),
        }
    }

    async fn own(&self, name: &str) -> anyhow::Result<Vec<Grant>> {
        let grants = self.people.grants(name).await?.into_iter();
        Ok(grants.filter(|granted| granted.instead_of.is_empty()).map(|granted| granted.grant).collect())
    }

    /// Makes changes and their entries in the audit in one transaction.
    async fn change(&mut self, action: &str, changes: Vec<(String, Change)>) -> anyhow::Result<()> {
        let now = Clock::default().wall();
        self.write.begin_beside().await?;
        for (object, change) in changes {
            let entry = Entry {
                who: "cli".to_owned(),
                roles: "administrator".to_owned(),
                via: std::env::var("USER").unwrap_or_default(),
                action: format!("wuji user {action}"),
                object: format!("users/{object}"),
                outcome: "done".to_owned(),
                reason: String::new(),
            };
            self.write.change_people(self.people.realm(), &change, now).await?;
            self.write.append_audit(&[entry], now).await?;
        }
        self.write.commit().await?;
        Ok(())
    }

    async fn put(&mut self, action: &str, user: UserRow, grants: Vec<Grant>, disabled: bool) -> anyhow::Result<()> {
        let (name, shown) = (user.name, user.shown);
        let put =
            PutUser { name: name.clone(), shown, password: None, must_change: false, disabled, grants: Some(grants) };
        self.change(action, vec![(name, Change::PutUser(put))]).await
    }
}

fn read_password(name: &str) -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).context("the password cannot be read")?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    password::choose(&password, name)?;
    Ok(password)
}

impl UserCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Add { named, shown, roles, disabled, must_change } => {
                add(named, shown, &roles, disabled, must_change).await
            }
            Action::List { folder } => list(folder).await,
            Action::Grant { named, role } => {
                let mut place = Place::open(named.folder).await?;
                let user = place.user(&named.name).await?;
                let mut grants = place.own(&named.name).await?;
                let grant = roles::grant(&role)?;
                if !grants.contains(&grant) {
                    grants.push(grant);
                }
                let disabled = user.disabled;
                place.put("grant", user, grants, disabled).await?;
                say(&format!("{} is {} now", named.name, roles::grant_text(&grant)));
                Ok(())
            }
            Action::Revoke { named, role } => {
                let mut place = Place::open(named.folder).await?;
                let user = place.user(&named.name).await?;
                let grant = roles::grant(&role)?;
                let before = place.own(&named.name).await?;
                ensure!(before.contains(&grant), "{} is not {role}: nothing was changed", named.name);
                let grants = before.into_iter().filter(|held| *held != grant).collect();
                let disabled = user.disabled;
                place.put("revoke", user, grants, disabled).await?;
                say(&format!("{} is no longer {role}", named.name));
                Ok(())
            }
            Action::Disable(named) => may_log_in(named, false).await,
            Action::Enable(named) => may_log_in(named, true).await,
            Action::Unlock(named) => {
                let mut place = Place::open(named.folder).await?;
                let name = place.user(&named.name).await?.name;
                place.change("unlock", vec![(name.clone(), Change::Unlock(name.clone()))]).await?;
                say(&format!("{name} may try again"));
                Ok(())
            }
            Action::ResetPassword(named) => reset_password(named).await,
            Action::ResetSecondFactor(named) => {
                let mut place = Place::open(named.folder).await?;
                let user = place.user(&named.name).await?;
                let (name, last) = (user.name, user.totp_last);
                let end = Change::SetTotp { name: name.clone(), secret: None, on: false, last, recovery: Vec::new() };
                let changes = vec![(name.clone(), end), (name.clone(), Change::DropSessions(name.clone()))];
                place.change("reset-second-factor", changes).await?;
                say(&format!("{name} logs in without a second factor until a new one is set up"));
                Ok(())
            }
            Action::Import(table) => table.run().await,
        }
    }
}

async fn add(
    named: Named,
    shown: Option<String>,
    roles: &str,
    disabled: bool,
    must_change: bool,
) -> anyhow::Result<()> {
    let shown = shown.unwrap_or_else(|| named.name.clone());
    import::check_names(&named.name, &shown).map_err(anyhow::Error::msg)?;
    let grants = roles::grants(roles)?;
    ensure!(!grants.is_empty(), "a user needs a role; roles are: {}", roles::all());
    let mut place = Place::open(named.folder).await?;
    let password = Some(password::hash(read_password(&named.name)?).await?);
    let name = named.name;
    let put = PutUser { name: name.clone(), shown, password, must_change, disabled, grants: Some(grants) };
    place.change("add", vec![(name.clone(), Change::PutUser(put))]).await?;
    say(&format!("{name} is a user of {}", place.name));
    Ok(())
}

async fn list(folder: FolderArgument) -> anyhow::Result<()> {
    let place = Place::open(folder).await?;
    for user in place.people.users().await? {
        let grants = roles::grants_text(&place.own(&user.name).await?);
        let factor = if user.totp_on { "  second factor" } else { "" };
        let state = if user.disabled { "  disabled" } else { "" };
        say(&format!("{}  {}  {grants}{factor}{state}", user.name, user.shown));
    }
    Ok(())
}

async fn may_log_in(named: Named, may: bool) -> anyhow::Result<()> {
    let mut place = Place::open(named.folder).await?;
    let user = place.user(&named.name).await?;
    let grants = place.own(&named.name).await?;
    place.put(if may { "enable" } else { "disable" }, user, grants, !may).await?;
    say(&format!("{} {}", named.name, if may { "may log in" } else { "may log in no more; all sessions ended" }));
    Ok(())
}

async fn reset_password(named: Named) -> anyhow::Result<()> {
    let mut place = Place::open(named.folder).await?;
    let name = place.user(&named.name).await?.name;
    let password = password::hash(read_password(&name)?).await?;
    let set = Change::SetPassword { name: name.clone(), password, must_change: true, keep: None };
    let changes = vec![(name.clone(), set), (name.clone(), Change::Unlock(name.clone()))];
    place.change("reset-password", changes).await?;
    say(&format!("{name} has a new password and is asked for another at the next log-in"));
    Ok(())
}

async fn import_table(folder: FolderArgument, file: &std::path::Path, check: bool) -> anyhow::Result<()> {
    let table = std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (rows, mut errors) = import::parse(table);
    let mut place = Place::open(folder).await?;
    for row in &rows {
        if place.people.user(&row.name).await?.is_some() {
            errors.push(import::RowError { line: row.line, what: format!("{} is a user already", row.name) });
        }
    }
    errors.sort_by_key(|error| error.line);
    if !errors.is_empty() {
        let lines = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
        bail!("nothing was imported; these rows are wrong:\n  {lines}");
    }
    if check {
        say(&format!("{} rows can be imported", rows.len()));
        return Ok(());
    }
    let (mut changes, mut told) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        if row.made {
            told.push(format!("{}\t{}", row.name, row.password));
        }
        let user = row.user().await?;
        changes.push((user.name.clone(), Change::PutUser(user)));
    }
    let count = changes.len();
    place.change("import", changes).await?;
    say(&format!("{count} users were imported; each changes the password at the first log-in"));
    told.iter().for_each(|line| say(line));
    Ok(())
}
