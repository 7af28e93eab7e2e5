//! Enrols all nodes of a new pack at once: the authority issues in this process what it would otherwise issue over links,
//! and each node's rows are written as joining and the first greeting would have written them.

use std::collections::HashMap;

use anyhow::Context;
use federation::trust::{Authority, NodeKeys};
use protocol::directory::{Ancestor, SignedEntry};
use protocol::division::DivisionCode;
use protocol::id::{NodeId, TokenId};
use protocol::wire::control::Enrolled;

use crate::clock::{Clock, random_bytes};
use crate::divisions::Site;
use crate::store::trust::{Child, Route};
use crate::store::{StoreError, WriteStore};

/// A node that is about to be made.
pub(super) struct Planned {
    pub(super) site: Site,
    pub(super) node: NodeId,
    pub(super) keys: NodeKeys,
    pub(super) enrolled: Enrolled,
    pub(super) parent: Option<usize>,
    children: Vec<usize>,
}

/// All nodes that are about to be made, parents before their children.
pub(super) struct Planning {
    pub(super) nodes: Vec<Planned>,
    pub(super) authority: Authority,
}

/// Rows of a node that say who belongs where.
pub(super) struct Belonging {
    line: Vec<Ancestor>,
    children: Vec<Child>,
    routes: Vec<Route>,
    entries: Vec<SignedEntry>,
}

impl Planning {
    /// Makes keys and certificates for all sites. Works a core for some hundred microseconds a node.
    pub(super) fn new(sites: &[Site]) -> anyhow::Result<Self> {
        let clock = Clock::default();
        let top = sites.first().context("a pack needs a node")?;
        let mut authority = Authority::found(&top.name, clock.wall())?;
        let mut nodes: Vec<Planned> = Vec::with_capacity(sites.len());
        let mut places: HashMap<DivisionCode, usize> = HashMap::with_capacity(sites.len());
        for (index, site) in sites.iter().enumerate() {
            let parent = match site.parent {
                None => None,
                Some(code) => Some(*places.get(&code).with_context(|| format!("{code} comes after {}", site.code))?),
            };
            let keys = NodeKeys::generate()?;
            let node = NodeId::new(clock.wall(), random_bytes());
            // No token: the one who makes the pack holds the authority's own key.
            let request = keys.join_request(TokenId::from_bytes([0; 16]), node, site.code)?;
            let above = parent.and_then(|at| nodes.get(at)).map(|parent| parent.node);
            let enrolled = authority.issue(&request, above, clock.wall())?;
            if let Some(parent) = parent.and_then(|at| nodes.get_mut(at)) {
                parent.children.push(index);
            }
            places.insert(site.code, index);
            nodes.push(Planned { site: site.clone(), node, keys, enrolled, parent, children: Vec::new() });
        }
        Ok(Self { nodes, authority })
    }

    /// What the node at `index` knows of the others.
    pub(super) fn belonging(&self, index: usize) -> Belonging {
        let mut belonging =
            Belonging { line: Vec::new(), children: Vec::new(), routes: Vec::new(), entries: Vec::new() };
        let Some(me) = self.nodes.get(index) else { return belonging };
        belonging.entries.push(me.enrolled.entry);
        let mut above = me.parent.and_then(|at| self.nodes.get(at));
        while let Some(ancestor) = above {
            belonging.line.push(Ancestor { node: ancestor.node, division: ancestor.site.code });
            belonging.entries.push(ancestor.enrolled.entry);
            above = ancestor.parent.and_then(|at| self.nodes.get(at));
        }
        // A node in the subtree with the direct child that it is reached through.
        let mut waiting: Vec<(usize, usize)> = me.children.iter().map(|child| (*child, *child)).collect();
        while let Some((at, via)) = waiting.pop() {
            let (Some(member), Some(through)) = (self.nodes.get(at), self.nodes.get(via)) else { continue };
            if at == via {
                let spki = member.enrolled.entry.entry.tls_spki_sha256;
                belonging.children.push(Child { node: member.node, division: member.site.code, spki });
            }
            belonging.routes.push(Route { member: member.node, via: through.node, division: member.site.code });
            belonging.entries.push(member.enrolled.entry);
            waiting.extend(member.children.iter().map(|child| (*child, via)));
        }
        belonging
    }
}

impl Belonging {
    /// Writes the rows, within the caller's transaction.
    pub(super) async fn write(&self, store: &mut WriteStore) -> Result<(), StoreError> {
        store.set_ancestors(&self.line).await?;
        for child in &self.children {
            store.put_child(*child).await?;
        }
        for route in &self.routes {
            store.put_route(*route).await?;
        }
        for entry in &self.entries {
            store.put_entry(entry).await?;
        }
        Ok(())
    }
}
