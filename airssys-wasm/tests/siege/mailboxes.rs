//! More messages than anybody can handle.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{HOSTILE, alone, id, script, siege, until};
use crate::wat::guest;

const BUSY: &str = "evil/busy/a";
const PROBE: &str = "evil/hostile/a";

/// Somebody who is busy for a while with each message, and somebody who sends to them.
fn siege_of_busy(change: impl FnOnce(&mut ComponentConfig), attack: impl AsyncFn(&System)) {
    siege(
        |it| {
            it.component(HOSTILE, guest("probe")).component_with(
                "evil/busy",
                guest("endless-loop"),
                |it| {
                    it.limits.turn_wall_ms = 40;
                    it.limits.turn_fuel = u64::MAX;
                    change(it);
                },
            )
        },
        attack,
    );
}

/// How many messages of a kilobyte were taken, from within and from outside, until one was
/// refused, beside those that were handled meanwhile.
async fn flood(system: &System) -> usize {
    let handled_before = handled(system);
    let send: Value = json!(["messaging.send", {
        "target": BUSY, "kind": "", "payload": {"repeat": "x", "times": 1_024},
    }]);
    // What a turn sends was promised a place, so that it takes several.
    let mut errors = Vec::new();
    for _ in 0..10 {
        errors.extend(script(system, PROBE, &vec![send.clone(); 10]).await);
        // The slower the machine is, the more are handled meanwhile.
        if errors.iter().any(|error| !error.is_empty()) {
            break;
        }
    }
    let refused: Vec<&String> = errors.iter().filter(|error| !error.is_empty()).collect();
    let other = refused.iter().find(|error| **error != "mailbox-full");
    assert_eq!(other, None);
    assert!(!refused.is_empty(), "none was refused");
    let mut outside = 0;
    loop {
        let sent = system.send(&id(BUSY), "", "x".repeat(1_024)).await;
        let Err(refused) = sent else {
            outside += 1;
            assert!(outside < 1_000, "none was refused");
            continue;
        };
        assert_eq!(refused.reason, Refusal::MailboxFull);
        assert_eq!(
            refused.message.payload().as_bytes().len(),
            1_024,
            "it is given back"
        );
        break;
    }
    let taken = outside + errors.len() - refused.len();
    assert!(taken >= 5, "{taken}");
    taken.saturating_sub((handled(system) - handled_before) as usize)
}

/// How many messages the busy one has been at until its time was over.
fn handled(system: &System) -> u64 {
    let status = system.status();
    let busy = status.components.iter().find(|it| it.name == "evil/busy");
    busy.expect("it is there").counts.buried
}

async fn is_over(system: &System) {
    let waiting = || {
        let status = system.status();
        status
            .components
            .iter()
            .map(|it| it.waiting as u64 + it.on_disk)
            .sum::<u64>()
    };
    until("the busy one has done all", || waiting() == 0).await;
}

#[test]
fn a_mailbox_takes_so_many_messages() {
    let _alone = alone();
    siege_of_busy(
        |it| it.limits.mailbox = 5,
        async |system| {
            let taken = flood(system).await;
            // Those of the turn, which are told before any of them has gone.
            assert!(taken < 30, "{taken}");
            is_over(system).await;
        },
    );
}

#[test]
fn a_mailbox_takes_so_many_bytes() {
    let _alone = alone();
    siege_of_busy(
        |it| it.limits.mailbox_bytes = 5_000,
        async |system| {
            let taken = flood(system).await;
            assert!(taken < 30, "{taken}");
            is_over(system).await;
        },
    );
}

/// What is too much for the mailbox of a durable actor waits on disk, within limits.
#[test]
fn a_disk_takes_so_many_messages_and_bytes() {
    let _alone = alone();
    for is_bytes in [false, true] {
        let data = tempdir().expect("a folder");
        let folder = data.path().to_owned();
        siege(
            |it| {
                it.configure(move |system| {
                    system.data = Some(folder);
                    system.durability = Durability::None;
                })
                .component(HOSTILE, guest("probe"))
                .component_with("evil/busy", guest("endless-loop"), |it| {
                    it.durability = Some(Durability::Relaxed);
                    it.limits.turn_wall_ms = 40;
                    it.limits.turn_fuel = u64::MAX;
                    it.limits.mailbox = 2;
                    match is_bytes {
                        true => it.limits.backlog_bytes = 5_000,
                        false => it.limits.backlog = 5,
                    }
                })
            },
            async |system| {
                let taken = flood(system).await;
                assert!(taken < 40, "{taken}");
                is_over(system).await;
            },
        );
    }
}
