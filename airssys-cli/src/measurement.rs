//! Many turns on one instance.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::message::ComponentMessage;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::actor::Actor;
use crate::distribution::Distribution;
use crate::failure::Failure;
use crate::interrupt::{Stop, interrupted};

/// What the turns took that were answered.
#[derive(Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) turns: usize,
    pub(crate) wall_ns: Distribution,
    pub(crate) fuel: Distribution,
    pub(crate) peak_memory_bytes: u64,
}

/// The figures of each turn so far.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    wall_ns: Vec<u64>,
    fuel: Vec<u64>,
    peak_memory_bytes: u64,
}

impl Figures {
    /// Runs so many turns, and commits what each of them stores.
    ///
    /// # Errors
    ///
    /// When a turn fails, or it is asked to stop. What was measured until then stays.
    pub(crate) async fn measure(
        &mut self,
        turns: u32,
        actor: &mut Actor,
        message: &ComponentMessage,
        stop: &Stop,
    ) -> Result<(), Failure> {
        for turn in 1..=turns {
            if stop.is_set() {
                let so_far = format!("{} of {turns} turns were run", turn - 1);
                return Err(interrupted().because(so_far));
            }
            let (turned, cost) = actor.turn(message).await;
            let (_reply, effects) = turned.map_err(|mut failure| {
                failure.message = format!("turn {turn} of {turns}: {}", failure.message);
                failure
            })?;
            actor.commit(effects);
            actor.take_calls();
            actor.take_uses();
            self.wall_ns.push(cost.wall_ns);
            self.fuel.push(cost.guest.fuel);
            self.peak_memory_bytes = self.peak_memory_bytes.max(cost.guest.peak_memory_bytes);
        }
        Ok(())
    }

    /// How they are spread, if there are any.
    pub(crate) fn summary(self) -> Option<Measurement> {
        Some(Measurement {
            turns: self.wall_ns.len(),
            wall_ns: Distribution::of(self.wall_ns)?,
            fuel: Distribution::of(self.fuel)?,
            peak_memory_bytes: self.peak_memory_bytes,
        })
    }
}
