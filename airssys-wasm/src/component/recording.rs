//! The turns of a component that are kept.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

// Layer 3: Internal module imports
use crate::component::settings::RecordingSettings;
use crate::core::turn::recorded::RecordedTurn;

/// The most bytes of messages, keys and replies that are kept for one component.
const MAX_RECORDED_BYTES: usize = 16 << 20;

/// The newest turns of a component, bounded in number and bytes.
#[derive(Debug)]
pub struct Recordings {
    settings: RecordingSettings,
    /// When the next turn is due to be kept.
    due_ms: AtomicU64,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    turns: VecDeque<(Arc<RecordedTurn>, usize)>,
    bytes: usize,
}

impl Recordings {
    /// No turns yet.
    pub fn new(settings: RecordingSettings) -> Self {
        let never = if settings.turns == 0 { u64::MAX } else { 0 };
        Self {
            settings,
            due_ms: AtomicU64::new(never),
            ring: Mutex::default(),
        }
    }

    /// Whether a turn at this time is to be kept. Costs one read of memory if it is not.
    #[inline]
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        now_ms >= self.due_ms.load(Ordering::Relaxed)
    }

    /// Keeps a turn.
    pub(crate) fn keep(&self, turn: RecordedTurn, now_ms: u64) {
        let due_ms = now_ms.saturating_add(self.settings.every_ms);
        self.due_ms.store(due_ms, Ordering::Relaxed);
        let bytes = turn.bytes();
        if bytes > MAX_RECORDED_BYTES || turn.learnt.is_cut {
            return;
        }
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.bytes += bytes;
        ring.turns.push_back((Arc::new(turn), bytes));
        while ring.turns.len() > self.settings.turns || ring.bytes > MAX_RECORDED_BYTES {
            match ring.turns.pop_front() {
                Some((_, bytes)) => ring.bytes -= bytes,
                None => break,
            }
        }
    }

    /// The turns that are kept, the oldest first.
    pub fn list(&self) -> Vec<Arc<RecordedTurn>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.turns
            .iter()
            .map(|(turn, _)| Arc::clone(turn))
            .collect()
    }
}
