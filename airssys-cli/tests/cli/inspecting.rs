//! `inspect`: what is in a component.

use serde_json::{Value, json};

use crate::run::{airssys, guest, write_needs};

fn inspect_json(name: &str) -> Value {
    airssys(["inspect", &guest(name), "--json"])
        .assert_code(0)
        .json()
}

#[test]
fn a_guest_is_shown_with_what_it_could_use() {
    let run = airssys(["inspect", &guest("relay")]);
    let text = run.assert_code(0).out();
    for words in [
        "guests/bin/relay.wasm\n",
        "  digest      sha256:",
        " bytes)\n",
        "  interfaces  airssys:actor 0.1.0\n",
        "  runs here   yes\n",
        "imports\n",
        "  airssys:actor/storage@0.1.0\n      get, set\n",
        "exports\n",
        "  airssys:actor/handler@0.1.0\n      handle-message\n",
        "\nneeds\n  declares nothing: it may do whatever it is granted\n",
        "\nits imports could use, which is no evidence that it does\n",
        "  send         messaging.send, messaging.broadcast\n",
        "  timers       messaging.send-after\n",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let lists = text.split_once("imports").unwrap().1;
    assert!(
        lists.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert_eq!(run.stderr, "");

    let counter = airssys(["inspect", &guest("counter")]);
    assert!(
        counter
            .out()
            .ends_with("no evidence that it does\n  nothing\n"),
        "{}",
        counter.out()
    );
}

#[test]
fn json_has_every_documented_field() {
    let json = inspect_json("relay");
    assert_eq!(json["file"], guest("relay"));
    assert!(json["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(json["bytes"].as_u64().unwrap() > 10_000);
    assert_eq!(json["handler"], "0.1.0");
    assert_eq!(
        (&json["runs_here"], &json["fault"]),
        (&json!(true), &Value::Null)
    );
    let named = |list: &str, name: &str| {
        let list = json[list].as_array().unwrap();
        list.iter().find(|item| item["name"] == name).unwrap()["functions"].clone()
    };
    assert_eq!(
        named("imports", "airssys:actor/storage@0.1.0"),
        json!(["get", "set"])
    );
    assert_eq!(
        named("exports", "airssys:actor/handler@0.1.0"),
        json!(["handle-message"])
    );
    assert_eq!(
        (&json["needs"], &json["unusable_needs"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(
        json["may_use"][0],
        json!({
            "capability": "send",
            "because": [
                "airssys:actor/messaging@0.1.0#send",
                "airssys:actor/messaging@0.1.0#broadcast",
            ],
        })
    );
}

#[test]
fn a_component_that_says_what_it_needs_is_taken_at_its_word() {
    let text = airssys(["inspect", &guest("modest-v2")]);
    let needs = "\nneeds\n  send         test/sink\n  publish      news.>\n\nits imports";
    assert!(text.out().contains(needs), "{}", text.out());
    let json = inspect_json("modest-v2");
    assert_eq!(
        json["needs"],
        json!({"send": ["test/sink"], "publish": ["news.>"]})
    );
    assert_eq!(json["unusable_needs"], json!([]));
}

#[test]
fn needs_without_a_use_and_those_that_nobody_can_read_are_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let with_needs = |needs: &str| {
        let component = folder.path().join("counter.wasm");
        write_needs(&component, "counter", needs);
        component
    };
    let idle = with_needs(r#"{"network":["evil.example:443"]}"#);
    let run = airssys(["inspect".as_ref(), idle.as_os_str()]);
    let pointed = "\nneeded, though no import could use it\n  network\n";
    assert!(run.assert_code(0).out().contains(pointed), "{}", run.out());

    let unreadable = with_needs(r#"{"fly":["*"]}"#);
    for subcommand in ["inspect", "try"] {
        let run = airssys([subcommand.as_ref(), unreadable.as_os_str()]);
        assert_eq!(run.assert_code(11).out(), "");
        run.assert_err(&["section `airssys:needs`", "unknown field `fly`", "`needs!`"]);
    }
}

#[test]
fn why_it_does_not_run_here_is_an_answer_and_no_failure() {
    for (name, kind, words) in [
        (
            "unknown-import",
            "unknown-import",
            "it imports `evil:corp/backdoor@1.0.0`",
        ),
        (
            "wrong-version",
            "export-version",
            "this host calls `airssys:actor/handler@0.1.0`",
        ),
    ] {
        let run = airssys(["inspect", &guest(name)]);
        let text = run.assert_code(0).out();
        assert!(text.contains("runs here   no\n"), "{text}");
        assert!(text.contains(words), "{text}");
        let json = inspect_json(name);
        assert_eq!(
            (&json["runs_here"], &json["fault"]["kind"]),
            (&json!(false), &json!(kind))
        );
    }
    let minimal = "airssys-wasm/tests/fixtures/minimal-component.wasm";
    let run = airssys(["inspect", minimal, "--json"]);
    assert_eq!(run.assert_code(0).json()["fault"]["kind"], "missing-export");
    assert_eq!(run.json()["handler"], Value::Null);
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    let run = airssys(["inspect", &guest("core-module")]);
    assert_eq!(run.assert_code(10).out(), "");
    run.assert_err(&["is a core WebAssembly module", "wasm-tools component new"]);
}
