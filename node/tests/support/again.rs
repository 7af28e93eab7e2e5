//! A node that starts where one has just stopped, in one process. What is left of its connections keeps the port for some
//! moments more; where each node is a process, the kernel takes it back at once.

use std::time::Duration;

/// So often is it tried: for half a minute.
const TRIES: usize = 150;

/// Starts it, again and again while it cannot.
pub(crate) async fn started<T>(mut start: impl AsyncFnMut() -> anyhow::Result<T>) -> T {
    for _ in 0..TRIES {
        if let Ok(running) = start().await {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    start().await.unwrap_or_else(|error| panic!("it does not start: {error:#}"))
}
