//! More actors than there is room for.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, id, script, siege, until};
use crate::wat::guest;

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
