//! Files without end, in a folder that may be written.

// Layer 1: Standard library imports
use std::fs::read_dir;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, siege};
use crate::wat::guest;

const ALLOWED: u64 = 256 << 10;

/// What lies in a folder without folders: no file of it takes less than 4 KiB.
fn content(folder: &Path) -> u64 {
    let entries = read_dir(folder).expect("it is there");
    let files = entries.map(|it| it.and_then(|it| it.metadata()).expect("a file"));
    files.map(|file| (file.blocks() * 512).max(4_096)).sum()
}

/// Has several actors of the guest do the same, and returns whether each was told of the end.
async fn are_told(system: &System, script: &[Value]) -> bool {
    let script = Value::from(script).to_string();
    let mut are_told = true;
    for actor in [ACTOR, "evil/hostile/b", "evil/hostile/c"] {
        let told = ask(system, actor, "script", script.as_str()).await;
        are_told &= told.contains("insufficient-space");
    }
    are_told
}

#[test]
fn files_of_any_size_and_number() {
    let _alone = alone();
    let shown = tempdir().expect("a folder");
    siege(
        |it| {
            it.component_with(HOSTILE, guest("outsider"), |it| {
                it.folders.insert("/out".into(), shown.path().to_owned());
                it.grants.write_files.push("/out".into());
                it.grants.read_files.push("/out".into());
                it.limits.folder_bytes = ALLOWED;
            })
        },
        async |system| {
            let text = "x".repeat(128 << 10);
            let large = json!(["append", {"path": "/out/large", "text": text}]);
            assert!(are_told(system, &vec![large; 4]).await, "large ones");
            // What is removed and still open lies in no folder, and on the disk all the same.
            let text = "x".repeat(4_096);
            let mut hidden = vec![
                json!(["remove", {"path": "/out/large"}]),
                json!(["write", {"path": "/out/hidden"}]),
                json!(["open", {"path": "/out/hidden"}]),
                json!(["remove", {"path": "/out/hidden"}]),
            ];
            hidden.resize(70, json!(["again", {"text": text}]));
            assert!(are_told(system, &hidden).await, "hidden ones");
            // Nobody has it open to write it any more.
            let kept = |number| {
                let path = format!("/out/kept-{number}");
                [
                    json!(["append", {"path": path, "text": "x".repeat(64 << 10)}]),
                    json!(["open-many", {"path": path, "count": 1}]),
                    json!(["remove", {"path": path}]),
                ]
            };
            let kept: Vec<Value> = (0..8).flat_map(kept).collect();
            assert!(are_told(system, &kept).await, "kept ones");
            let empty = |number| json!(["write", {"path": format!("/out/{number}")}]);
            let empty: Vec<Value> = (0..70).map(empty).collect();
            assert!(are_told(system, &empty).await, "empty ones");
            let folder = |number| json!(["make-folder", {"path": format!("/out/f{number}")}]);
            let folders: Vec<Value> = (0..70).map(folder).collect();
            assert!(are_told(system, &folders).await, "folders");
        },
    );
    let found = content(shown.path());
    assert!(found <= ALLOWED, "{found} bytes lie there");
}
