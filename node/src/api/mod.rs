//! The HTTP API and the page, on one listener.

pub mod caller;
pub mod cases;
pub mod extract;
pub mod figures;
pub mod health;
pub mod idempotency;
pub mod links;
pub mod offers;
pub mod orders;
pub mod problem;
pub mod publications;
pub mod router;
pub mod session;
pub mod spec;
pub mod stamp;
pub mod state;
pub mod users;

use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use state::ApiState;

/// Serves API and page until `shutdown` is ready.
pub async fn serve(
    listener: TcpListener,
    node: Arc<ApiState>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (router, _) = router::build(node);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}
