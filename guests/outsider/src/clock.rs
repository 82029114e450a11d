//! `wasi:clocks`.

use serde_json::{Value, json};

use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};

/// What the clocks tell.
pub(crate) fn read() -> Value {
    let wall = wall_clock::now();
    json!({
        "wall-ms": wall.seconds * 1_000 + u64::from(wall.nanoseconds) / 1_000_000,
        "monotonic-ns": monotonic_clock::now(),
        "resolution-ns": monotonic_clock::resolution(),
    })
}

/// What they tell before and after some waiting.
pub(crate) fn sleep(wait_ms: u64) -> Value {
    let before = read();
    monotonic_clock::subscribe_duration(wait_ms * 1_000_000).block();
    json!([before, read()])
}
