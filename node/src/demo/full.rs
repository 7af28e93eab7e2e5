//! Raises a whole city: every division of the table and a grid below each community, as one pack in this process.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use protocol::division::{DivisionCode, Level};

use crate::api::ApiState;
use crate::config::{HttpSection, LinkSection};
use crate::divisions::Site;
use crate::door::{self, Front, RunningFile};
use crate::names::Table;
use crate::pack::{FILE_NAME, Order, Pack, PackDatabase, PackFile, make};
use crate::person;
use crate::person::change::PutUser;

use super::city::{City, Door, Member, name_in_pack, spread, users};
use super::raise::free_ports;
use super::screen::Screen;

/// Starts all nodes of the pack, of which so many grids report.
pub(super) async fn start(
    root: &Path,
    sites: &[Site],
    table: &Arc<Table>,
    reporting: usize,
    screen: &Screen,
) -> anyhow::Result<City> {
    let file = PackFile::load(&root.join(FILE_NAME))?;
    let opened = door::open(&file.http, root).await?;
    let address = RunningFile::address(opened.listener.local_addr()?, opened.certificates.is_some());
    let bar = screen.progress("started", sites.len());
    let pack = Pack::start(root, &file, |progress| {
        bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
    })
    .await?;
    bar.finish_and_clear();
    if let Some(failure) = pack.failures.first() {
        let why = format!("{:#}", failure.why);
        let (count, folder) = (pack.failures.len(), failure.folder.display().to_string());
        pack.stop().await?;
        anyhow::bail!("{count} nodes did not start, the first in {folder}: {why}");
    }
    let front = Front::pack(&opened.door);
    let realm = pack.realm()?;
    let mut members = Vec::with_capacity(pack.nodes.len());
    ensure!(pack.nodes.len() == sites.len(), "the pack has {} nodes, the table {}", pack.nodes.len(), sites.len());
    let by_code: std::collections::HashMap<DivisionCode, _> =
        pack.nodes.iter().map(|node| (node.config.node.division, node)).collect();
    for site in sites {
        let node = by_code.get(&site.code).with_context(|| format!("{} is not in the pack", site.code))?;
        front.admit(Arc::new(ApiState::within(node, table.clone(), realm.clone())?));
        members.push(Member::new(site, format!("{address}/{}", site.code), (*node).clone()));
    }
    let grids: Vec<_> = sites.iter().filter(|s| s.code.level() == Level::Grid).map(|s| s.code).collect();
    let doors = vec![Door::open(opened, front)];
    Ok(City { members, reporting: spread(&grids, reporting), doors, pack: Some(pack) })
}

/// The users of a node of the pack. Those of its topmost work at all nodes; the others have roles in their own division,
/// and its code in their names, because all are in one table.
fn users_in_pack(top: bool, site: &Site, hash: &str) -> Vec<PutUser> {
    let mut people = users(site.code, &site.name, hash);
    if !top {
        for user in &mut people {
            user.name = name_in_pack(&user.name, site.code);
            user.grants.iter_mut().flatten().for_each(|grant| grant.scope.division = Some(site.code));
        }
    }
    people
}

/// Makes the pack when it is not there.
pub(super) async fn found(root: &Path, sites: &[Site], password: &str, screen: &Screen) -> anyhow::Result<()> {
    if root.join(FILE_NAME).is_file() {
        return Ok(());
    }
    let hash = person::password::hash(password.to_owned()).await?;
    let (link, http) = free_ports()?;
    let bar = screen.progress("made", sites.len());
    let order = Order {
        into: root,
        sites,
        // On one machine a lost link is back sooner when it is looked for sooner.
        link: LinkSection { retry_min_ms: 200, retry_max_ms: 10_000, ..LinkSection::new(link, link.to_string()) },
        http: HttpSection::plain(http),
        database: PackDatabase::default(),
        users: sites.iter().enumerate().flat_map(|(at, site)| users_in_pack(at == 0, site, &hash)).collect(),
        table: None,
    };
    make(order, |done| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX))).await?;
    bar.finish_and_clear();
    Ok(())
}
