//! Many actors that send at random, trap at random, and change their version meanwhile.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

// Layer 2: Third-party crate imports
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::system::handle::System;
use airssys_wasm::system::status::Counts;

use crate::support::{
    PATIENCE, ask, at_once, builder, counts, from, guest, id, is_settled, marked, until,
};

const ACTORS: usize = 1_000;
const SENDERS: usize = 4;
const MESSAGES: usize = 6_000;
const COMPONENTS: [&str; 3] = ["demo/red", "demo/green", "demo/blue"];

fn actor(number: usize) -> String {
    format!("{}/{number}", COMPONENTS[number % COMPONENTS.len()])
}

async fn system() -> System {
    let building = builder().configure(|system| system.max_live_actors = 300);
    let building = COMPONENTS.into_iter().fold(building, |building, name| {
        building.component_with(name, &*guest("ledger"), |it| {
            it.retry = at_once(3);
            it.limits.mailbox = 16;
            it.idle_ms = 50;
            // Traps are the weather here, and no fault of a new version.
            it.upgrade.max_failures = 10_000;
        })
    });
    building.start().await.unwrap()
}

/// One sender: numbers what it sends to each actor, and returns how many were accepted.
async fn send_at_random(system: System, sender: usize) -> u64 {
    let mut rng = StdRng::seed_from_u64(sender as u64);
    let name = format!("test/sender/{sender}");
    let mut numbers: BTreeMap<usize, u64> = BTreeMap::new();
    let mut accepted = 0;
    for _ in 0..MESSAGES {
        let target = rng.random_range(0..ACTORS);
        let number = numbers.entry(target).or_default();
        *number += 1;
        let to = id(&actor(target));
        let message = match rng.random_range(0..100) {
            0..3 => from(&name, &to, "trap", ""),
            3..15 => from(&name, &to, "flip", &number.to_string()),
            15..45 => {
                let next = actor(rng.random_range(0..ACTORS));
                let kind = ["later", "later", "flip"][rng.random_range(0..3)];
                from(&name, &to, "forward", &format!("{next} {kind}"))
            }
            _ => from(&name, &to, "later", &number.to_string()),
        };
        let sent = if rng.random_bool(0.5) {
            system.send_when_space(message, PATIENCE).await
        } else {
            system.send_message(message).await
        };
        match sent {
            Ok(()) => accepted += 1,
            Err(refused) => assert_eq!(refused.reason, Refusal::MailboxFull),
        }
        if rng.random_ratio(1, 64) {
            tokio::task::yield_now().await;
        }
    }
    accepted
}

/// What all components have counted together.
fn sum(system: &System) -> Counts {
    let mut sum = Counts::default();
    for component in COMPONENTS {
        let counts = counts(system, component);
        sum.accepted += counts.accepted;
        sum.handled += counts.handled;
        sum.rejected += counts.rejected;
        sum.buried += counts.buried;
        sum.expired += counts.expired;
        sum.failed += counts.failed;
        sum.activated += counts.activated;
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_accounted_for_and_every_pair_keeps_its_order() {
    let system = system().await;
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| tokio::spawn(send_at_random(system.clone(), sender)))
        .collect();
    // Waited for step by step, since all of it takes a slow machine longer than one step may.
    for tenths in 1..=5 {
        let so_many = (SENDERS * MESSAGES / 10 * tenths) as u64;
        until("the storm is at its height", || {
            sum(&system).accepted > so_many
        })
        .await;
    }
    // Red is upgraded, green goes forth and back, blue stays.
    let red = system
        .upgrade(COMPONENTS[0], marked("ledger", "red"))
        .await
        .unwrap();
    let green = system
        .upgrade(COMPONENTS[1], marked("ledger", "green"))
        .await
        .unwrap();
    assert_ne!(red.to, green.to);
    system.rollback(COMPONENTS[1], None).await.unwrap();

    let mut accepted = 0;
    for sender in senders {
        accepted += sender.await.unwrap();
    }
    let mut sum = Counts::default();
    until("all is quiet", || {
        // What did not change between two looks was so all at once.
        let before = mem::replace(&mut sum, self::sum(&system));
        let waiting: usize = system.status().components.iter().map(|it| it.waiting).sum();
        before == sum && is_settled(sum) && sum.accepted >= accepted && waiting == 0
    })
    .await;
    let forwarded = sum.accepted - accepted;
    assert!(forwarded > 0, "{sum:?}");
    assert!(sum.buried > 0 && sum.failed > sum.buried, "{sum:?}");
    // The guests reject what comes out of order, once too often, or twice.
    assert_eq!(sum.rejected, 0, "{sum:?}");
    assert_eq!(sum.expired, 0, "{sum:?}");
    assert_eq!(system.status().dead_letters as u64, sum.buried);
    assert!(sum.activated > ACTORS as u64, "many came and went");

    // What the guests say agrees with what the host has counted.
    let mut taken = 0;
    for number in 0..ACTORS {
        taken += ask(&system, &actor(number), "count", "")
            .await
            .parse::<u64>()
            .unwrap();
    }
    assert!(taken <= sum.handled && taken > sum.handled / 2);
    let report = system.shutdown_within(Duration::from_secs(10)).await;
    assert!(report.is_clean(), "{report:?}");
}
