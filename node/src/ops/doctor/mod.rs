//! A look at a node's health: what is in order, what to do about the rest. Nothing is changed.

mod files;
mod letters;
mod machine;
mod neighbours;
mod pack;
mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::id::NodeId;
use serde::Serialize;

use crate::config::Config;
use crate::folder::Folder;
use crate::ops::home::Home;
use crate::store::Place;

use super::ask::Asks;

pub use pack::{PackReport, Trouble, examine_pack};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// In order.
    Ok,
    /// It works, but somebody should look; or it could not be found out.
    Warn,
    /// It does not work, or data is in danger.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub grade: Grade,
    /// What was seen.
    pub says: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, grade: Grade::Ok, says: says.into(), todo: None }
    }

    fn warn(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, grade: Grade::Warn, says: says.into(), todo: Some(todo.into()) }
    }

    fn fail(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, grade: Grade::Fail, says: says.into(), todo: Some(todo.into()) }
    }
}

/// What is looked at.
#[derive(Debug)]
pub struct Patient {
    /// Its folder.
    pub folder: Folder,
    /// Its configuration.
    pub config: Config,
    /// Where it lives.
    pub home: Home,
    /// Look at every page of the database, which takes long.
    pub thorough: bool,
    /// The pack that it is looked at in; none: it is looked at by itself.
    within: Option<Within>,
}

/// What is known of a pack before its nodes are looked at.
#[derive(Debug, Clone)]
struct Within {
    /// Where its nodes can be asked; none: it does not run.
    asks: Option<Asks>,
    /// Its nodes share a database.
    shares: bool,
    /// Its nodes.
    ids: Arc<BTreeSet<NodeId>>,
}

/// Looks at everything. A check that cannot be made is a finding, not an error.
pub async fn examine(folder: Folder, thorough: bool) -> Vec<Finding> {
    let config = match Config::load(folder.path()) {
        Ok(config) => config,
        Err(error) => return vec![no_configuration(&error)],
    };
    let home = match Home::of(&folder, &config) {
        Ok(home) => home,
        Err(error) => return vec![Finding::fail("configuration", format!("{error:#}"), "correct the pack's file")],
    };
    let patient = Patient { folder, config, home, thorough, within: None };
    let on_server = matches!(patient.home.place, Place::Server(_));
    let mut findings = look(&patient).await;
    findings.extend(machine::look(patient.folder.path(), on_server, machine::DESCRIPTORS_MIN));
    findings.push(neighbours::exposed(&patient.home.http, &patient.home.base));
    findings
}

/// Looks at what is the node's own.
async fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(
        "configuration",
        format!("{} ({}), node {}", patient.config.node.name, patient.config.node.division, patient.config.node.id),
    )];
    findings.extend(files::look(patient));
    findings.push(letters::look(&patient.config.papers));
    findings.extend(rows::look(patient).await);
    findings.extend(neighbours::look(patient).await);
    findings
}

fn no_configuration(error: &anyhow::Error) -> Finding {
    let todo = "is this a node's folder? Correct the file, or restore the node from a backup";
    Finding::fail("configuration", format!("{error:#}"), todo)
}

/// The worst of the findings.
pub fn worst(findings: &[Finding]) -> Grade {
    findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Ok)
}
