//! Makes a pack below a node that runs elsewhere: its topmost node joins with a token, then the others join one level after
//! the other, each through its own parent in the pack, which runs for that purpose. The authority is elsewhere, so every
//! node is vouched for on the way up as any other is.
//!
//! What has joined cannot be taken back by us, so an interrupted run keeps what it has beside the pack's place, and the
//! next one with the same table goes on from there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use federation::trust::Token;
use protocol::division::DivisionCode;
use tokio::task::JoinSet;

use super::file::{FILE_NAME, PackFile};
use super::make::{Made, NODES, Order, Workplace, node_folder, put_users};
use super::start::Pack;
use crate::config::{Config, Transport};
use crate::divisions::Site;
use crate::folder::Folder;
use crate::node::{self, Plan};
use crate::person::change::PutUser;
use crate::store;

/// Nodes that join at once.
const AT_ONCE: usize = 16;
/// How long the joining of one node may take: its request goes up to the authority and back.
const JOIN_MAX: Duration = Duration::from_secs(120);
const TOKEN_LIFE_MS: i64 = 3_600_000;

/// Makes a pack whose topmost node joins with a token, over this transport; the others are on the same machine. `told` hears how many nodes have joined.
pub async fn join(order: Order<'_>, token: &Token, over: Transport, told: impl Fn(usize)) -> anyhow::Result<Made> {
    order.http.door(order.into)?;
    let top = order.sites.first().context("a pack needs a node")?;
    ensure!(
        token.division == top.code,
        "the token is for {}, and the topmost row is {}; nothing was made",
        token.division,
        top.code
    );
    ensure!(order.database.file.is_none(), "a pack that joins has a file for each node, or a database.url");
    let workplace = Workplace::kept(order.into)?;
    let root = workplace.partial().to_owned();
    let file = match PackFile::load(&root.join(FILE_NAME)) {
        Ok(file) => file,
        Err(_) => {
            let file = order.file(top);
            order.keep_table(&root)?;
            file.save(&root)?;
            file
        }
    };
    let joining = Arc::new(Joining { root, file });
    joining.join_one(top, token, over).await?;
    joining.put_users(top, &order.users).await?;
    let mut pack = Pack::start(&joining.root, &joining.file, |_| {}).await?;
    let joined = joining.all_below(&mut pack, order.sites, told).await;
    pack.stop().await?;
    joined?;
    let top = Config::load(node_folder(&joining.root, top).path())?.node.id;
    let into = order.into.to_owned();
    tokio::task::spawn_blocking(move || workplace.finish(&into)).await.context("the move broke off")??;
    Ok(Made { nodes: order.sites.len(), top })
}

struct Joining {
    root: std::path::PathBuf,
    file: PackFile,
}

impl Joining {
    fn folder(&self, site: &Site) -> Folder {
        node_folder(&self.root, site)
    }

    /// Joins one node, unless an earlier run did. A lost answer is asked for again with the same keys.
    async fn join_one(&self, site: &Site, token: &Token, over: Transport) -> anyhow::Result<()> {
        let folder = self.folder(site);
        if folder.is_node() {
            return Ok(());
        }
        let plan = Plan {
            division: site.code,
            name: site.name.clone(),
            link: self.file.link.listen,
            advertise: self.file.link.advertise.clone(),
            http: self.file.http.listen,
            database: self.file.database.url.clone(),
        };
        let failed = || format!("{} ({}) did not join; run the same command again to go on", site.name, site.code);
        let mut config = tokio::time::timeout(JOIN_MAX, node::join_over(&folder, &plan, token, over))
            .await
            .context("it took too long")
            .and_then(|joined| joined)
            .with_context(failed)?;
        config.node.grid_kind = site.grid_kind;
        config.save(folder.path())
    }

    /// Before anything runs, and again by a run that goes on: the same users, the same rows.
    async fn put_users(&self, top: &Site, users: &[PutUser]) -> anyhow::Result<()> {
        let folder = self.folder(top);
        let config = Config::load(folder.path())?;
        let (_, mut write) = store::open(&config.place(&folder), config.node.id).await?;
        put_users(&mut write, self.file.pack.id, users).await
    }

    /// Level after level, because a parent must run before its children can join.
    async fn all_below(self: &Arc<Self>, pack: &mut Pack, sites: &[Site], told: impl Fn(usize)) -> anyhow::Result<()> {
        let mut generations: BTreeMap<usize, Vec<&Site>> = BTreeMap::new();
        let mut depths: BTreeMap<DivisionCode, usize> = BTreeMap::new();
        for site in sites {
            let depth = site.parent.and_then(|parent| depths.get(&parent)).map_or(0, |above| above + 1);
            depths.insert(site.code, depth);
            generations.entry(depth).or_default().push(site);
        }
        let mut done = generations.remove(&0).map_or(0, |top| top.len());
        told(done);
        for generation in generations.into_values() {
            for some in generation.chunks(AT_ONCE) {
                let mut under_way = JoinSet::new();
                for site in some {
                    let (joining, site) = (self.clone(), (*site).clone());
                    under_way.spawn(async move { joining.join_below(&site).await });
                }
                while let Some(joined) = under_way.join_next().await {
                    joined.context("a join broke off")??;
                    done += 1;
                    told(done);
                }
            }
            for site in generation {
                pack.add(self.folder(site)).await?;
            }
        }
        Ok(())
    }

    async fn join_below(&self, site: &Site) -> anyhow::Result<()> {
        if self.folder(site).is_node() {
            return Ok(());
        }
        let parent = site.parent.context("only the topmost node has no parent")?;
        let above = Folder::new(self.root.join(NODES).join(parent.to_string()));
        let token = node::give_token(&above, site.code, TOKEN_LIFE_MS).await?;
        self.join_one(site, &token, Transport::Quic).await
    }
}
