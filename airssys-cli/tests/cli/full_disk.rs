//! A disk that is full.

use crate::data::end;
use crate::run::Run;
use crate::system::Home;

const MANIFEST: &str = r#"
name = "full"
[system]
data = "data"
[[component]]
name = "full/probe"
source = "probe.wasm"
"#;

/// 4 MiB, in the units of `ulimit`.
const BLOCKS: u32 = 8_192;

fn set(home: &Home, key: u32) -> Run {
    let data = format!(r#"{{"key":"k{key}","value":{{"repeat":"x","times":500000}}}}"#);
    home.run(&format!("ask full/probe/a -k storage.set -d {data}"))
}

#[test]
fn a_full_disk_ends_the_system_and_takes_back_nothing() {
    let home = Home::with_manifest(&["probe"], MANIFEST);
    let up = home.up_with_small_files(BLOCKS);
    let mut acknowledged = 0;
    let refused = loop {
        let run = set(&home, acknowledged);
        if run.code != 0 {
            break run;
        }
        acknowledged += 1;
        assert!(acknowledged < 20, "the disk is not full");
    };
    // The disk may have become full between two messages; then the system may be gone, or go
    // while it answers.
    if !matches!(refused.code, 4 | 5) {
        refused
            .assert_code(30)
            .assert_err(&["the store", "fail", "free space"]);
    }
    let (code, _stdout, stderr) = up.ended();
    assert_eq!(code, Some(30), "{stderr}");
    assert!(stderr.contains("the store failed"), "{stderr}");
    assert!(acknowledged > 1, "{acknowledged}");

    // There is room again.
    let up = home.up("");
    for key in 0..acknowledged {
        let data = format!(r#"{{"key":"k{key}"}}"#);
        let read = home.run(&format!("ask full/probe/a -k storage.get -d {data}"));
        assert!(read.assert_code(0).out().len() > 500_000, "{key} is gone");
    }
    set(&home, acknowledged).assert_code(0);
    end(up);
}
