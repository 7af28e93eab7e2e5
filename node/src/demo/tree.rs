//! Which divisions of a table get a node: one path down, with siblings beside it.

use protocol::division::{DivisionCode, Level};

use crate::names::{Division, Table};

use super::options::DemoOptions;

/// A division that gets a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) code: DivisionCode,
    pub(super) name: String,
    pub(super) parent: Option<DivisionCode>,
}

/// Chooses the sites, parents before their children.
pub(super) fn choose(table: &Table, options: &DemoOptions) -> anyhow::Result<Vec<Site>> {
    let top = table.top().ok_or_else(|| anyhow::anyhow!("the table has no top"))?;
    let mut sites = vec![Site { code: top.code, name: top.name.clone(), parent: None }];
    descend(table, top, true, options, &mut sites);
    if !sites.iter().any(|site| site.code.level() == Level::Grid) {
        anyhow::bail!("no community of the table can be reached with these options, so there is no grid");
    }
    Ok(sites)
}

fn descend(table: &Table, of: &Division, first: bool, options: &DemoOptions, sites: &mut Vec<Site>) {
    if of.level() == Level::Community {
        let grids = if first { options.grids } else { 1 };
        for serial in 1..=u16::try_from(grids.clamp(1, 999)).unwrap_or(1) {
            if let Some(code) = of.code.grid(serial) {
                let name = table.name(code).unwrap_or_else(|| code.to_string());
                sites.push(Site { code, name, parent: Some(of.code) });
            }
        }
        return;
    }
    // A row without anything below (a 市辖区) has no place for a grid, so the path goes elsewhere.
    let below: Vec<_> = table.children(of.code).filter(|d| reaches_community(table, d)).collect();
    let wide = match below.first().map(|d| d.level()) {
        Some(Level::County) => options.counties,
        Some(Level::Township) => options.townships,
        _ => options.communities,
    };
    let count = if first { wide.max(1) } else { 1 };
    for (index, division) in below.into_iter().take(count).enumerate() {
        sites.push(Site { code: division.code, name: division.name.clone(), parent: Some(of.code) });
        descend(table, division, first && index == 0, options, sites);
    }
}

fn reaches_community(table: &Table, division: &Division) -> bool {
    division.level() == Level::Community || table.children(division.code).any(|d| reaches_community(table, d))
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

    fn options(words: &[&str]) -> DemoOptions {
        Line::parse_from(std::iter::once("demo").chain(words.iter().copied())).demo
    }

    #[test]
    fn every_site_stands_below_one_that_came_before() {
        let sites = choose(&Table::shipped().unwrap(), &options(&[])).unwrap();
        for (index, site) in sites.iter().enumerate().skip(1) {
            let parent = site.parent.unwrap();
            assert!(sites[..index].iter().any(|s| s.code == parent), "{}", site.name);
            assert_eq!(site.code.parent(), Some(parent), "{}", site.name);
        }
        for level in [Level::City, Level::County, Level::Township, Level::Community, Level::Grid] {
            assert!(sites.iter().any(|s| s.code.level() == level), "{level:?}");
        }
    }

    #[test]
    fn the_options_widen_each_level() {
        let few = choose(&Table::shipped().unwrap(), &options(&[])).unwrap().len();
        let words = ["--counties", "3", "--townships", "3", "--communities", "3", "--grids", "4"];
        let many = choose(&Table::shipped().unwrap(), &options(&words)).unwrap().len();
        assert!(many > few);
    }

    #[test]
    fn a_childless_district_row_is_passed_by() {
        let text = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330601000000,市辖区,county,330600000000\n\
                    330602000000,越城区,county,330600000000\n330602001000,某街道,township,330602000000\n\
                    330602001001,某社区,village,330602001000\n";
        let table = Table::read(text.as_bytes()).unwrap();
        let sites = choose(&table, &options(&[])).unwrap();
        assert!(sites.iter().all(|s| s.name != "市辖区"));
    }
}
