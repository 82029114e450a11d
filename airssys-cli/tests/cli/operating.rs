//! Changing a running system, and watching it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::run::guest;
use crate::talking::shop;

#[test]
fn components_are_deployed_upgraded_and_rolled_back() {
    let home = shop();
    let _up = home.up("");
    let lifecycle = guest("lifecycle");
    let deployed = home.json(&format!(
        "deploy shop/life {lifecycle} --config a=b=c --grant config=a"
    ));
    assert_eq!(deployed["component"], "shop/life");
    assert_eq!(
        home.run("ask shop/life/1 -k config -d a")
            .assert_code(0)
            .out(),
        "b=c"
    );
    let again = home.run(&format!("deploy shop/life {lifecycle}"));
    again
        .assert_code(9)
        .assert_err(&["is there already", "`airssys upgrade shop/life FILE`"]);

    home.run("ask shop/counter/a -k add -d 2").assert_code(0);
    let changed = home.run(&format!("upgrade shop/counter {}", guest("echo")));
    for words in [
        "shop/counter changed from version",
        "switched  1 live actor\n",
        "went otherwise",
    ] {
        assert!(
            changed.assert_code(0).out().contains(words),
            "{}",
            changed.out()
        );
    }
    assert_eq!(
        home.run("ask shop/counter/a -d hi").assert_code(0).out(),
        "hi"
    );
    assert_eq!(home.json("rollback shop/counter")["switched"], 1);
    assert_eq!(
        home.run("ask shop/counter/a -k get").assert_code(0).out(),
        "2"
    );

    for (args, code, words) in [
        (
            format!("upgrade shop/counter {}", guest("counter")),
            9,
            "already",
        ),
        (
            format!("upgrade shop/nobody {}", guest("echo")),
            9,
            "no component `shop/nobody`",
        ),
        (
            format!("upgrade shop/counter {}", guest("wrong-version")),
            12,
            "wrong-version.wasm speaks",
        ),
        (
            format!("upgrade shop/counter {}", guest("core-module")),
            10,
            "wasm-tools component new",
        ),
        (
            format!("deploy shop/x {}", guest("unknown-import")),
            11,
            "evil:corp",
        ),
        (
            "deploy shop/x Cargo.toml".to_owned(),
            10,
            "Cargo.toml is not WebAssembly",
        ),
        (
            "deploy shop/x no/such.wasm".to_owned(),
            3,
            "cannot read no/such.wasm",
        ),
        ("deploy airssys/x Cargo.toml".to_owned(), 2, "reserved"),
        ("rollback shop/relay".to_owned(), 9, "no earlier version"),
        (
            "rollback shop/relay 9.9".to_owned(),
            9,
            "no kept version `9.9`",
        ),
    ] {
        home.run(&args).assert_code(code).assert_err(&[words]);
    }
}

const SCRIPT: &str = r#"[["services.log",{"level":"info","text":"some\u001bnews"}],["services.log",{"level":"debug","text":"a-detail"}]]"#;

#[test]
fn logs_have_guests_and_events_and_can_be_followed() {
    let home = shop();
    let mut up = home.up("");
    home.run(&format!("ask shop/probe/p -k script -d {SCRIPT}"))
        .assert_code(0);
    up.wait_for("shop/probe/p info: some\\u{1b}news");
    let logs = home.run("logs");
    assert!(
        logs.assert_code(0)
            .out()
            .contains("shop/probe/p info: some\\"),
        "{}",
        logs.out()
    );
    assert!(!logs.out().contains("a-detail"));
    let debug = home.run("logs --level debug --actor shop/probe --json");
    let lines = debug.assert_code(0).out().lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let detail = lines.iter().find(|line| line["text"] == "a-detail");
    assert_eq!(detail.unwrap()["from"], "guest");
    // Events are told a moment after they happened.
    let activated = r#""event":"activated","actor":"shop/probe/p""#;
    while !home
        .run("logs --level debug --json")
        .out()
        .contains(activated)
    {}
    assert_eq!(home.run("logs -n 1").out().lines().count(), 1);
    assert_eq!(home.run("logs --actor shop/relay").assert_code(0).out(), "");

    // The last line comes first, and tells that the following has begun.
    let follow = |form: &str| {
        let mut command = home.command(&format!("logs -f -n 1 {form}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("some\\"));
        (child, lines)
    };
    let (mut in_words, mut words) = follow("");
    let (mut as_json, mut objects) = follow("--json --actor shop/probe/p");
    let problem = SCRIPT.replace("info", "error");
    let speak = || home.run(&format!("ask shop/probe/p -k script -d {problem}"));
    speak().assert_code(0);
    let line = words.next().unwrap().unwrap();
    assert!(line.contains("shop/probe/p error: some\\"), "{line}");
    let line: Value = serde_json::from_str(&objects.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&line["level"], &line["actor"]),
        (&json!("error"), &json!("shop/probe/p"))
    );

    // It ends when nobody reads it any more, and when the system does.
    drop(words);
    speak().assert_code(0);
    assert_eq!(in_words.wait().unwrap().code(), Some(0));
    up.signal(Signal::INT);
    assert_eq!(as_json.wait().unwrap().code(), Some(0));
    assert_eq!(up.ended().0, Some(0));
}
