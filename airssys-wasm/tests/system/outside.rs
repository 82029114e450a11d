//! Turns that reach outside of the system: they happen once, and cannot be run again.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::component::settings::RecordingSettings;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::turn::recorded::RecordedTurn;
use airssys_wasm::system::error::ControlError;

use crate::support::{ask, builder, guest, once, try_ask};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reached_outside_is_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    let system = builder()
        .component_with("demo/outsider", &*guest("outsider"), |config| {
            once(config);
            config.recording = RecordingSettings {
                turns: 64,
                every_ms: 0,
            };
            let host = folder.path().to_owned();
            config.folders = [("/data".to_owned(), host)].into();
            config.grants = Capabilities {
                write_files: vec!["/data".into()],
                ..Capabilities::default()
            };
        })
        .start()
        .await
        .unwrap();
    let (to, write) = ("demo/outsider/one", r#"{"path": "/data/a", "text": "x"}"#);
    assert_eq!(ask(&system, to, "write", write).await, r#"{"ok":null}"#);
    assert_eq!(ask(&system, to, "arguments", "{}").await, r#"{"ok":[]}"#);
    let kept = system.recorded_turns("demo/outsider").unwrap();
    assert_eq!(kept.len(), 1, "the one that wrote is not kept");

    // What failed is kept with its letter, and cannot be replayed either.
    let script = json!([["write", {"path": "/data/a", "text": "y"}], ["exit", {}]]);
    assert!(
        try_ask(&system, to, "script", script.to_string())
            .await
            .is_err()
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "y", "it is not undone");
    let (letter_id, letter) = system.dead_letters(None, None, 10).pop().unwrap();
    let replayed = system.replay(letter_id).await;
    assert!(
        matches!(replayed, Err(ControlError::TurnCut)),
        "{replayed:?}"
    );

    // A turn that does on another version what it had not done does not do it.
    let mut turn = RecordedTurn::clone(&kept[0]);
    turn.letter = letter.turn.as_ref().unwrap().letter.clone();
    fs::remove_file(&file).unwrap();
    let report = system.replay_turn(&turn, None).await.unwrap();
    let said = report.differences.join("\n");
    assert!(
        said.contains("`write_files` for \"/data\", which cannot be done again"),
        "{said}"
    );
    assert!(!file.exists());
}
