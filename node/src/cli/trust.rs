//! What the commands about trust share: each is asked of the running node on this machine, as its operator.

use anyhow::{Context, bail};
use serde_json::Value;

use crate::config::Config;
use crate::door::{RunningFile, pinned};
use crate::folder::Folder;

/// Asks the running node of a folder for how trust stands, or to change it.
pub(super) async fn ask(folder: &Folder, wish: Option<&Value>) -> anyhow::Result<Value> {
    let config = Config::load(folder.path())?;
    // What the process wrote when it started counts: the configuration may have been changed since.
    let process = RunningFile::read(folder.path());
    let base = match &process {
        Some(process) => process.http.clone(),
        None => format!("http://{}", config.http.listen),
    };
    let address = format!("{base}/{}/api/v1/trust", config.node.division);
    let client = pinned(process.as_ref().and_then(|p| p.certificate_sha256.as_deref()))?;
    let request = match wish {
        Some(wish) => client.post(&address).json(wish),
        None => client.get(&address),
    };
    let answer = request
        .bearer_auth(folder.operator_token()?)
        .send()
        .await
        .with_context(|| format!("the node does not answer at {address}: does it run?"))?;
    let refused = !answer.status().is_success();
    let body: Value = serde_json::from_str(&answer.text().await?).context("an answer that is no JSON")?;
    if refused {
        bail!("{}", body.get("detail").and_then(Value::as_str).unwrap_or("the node refused"));
    }
    Ok(body)
}
