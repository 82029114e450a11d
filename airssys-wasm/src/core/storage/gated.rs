//! What may leave the world of actors only when the disk has what it depends on.

// Layer 3: Internal module imports
use crate::core::storage::store::{Store, StoreError};

/// A value that depends on commits which may not be on disk yet.
///
/// Among actors it is used at once, by whoever takes over what it depends on. For
/// anybody else it has to wait: a crash must not take back what they have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it holds what somebody waits for"]
pub struct Gated<T> {
    value: T,
    horizon: u64,
}

impl<T> Gated<T> {
    /// A value that depends on a commit and all before it.
    pub fn new(value: T, horizon: u64) -> Self {
        Self { value, horizon }
    }

    /// The last commit that the value depends on, or zero.
    pub fn horizon(&self) -> u64 {
        self.horizon
    }

    /// The value, for somebody who depends from now on on what it depends on.
    pub fn among_actors(self, horizon: &mut u64) -> T {
        *horizon = self.horizon.max(*horizon);
        self.value
    }

    /// The value, for somebody outside, when the disk has what it depends on.
    ///
    /// # Errors
    ///
    /// When the store has failed. Nobody may see the value then.
    pub async fn outside(self, store: &impl Store) -> Result<T, StoreError> {
        store.durable(self.horizon).await?;
        Ok(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_uses_it_depends_on_what_it_depends_on() {
        let mut horizon = 5;
        assert_eq!(Gated::new("old", 3).among_actors(&mut horizon), "old");
        assert_eq!(horizon, 5);
        assert_eq!(Gated::new("new", 8).among_actors(&mut horizon), "new");
        assert_eq!(horizon, 8);
    }
}
