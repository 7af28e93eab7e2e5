//! The folder of a node: configuration, keys, certificates, database, and the authority at the top.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use federation::trust::files::{read_private, write_private};
use protocol::wire::codec;
use protocol::wire::control::Enrolled;

/// What the authority issued to this node.
const ENROLLED_FILE: &str = "enrolled.bin";
/// A bearer token for the operator on this machine.
const OPERATOR_FILE: &str = "operator.token";
/// A bearer token that opens the metrics and nothing else, where the operator has put one.
const METRICS_FILE: &str = "metrics.token";
/// A shorter one could be found out.
const METRICS_CHARS_MIN: usize = 32;
/// The id of a node that is about to join.
const PENDING_FILE: &str = "node.id";
/// Locked by the process that runs the node.
const LOCK_FILE: &str = "node.lock";
const ENROLLED_BYTES_MAX: usize = 64 * 1024;

/// A node's folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Where the authority is, at the top.
    pub fn authority(&self) -> PathBuf {
        self.0.join("authority")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.0.join("node.db")
    }

    /// Lets nobody but the node's own user in: the keys of what is private lie in it.
    pub fn keep_private(&self) -> anyhow::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700))
                .with_context(|| format!("{} cannot be made private", self.0.display()))?;
        }
        Ok(())
    }

    /// Takes the node for this process; it is free again when the file is dropped.
    pub fn lock(&self) -> anyhow::Result<std::fs::File> {
        let path = self.0.join(LOCK_FILE);
        let file = std::fs::File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        file.try_lock()
            .with_context(|| format!("the node in {} runs already; nothing was changed", self.0.display()))?;
        Ok(file)
    }

    /// Whether a node lives here.
    pub fn is_node(&self) -> bool {
        self.0.join(crate::config::FILE_NAME).is_file()
    }

    /// Keeps what the authority issued.
    pub fn save_enrolled(&self, enrolled: &Enrolled) -> anyhow::Result<()> {
        write_private(&self.keys(), ENROLLED_FILE, &codec::encode_unbounded(enrolled))
            .with_context(|| format!("{} cannot be written", self.keys().join(ENROLLED_FILE).display()))
    }

    /// What the authority issued.
    pub fn enrolled(&self) -> anyhow::Result<Enrolled> {
        let bytes = read_private(&self.keys(), ENROLLED_FILE).with_context(|| {
            format!("{} cannot be read: was this node joined?", self.keys().join(ENROLLED_FILE).display())
        })?;
        codec::decode(&bytes, ENROLLED_BYTES_MAX).context("the certificate file is damaged")
    }

    /// The id under which a join was begun.
    pub fn pending_id(&self) -> Option<protocol::id::NodeId> {
        let bytes = read_private(&self.keys(), PENDING_FILE).ok()?;
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    }

    /// Keeps the id under which a join begins.
    pub fn save_pending_id(&self, node: protocol::id::NodeId) -> anyhow::Result<()> {
        write_private(&self.keys(), PENDING_FILE, node.to_string().as_bytes()).context("the node id cannot be written")
    }

    /// Makes the operator's token.
    pub fn make_operator_token(&self) -> anyhow::Result<()> {
        let token = protocol::chain::Hash(crate::clock::random_bytes()).to_string();
        write_private(&self.keys(), OPERATOR_FILE, token.as_bytes()).context("the operator's token cannot be written")
    }

    /// The token that opens the metrics; none: only administrators see them.
    pub fn metrics_token(&self) -> anyhow::Result<Option<String>> {
        let path = self.keys().join(METRICS_FILE);
        if !path.try_exists()? {
            return Ok(None);
        }
        let bytes = read_private(&self.keys(), METRICS_FILE)
            .with_context(|| format!("{} cannot be read: let its owner alone read it", path.display()))?;
        let token = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
        ensure!(
            token.chars().count() >= METRICS_CHARS_MIN && token.chars().all(|c| c.is_ascii_graphic()),
            "{} holds no token: write {METRICS_CHARS_MIN} or more random letters and digits into it, or remove it",
            path.display()
        );
        Ok(Some(token.to_owned()))
    }

    /// The operator's token.
    pub fn operator_token(&self) -> anyhow::Result<String> {
        let bytes = read_private(&self.keys(), OPERATOR_FILE).context("the operator's token cannot be read")?;
        String::from_utf8(bytes.to_vec()).context("the operator's token is damaged")
    }
}
