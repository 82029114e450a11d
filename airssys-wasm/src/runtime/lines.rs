//! The lines that one actor logs.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Layer 3: Internal module imports
use crate::core::ticker::Ticker;
use crate::runtime::rate::Rate;
use crate::runtime::settings::InstanceSettings;

/// How often an actor's dropped lines are told of, in a second.
const REPORTS_PER_S: u64 = 1;

/// Admits lines as they come, and counts those that are dropped. That some were is told once
/// a second at the most, or it would be a flood itself.
#[derive(Debug)]
pub(crate) struct Lines {
    settings: Arc<InstanceSettings>,
    rate: Rate,
    reports: Rate,
    dropped: AtomicU64,
}

impl Lines {
    pub(crate) fn new(settings: Arc<InstanceSettings>, ticker: &Ticker) -> Self {
        Self {
            rate: Rate::new(settings.limits.log_lines_per_s, ticker),
            reports: Rate::new(REPORTS_PER_S, ticker),
            dropped: AtomicU64::new(0),
            settings,
        }
    }

    /// Whether a line may be written that its turn has room for. It is counted if not.
    pub(crate) fn admit(&self) -> bool {
        let is_admitted = self.rate.admit();
        if !is_admitted {
            self.drop_some(1);
        }
        is_admitted
    }

    /// Some lines were dropped.
    pub(crate) fn drop_some(&self, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
    }

    /// Tells the operator how many lines were dropped, if that is not told too often.
    #[inline]
    pub(crate) fn report(&self) {
        if self.dropped.load(Ordering::Relaxed) > 0 && self.reports.admit() {
            self.tell();
        }
    }

    fn tell(&self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let actor = self.settings.address.as_str();
        tracing::warn!(
            actor,
            dropped,
            "log lines beyond `turn_log_lines` or `log_lines_per_s`"
        );
    }
}

impl Drop for Lines {
    /// What is not told yet is told at last.
    fn drop(&mut self) {
        if *self.dropped.get_mut() > 0 {
            self.tell();
        }
    }
}
