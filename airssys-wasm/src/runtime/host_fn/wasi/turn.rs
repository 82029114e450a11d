//! What WASI takes from the turn, and what the guest learns by it.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::Notes;
use crate::core::turn::recorder::Recorder;
use crate::runtime::lines::Lines;
use crate::runtime::settings::InstanceSettings;

/// The most denials that are noted for one turn. A turn with more is cut.
const MAX_DENIED: usize = 1_024;

/// What WASI takes from the turn: its time, its randomness, its allowance of lines. It is
/// shared by everything that a guest opens, each of which asks it before each use whether
/// that is still permitted.
pub(crate) struct Turn {
    pub(crate) settings: Arc<InstanceSettings>,
    /// Which turn of the instance it is.
    number: AtomicU64,
    now_ms: AtomicU64,
    random: Mutex<ChaCha12Rng>,
    /// The lines that the actor logs, and those of them that the turn wrote through WASI.
    lines: Arc<Lines>,
    turn_lines: AtomicU64,
    /// Whether the guest looked beyond what is recorded of a turn.
    looked_outside: AtomicBool,
    decided: Mutex<Decided>,
}

/// What was decided in the turn so far.
#[derive(Default)]
struct Decided {
    is_precise: Option<bool>,
    denied: BTreeMap<(Capability, String), HostError>,
}

impl Turn {
    /// Made in the turn that `recorder` records.
    pub(crate) fn new(
        settings: &Arc<InstanceSettings>,
        lines: &Arc<Lines>,
        recorder: &mut Recorder,
    ) -> Self {
        let turn = Self {
            settings: Arc::clone(settings),
            number: AtomicU64::new(0),
            now_ms: AtomicU64::new(0),
            random: Mutex::new(ChaCha12Rng::from_seed([0; 32])),
            lines: Arc::clone(lines),
            turn_lines: AtomicU64::new(0),
            looked_outside: AtomicBool::new(false),
            decided: Mutex::default(),
        };
        turn.begin(recorder);
        turn
    }

    /// Begins a turn.
    pub(crate) fn begin(&self, recorder: &mut Recorder) {
        let now_ms = recorder.context().now_ms;
        self.number.fetch_add(1, Ordering::Relaxed);
        self.now_ms.store(now_ms, Ordering::Relaxed);
        self.turn_lines.store(0, Ordering::Relaxed);
        self.looked_outside.store(false, Ordering::Relaxed);
        *self.decided() = Decided::default();
        *self.random() = ChaCha12Rng::from_rng(recorder.random());
    }

    /// Whether the guest may use a capability for a resource now. What it learns by that
    /// is not recorded, so that the turn cannot be run again; the environment alone is
    /// known then too.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub(crate) fn permit(&self, capability: Capability, resource: &str) -> Result<(), HostError> {
        let permitted = self.settings.permit(capability, resource);
        match &permitted {
            Ok(()) if capability == Capability::Env => {}
            Ok(()) => self.look_outside(),
            Err(denied) => self.deny(capability, resource, denied),
        }
        permitted
    }

    /// Whether nobody forbids what the guest is about to do under another name, which it was
    /// permitted.
    pub(crate) fn may_use_alias(&self, capability: Capability, resource: &str) -> bool {
        let Self { settings, .. } = self;
        let permitted = settings
            .surroundings
            .permit_alias(&settings.address, capability, resource);
        if let Err(denied) = &permitted {
            self.deny(capability, resource, denied);
        }
        permitted.is_ok()
    }

    /// Whether clocks tell the real time in this turn. It is decided when a clock is first
    /// looked at, and then once for the turn.
    pub(crate) fn is_precise(&self) -> bool {
        let known = self.decided().is_precise;
        if let Some(is_precise) = known {
            return is_precise;
        }
        let Self { settings, .. } = self;
        let is_precise =
            settings
                .surroundings
                .is_granted(&settings.address, Capability::Clock, "precise");
        if is_precise {
            self.look_outside();
        } else {
            let why = "`clock` for \"precise\": not granted".to_owned();
            self.deny(Capability::Clock, "precise", &HostError::Denied(why));
        }
        self.decided().is_precise = Some(is_precise);
        is_precise
    }

    /// Writes down what of the turn is not recorded, and what was denied in it.
    pub(crate) fn tell(&self, notes: &mut Notes) {
        for ((capability, resource), error) in &self.decided().denied {
            notes.denied(*capability, resource, error);
        }
        if self.looked_outside.load(Ordering::Relaxed) {
            notes.cut();
        }
    }

    /// Which turn of the instance it is, for what may not outlive the one it was begun in.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// The time of the turn, in milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// The turn's random numbers.
    pub(crate) fn random(&self) -> MutexGuard<'_, ChaCha12Rng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn draw(&self) -> u64 {
        self.random().next_u64()
    }

    /// Counts one line of output, and says whether it may be written.
    pub(crate) fn admit_line(&self) -> bool {
        let lines = self.turn_lines.fetch_add(1, Ordering::Relaxed);
        if lines >= self.settings.limits.turn_log_lines {
            self.lines.drop_some(1);
            return false;
        }
        self.lines.admit()
    }

    fn look_outside(&self) {
        self.looked_outside.store(true, Ordering::Relaxed);
    }

    fn deny(&self, capability: Capability, resource: &str, error: &HostError) {
        let denied = &mut self.decided().denied;
        if denied.len() < MAX_DENIED {
            denied.insert((capability, resource.to_owned()), error.clone());
        } else {
            self.look_outside();
        }
    }

    fn decided(&self) -> MutexGuard<'_, Decided> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
