//! Denials without end.

// Layer 1: Standard library imports
use std::fs::read_dir;
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde_json::json;
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;

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
