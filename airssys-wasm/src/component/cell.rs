//! Where an actor is reached while it is live.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::deployment::Counters;
use crate::component::mailbox::Mailbox;
use crate::component::room::Room;
use crate::core::component::id::ComponentId;

/// A live actor, as others see it.
#[derive(Debug)]
pub struct Cell {
    /// Its address.
    pub address: ComponentId,
    /// Its mailbox.
    pub mailbox: Mailbox,
    /// Whether it always runs, and is not passivated.
    pub always: bool,
    /// Where what happens to it is counted.
    pub counters: Arc<Counters>,
    /// The room of its component, which it takes up a part of.
    pub(crate) room: Arc<Room>,
    used_ms: AtomicU64,
    /// The last commit that the actor has seen or made: what it lets out depends on it.
    horizon: AtomicU64,
    /// The number of the version that runs it, or zero.
    version: AtomicU64,
    phase: AtomicU8,
    is_retired: AtomicBool,
}

/// What a live actor is doing.
///
/// ```text
///           first message                     a turn failed
///   (none) ───────────────▶ Starting ──▶ Ready ────────────▶ Pausing
///     ▲                      ▲  ▲          │ ◀── tried again ── │
///     │                      │  └──────────┼─── it crashed ─────┤
///     │                   message          │                    │ tried too often
///     │                      └── Resting ◀─┼────────────────────┘
///     │  idle, or room needed       │      │
///     └──────────────── Ending ◀────┴──────┘  stopped, given up
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Phase {
    /// It is being activated.
    Starting,
    /// It handles messages as they come.
    Ready,
    /// Its last turn failed, and it waits before it tries again.
    Pausing,
    /// It lost its instance, and gets another with its next message.
    Resting,
    /// It is being passivated, or stopped.
    Ending,
}

/// What an actor shares with the others of its component.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) room: Arc<Room>,
}

impl Cell {
    /// A cell for an actor that is about to be activated.
    pub(crate) fn new(
        address: ComponentId,
        mailbox: Mailbox,
        always: bool,
        shared: Shared,
    ) -> Self {
        Self {
            address,
            mailbox,
            always,
            counters: shared.counters,
            room: shared.room,
            used_ms: AtomicU64::new(0),
            horizon: AtomicU64::new(0),
            version: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Starting as u8),
            is_retired: AtomicBool::new(false),
        }
    }

    /// When it last handled a message, by the system's clock.
    #[inline]
    pub fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn use_at(&self, clock_ms: u64) {
        self.used_ms.store(clock_ms, Ordering::Relaxed);
    }

    /// The last commit that the actor has seen or made, or zero.
    #[inline]
    pub fn horizon(&self) -> u64 {
        self.horizon.load(Ordering::Relaxed)
    }

    /// The actor has seen or made a commit, and depends on it from now on.
    #[inline]
    pub fn depend_on(&self, seq: u64) {
        if seq > self.horizon() {
            self.horizon.fetch_max(seq, Ordering::Relaxed);
        }
    }

    /// The number of the version that runs it, or zero while none does.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    pub(crate) fn run_by(&self, version: u64) {
        self.version.store(version, Ordering::Relaxed);
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            2 => Phase::Pausing,
            3 => Phase::Resting,
            _ => Phase::Ending,
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Whether it is gone, and its address has another cell or none.
    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::Relaxed)
    }

    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }
}
