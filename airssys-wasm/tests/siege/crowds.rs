//! More actors than there is room for.

// Layer 1: Standard library imports
use std::cell::Cell;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::component::cell::Phase;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, id, script, siege, until};
use crate::wat::{guest, handling};

/// Sends to actors that never were, so many at once.
fn to_new_ones(component: &str, number: usize) -> Vec<Value> {
    let send = |it| {
        let target = format!("{component}/new-{it}");
        json!(["messaging.send", {"target": target, "kind": "", "payload": ""}])
    };
    (0..number).map(send).collect()
}

fn live(system: &System, component: &str) -> usize {
    let status = system.status();
    let mut found = status.components.iter().filter(|it| it.name == component);
    found.next().expect("it is there").live_actors
}

#[test]
fn nobody_brings_actors_into_being_without_a_grant() {
    let _alone = alone();
    siege(
        |it| {
            it.component_with(HOSTILE, guest("probe"), |it| {
                it.grants.of_mut(Capability::Spawn).clear();
            })
            .component("evil/victim", guest("echo"))
        },
        async |system| {
            for error in script(system, ACTOR, &to_new_ones("evil/victim", 500)).await {
                assert!(error.starts_with("denied: `spawn`"), "{error}");
            }
            assert_eq!(live(system, "evil/victim"), 0);
        },
    );
}

/// With a grant, the actors of the other component take turns, and none of a third one
/// has to go.
#[test]
fn so_many_actors_of_a_component_are_live() {
    let _alone = alone();
    siege(
        |it| {
            it.component(HOSTILE, guest("probe")).component_with(
                "evil/victim",
                guest("echo"),
                |it| it.limits.live_actors = 3,
            )
        },
        async |system| {
            let errors = script(system, ACTOR, &to_new_ones("evil/victim", 1_000)).await;
            let wrong = errors.iter().find(|error| {
                !error.is_empty() && !error.contains("quota-exceeded: live_actors allows 3")
            });
            assert_eq!(wrong, None);
            until("all have been", || live(system, "evil/victim") == 0).await;
        },
    );
}

/// Too many for the whole system, which has room for 64: none of them is lost, and the
/// neighbour is not crowded out.
#[test]
fn so_many_actors_of_all_components_are_live() {
    let _alone = alone();
    siege(
        |it| {
            it.component(HOSTILE, guest("probe"))
                .component("evil/victim", guest("echo"))
                .component("evil/other", guest("echo"))
        },
        async |system| {
            for component in ["evil/victim", "evil/other"] {
                let errors = script(system, ACTOR, &to_new_ones(component, 1_000)).await;
                let wrong = errors
                    .iter()
                    .find(|error| !error.is_empty() && *error != "mailbox-full");
                assert_eq!(wrong, None);
            }
            until("all have been", || {
                live(system, "evil/victim") + live(system, "evil/other") == 0
            })
            .await;
            assert_eq!(ask(system, "evil/victim/late", "", "here").await, "here");
        },
    );
}

/// As many endless loops as there is room for: whoever comes late waits, or is told so.
#[test]
fn busy_actors_take_all_the_room_of_their_component_and_no_more() {
    let _alone = alone();
    siege(
        |it| {
            it.component_with(HOSTILE, guest("endless-loop"), |it| {
                it.limits.live_actors = 2;
                it.limits.turn_wall_ms = 20;
                it.limits.turn_fuel = u64::MAX;
            })
        },
        async |system| {
            for number in 0..20 {
                let to = id(&format!("{HOSTILE}/{number}"));
                match system.send(&to, "", "").await {
                    Ok(()) => {}
                    Err(refused) => assert_eq!(refused.reason, Refusal::TooManyLive { allowed: 2 }),
                }
            }
            until("all have ended", || live(system, HOSTILE) == 0).await;
        },
    );
}

/// Sends itself a message with each turn, which is long, until it is sent one with a kind.
fn never_idle() -> Vec<u8> {
    handling(
        r#"(import "airssys:actor/messaging@0.1.0" "my-address" (func $me (param i32)))
           (import "airssys:actor/messaging@0.1.0" "send"
             (func $send (param i32 i32 i32 i32 i32 i32 i32)))
           (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
             (func $after (param i64) (result i32)))
           (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
           (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop (param i32)))
           (global $is_over (mut i32) (i32.const 0))
           (global $pollable (mut i32) (i32.const 0))"#,
        "(if (local.get $kind-bytes) (then (global.set $is_over (i32.const 1))))
         (if (i32.eqz (global.get $is_over)) (then
           (global.set $pollable (call $after (i64.const 50000000)))
           (call $block (global.get $pollable))
           (call $drop (global.get $pollable))
           (call $me (i32.const 3072))
           (call $send (i32.load (i32.const 3072)) (i32.load (i32.const 3076))
             (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3080))))
         (i32.const 4096)",
    )
}

/// Actors that are never idle keep their places. They have all but those that are kept for
/// others, one of whom is asked at addresses that never were, and makes way among its own.
#[test]
fn actors_that_are_never_idle_leave_others_their_part() {
    const BUSY: usize = 100;
    // Of 64 places eight are parted among three components, and the rest is for all.
    const HELD: usize = 64 - 3 * 2 + 2;
    let _alone = alone();
    let asked = Cell::new(0);
    siege(
        |it| {
            it.component(HOSTILE, never_idle())
                .component("evil/other", guest("echo"))
        },
        async |system| {
            let send_all = async |kind: &str| {
                for number in 0..BUSY {
                    let to = id(&format!("{HOSTILE}/{number}"));
                    let sent = system.send(&to, kind, "").await;
                    sent.unwrap_or_else(|refused| panic!("{}", refused.reason));
                }
            };
            let held = || {
                let actors = system.list();
                let own = actors.iter().filter(|it| it.address.component() == HOSTILE);
                own.filter(|it| it.phase == Some(Phase::Ready)).count()
            };
            send_all("").await;
            until("they have all places that they get", || held() == HELD).await;
            for _ in 0..4 {
                asked.set(asked.get() + 1);
                let new = format!("evil/other/{}", asked.get());
                assert_eq!(ask(system, &new, "", "here").await, "here");
            }
            assert_eq!(held(), HELD);
            send_all("enough").await;
            until("all have ended", || live(system, HOSTILE) == 0).await;
        },
    );
}
