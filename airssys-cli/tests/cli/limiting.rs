//! Limits: the flags, and that following the advice works.

use serde_json::json;

use crate::run::{try_guest, try_json};

#[test]
fn each_flag_sets_its_limit() {
    for (guest, args, code, limit, allowed) in [
        ("endless-loop", "--fuel 12_345", 24, "turn_fuel", 12_345),
        ("endless-loop", "--fuel 1,000", 24, "turn_fuel", 1_000),
        ("endless-start", "--fuel 1000", 24, "turn_fuel", 1_000),
        ("memory-bomb", "--memory 1MiB", 24, "memory_bytes", 1 << 20),
        (
            "memory-bomb",
            "--limit memory_bytes=2MiB",
            24,
            "memory_bytes",
            2 << 20,
        ),
        (
            "memory-bomb",
            "--limit memory-bytes=2MiB --memory 3MiB",
            24,
            "memory_bytes",
            3 << 20,
        ),
        (
            "huge-result",
            "--limit hostcall_bytes=9MiB",
            24,
            "hostcall_bytes",
            9 << 20,
        ),
        (
            "echo",
            "--data hello --limit reply_bytes=4",
            24,
            "reply_bytes",
            4,
        ),
        (
            "echo",
            "--data hello --limit message_bytes=4",
            24,
            "message_bytes",
            4,
        ),
        (
            "echo",
            "--limit component_bytes=1KiB",
            24,
            "component_bytes",
            1 << 10,
        ),
        (
            "markdown",
            "--no-cache --limit compile_ms=1",
            24,
            "compile_ms",
            1,
        ),
        (
            "markdown",
            "--no-cache --limit compile_bytes=24MiB",
            24,
            "compile_bytes",
            24 << 20,
        ),
        (
            "endless-loop",
            "--fuel 1000000000000 --timeout-ms 20",
            23,
            "turn_wall_ms",
            20,
        ),
        (
            "endless-start",
            "--fuel 1000000000000 --timeout-ms 20",
            23,
            "turn_wall_ms",
            20,
        ),
    ] {
        let (found, json) = try_json(guest, args);
        let error = &json["error"];
        assert_eq!(found, code, "{guest} {args}: {error}");
        assert_eq!(
            (&error["limit"], &error["allowed"]),
            (&json!(limit), &json!(allowed))
        );
        assert!(error["observed"].as_u64().unwrap() > allowed, "{error}");
    }
}

#[test]
fn following_the_advice_gets_there() {
    let mut flags = String::new();
    for _ in 0..10 {
        let run = try_guest("huge-result", &flags);
        if run.code == 0 {
            assert_eq!(run.stdout.len(), 32 << 20);
            return;
        }
        run.assert_code(24);
        let (_, advice) = run.stderr.split_once("allow more with `").unwrap();
        flags = format!("{flags} {}", advice.split('`').next().unwrap());
    }
    panic!("not there with {flags}");
}

#[test]
fn a_deadline_is_no_fuel_and_says_so() {
    let run = try_guest("endless-loop", "--fuel 1000000000000 --timeout-ms 20");
    run.assert_code(23).assert_err(&[
        "error: the turn took longer than it may",
        "turn_wall_ms allows 20 ms",
        "--timeout-ms ",
        "at least",
    ]);
}
