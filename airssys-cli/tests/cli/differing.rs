//! `diff`: what a new version asks for beyond the old one.

use std::path::Path;

use serde_json::{Value, json};

use crate::run::{Run, airssys, guest, write_needs};

/// The exit code for a version that asks for more.
const MORE: i32 = 14;

fn diff(old: &str, new: &str) -> Run {
    airssys(["diff", &guest(old), &guest(new)])
}

fn diff_json(old: &Path, new: &Path) -> (i32, Value) {
    let run = airssys([
        "diff".as_ref(),
        old.as_os_str(),
        new.as_os_str(),
        "--json".as_ref(),
    ]);
    (run.code, run.json())
}

/// Two versions of `counter`, which say they need this, or say nothing.
fn versions(old: Option<&str>, new: Option<&str>) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let version = |name: &str, needs: Option<&str>| match needs {
        None => Path::new(&guest("counter")).to_owned(),
        Some(needs) => {
            let path = folder.path().join(name);
            write_needs(&path, "counter", needs);
            path
        }
    };
    diff_json(&version("old.wasm", old), &version("new.wasm", new))
}

#[test]
fn a_greedier_version_is_shown_and_fails() {
    let run = diff("modest", "modest-v2");
    let text = run.assert_code(MORE).out();
    for words in [
        "guests/bin/modest.wasm -> guests/bin/modest-v2.wasm\n",
        "  digest          sha256:",
        " bytes)\n",
        "  handler         0.1.0\n",
        "  asks for more   yes: grant it, or leave the old version\n",
        "\nneeds\n  + publish      news.>\n",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(!text.contains("imports\n"), "{text}");
    assert_eq!(run.stderr, "");
}

#[test]
fn one_that_asks_for_less_or_the_same_is_fine() {
    let back = diff("modest-v2", "modest");
    let text = back.assert_code(0).out();
    assert!(text.contains("  asks for more   no\n"), "{text}");
    assert!(text.contains("  - publish      news.>\n"), "{text}");
    let same = diff("modest", "modest");
    let text = same.assert_code(0).out();
    assert!(text.contains("the same: they are one version\n"), "{text}");
    assert!(text.ends_with("needs\n  the same\n"), "{text}");
}

#[test]
fn json_has_every_documented_field() {
    let json = |old: &str, new: &str| {
        let run = airssys(["diff", &guest(old), &guest(new), "--json"]);
        run.json()
    };
    let found = json("modest", "modest-v2");
    assert_eq!(found["asks_for_more"], true);
    assert_eq!(found["stops_declaring"], false);
    assert_eq!(
        found["needs"],
        json!([{"capability": "publish", "pattern": "news.>", "change": "added"}])
    );
    for (side, file) in [("old", "modest"), ("new", "modest-v2")] {
        let side = &found[side];
        assert_eq!(side["file"], guest(file));
        assert!(side["digest"].as_str().unwrap().starts_with("sha256:"));
        assert!(side["bytes"].as_u64().unwrap() > 10_000);
        assert_eq!(
            (&side["handler"], &side["declares_needs"]),
            (&json!("0.1.0"), &json!(true))
        );
    }
    for list in ["imports", "exports"] {
        assert_eq!(found[list], json!({"added": [], "removed": []}));
    }
    let found = json("echo", "relay");
    assert_eq!(found["may_newly_use"][0]["capability"], "send");
    let added = found["imports"]["added"].as_array().unwrap();
    assert!(
        added
            .iter()
            .any(|it| it["name"] == "airssys:actor/messaging@0.1.0"),
        "{added:?}"
    );
}

#[test]
fn patterns_are_widened_and_narrowed() {
    let some = r#"{"send":["shop/stock"]}"#;
    let all = r#"{"send":["shop/*"]}"#;
    let change = |change: &str, list: &str| json!([{"capability": "send", "pattern": "shop/*", "change": change, list: ["shop/stock"]}]);
    let (code, json) = versions(Some(some), Some(all));
    assert_eq!((code, &json["needs"]), (MORE, &change("widened", "from")));
    let (code, json) = versions(Some(all), Some(some));
    assert_eq!((code, &json["needs"]), (0, &change("narrowed", "to")));
}

#[test]
fn one_that_says_no_more_what_it_needs_asks_for_more() {
    let (code, json) = versions(Some("{}"), None);
    assert_eq!((code, &json["stops_declaring"]), (MORE, &json!(true)));
    // To begin to say it is no more than is said.
    assert_eq!(versions(None, Some("{}")).0, 0);
    assert_eq!(versions(None, Some(r#"{"send":["self"]}"#)).0, MORE);
}

#[test]
fn two_that_say_nothing_are_compared_by_their_imports() {
    let run = diff("echo", "relay");
    let text = run.assert_code(MORE).out();
    for words in [
        "yes: it does not say what it needs, and imports more\n",
        "\nneeds\n  declares nothing: it may do whatever it is granted\n",
        "\nits imports could newly use, which is no evidence that it does\n  send         messaging.",
        "\nimports\n  + airssys:actor/messaging@0.1.0\n      ",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    diff("relay", "echo").assert_code(0);
}

#[test]
fn what_is_no_component_has_no_difference() {
    for (old, new) in [("core-module", "echo"), ("echo", "core-module")] {
        let run = diff(old, new);
        assert_eq!(run.assert_code(10).out(), "");
        run.assert_err(&["core-module.wasm is a core WebAssembly module"]);
    }
    let run = airssys(["diff", &guest("echo"), "no/such.wasm", "--json"]);
    assert_eq!(run.assert_code(3).json()["error"]["kind"], "io");
}
