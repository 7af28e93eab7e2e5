//! `wuji run`.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use crate::api::{self, ApiState};
use crate::folder::Folder;
use crate::names::Table;
use crate::node::Running;

use super::{FolderArgument, say};

/// `wuji run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    folder: FolderArgument,
}

impl Run {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.folder);
        let running = Running::start(folder).await?;
        let http = running.config.http.listen;
        let listener = tokio::net::TcpListener::bind(http)
            .await
            .with_context(|| format!("API and page cannot listen on {http}"))?;
        let state = Arc::new(ApiState::new(&running, Arc::new(Table::shipped()?))?);
        say(&format!(
            "{} runs: http://{}/  link {}",
            running.config.node.name,
            listener.local_addr()?,
            running.link_address()?
        ));
        api::serve(listener, state, stop_signal()).await?;
        running.stop().await
    }
}

/// Ctrl-C, or the service manager's word.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "signals cannot be heard");
        std::future::pending::<()>().await;
    }
}
