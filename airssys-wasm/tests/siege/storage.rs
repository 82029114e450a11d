//! More keys and values than may be kept.

// Layer 1: Standard library imports
use std::fs::read_dir;
use std::path::Path;
use std::slice::from_ref;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, call, script, siege, with_data};
use crate::wat::guest;

/// Attacks a system that keeps all in memory, and one with a data folder.
fn siege_both(change: impl Fn(&mut ComponentConfig), attack: impl AsyncFn(&System)) {
    siege(
        |it| it.component_with(HOSTILE, guest("probe"), &change),
        &attack,
    );
    let data = tempfile::tempdir().expect("a folder");
    siege(
        |it| {
            with_data(it, data.path()).component_with(HOSTILE, guest("probe"), |it| {
                it.durability = Some(Durability::Relaxed);
                change(it);
            })
        },
        &attack,
    );
    let left = bytes_in(data.path());
    assert!(left < 64 << 20, "{left} bytes on disk");
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = read_dir(folder).expect("a folder");
    let sizes = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let metadata = entry.metadata().expect("its size");
        if metadata.is_dir() {
            bytes_in(&entry.path())
        } else {
            metadata.len()
        }
    });
    sizes.sum()
}

fn set(key: impl Into<Value>, value: impl Into<Value>) -> Value {
    json!(["storage.set", {"key": key.into(), "value": value.into()}])
}

/// Sets keys until it is refused, and tells how often that went well and what was said.
/// Afterwards they are removed.
async fn fill(system: &System, actor: &str, value: Value, times: usize) -> (usize, String) {
    let mut fine = 0;
    let mut refused = String::new();
    for first in (0..times).step_by(100) {
        let keys = first..(first + 100).min(times);
        let calls: Vec<Value> = keys
            .map(|key| set(format!("k{key}"), value.clone()))
            .collect();
        let errors = script(system, actor, &calls).await;
        fine += errors.iter().filter(|error| error.is_empty()).count();
        if let Some(error) = errors.into_iter().find(|error| !error.is_empty()) {
            refused = error;
            break;
        }
    }
    (fine, refused)
}

async fn clear(system: &System, actor: &str, times: usize) {
    for first in (0..times).step_by(500) {
        let keys = first..(first + 500).min(times);
        let remove = |key| json!(["storage.remove", {"key": format!("k{key}")}]);
        script(system, actor, &keys.map(remove).collect::<Vec<_>>()).await;
    }
}

#[test]
fn keys_and_values_of_any_size() {
    let _alone = alone();
    siege_both(
        |_| {},
        async |system| {
            let huge = |times: u64| json!({"repeat": "x", "times": times});
            for (call, limit, allowed) in [
                (set(huge(513), "v"), Limit::KeyBytes, 512),
                (set("k", huge((1 << 20) + 1)), Limit::ValueBytes, 1 << 20),
                (
                    json!(["storage.get", {"key": huge(513)}]),
                    Limit::KeyBytes,
                    512,
                ),
                (
                    json!(["storage.remove", {"key": huge(513)}]),
                    Limit::KeyBytes,
                    512,
                ),
                (
                    json!(["storage.get-many", {"keys": [huge(513)]}]),
                    Limit::KeyBytes,
                    512,
                ),
                (
                    json!(["storage.get-many", {"keys": vec!["k"; 1_025]}]),
                    Limit::KeysPerCall,
                    1_024,
                ),
                (
                    json!(["storage.list-keys", {"limit": 1_025}]),
                    Limit::KeysPerCall,
                    1_024,
                ),
                (
                    json!(["services.list-components", {"limit": 1_025}]),
                    Limit::KeysPerCall,
                    1_024,
                ),
                (
                    json!(["services.random-bytes", {"count": 65_537}]),
                    Limit::RandomBytes,
                    65_536,
                ),
                (
                    json!(["services.random-bytes", {"count": u32::MAX}]),
                    Limit::RandomBytes,
                    65_536,
                ),
            ] {
                let told = script(system, ACTOR, from_ref(&call)).await.remove(0);
                assert!(
                    told.starts_with(&format!("too-large: {limit} allows {allowed}")),
                    "{told}"
                );
            }
        },
    );
}

#[test]
fn a_turn_writes_so_much() {
    let _alone = alone();
    siege_both(
        |it| it.limits.turn_writes = 50,
        async |system| {
            let (written, refused) = fill(system, ACTOR, "v".into(), 100).await;
            assert_eq!(written, 50);
            assert_eq!(
                refused,
                "quota-exceeded: turn_writes allows 50, and 51 was wanted"
            );
            clear(system, ACTOR, 50).await;
        },
    );
    siege_both(
        |it| it.limits.turn_write_bytes = 100_000,
        async |system| {
            let value = json!({"repeat": "x", "times": 60_000});
            let (written, refused) = fill(system, ACTOR, value, 2).await;
            assert_eq!(written, 1);
            assert!(
                refused.starts_with("quota-exceeded: turn_write_bytes allows 100000"),
                "{refused}"
            );
            clear(system, ACTOR, 1).await;
        },
    );
}

#[test]
fn an_actor_keeps_so_much() {
    let _alone = alone();
    siege_both(
        |it| it.limits.storage_keys = 250,
        async |system| {
            let (written, refused) = fill(system, ACTOR, "v".into(), 1_000).await;
            assert_eq!(written, 250);
            assert_eq!(
                refused,
                "quota-exceeded: storage_keys allows 250, and 251 was wanted"
            );
            clear(system, ACTOR, 250).await;
        },
    );
    siege_both(
        |it| it.limits.storage_bytes = 1 << 20,
        async |system| {
            let value = json!({"repeat": "x", "times": 100_000});
            let (written, refused) = fill(system, ACTOR, value, 50).await;
            assert_eq!(written, 10);
            assert!(
                refused.starts_with("quota-exceeded: storage_bytes allows 1048576"),
                "{refused}"
            );
            clear(system, ACTOR, 10).await;
        },
    );
}

/// Each within its own quota, and all together beyond theirs.
#[test]
fn all_actors_of_a_component_keep_so_much_together() {
    let _alone = alone();
    const ACTORS: usize = 10;
    let actor = |number: usize| format!("evil/hostile/{number}");
    siege_both(
        |it| it.limits.total_storage_keys = 55,
        async |system| {
            let mut last = String::new();
            for number in 0..ACTORS {
                (_, last) = fill(system, &actor(number), "v".into(), 10).await;
            }
            let words = "quota-exceeded: total_storage_keys allows 55, and 56 was wanted";
            assert_eq!(last, words);
            for number in 0..ACTORS {
                clear(system, &actor(number), 10).await;
            }
        },
    );
    siege_both(
        |it| it.limits.total_storage_bytes = 500_000,
        async |system| {
            let value = json!({"repeat": "x", "times": 80_000});
            let mut last = String::new();
            for number in 0..ACTORS {
                (_, last) = fill(system, &actor(number), value.clone(), 1).await;
            }
            assert!(
                last.starts_with("quota-exceeded: total_storage_bytes allows 500000"),
                "{last}"
            );
            for number in 0..ACTORS {
                clear(system, &actor(number), 1).await;
            }
        },
    );
}

/// The host answers a page at a time, and a value that is read many times in a turn is
/// shared.
#[test]
fn reads_without_end() {
    let _alone = alone();
    siege_both(
        |_| {},
        async |system| {
            fill(system, ACTOR, json!({"repeat": "x", "times": 1_000}), 100).await;
            let many: Vec<String> = (0..1_024).map(|it| format!("k{}", it % 100)).collect();
            let told = call(system, "storage.get-many", json!({"keys": many})).await;
            assert_eq!(told, "");
            clear(system, ACTOR, 100).await;
        },
    );
}
