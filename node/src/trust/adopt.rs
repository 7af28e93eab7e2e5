//! Growing upward: a node that ran alone, with an authority of its own, comes below another without stopping.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use federation::driver::join::Way;
use federation::trust::{Authority, NodeKeys, Token};

use crate::clock::Clock;
use crate::config::{Config, ParentSection, Transport};
use crate::folder::Folder;
use crate::writer::port::Port;
use crate::writer::trust::TrustAct;

/// Asks the node of the token to let this node in with its keys, its cases and all nodes below, and tells the writer.
///
/// Fails, and leaves everything as it was, when this node has a parent or no authority, when the token is for another
/// division, or when the node above refuses.
pub async fn adopt(
    folder: &Folder,
    config: &Config,
    port: &Port,
    clock: &Clock,
    token: &Token,
    over: Transport,
) -> anyhow::Result<()> {
    if config.parent.is_some() || !folder.authority().is_dir() {
        bail!("only a node that runs alone, with an authority of its own, comes below another");
    }
    if token.division != config.node.division {
        bail!("the token is for {}, this node hangs on {}", token.division, config.node.division);
    }
    if token.replaces.is_some() {
        bail!("the token is for new keys of a node that exists: ask for one without --replace");
    }
    let keys = NodeKeys::load(&folder.keys()).context("the keys cannot be read")?;
    let authority = Authority::load(&folder.authority()).context("the authority's keys cannot be read")?;
    let way = Way { bind: SocketAddr::new(config.link.listen.ip(), 0), over: over.into() };
    let enrolled =
        federation::driver::join::adopt_at(token, &keys, config.node.id, &authority, way, clock.joining(token))
            .await
            .context("the node above did not let this one in; nothing was changed")?;
    let parent = ParentSection { id: token.parent, address: token.address.clone(), transport: over };
    port.trust(TrustAct::Adopted { enrolled: Box::new(enrolled), parent })
        .await
        .context("the node above let this one in, but this node could not follow; ask again with the same token")
}
