//! WASI, by guests that want too much of it.

// Layer 1: Standard library imports
use std::fs::write;

// Layer 2: Third-party crate imports
use serde_json::json;
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::config::component::ComponentConfig;

use crate::support::{ACTOR, HOSTILE, alone, ask, failure, siege, siege_by_all, try_ask};
use crate::wat::{guest, handling};

fn short(component: &mut ComponentConfig) {
    component.limits.turn_wall_ms = 100;
    component.limits.turn_fuel = 50_000_000;
    component.limits.resource_handles = 100;
}

/// For what is not to be ended by its time.
fn untimed(component: &mut ComponentConfig) {
    short(component);
    component.limits.turn_wall_ms = 60_000;
}

const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
      (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.write"
      (func $write-some (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.write-zeroes"
      (func $write-zeroes (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-zeroes-and-flush"
      (func $flush-zeroes (param i32 i64 i32)))
    (memory (export "memory") 512)
    (global $out (mut i32) (i32.const 0))"#;

const CLOCK_IMPORTS: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
      (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))"#;

const RANDOM: &str = r#"
    (import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))"#;

fn clock() -> String {
    format!("{CLOCK_IMPORTS} (memory (export \"memory\") 512)")
}

/// What a guest prints is cut into lines, of which so many are logged.
#[test]
fn a_flood_of_output() {
    let _alone = alone();
    let stopped = "allows ";
    let zeroes = |function: &str| {
        let call = format!("(call {function} (call $stdout) (i64.const -1) (i32.const 3072))");
        handling(STDOUT, &format!("{call} (i32.const 4096)"))
    };
    let bombs = vec![
        (stopped, handling(STDOUT, "(global.set $out (call $stdout))
            (loop $l (call $write (global.get $out) (i32.const 65536) (i32.const 4096) (i32.const 3072))
              (br $l)) (unreachable)")),
        ("", zeroes("$write-zeroes")),
        ("", zeroes("$flush-zeroes")),
        // More than the stream takes at once.
        ("", handling(STDOUT, "(global.set $out (call $stdout))
            (call $write-some (global.get $out) (i32.const 65536) (i32.const 16777216) (i32.const 3072))
            (i32.const 4096)")),
        ("", handling(STDOUT, "(global.set $out (call $stdout))
            (call $write (global.get $out) (i32.const 65536) (i32.const 16777216) (i32.const 3072))
            (i32.const 4096)")),
    ];
    siege_by_all(bombs, short, async |system, word, actor| {
        let why = failure(system, actor, "", "").await;
        assert!(why.contains(word), "{why}");
    });
}

#[test]
fn handles_without_end() {
    let _alone = alone();
    let bombs = vec![
        (
            "streams",
            handling(
                STDOUT,
                "(loop $l (drop (call $stdout)) (br $l)) (unreachable)",
            ),
        ),
        (
            "pollables",
            handling(
                &clock(),
                "(loop $l (drop (call $after (i64.const 1))) (br $l)) (unreachable)",
            ),
        ),
    ];
    siege_by_all(bombs, untimed, async |system, what, actor| {
        let why = failure(system, actor, "", "").await;
        let words = format!("{} allows 100", Limit::ResourceHandles);
        assert!(why.contains(&words), "{what}: {why}");
    });
}

/// A handle that is none, or of something else.
#[test]
fn handles_that_are_none() {
    let _alone = alone();
    let bombs = vec![
        (
            "none",
            handling(
                STDOUT,
                "(call $write (i32.const 7) (i32.const 0) (i32.const 1) (i32.const 3072))
            (i32.const 4096)",
            ),
        ),
        (
            "negative",
            handling(
                STDOUT,
                "(call $write (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 3072))
            (i32.const 4096)",
            ),
        ),
        (
            "of something else",
            handling(
                &[CLOCK_IMPORTS, STDOUT].concat(),
                "(call $block (call $stdout)) (i32.const 4096)",
            ),
        ),
    ];
    siege_by_all(bombs, untimed, async |system, what, actor| {
        let why = failure(system, actor, "", "").await;
        assert!(
            why.contains("the guest failed") || why.contains("malformed"),
            "{what}: {why}"
        );
    });
}

#[test]
fn waiting_without_end() {
    let _alone = alone();
    let list = "(loop $fill (i32.store (local.get $sender) (call $after (i64.const -1)))
        (local.set $sender (i32.add (local.get $sender) (i32.const 4)))
        (br_if $fill (i32.lt_u (local.get $sender) (i32.const 200))))";
    let bombs = vec![
        (
            "block",
            "turn_wall_ms allows",
            handling(
                &clock(),
                "(call $block (call $after (i64.const -1))) (i32.const 4096)",
            ),
        ),
        (
            "poll",
            "turn_wall_ms allows",
            handling(
                &clock(),
                &format!(
                    "(local.set $sender (i32.const 0)) {list}
             (call $poll (i32.const 0) (i32.const 50) (i32.const 3072)) (i32.const 4096)"
                ),
            ),
        ),
        (
            "poll for nothing",
            "failed",
            handling(
                &clock(),
                "(call $poll (i32.const 0) (i32.const 0) (i32.const 3072)) (i32.const 4096)",
            ),
        ),
        (
            "poll for millions",
            "",
            handling(
                &clock(),
                "(call $poll (i32.const 65536) (i32.const 4000000) (i32.const 3072)) (i32.const 4096)",
            ),
        ),
        (
            "block again and again",
            "allows ",
            handling(
                &clock(),
                "(loop $l (call $block (call $after (i64.const 0))) (br $l)) (unreachable)",
            ),
        ),
    ];
    let words: Vec<(&str, &str)> = bombs.iter().map(|it| (it.0, it.1)).collect();
    let bombs = bombs.into_iter().map(|it| (it.0, it.2)).collect();
    siege_by_all(bombs, short, async |system, what, actor| {
        let why = failure(system, actor, "", "").await;
        let word = words.iter().find(|it| it.0 == what).expect("it is there").1;
        assert!(why.contains(word), "{what}: {why}");
    });
}

#[test]
fn random_numbers_without_end() {
    let _alone = alone();
    let bytes = |count: &str| {
        handling(
            RANDOM,
            &format!("(call $random (i64.const {count}) (i32.const 3072)) (i32.const 4096)"),
        )
    };
    let bombs = vec![
        ("all there are", bytes("-1")),
        ("4 GiB", bytes("4294967296")),
        ("a GiB", bytes("1073741824")),
    ];
    siege_by_all(bombs, short, async |system, what, actor| {
        let why = failure(system, actor, "", "").await;
        assert!(
            why.contains("failed") || why.contains("allows"),
            "{what}: {why}"
        );
    });
}

/// Open files are handles, and go with the instance.
#[test]
fn files_and_sockets_without_end() {
    let _alone = alone();
    let shown = tempdir().expect("a folder");
    write(shown.path().join("file"), "content").expect("a file");
    siege(
        |it| {
            it.component_with(HOSTILE, guest("outsider"), |it| {
                it.folders.insert("/shown".into(), shown.path().to_owned());
                it.grants.read_files.push("/shown".into());
                it.grants.network.push("*.example.com:443".into());
                it.limits.resource_handles = 100;
            })
        },
        async |system| {
            let many = json!({"path": "/shown/file", "count": 10_000}).to_string();
            for kind in ["open-many", "connect-many"] {
                match try_ask(system, ACTOR, kind, many.as_str()).await {
                    // It may be told, as files are, or stopped.
                    Ok(told) => {
                        let opened = told.trim_start_matches("{\"ok\":[");
                        let opened = opened
                            .split(',')
                            .next()
                            .and_then(|it| it.parse::<u64>().ok());
                        assert!(opened.is_some_and(|it| it < 100), "{kind}: {told}");
                    }
                    Err(error) => {
                        assert!(
                            error.to_string().contains("resource_handles allows 100"),
                            "{error}"
                        );
                    }
                }
            }
            let sleep = json!({"wait-ms": 1}).to_string();
            drop(ask(system, ACTOR, "sleep", sleep).await);
        },
    );
}
