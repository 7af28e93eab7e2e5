//! What the system allows a process, raised as far as it goes, or refused with the command to run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::sweep::OPEN_MAX;
use crate::door::CONNECTIONS_MAX;

/// Descriptors of an open database file: the file, its log, its index, and one that SQLite keeps for its locks.
const PER_DATABASE: u64 = 4;
/// Sockets, logs, certificates, and what else a process has.
const OWN: u64 = 256;
/// Over TCP each handshake that is under way has one; links over UDP share the sockets of the process.
const TCP_HANDSHAKES: u64 = 256;

/// The system allows fewer descriptors than a pack needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{nodes} nodes need {need} open files, and the system allows this process {allowed}. Nothing was started. Under \
     systemd set LimitNOFILE={need} in the unit and run `systemctl daemon-reload`; in a shell run `ulimit -n {need}` \
     (as root, when it is refused), then start again"
)]
pub struct TooFew {
    /// Nodes of the pack.
    pub nodes: usize,
    /// Descriptors that they need.
    pub need: u64,
    /// Descriptors that the process may have.
    pub allowed: u64,
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Descriptors that a pack needs: each node's lock and its link upward, which may go over TCP, the databases that are open
/// at once, and people's connections; where children may come over TCP, also the other end of each such link.
pub fn descriptors_needed(nodes: usize, tcp: bool) -> u64 {
    let below = if tcp { wide(nodes) + TCP_HANDSHAKES } else { 0 };
    2 * wide(nodes) + below + PER_DATABASE * wide(nodes.min(OPEN_MAX)) + wide(CONNECTIONS_MAX) + OWN
}

/// Raises the number of descriptors to what the system allows, and refuses when that is too few.
pub fn raise_descriptors(nodes: usize, tcp: bool) -> Result<u64, TooFew> {
    let need = descriptors_needed(nodes, tcp);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the number of open files could not be raised");
        }
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if current < need { Err(TooFew { nodes, need, allowed: current }) } else { Ok(current) }
}
