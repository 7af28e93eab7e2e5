//! A bar for long work, on standard error; silent where nobody watches.

use indicatif::{ProgressBar, ProgressStyle};

use crate::ops::backup::Progress;

/// Rows between two looks at the bar.
const EVERY: u64 = 256;

/// A bar.
pub(super) struct Bar {
    bar: ProgressBar,
    rows: u64,
}

impl Bar {
    /// A bar that knows no end yet.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}  {pos} rows");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar, rows: 0 }
    }

    /// Takes it off the screen.
    pub(super) fn done(self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begins(&mut self, rows: u64) {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} rows  {msg}  {eta}");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_length(rows);
        self.bar.set_position(0);
        self.rows = 0;
    }

    fn row(&mut self) {
        self.rows += 1;
        if self.rows.is_multiple_of(EVERY) {
            self.bar.set_position(self.rows);
        }
    }

    fn now(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

/// A bar that counts the nodes of a pack.
pub(super) struct NodesBar(ProgressBar);

impl NodesBar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self(bar.with_prefix("nodes"))
    }

    /// So many are done, failed ones among them, of all.
    pub(super) fn at(&self, done: usize, failed: usize, all: usize) {
        self.0.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        self.0.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        self.0.set_message(if failed == 0 { String::new() } else { format!("{failed} failed") });
    }

    /// Takes it off the screen.
    pub(super) fn done(self) {
        self.0.finish_and_clear();
    }
}
