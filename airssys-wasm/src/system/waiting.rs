//! Waiting for something that nobody announces.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::{Instant, sleep};

/// The first and the longest pause between two looks.
const FIRST: Duration = Duration::from_micros(200);
const LONGEST: Duration = Duration::from_millis(10);

/// Looks again and again until `holds`, for as long as `patience`. Says whether it holds.
pub(crate) async fn until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now().checked_add(patience);
    let mut pause = FIRST;
    loop {
        if holds() {
            return true;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}
