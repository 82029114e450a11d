//! Guests that hand back what is no result, and a `cabi_realloc` that lies.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::error::AskError;

use crate::support::{ACTOR, alone, ask, failure, id, siege_by, siege_by_all, stopped_by};
use crate::wat::{actor, guest, handling, module_with};

/// A guest whose handler replies with what lies at 16, which is this.
fn replying(bytes: &str) -> Vec<u8> {
    let fields = format!("(memory (export \"memory\") 2) (data (i32.const 16) \"{bytes}\")");
    handling(&fields, "(i32.const 16)")
}

#[test]
fn results_that_are_none() {
    let _alone = alone();
    let malformed = vec![
        (
            "a result beyond the end",
            handling("", "(i32.const 131072)"),
        ),
        (
            "a result across the end",
            handling("", "(i32.const 131068)"),
        ),
        ("a result at the top", handling("", "(i32.const -4)")),
        (
            "a result that is not aligned",
            handling("", "(i32.const 17)"),
        ),
        ("neither ok nor error", replying(r"\02\00\00\00")),
        (
            "neither some nor none",
            replying(r"\00\00\00\00\07\00\00\00"),
        ),
        ("no such error", replying(r"\01\00\00\00\05\00\00\00")),
        ("a list beyond the end", guest("bad-pointer")),
        (
            "a list of all memory and more",
            replying(r"\00\00\00\00\01\00\00\00\01\00\00\00\ff\ff\ff\ff"),
        ),
        ("a text that is no UTF-8", guest("invalid-utf8")),
        ("a text of half a character", {
            let text = "(data (i32.const 8) \"\\f0\\9f\\a6\")";
            let error = "(data (i32.const 16) \"\\01\\00\\00\\00\\00\\00\\00\\00\\08\\00\\00\\00\\03\\00\\00\\00\")";
            handling(
                &format!("(memory (export \"memory\") 2) {text} {error}"),
                "(i32.const 16)",
            )
        }),
    ];
    siege_by_all(
        malformed,
        |_| {},
        async |system, what, actor| {
            let why = failure(system, actor, "kind", "payload").await;
            let is_named = why.contains("malformed data") || why.contains("hostcall_bytes allows");
            assert!(is_named, "{what}: {why}");
        },
    );
}

#[test]
fn a_realloc_that_lies() {
    let _alone = alone();
    let lies = [
        ("beyond the end", "(i32.const 131072)"),
        ("across the end", "(i32.const 131071)"),
        ("at the top", "(i32.const -1)"),
        ("a trap", "(unreachable)"),
        (
            "a division by zero",
            "(i32.div_u (i32.const 1) (i32.const 0))",
        ),
        (
            "memory without end",
            "(loop $l (drop (memory.grow (i32.const 16))) (br $l)) (unreachable)",
        ),
        ("time without end", "(loop $l (br $l)) (unreachable)"),
        (
            "calls without end",
            "(call $realloc (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
    ];
    let lying = lies.into_iter();
    let lying = lying.map(|(what, realloc)| (what, module_with(realloc, "", "(i32.const 4096)")));
    siege_by_all(
        lying.map(|(what, wat)| (what, actor(&wat, &[]))).collect(),
        |it| {
            it.limits.turn_fuel = 5_000_000;
            it.limits.memory_bytes = 8 << 20;
        },
        async |system, what, actor| {
            let why = failure(system, actor, "kind", "payload").await;
            let named = [
                "malformed data",
                "out of bounds",
                "gave up",
                "arithmetic",
                " allows ",
            ];
            assert!(named.iter().any(|word| why.contains(word)), "{what}: {why}");
        },
    );
}

/// A guest may not call the host while the host hands something over to it.
#[test]
fn a_realloc_that_calls_the_host() {
    let _alone = alone();
    let import = r#"(import "airssys:actor/services@0.1.0" "now-ms" (func $now (result i64)))"#;
    let realloc = "(drop (call $now)) (i32.const 1024)";
    let component = actor(&module_with(realloc, import, "(i32.const 4096)"), &[]);
    siege_by(
        component,
        |_| {},
        async |system| {
            let why = failure(system, ACTOR, "kind", "payload").await;
            assert!(why.contains("failed"), "{why}");
        },
    );
}

/// Where everything is put at the same place, a guest harms itself alone.
#[test]
fn a_realloc_that_always_says_zero() {
    let _alone = alone();
    let component = actor(&module_with("(i32.const 0)", "", "(i32.const 4096)"), &[]);
    siege_by(
        component,
        |_| {},
        async |system| {
            assert_eq!(ask(system, ACTOR, "kind", "payload").await, "");
        },
    );
}

#[test]
fn a_huge_reply() {
    let _alone = alone();
    siege_by(
        guest("huge-result"),
        |it| it.limits.hostcall_bytes = 64 << 20,
        async |system| stopped_by(system, Limit::ReplyBytes).await,
    );
    siege_by(
        guest("huge-result"),
        |_| {},
        async |system| {
            stopped_by(system, Limit::HostcallBytes).await;
        },
    );
}

/// What a guest says of its failure is cut, wherever it is kept or told.
#[test]
fn an_error_of_megabytes() {
    let _alone = alone();
    let error = |kind: u8| {
        handling(
            &format!(
                r#"(memory (export "memory") 128)
                   (data (i32.const 16) "\01\00\00\00\0{kind}\00\00\00\00\00\01\00\00\00\60\00")"#
            ),
            "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 6291456)) (i32.const 16)",
        )
    };
    const SENSIBLE: usize = 64 << 10;
    siege_by(
        error(0),
        |_| {},
        async |system| {
            let rejected = system.ask(&id(ACTOR), "", "").await;
            let Err(AskError::Rejected(why)) = rejected else {
                panic!("{rejected:?}");
            };
            assert!(why.len() <= SENSIBLE, "{} bytes", why.len());
        },
    );
    siege_by(
        error(1),
        |_| {},
        async |system| {
            let why = failure(system, ACTOR, "", "").await;
            assert!(why.len() <= SENSIBLE, "{} bytes", why.len());
            for (_, letter) in system.dead_letters(None, None, 100) {
                assert!(letter.reason.to_string().len() <= SENSIBLE, "of the letter");
            }
        },
    );
}
