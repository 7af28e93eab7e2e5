//! Who comes in: a child of the node that it named, or somebody who asks without a certificate. Nobody else.

use std::sync::Arc;

use crate::driver::connection::{Agreed, Connection, code};
use crate::driver::event::AskKind;
use crate::driver::link;

use super::{Shared, answer};

/// Hands a connection to the node that it is for; the node's own tasks run it from here on.
pub(in crate::driver) fn admit(host: &Arc<Shared>, connection: Connection) -> Result<(), String> {
    let refuse = |why: &str| {
        connection.close(code::IDENTITY, why);
        Err(why.to_owned())
    };
    let Some(Agreed { protocol, server_name }) = connection.agreed() else {
        return refuse("no protocol or no server name");
    };
    // The handshake has looked both up already; this holds even if that were broken, and the node may have left since.
    let Some(node) = host.nodes.by_name(&server_name) else { return refuse("no such node here") };
    let remote = connection.remote_address();
    let spoken = connection.transport().protocols();
    if protocol == spoken.link {
        let Some(child) = node.child_of(&connection) else {
            return refuse("a link needs the certificate of a registered child");
        };
        let counts = host.counts.clone();
        node.tasks.clone().spawn(async move {
            if let Err(why) = link::run(node, connection, child, false).await {
                counts.failed();
                tracing::info!(%remote, why, "not admitted");
            }
        });
        return Ok(());
    }
    let Some(kind) = [AskKind::Join, AskKind::Renew].into_iter().find(|kind| kind.of(&spoken) == protocol) else {
        return refuse("no such protocol");
    };
    answer::start(host, node, connection, kind);
    Ok(())
}
