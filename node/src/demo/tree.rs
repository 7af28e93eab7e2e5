//! Which divisions of a table get a node in a demo: one path down, with siblings beside it, or all of them.

use std::collections::BTreeMap;

use protocol::division::{DivisionCode, GridKind, Level};

use crate::divisions::{self, Site, Sites};
use crate::names::Table;

use super::options::DemoOptions;

/// Chooses the sites, parents before their children.
pub(super) fn choose(table: &Table, options: &DemoOptions) -> anyhow::Result<Sites> {
    let mut found = divisions::sites(table, options.city)?;
    if options.full {
        found.sites = divisions::with_grids(found.sites);
    } else {
        found.sites = Path::new(&found.sites, options).walk(&found.sites);
    }
    if !found.sites.iter().any(|site| site.code.level() == Level::Grid) {
        anyhow::bail!(
            "no community of the table can be reached with these options, so there is no grid; nothing was made"
        );
    }
    Ok(found)
}

/// One path down with siblings beside it.
struct Path<'a> {
    options: &'a DemoOptions,
    below: BTreeMap<DivisionCode, Vec<&'a Site>>,
}

impl<'a> Path<'a> {
    fn new(sites: &'a [Site], options: &'a DemoOptions) -> Self {
        let mut below: BTreeMap<DivisionCode, Vec<&Site>> = BTreeMap::new();
        for site in sites {
            if let Some(parent) = site.parent {
                below.entry(parent).or_default().push(site);
            }
        }
        Self { options, below }
    }

    fn walk(&self, sites: &[Site]) -> Vec<Site> {
        let mut chosen: Vec<Site> = sites.first().cloned().into_iter().collect();
        if let Some(top) = sites.first() {
            self.descend(top, true, &mut chosen);
        }
        chosen
    }

    fn descend(&self, of: &Site, first: bool, chosen: &mut Vec<Site>) {
        if of.code.level() == Level::Community {
            let grids = if first { self.options.grids } else { 1 };
            for serial in 1..=u16::try_from(grids.clamp(1, 999)).unwrap_or(1) {
                chosen.extend(divisions::grid(of, serial, GridKind::Basic));
            }
            return;
        }
        // A branch without communities has no place for a grid, so the path goes elsewhere.
        let below = self.below.get(&of.code).into_iter().flatten().filter(|site| self.reaches_community(site));
        let below: Vec<&Site> = below.copied().collect();
        let wide = match below.first().map(|site| site.code.level()) {
            Some(Level::County) => self.options.counties,
            Some(Level::Township) => self.options.townships,
            _ => self.options.communities,
        };
        let count = if first { wide.max(1) } else { 1 };
        for (index, site) in below.into_iter().take(count).enumerate() {
            chosen.push(site.clone());
            self.descend(site, first && index == 0, chosen);
        }
    }

    fn reaches_community(&self, site: &Site) -> bool {
        site.code.level() == Level::Community
            || self.below.get(&site.code).into_iter().flatten().any(|below| self.reaches_community(below))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        demo: DemoOptions,
    }

    fn chosen(table: &Table, words: &[&str]) -> Vec<Site> {
        let options = Line::parse_from(std::iter::once("demo").chain(words.iter().copied())).demo;
        choose(table, &options).unwrap().sites
    }

    #[test]
    fn every_site_stands_below_one_that_came_before() {
        for words in [&[][..], &["--full"]] {
            let sites = chosen(&Table::shipped().unwrap(), words);
            let mut seen = std::collections::BTreeSet::from([sites[0].code]);
            for site in &sites[1..] {
                let parent = site.parent.unwrap();
                assert!(seen.contains(&parent), "{}", site.name);
                assert_eq!(site.code.parent(), Some(parent), "{}", site.name);
                assert!(seen.insert(site.code), "{}", site.name);
            }
            for level in [Level::City, Level::County, Level::Township, Level::Community, Level::Grid] {
                assert!(sites.iter().any(|s| s.code.level() == level), "{level:?}");
            }
        }
    }

    #[test]
    fn the_options_widen_each_level() {
        let table = Table::shipped().unwrap();
        let few = chosen(&table, &[]).len();
        let many = chosen(&table, &["--counties", "3", "--townships", "3", "--communities", "3", "--grids", "4"]).len();
        assert!(many > few);
    }

    #[test]
    fn the_whole_city_is_every_row_and_a_grid_below_each_community_of_all_three_kinds() {
        let sites = chosen(&Table::shipped().unwrap(), &["--full"]);
        assert_eq!(sites.len(), 4_446);
        let grids = |kind| sites.iter().filter(|s| s.grid_kind == Some(kind)).count();
        let (responsibility, basic, dedicated) =
            (grids(GridKind::Responsibility), grids(GridKind::Basic), grids(GridKind::Dedicated));
        assert_eq!(responsibility, 103, "one a township");
        assert_eq!(responsibility + basic + dedicated, 2_168, "one a community");
        assert!(dedicated > 100 && basic > dedicated);
    }

    #[test]
    fn a_childless_district_row_is_passed_by() {
        let text = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330601000000,市辖区,county,330600000000\n\
                    330602000000,越城区,county,330600000000\n330602001000,某街道,township,330602000000\n\
                    330602001001,某社区,village,330602001000\n";
        let table = Table::read(text.as_bytes()).unwrap();
        for words in [&[][..], &["--full"]] {
            assert!(chosen(&table, words).iter().all(|s| s.name != "市辖区"));
        }
    }
}
