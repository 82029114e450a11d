//! Denials without end.

// Layer 1: Standard library imports
use std::fs::read_dir;
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde_json::json;
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::security::audit::{Action, Operation};
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::security::audit::query::AuditQuery;

use crate::support::{ACTOR, HOSTILE, alone, script, siege};
use crate::wat::guest;

/// Denials come as fast as a guest can: what is written down of them is bounded, and what
/// is not written down is counted.
#[test]
fn a_flood_of_denials() {
    let _alone = alone();
    let folder = tempdir().expect("a folder");
    let audit = folder.path().join("audit");
    let denials = json!([
        "messaging.send",
        json!({"target": "demo/neighbour/a", "kind": "add"})
    ]);
    siege(
        |it| {
            it.configure(|system| {
                system.security.audit.folder = Some(audit.clone());
                system.security.audit.file_bytes = 65_536;
                system.security.audit.files = 2;
            })
            .component_with(HOSTILE, guest("probe"), |it| {
                it.grants = Capabilities::default();
            })
        },
        async |system| {
            let before = system.status().audit;
            let began = Instant::now();
            for _ in 0..10 {
                let told = script(system, ACTOR, &vec![denials.clone(); 1_000]).await;
                assert!(told.iter().all(|it| it.starts_with("denied: `send`")));
            }
            let after = system.status().audit;
            let written = after.entries - before.entries;
            // Twenty in a second, and how many there were besides.
            let most = 25 * (began.elapsed().as_secs() + 2);
            assert!(written < most, "{written} of 10 000 are written down");
            assert_eq!((after.lost, after.failure), (before.lost, None));
        },
    );
    let files = read_dir(&audit).expect("the log");
    let bytes: u64 = files
        .map(|it| it.and_then(|it| it.metadata()).expect("a file").len())
        .sum();
    assert!(bytes < 4 * 65_536, "{bytes} bytes");
}

/// Denials that take up as much as they can, as fast as they are let through: the log holds a
/// hundredth of what they would be, and what operators did is in it still.
#[test]
fn denials_drive_nothing_out_of_the_log() {
    let _alone = alone();
    let folder = tempdir().expect("a folder");
    let audit = folder.path().join("audit");
    let topic = json!({"repeat": "\u{1}", "times": 4_096});
    let denials = vec![json!(["messaging.publish", { "topic": topic }]); 500];
    siege(
        |it| {
            it.configure(|system| {
                system.security.audit.folder = Some(audit.clone());
                system.security.audit.file_bytes = 1 << 20;
                system.security.audit.files = 4;
                system.security.audit.denials_per_s = 10_000;
            })
            .component_with(HOSTILE, guest("probe"), |it| {
                it.grants = Capabilities::default();
            })
        },
        async |system| {
            let entries = || system.status().audit.entries;
            for _ in 0..4 {
                let told = script(system, ACTOR, &denials).await;
                // A guest is told no more of it than an operator is.
                let is_short =
                    |it: &String| it.starts_with("denied: `publish`") && it.len() < 1_200;
                assert!(told.iter().all(is_short), "{:.2000}", told[0]);
            }
            let query = |action| AuditQuery {
                action: Some(action),
                ..AuditQuery::default()
            };
            let start = Action::Operate(Operation::Start);
            let found = system.audit(&query(start)).await.expect("the log");
            assert_eq!(found.records.len(), 1, "{} entries", entries());
        },
    );
    let files = read_dir(&audit).expect("the log");
    let files = files.map(|it| it.expect("a file").path());
    let logs = files.filter(|it| it.extension().is_some_and(|it| it == "jsonl"));
    let bytes: u64 = logs.map(|it| it.metadata().expect("a file").len()).sum();
    assert!(bytes < 4 << 20, "{bytes} bytes");
}
