//! New versions that are greedier than the old one.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::system::error::ControlError;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, siege, try_ask, until};
use crate::wat::{guest, handling};

fn version(system: &System) -> String {
    let status = system.status();
    let mut found = status.components.iter().filter(|it| it.name == HOSTILE);
    found
        .next()
        .expect("it is there")
        .version
        .digest
        .to_string()
}

/// Whatever comes of an upgrade, the old version answers.
async fn stays(system: &System, before: &str) {
    until("the old version is back", || version(system) == before).await;
    assert_eq!(ask(system, ACTOR, "", "still here").await, "still here");
}

#[test]
fn a_version_that_needs_more_than_is_granted() {
    let _alone = alone();
    siege(
        |it| {
            it.component_with(HOSTILE, guest("modest"), |it| {
                it.grants = Default::default();
                it.grants.send.push("test/sink".into());
            })
        },
        async |system| {
            let before = version(system);
            let upgraded = system.upgrade(HOSTILE, guest("modest-v2")).await;
            let Err(ControlError::NeedsNotMet { missing, .. }) = upgraded else {
                panic!("{upgraded:?}");
            };
            assert!(!missing.is_empty());
            assert_eq!(version(system), before);
        },
    );
}

/// Too large, too slow to compile, too hungry to start, endless, or no component at all.
#[test]
fn a_version_that_wants_more_than_its_limits() {
    let _alone = alone();
    let huge = "(i32.store (local.get 0) (local.get 1))\n".repeat(4_000);
    let versions = [
        handling("", &format!("{huge} (i32.const 4096)")),
        handling(&"(func)".repeat(2_000), "(i32.const 4096)"),
        handling(r#"(memory (export "memory") 512)"#, "(i32.const 4096)"),
        guest("endless-loop"),
        guest("endless-start"),
        guest("memory-bomb"),
        guest("core-module"),
        guest("unknown-import"),
        guest("echo")[..10_000].to_vec(),
    ];
    siege(
        |it| {
            it.component_with(HOSTILE, guest("echo"), |it| {
                it.limits.component_functions = 1_000;
                it.limits.function_bytes = 20_000;
                it.limits.memory_bytes = 8 << 20;
                it.limits.turn_fuel = 2_000_000;
                it.upgrade.max_failures = 1;
            })
        },
        async |system| {
            ask(system, ACTOR, "", "here").await;
            let before = version(system);
            for (number, bytes) in versions.iter().enumerate() {
                match system.upgrade(HOSTILE, bytes.clone()).await {
                    Err(ControlError::Component(error)) => check(number, &error),
                    Err(ControlError::TrialFailed { .. }) => {}
                    Ok(report) if report.is_reverted => {}
                    Ok(_) => {
                        // Nothing was recorded that it could be tried on; it fails at the
                        // first message, and the one before comes back.
                        drop(try_ask(system, ACTOR, "", "").await);
                        drop(try_ask(system, ACTOR, "", "").await);
                    }
                    Err(other) => panic!("{number}: {other}"),
                }
                stays(system, &before).await;
            }
        },
    );
}

fn check(number: usize, error: &WasmError) {
    let expected = match number {
        0 => Limit::FunctionBytes,
        1 => Limit::ComponentFunctions,
        _ => return,
    };
    match error {
        WasmError::ResourceLimitExceeded(exceeded) => assert_eq!(exceeded.limit, expected),
        other => panic!("{number}: {other}"),
    }
}
