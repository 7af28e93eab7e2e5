//! Grids: no public table has them, so they are made.

use std::collections::BTreeSet;

use protocol::division::{GridKind, Level};

use super::sites::Site;

/// Of the communities that are not the centre of their township, every one of so many has a dedicated grid.
const DEDICATED_EVERY: usize = 10;

/// Every site, and a grid below each community that has none.
pub fn with_grids(sites: Vec<Site>) -> Vec<Site> {
    let mut all = Vec::with_capacity(sites.len() * 2);
    let (mut last_township, mut others) = (None, 0);
    let has_grid: BTreeSet<_> =
        sites.iter().filter(|s| s.code.level() == Level::Grid).filter_map(|s| s.parent).collect();
    for site in sites {
        let community = (site.code.level() == Level::Community && !has_grid.contains(&site.code)).then(|| site.clone());
        all.push(site);
        let Some(community) = community else { continue };
        // A township's first community is where its governance centre sits.
        let kind = if last_township != community.parent {
            last_township = community.parent;
            GridKind::Responsibility
        } else {
            others += 1;
            if others % DEDICATED_EVERY == 0 { GridKind::Dedicated } else { GridKind::Basic }
        };
        all.extend(grid(&community, 1, kind));
    }
    all
}

/// The grid with a number below a community.
pub fn grid(community: &Site, serial: u16, kind: GridKind) -> Option<Site> {
    let code = community.code.grid(serial)?;
    let name = match kind {
        GridKind::Responsibility => format!("{}责任网格", community.name),
        GridKind::Basic => format!("{}第{serial}网格", community.name),
        GridKind::Dedicated => format!("{}专属网格", community.name),
    };
    Some(Site { code, name, parent: Some(community.code), grid_kind: Some(kind) })
}
