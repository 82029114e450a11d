//! More messages than anybody can handle.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{HOSTILE, alone, id, script, siege, until, with_data};
use crate::wat::{guest, handling};

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
        siege(
            |it| {
                with_data(it, data.path())
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

/// How many actors messages are spread over, and how many bytes each message has.
const ACTORS: usize = 20;
const BYTES: usize = 70_000;

/// Sends so many messages to each of many actors of its own when it is sent one with a kind, and
/// replies how many it was told of a full mailbox, and how many of anything else. To a message
/// without a kind it does nothing for a while, so that many of them can.
fn spreader(each: usize) -> Vec<u8> {
    // What the host hands over lies below 131072.
    let fields = r#"
        (import "airssys:actor/messaging@0.1.0" "send"
          (func $send (param i32 i32 i32 i32 i32 i32 i32)))
        (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
          (func $after (param i64) (result i32)))
        (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
        (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop (param i32)))
        (memory (export "memory") 4)
        (data (i32.const 200000) "evil/hostile/00")
        ;; Nothing, and ok(some(list at 200300, 2 bytes long)).
        (data (i32.const 200200) "\00\00\00\00" "\01\00\00\00" "\6c\0e\03\00" "\02\00\00\00")
        (func $digit (param $place i32) (param $digit i32)
          (i32.store8 (local.get $place) (i32.add (local.get $digit) (i32.const 48))))
        (func $count (param $place i32)
          (i32.store8 (local.get $place)
            (i32.add (i32.load8_u (local.get $place)) (i32.const 1))))"#;
    let body = r#"
        (local $sent i32) (local $pollable i32)
        (if (i32.eqz (local.get $kind-bytes)) (then
          (local.set $pollable (call $after (i64.const 500000000)))
          (call $block (local.get $pollable))
          (call $drop (local.get $pollable))
          (return (i32.const 200400))))
        (i32.store16 (i32.const 200300) (i32.const 0))
        (loop $next
          (call $digit (i32.const 200013)
            (i32.div_u (i32.rem_u (local.get $sent) (i32.const ACTORS)) (i32.const 10)))
          (call $digit (i32.const 200014)
            (i32.rem_u (i32.rem_u (local.get $sent) (i32.const ACTORS)) (i32.const 10)))
          (call $send (i32.const 200000) (i32.const 15) (i32.const 0) (i32.const 0)
            (i32.const 1024) (i32.const BYTES) (i32.const 200100))
          (if (i32.load8_u (i32.const 200100)) (then
            ;; The third of the errors.
            (if (i32.eq (i32.load8_u (i32.const 200104)) (i32.const 2))
              (then (call $count (i32.const 200300)))
              (else (call $count (i32.const 200301))))))
          (local.set $sent (i32.add (local.get $sent) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $sent) (i32.const SENDS))))
        (i32.const 200200)"#;
    let sends = ACTORS * each;
    let body = body
        .replace("ACTORS", &ACTORS.to_string())
        .replace("BYTES", &BYTES.to_string())
        .replace("SENDS", &sends.to_string());
    handling(fields, &body)
}

/// Has messages spread until one is refused, from within and from outside.
async fn spread(system: &System) {
    for turn in 1.. {
        let reply = system.ask(&id("evil/hostile/spreader"), "spread", "").await;
        let reply = reply.expect("it replies").expect("two numbers");
        let &[full, other] = reply.as_bytes() else {
            panic!("{reply:?}");
        };
        assert_eq!(other, 0, "told of something else");
        if full > 0 {
            break;
        }
        // What a turn sends was promised a place, so that it takes several.
        assert!(turn < 20, "none was refused");
    }
    let mut sent = 0;
    let refused = loop {
        let to = id(&format!("{HOSTILE}/{:02}", sent % ACTORS));
        match system.send(&to, "", vec![0; BYTES]).await {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
        assert!(sent < 1_000, "none was refused");
    };
    assert_eq!(refused.reason, Refusal::MailboxFull);
    assert_eq!(refused.message.payload().len(), BYTES, "it is given back");
}

/// What is counted of all who are hostile: bytes in memory, and messages and bytes on disk.
fn counted(system: &System) -> (u64, u64, u64) {
    let status = system.status();
    let hostile = status.components.iter().find(|it| it.name == HOSTILE);
    let hostile = hostile.expect("it is there");
    (
        hostile.waiting_bytes,
        hostile.on_disk,
        hostile.on_disk_bytes,
    )
}

/// Each of many actors has far less waiting than it may, and all together no more than they may
/// but for what a turn has recorded. Whoever has little waiting is still told little.
#[test]
fn all_mailboxes_of_a_component_take_so_many_bytes_together() {
    let _alone = alone();
    const ALLOWED: u64 = 1 << 20;
    const EACH: usize = 4;
    siege(
        |it| {
            it.component_with(HOSTILE, spreader(EACH), |it| {
                it.limits.total_mailbox_bytes = ALLOWED;
            })
        },
        async |system| {
            spread(system).await;
            let (in_memory, _, _) = counted(system);
            // What a turn has recorded, and the last from outside, each in its envelope.
            let more = (ACTORS * EACH + 1) * (BYTES + 1_000);
            assert!(in_memory <= ALLOWED + more as u64, "{in_memory}");
            let little = system.send(&id("evil/hostile/little"), "", vec![0]).await;
            little.expect("it has room for little");
            is_over(system).await;
        },
    );
}

/// What is too much for the mailboxes of durable actors waits on disk, within limits for all.
#[test]
fn a_disk_takes_so_many_messages_and_bytes_of_a_component() {
    let _alone = alone();
    const ALLOWED: u64 = 20;
    const EACH: usize = 3;
    for is_bytes in [false, true] {
        let data = tempdir().expect("a folder");
        siege(
            |it| {
                with_data(it, data.path()).component_with(HOSTILE, spreader(EACH), |it| {
                    it.durability = Some(Durability::Relaxed);
                    // An answer arrives a moment before its message has left.
                    it.limits.mailbox = 2;
                    match is_bytes {
                        true => it.limits.total_backlog_bytes = ALLOWED * BYTES as u64,
                        false => it.limits.total_backlog = ALLOWED,
                    }
                })
            },
            async |system| {
                spread(system).await;
                let (_, messages, bytes) = counted(system);
                // Those of a turn are admitted before any of them has gone.
                let most = ALLOWED + (ACTORS * EACH) as u64;
                assert!(
                    messages <= most && bytes <= most * BYTES as u64,
                    "{messages}"
                );
                is_over(system).await;
            },
        );
    }
}
