//! WASI's random numbers, which are the turn's.

// Layer 1: Standard library imports
use std::convert::Infallible;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use rand::{Rng, TryRng};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::turn::Turn;

/// Draws from the turn's seed, for WASI's secure and insecure numbers alike.
pub(crate) struct TurnRandom(pub(crate) Arc<Turn>);

impl TryRng for TurnRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.random().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.draw())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.random().fill_bytes(bytes);
        Ok(())
    }
}
