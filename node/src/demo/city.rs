//! The nodes of a demo: founded, joined with real tokens, started, and reachable over HTTP.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use protocol::division::{DivisionCode, Level};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::{self, ApiState};
use crate::folder::Folder;
use crate::names::Table;
use crate::node::{Plan, Running, found, give_token, join};
use crate::person;
use crate::store::persons::UserRow;
use crate::writer::port::Ask;

use super::tree::Site;

/// The demo's people: log-in name, name as shown, roles, and at which levels they are.
const PEOPLE: [(&str, &str, &str, &[Level]); 4] = [
    ("worker", "网格员", "grid_worker mediator", &[Level::Grid, Level::Community]),
    ("clerk", "受理员", "clerk mediator handler", &[Level::Community, Level::Township, Level::County]),
    ("leader", "负责人", "supervisor", &[Level::Community, Level::Township, Level::County, Level::City]),
    ("admin", "管理员", "administrator", &[Level::Grid, Level::Community, Level::Township, Level::County, Level::City]),
];
/// How long one join may take.
const JOIN_TIME_MAX: Duration = Duration::from_secs(60);
const TOKEN_LIFE_MS: i64 = 3_600_000;

/// A node of the demo.
pub(super) struct Member {
    pub(super) code: DivisionCode,
    pub(super) level: Level,
    pub(super) name: String,
    pub(super) http: SocketAddr,
    pub(super) running: Arc<Running>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Member {
    /// Its page.
    pub(super) fn address(&self) -> String {
        format!("http://{}/", self.http)
    }
}

/// All nodes of a demo.
pub(super) struct City {
    pub(super) members: Vec<Member>,
}

/// A free UDP and a free TCP port. Between looking and using, another program could take one; the start then says so.
fn free_ports() -> std::io::Result<(SocketAddr, SocketAddr)> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok((UdpSocket::bind(any)?.local_addr()?, TcpListener::bind(any)?.local_addr()?))
}

/// The folder of one node.
pub(super) fn folder_of(root: &Path, code: DivisionCode) -> Folder {
    Folder::new(root.join("nodes").join(code.to_string()))
}

impl City {
    /// Makes what is missing and starts all nodes, parents first.
    pub(super) async fn raise(
        root: &Path,
        sites: &[Site],
        table: &Arc<Table>,
        password: &str,
        told: impl Fn(&Site),
    ) -> anyhow::Result<Self> {
        let hash = person::password::hash(password.to_owned()).await?;
        let mut city = Self { members: Vec::with_capacity(sites.len()) };
        for site in sites {
            let folder = folder_of(root, site.code);
            let fresh = !folder.is_node();
            if fresh {
                make(root, site, &folder).await.with_context(|| format!("{} could not be made", site.name))?;
            }
            let member =
                start(site, folder, table).await.with_context(|| format!("{} could not be started", site.name))?;
            if fresh {
                people(&member, &hash).await?;
            }
            city.members.push(member);
            told(site);
        }
        Ok(city)
    }

    /// The node at the top.
    pub(super) fn top(&self) -> Option<&Member> {
        self.members.iter().min_by_key(|m| m.level)
    }

    /// The grids.
    pub(super) fn grids(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.level == Level::Grid)
    }

    /// The node of a division.
    pub(super) fn at(&self, code: DivisionCode) -> Option<&Member> {
        self.members.iter().find(|m| m.code == code)
    }

    /// Links that should be up and are not.
    pub(super) fn links_down(&self) -> Vec<&Member> {
        self.members
            .iter()
            .filter(|m| match &m.running.config.parent {
                None => false,
                Some(parent) => !m.running.shared.links().get(&parent.id).is_some_and(|link| link.up),
            })
            .collect()
    }

    /// Stops all nodes, the lowest first.
    pub(super) async fn lay_down(self) -> anyhow::Result<()> {
        for mut member in self.members.into_iter().rev() {
            if let Some(stop) = member.stop.take() {
                // The server may have ended by itself.
                let _ = stop.send(());
            }
            member.server.await.context("a page's server broke off")??;
            if let Ok(running) = Arc::try_unwrap(member.running) {
                running.stop().await?;
            }
        }
        Ok(())
    }
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

async fn start(site: &Site, folder: Folder, table: &Arc<Table>) -> anyhow::Result<Member> {
    let mut config = crate::config::Config::load(folder.path())?;
    // On one machine a lost link is back sooner when it is looked for sooner.
    config.link.retry_min_ms = 100;
    config.link.retry_max_ms = 3_000;
    let running = Arc::new(Running::start_with(folder, config).await?);
    let http = running.config.http.listen;
    let listener = tokio::net::TcpListener::bind(http).await.with_context(|| format!("{http} is taken"))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let state = Arc::new(ApiState::new(&running, table.clone())?);
    let server = tokio::spawn(api::serve(listener, state, async {
        // A dropped sender stops the server as well.
        let _ = stopped.await;
    }));
    Ok(Member {
        code: site.code,
        level: site.code.level(),
        name: site.name.clone(),
        http,
        running,
        stop: Some(stop),
        server,
    })
}

async fn people(member: &Member, hash: &str) -> anyhow::Result<()> {
    for (name, shown, roles, levels) in PEOPLE {
        if levels.contains(&member.level) {
            let user = UserRow {
                name: name.to_owned(),
                shown: format!("{}{shown}", member.name),
                roles: roles.to_owned(),
                password: hash.to_owned(),
                disabled: false,
            };
            member.running.port.ask(Ask::PutUser(user)).await?;
        }
    }
    Ok(())
}
