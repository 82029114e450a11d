//! One turn as it runs: what the guest has asked for so far.

// Layer 2: Third-party crate imports
use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, Limits};
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::Effects;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::Notes;
use crate::core::turn::outbox::Outbox;
use crate::core::turn::overlay::Overlay;

/// Records one turn. The host functions write into it and nothing else, which is
/// what makes a turn that fails leave no trace.
///
/// It lives as long as its actor's instance and is reused for every turn.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) overlay: Overlay,
    pub(crate) outbox: Outbox,
    pub(crate) notes: Notes,
    context: TurnContext,
    /// Seeded at first use: most turns need no randomness.
    random: Option<ChaCha12Rng>,
    log_lines: u64,
}

impl Recorder {
    /// Begins a turn. What an earlier one recorded and nobody took is dropped.
    #[inline]
    pub(crate) fn begin(&mut self, context: TurnContext) {
        self.overlay.take();
        self.outbox.begin(context.turn);
        self.notes.begin();
        self.context = context;
        self.random = None;
        self.log_lines = 0;
    }

    /// Takes what the turn recorded.
    #[inline]
    pub(crate) fn take_effects(&mut self) -> Effects {
        Effects {
            growth: self.overlay.growth(),
            writes: self.overlay.take(),
            outgoing: self.outbox.take(),
        }
    }

    /// What the turn was given.
    pub(crate) fn context(&self) -> &TurnContext {
        &self.context
    }

    /// The turn's random numbers. ChaCha12 is named rather than "the standard
    /// generator", so that a turn can be replayed by a later release too.
    pub(crate) fn random(&mut self) -> &mut ChaCha12Rng {
        let (seed, turn) = (self.context.seed, self.context.turn);
        self.random.get_or_insert_with(|| {
            let mut random = ChaCha12Rng::from_seed(seed);
            random.set_stream(turn);
            random
        })
    }

    pub(crate) fn random_bytes(
        &mut self,
        limits: &Limits,
        count: u32,
    ) -> Result<Vec<u8>, HostError> {
        HostError::check_size(Limit::RandomBytes, limits.random_bytes, count as usize)?;
        let mut bytes = vec![0; count as usize];
        self.random().fill_bytes(&mut bytes);
        Ok(bytes)
    }

    /// Counts one log line, and says whether it may be written.
    pub(crate) fn admit_log_line(&mut self, limits: &Limits) -> bool {
        self.log_lines += 1;
        self.log_lines <= limits.turn_log_lines
    }

    /// How many log lines of the turn were dropped.
    #[inline]
    pub(crate) fn dropped_log_lines(&self, limits: &Limits) -> u64 {
        self.log_lines.saturating_sub(limits.turn_log_lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::turn::overlay::Ground;
    use crate::core::turn::surroundings::Alone;

    fn context(turn: u64, seed: u8) -> TurnContext {
        TurnContext {
            turn,
            seed: [seed; 32],
            ..TurnContext::default()
        }
    }

    #[test]
    fn equal_seeds_give_equal_numbers() {
        let limits = Limits::default();
        let mut recorder = Recorder::default();
        let mut draw = |seed| {
            recorder.begin(context(1, seed));
            let first = recorder.random_bytes(&limits, 16).unwrap();
            let second = recorder.random_bytes(&limits, 16).unwrap();
            assert_ne!(first, second);
            (first, second)
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn numbers_stay_the_same_over_releases() {
        let mut recorder = Recorder::default();
        recorder.begin(context(1, 0));
        let bytes = recorder.random_bytes(&Limits::default(), 8).unwrap();
        assert_eq!(bytes, [100, 184, 189, 248, 123, 130, 140, 75]);
    }

    #[test]
    fn a_new_turn_starts_clean() {
        let limits = Limits {
            turn_log_lines: 1,
            ..Limits::default()
        };
        let committed = Default::default();
        let surroundings = Alone::default();
        let ground = Ground {
            limits: &limits,
            committed: &committed,
            surroundings: &surroundings,
        };
        let mut recorder = Recorder::default();
        recorder.begin(context(1, 0));
        recorder.overlay.set(ground, "k".into(), vec![1]).unwrap();
        recorder.outbox.cancel_timer(&limits, 1).unwrap();
        assert!(recorder.admit_log_line(&limits));
        assert!(!recorder.admit_log_line(&limits));
        assert_eq!(recorder.dropped_log_lines(&limits), 1);

        recorder.begin(context(2, 0));
        assert!(recorder.take_effects().is_empty());
        assert!(recorder.admit_log_line(&limits));
        assert_eq!(recorder.dropped_log_lines(&limits), 0);
    }
}
