//! Log lines without end.

// Layer 1: Standard library imports
use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tracing_subscriber::fmt;

// Layer 3: Internal module imports
use crate::support::{ACTOR, alone, script, siege_by};
use crate::wat::guest;

/// What was logged by everybody, in lines and bytes.
#[derive(Clone, Copy)]
struct Counted;

static LINES: AtomicU64 = AtomicU64::new(0);
static LONGEST: AtomicU64 = AtomicU64::new(0);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.windows(4).any(|it| it == b"gale") {
            LINES.fetch_add(1, Ordering::Relaxed);
            LONGEST.fetch_max(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many lines were logged meanwhile.
async fn logged(of: impl AsyncFnOnce()) -> u64 {
    let before = LINES.load(Ordering::Relaxed);
    of().await;
    LINES.load(Ordering::Relaxed) - before
}

fn count_lines() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| fmt().with_writer(|| Counted).with_ansi(false).init());
}

fn line(text: Value) -> Value {
    json!(["services.log", {"level": "error", "text": text}])
}

#[test]
fn a_turn_logs_so_many_lines_of_such_a_length() {
    let _alone = alone();
    count_lines();
    siege_by(
        guest("probe"),
        |_| {},
        async |system| {
            let mut long = vec![line(json!({"repeat": "gale", "times": 1 << 20}))];
            // The text of this script is too long for lines that are all long.
            long.extend(vec![line("gale".into()); 1_000]);
            let lines = logged(async || drop(script(system, ACTOR, &long).await)).await;
            assert!(lines <= 257, "turn_log_lines allows 256: {lines}");
            let longest = LONGEST.load(Ordering::Relaxed);
            assert!(
                longest < (4 << 10) + 512,
                "log_line_bytes allows 4096: {longest}"
            );
        },
    );
}

#[test]
fn an_actor_logs_so_many_lines_in_a_second() {
    let _alone = alone();
    count_lines();
    siege_by(
        guest("probe"),
        |it| {
            it.limits.log_lines_per_s = 20;
            // What counts the lines goes with the instance.
            it.idle_ms = 1_000;
        },
        async |system| {
            let began = Instant::now();
            let lines = logged(async || {
                for _ in 0..20 {
                    script(system, ACTOR, &vec![line("gale".into()); 50]).await;
                }
            });
            let lines = lines.await;
            let elapsed = began.elapsed();
            // All of the first second at once, and then so many in each that has begun.
            let allowed = 20 * (elapsed.as_secs() + 2);
            assert!(lines <= allowed, "{lines} of a thousand within {elapsed:?}");
        },
    );
}
