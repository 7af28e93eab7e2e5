//! The command line.
//!
//! Exit codes: 0 done, 1 failed, 2 the command line itself was wrong, 3 something did not arrive in time, 4 a count does
//! not come out, 5 some nodes of a pack failed, 6 some rows of a table or bundles of a parcel were set aside.

mod adopt;
mod asking;
mod audit;
mod authority;
mod backup;
mod bar;
mod cases;
mod decommission;
mod doctor;
mod export;
mod import;
mod moves;
mod parcel;
mod publish;
mod quarantine;
mod rekey;
mod renew;
mod restore;
mod revoke;
mod run;
mod setup;
mod status;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::demo::{self, DemoOptions};

/// Exit code when some nodes of a pack failed, and the others did not; a run tells it when they have stopped.
const SOME_NODES: u8 = 5;

/// One node of the five-level linkage (五级联动) for resolving disputes.
#[derive(Debug, Parser)]
#[command(name = "wuji", version, about)]
pub struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Found a federation: make the node at the top, with its authority.
    Init(setup::Init),
    /// Give out a join token for a node directly below this one.
    Token(setup::GiveToken),
    /// Make a node that joins with a token from the node above.
    Join(setup::Join),
    /// Bring a running node, which ran alone, below another.
    Adopt(adopt::Adopt),
    /// Look at certificates, and at the top change the authority.
    Authority(authority::AuthorityCommand),
    /// Ask for a new certificate now.
    Renew(renew::Renew),
    /// Seal the names of a node that does not run with a new key.
    Rekey(rekey::Rekey),
    /// No longer trust a node below this one.
    Revoke(revoke::Revoke),
    /// Close a node below this one in order.
    Decommission(decommission::Decommission),
    /// Hang a node below this one below another node below this one.
    Move(moves::Move),
    /// List the nodes that hang elsewhere than at first, as far as they are known here.
    Moves(moves::Moves),
    /// At a node that moved and cannot be told by a link: follow the order.
    Follow(moves::Follow),
    /// Run a node, or all nodes of a pack in one process.
    Run(run::Run),
    /// Say how a running node or pack is.
    Status(status::Status),
    /// Add, change or list users of a node.
    User(user::UserCommand),
    /// Put a node into one file, or a pack into a folder of them, while it runs or not; read such files; make a key.
    Backup(backup::Backup),
    /// Make a node or pack out of a backup; afterwards say what was lost.
    Restore(restore::Restore),
    /// Write a table of a node into a file: cases without names, the records behind the figures, the audit. Or a parcel:
    /// what waits for a neighbour, where no network passes.
    Export(export::Export),
    /// Look at a node or pack and its machine, and say what to do.
    Doctor(doctor::Doctor),
    /// Put lists, rules, a policy, a calendar or units in force from a node down.
    Publish(publish::Publish),
    /// Say what a node keeps aside of its neighbours because it could not be accepted, or let go of it.
    Quarantine(quarantine::Quarantine),
    /// Bring in what comes as a table, or as a parcel from a neighbour.
    Import(import::Import),
    /// Check the audit, and print what anchors it.
    Audit(audit::AuditCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Run a small city on this machine.
    Demo(DemoOptions),
}

/// The folder of a node.
#[derive(Debug, clap::Args)]
struct FolderArgument {
    /// The folder of the node, or of the pack where a command is of packs too.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER")]
    folder: PathBuf,
}

/// Does what the command line says.
pub fn main(line: Line) -> ExitCode {
    tell_what_happens();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&anyhow::Error::new(error).context("the program cannot start")),
    };
    match runtime.block_on(obey(line.command)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(&error),
    }
}

async fn obey(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Init(init) => init.run().await?,
        Command::Token(token) => token.run().await?,
        Command::Join(join) => join.run().await?,
        Command::Adopt(adopt) => adopt.run().await?,
        Command::Authority(authority) => authority.run().await?,
        Command::Renew(renew) => renew.run().await?,
        Command::Rekey(rekey) => rekey.run().await?,
        Command::Revoke(revoke) => revoke.run().await?,
        Command::Decommission(decommission) => decommission.run().await?,
        Command::Move(order) => order.run().await?,
        Command::Moves(moves) => moves.run().await?,
        Command::Follow(follow) => follow.run().await?,
        Command::Run(run) => return run.run().await,
        Command::Status(status) => return status.run().await,
        Command::User(user) => user.run().await?,
        Command::Backup(backup) => return backup.run().await,
        Command::Restore(restore) => return restore.run().await,
        Command::Export(export) => export.run().await?,
        Command::Doctor(doctor) => return doctor.run().await,
        Command::Publish(publish) => publish.run().await?,
        Command::Quarantine(quarantine) => quarantine.run().await?,
        Command::Import(import) => return import.run().await,
        Command::Audit(audit) => audit.run().await?,
        Command::Openapi => say(&crate::api::router::description().to_pretty_json()?),
        Command::Demo(options) => return demo::run(options).await,
    }
    Ok(0)
}

/// Log lines go to standard error; `WUJI_LOG` chooses them, e.g. `info` or `wuji=debug`; `WUJI_LOG_FORMAT=json` for machines.
fn tell_what_happens() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WUJI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // A line that cannot be written, to a file on a full disk say, is lost. To complain about it on standard error as well
    // would fail in the same way, and end the task that only had something to tell.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    if std::env::var("WUJI_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}

fn say(text: &str) {
    use std::io::Write;
    // Whoever reads may have seen enough (`| head`): that is no failure of the command.
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[expect(clippy::print_stderr, reason = "why a command failed belongs on standard error")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("wuji: {error:#}");
    ExitCode::FAILURE
}
