//! Every limit and delay of the link core, by name.

/// Limits of one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bundles of one lane under way without acknowledgement.
    pub credit: u32,
    /// Frames of one lane that wait in memory; what is beyond is read from the outbox when its turn comes.
    pub window_frames: usize,
    /// Bytes of one lane that wait in memory.
    pub window_bytes: usize,
    /// Frames of one page from the outbox.
    pub page_frames: usize,
    /// Bytes of one page from the outbox, roughly.
    pub page_bytes: usize,
    /// Ids of one page of an inventory.
    pub inventory_page: usize,
    /// Bundles of a reconciliation that are read at once.
    pub give_bundles: usize,
    /// After bundles were given back, neighbours in the direction of their origin are reconciled when so long nothing more
    /// came, milliseconds.
    pub reoffer_ms: u64,
    /// After a bundle that was not believed, its sender is asked for another greeting, in which the hashes of the lane
    /// differ and the bundle is offered again; what comes damaged each time is asked for again after so long, milliseconds.
    pub unbelieved_again_ms: u64,
    /// Shortest wait before the parent is dialled again, milliseconds.
    pub retry_min_ms: u64,
    /// Longest wait before the parent is dialled again, milliseconds.
    pub retry_max_ms: u64,
    /// A greeting must end within this time, milliseconds.
    pub greeting_ms: u64,
    /// A dial without an answer counts as failed after this time, milliseconds.
    pub dial_ms: u64,
    /// Acknowledged frames are dropped from the outbox when so many are due,
    pub drop_every: u64,
    /// or after this time, milliseconds.
    pub drop_ms: u64,
    /// A safeguard that is switched off, to prove that the simulator notices.
    #[cfg(feature = "mutants")]
    pub mutant: Option<Mutant>,
}

/// Safeguards that the simulator can switch off.
#[cfg(feature = "mutants")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A bundle that is known is taken as new.
    NoDedupe,
    /// A bundle is acknowledged before it is durable.
    AcknowledgeBeforeCommit,
    /// Numbers alone decide where sending goes on; the hashes of the chain are not compared.
    NoChainHash,
    /// A bundle that cannot come from where it came from is taken in.
    NoQuarantine,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            credit: 1_024,
            window_frames: 1_024,
            window_bytes: 8 * 1024 * 1024,
            page_frames: 256,
            page_bytes: 4 * 1024 * 1024,
            inventory_page: 512,
            give_bundles: 16,
            reoffer_ms: 3_000,
            unbelieved_again_ms: 600_000,
            retry_min_ms: 1_000,
            retry_max_ms: 300_000,
            greeting_ms: 20_000,
            dial_ms: 30_000,
            drop_every: 256,
            drop_ms: 2_000,
            #[cfg(feature = "mutants")]
            mutant: None,
        }
    }
}
