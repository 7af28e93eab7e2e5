//! Raises a small city: nodes that each stand alone, founded and joined with real tokens, one after the other.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::api::ApiState;
use crate::divisions::Site;
use crate::door::{self, Front, RunningFile};
use crate::folder::Folder;
use crate::names::Table;
use crate::node::{Plan, Running, found, give_token, join};
use crate::person;
use crate::person::change::Change;
use crate::writer::port::Ask;

use super::city::{City, Door, Member, folder_of, users};

/// How long one join may take.
const JOIN_TIME_MAX: Duration = Duration::from_secs(60);
const TOKEN_LIFE_MS: i64 = 3_600_000;

/// A free UDP and a free TCP port. Between looking and using, another program could take one; the start then says so.
pub(super) fn free_ports() -> std::io::Result<(SocketAddr, SocketAddr)> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok((UdpSocket::bind(any)?.local_addr()?, TcpListener::bind(any)?.local_addr()?))
}

/// Makes what is missing and starts all nodes, parents first.
pub(super) async fn raise(
    root: &Path,
    sites: &[Site],
    table: &Arc<Table>,
    password: &str,
    told: impl Fn(&Site),
) -> anyhow::Result<City> {
    let hash = person::password::hash(password.to_owned()).await?;
    let reporting = sites.iter().filter(|s| s.code.level() == protocol::division::Level::Grid).map(|s| s.code);
    let mut city = City {
        members: Vec::with_capacity(sites.len()),
        reporting: reporting.collect(),
        doors: Vec::new(),
        pack: None,
    };
    for site in sites {
        let folder = folder_of(root, site.code);
        let fresh = !folder.is_node();
        if fresh {
            make(root, site, &folder).await.with_context(|| format!("{} could not be made", site.name))?;
        }
        let (member, door) =
            start(site, folder, table).await.with_context(|| format!("{} could not be started", site.name))?;
        if fresh {
            for user in users(member.code, &member.name, &hash) {
                let (realm, change) = (member.running.config.node.id, Box::new(Change::PutUser(user)));
                member.running.port.ask(Ask::Person { realm, change }).await?;
            }
        }
        city.members.push(member);
        city.doors.push(door);
        told(site);
    }
    Ok(city)
}

async fn make(root: &Path, site: &Site, folder: &Folder) -> anyhow::Result<()> {
    let (link, http) = free_ports()?;
    let plan =
        Plan { division: site.code, name: site.name.clone(), link, advertise: link.to_string(), http, database: None };
    match site.parent {
        None => found(folder, &plan).await?,
        Some(parent) => {
            let token = give_token(&folder_of(root, parent), site.code, TOKEN_LIFE_MS).await?;
            tokio::time::timeout(JOIN_TIME_MAX, join(folder, &plan, &token))
                .await
                .context("joining took too long")??
        }
    };
    Ok(())
}

async fn start(site: &Site, folder: Folder, table: &Arc<Table>) -> anyhow::Result<(Member, Door)> {
    let mut config = crate::config::Config::load(folder.path())?;
    // On one machine a lost link is back sooner when it is looked for sooner.
    config.link.retry_min_ms = 100;
    config.link.retry_max_ms = 3_000;
    // People watch: the figures of the city follow at once.
    config.figures.every_ms = 200;
    let running = Arc::new(Running::start_with(folder, config).await?);
    let opened = door::open(&running.config.http, running.folder.path()).await?;
    let address = RunningFile::address(opened.listener.local_addr()?, opened.certificates.is_some());
    let state = Arc::new(ApiState::new(&running, table.clone())?);
    let front = Front::alone(state, &opened.door);
    Ok((Member::new(site, address, running), Door::open(opened, front)))
}
