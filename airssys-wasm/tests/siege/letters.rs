//! Dead letters without end.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::runtime::Runtime;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::messaging::dead_letters::MAX_DEAD_LETTER_BYTES;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, builder, failure, siege};
use crate::wat::{guest, handling};

/// Who has failed once.
const VICTIM: &str = "evil/victim/a";

/// So many letters of 4 MiB are more than there is room for.
const MANY: u64 = MAX_DEAD_LETTER_BYTES / (4 << 20) + 4;

/// An actor with room for the largest message that always fails.
fn failing() -> Vec<u8> {
    handling("(memory (export \"memory\") 80)", "unreachable")
}

/// Fails at messages that are as large as they may be, more than there is room for.
async fn flood(system: &System) {
    for _ in 0..MANY {
        failure(system, ACTOR, "", vec![b'x'; 4 << 20]).await;
    }
    let own = system.dead_letters(Some(HOSTILE), None, usize::MAX);
    assert!(
        (8..MANY as usize).contains(&own.len()),
        "{} are kept",
        own.len()
    );
}

fn letters_to_victim(system: &System) -> Vec<Value> {
    let letters = system.dead_letters(Some(VICTIM), None, usize::MAX);
    letters.iter().map(|(id, _)| json!(id)).collect()
}

#[test]
fn letters_without_end_drive_out_those_of_nobody_else() {
    let _alone = alone();
    siege(
        |it| {
            it.component(HOSTILE, failing())
                .component("evil/victim", failing())
        },
        async |system| {
            failure(system, VICTIM, "", "important").await;
            let before = letters_to_victim(system);
            flood(system).await;
            assert_eq!(letters_to_victim(system), before);
        },
    );
}

/// What went to make room is gone from the disk too, and nothing else.
#[test]
fn letters_without_end_drive_out_nothing_on_disk() {
    let _alone = alone();
    let folder = tempdir().expect("a folder");
    let start = async || {
        let data = folder.path().join("data");
        let building = builder()
            .configure(|system| system.data = Some(data))
            .component(HOSTILE, failing())
            .component("evil/victim", failing());
        building.start().await.unwrap_or_else(|e| panic!("{e}"))
    };
    Runtime::new().expect("a runtime").block_on(async {
        let system = start().await;
        failure(&system, VICTIM, "", "important").await;
        flood(&system).await;
        let kept = |system: &System| -> Vec<Value> {
            let letters = system.dead_letters(None, None, usize::MAX);
            letters.iter().map(|(id, _)| json!(id)).collect()
        };
        let before = kept(&system);
        assert_eq!(letters_to_victim(&system).len(), 1);
        system.shutdown().await;
        let system = start().await;
        assert_eq!(kept(&system), before);
        assert_eq!(letters_to_victim(&system).len(), 1);
        system.shutdown().await;
    });
}

/// Turns that are denied as much as they can, with resources that are long when they are
/// told, and then fail: the letters take up no more than all letters may.
#[test]
fn what_turns_were_denied_counts_in_their_letters() {
    let _alone = alone();
    let denied =
        |times: u32| json!(["messaging.publish", {"topic": {"repeat": "\u{7f}", "times": times}}]);
    let mut calls: Vec<Value> = (600..1_000).map(denied).collect();
    // More than may be handed over at once stops the turn.
    calls.push(json!(["messaging.publish", {"topic": {"repeat": "x", "times": 9 << 20}}]));
    let script = Value::from(calls).to_string();
    let building = builder().component_with(HOSTILE, guest("probe"), |it| {
        it.grants = Capabilities::default();
    });
    Runtime::new().expect("a runtime").block_on(async {
        let system = building.start().await.unwrap_or_else(|e| panic!("{e}"));
        for _ in 0..130 {
            failure(&system, ACTOR, "script", script.clone()).await;
        }
        let letters = system.dead_letters(None, None, usize::MAX);
        let mut bytes = 0;
        // Those that found the actor given up, before it was resumed, have no turn.
        for turn in letters
            .iter()
            .filter_map(|(_, letter)| letter.turn.as_ref())
        {
            let denied = turn.learnt.denied.iter();
            bytes += denied
                .map(|it| it.resource.len() + it.error.to_string().len())
                .sum::<usize>();
        }
        let room = MAX_DEAD_LETTER_BYTES as usize;
        let (fewest, number) = (room / 2, letters.len());
        assert!(
            (fewest..=room).contains(&bytes),
            "{bytes} bytes in {number}"
        );
        system.shutdown().await;
    });
}
