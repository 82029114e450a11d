//! Every function of the host, called with what no program would hand over.

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::functions::{HostFunction, Parameter, all, at, calling_with, calling_with_words};
use crate::support::{ACTOR, alone, siege_by, try_ask};

/// Calls the function of this number, and tells why the turn failed, if it did.
async fn call(system: &System, choice: usize, number: usize) -> Option<String> {
    let payload = MessagePayload::from(vec![0; number]);
    match try_ask(system, ACTOR, &"x".repeat(choice), payload).await {
        Ok(_) => None,
        Err(AskError::Failed(why)) => Some(why),
        other => panic!("{other:?}"),
    }
}

fn has_pointer(function: &HostFunction) -> bool {
    let is_number = |it: &Parameter| matches!(it, Parameter::Number | Parameter::Id);
    !function.parameters.iter().all(is_number)
}

/// Pointers beyond the end of memory, lengths of gigabytes, places that are not aligned, and
/// discriminants that stand for nothing.
#[test]
fn pointers_lengths_and_discriminants_that_are_none() {
    let _alone = alone();
    let functions = all();
    let fillers = [0, -1, i32::MAX, 1, 65_537, i32::MIN];
    let component = calling_with_words(&functions, &fillers);
    siege_by(
        component,
        |_| {},
        async |system| {
            for (choice, filler) in fillers.iter().enumerate() {
                for (number, function) in functions.iter().enumerate() {
                    let why = call(system, choice, number).await;
                    let named = why.as_ref().is_none_or(|why| {
                        ["malformed data", "out of bounds", "hostcall_bytes allows"]
                            .iter()
                            .any(|word| why.contains(word))
                    });
                    assert!(named, "{} {filler}: {why:?}", function.name);
                    let is_absurd = *filler == -1 || *filler == i32::MAX || *filler == i32::MIN;
                    if is_absurd && has_pointer(function) {
                        assert!(why.is_some(), "{} {filler}", function.name);
                    }
                }
            }
        },
    );
}

#[test]
fn texts_that_are_no_utf8() {
    let _alone = alone();
    let functions = all();
    let memory = r#"(memory (export "memory") 2)
        (data (i32.const 2048) "\ff\fe") (data (i32.const 2056) "\00\08\00\00\02\00\00\00")"#;
    let component = calling_with(&functions, memory, |parameter| match parameter {
        Parameter::Text => at(2_048, 2),
        Parameter::Texts => at(2_056, 1),
        Parameter::OptionalText => format!("(i32.const 1) {}", at(2_048, 2)),
        Parameter::Bytes => at(0, 0),
        Parameter::Number | Parameter::Level => "(i32.const 1)".into(),
        Parameter::Id => "(i64.const 1)".into(),
    });
    siege_by(
        component,
        |_| {},
        async |system| {
            for (number, function) in functions.iter().enumerate() {
                let takes_text = has_pointer(function);
                let why = call(system, 0, number).await;
                assert_eq!(why.is_some(), takes_text, "{}: {why:?}", function.name);
                if let Some(why) = why {
                    assert!(why.contains("malformed data"), "{}: {why}", function.name);
                }
            }
        },
    );
}

/// Memory in which there are a million texts of a thousand bytes, which are all the same.
const MANY: &str = r#"(memory (export "memory") 512)
    (func $fill (local $at i32)
      (local.set $at (i32.const 8388608))
      (loop $next
        (i32.store offset=4 (local.get $at) (i32.const 1000))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 16777216)))))
    (start $fill)"#;

/// More than a host call may take, in each function that takes a text or a list.
#[test]
fn texts_and_lists_that_are_huge() {
    let _alone = alone();
    let functions = all();
    let component = calling_with(&functions, MANY, |parameter| match parameter {
        Parameter::Text | Parameter::Bytes => at(65_536, 9 << 20),
        // A GiB, were it copied.
        Parameter::Texts => at(8 << 20, 1 << 20),
        Parameter::OptionalText => format!("(i32.const 1) {}", at(65_536, 9 << 20)),
        Parameter::Number => "(i32.const -1)".into(),
        Parameter::Level => "(i32.const 1)".into(),
        Parameter::Id => "(i64.const -1)".into(),
    });
    siege_by(
        component,
        |_| {},
        async |system| {
            for (number, function) in functions.iter().enumerate() {
                let why = call(system, 0, number).await;
                let Some(why) = why else {
                    assert!(!has_pointer(function), "{}", function.name);
                    continue;
                };
                let words = format!("{} allows ", Limit::HostcallBytes);
                assert!(why.contains(&words), "{}: {why}", function.name);
            }
        },
    );
}

/// Lists of nothing: each empty text takes room in the host, and none in the count of bytes.
#[test]
fn lists_of_very_many_empty_texts() {
    let _alone = alone();
    let mut functions = all();
    functions.retain(|it| it.parameters.contains(&Parameter::Texts));
    assert!(functions.len() >= 2, "{functions:?}");
    let memory = r#"(memory (export "memory") 512)"#;
    let component = calling_with(&functions, memory, |parameter| match parameter {
        Parameter::Texts => at(65_536, 4_000_000),
        _ => at(0, 0),
    });
    siege_by(
        component,
        |_| {},
        async |system| {
            for number in 0..functions.len() {
                let why = call(system, 0, number).await.expect("it is stopped");
                assert!(why.contains("hostcall_bytes allows"), "{why}");
            }
        },
    );
}
