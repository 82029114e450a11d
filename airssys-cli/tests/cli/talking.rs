//! The commands that talk to a running system.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::run::{Run, finish, guest};
use crate::system::Home;

const SHOP: &str = r#"
name = "shop"
[defaults.grants]
send = ["*"]
call = ["*"]
timers = ["*"]
spawn = ["*"]
publish = [">"]
subscribe = [">"]
[[component]]
name = "shop/counter"
source = "counter.wasm"
[component.retry]
attempts = 1
[[component]]
name = "shop/relay"
source = "relay.wasm"
run = ["desk"]
[[component]]
name = "shop/probe"
source = "probe.wasm"
[[group]]
name = "front"
members = ["shop/relay"]
"#;

pub(crate) fn shop() -> Home {
    Home::with_manifest(&["counter", "relay", "probe"], SHOP)
}

fn with_stdin(home: &Home, args: &str, stdin: &[u8]) -> Run {
    let mut command = home.command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn actors_are_asked_and_sent_to() {
    let home = shop();
    let up = home.up("");
    let ask = |args: &str| home.run(&format!("ask {args}"));
    assert_eq!(ask("shop/counter/a -k add -d 2").assert_code(0).out(), "2");
    assert_eq!(
        home.json("ask shop/counter/a -k add -d 3"),
        json!({"reply": {"text": "5"}})
    );
    assert_eq!(
        home.json("ask shop/relay/desk -k note -d x"),
        json!({"reply": null})
    );
    assert_eq!(ask("shop/counter/b -k get").assert_code(0).out(), "0");
    assert_eq!(
        with_stdin(&home, "ask shop/counter/a -k add -", b"1")
            .assert_code(0)
            .out(),
        "6"
    );

    assert_eq!(
        home.run("send shop/relay/desk -k note -d one")
            .assert_code(0)
            .out(),
        ""
    );
    assert_eq!(
        home.json("send shop/relay/desk -k note -d two --wait-ms 100"),
        json!({"sent_to": "shop/relay/desk"})
    );
    assert_eq!(
        ask("shop/relay/desk -k notes").assert_code(0).out(),
        "x\none\ntwo\n"
    );

    assert_eq!(
        home.run("publish orders.new -k note -d p")
            .assert_code(0)
            .out(),
        "0 receivers\n"
    );
    ask("shop/relay/desk -k subscribe -d orders.>").assert_code(0);
    assert_eq!(
        home.json("publish orders.new -k note -d p"),
        json!({"receivers": 1})
    );
    assert_eq!(
        ask("shop/relay/desk -k notes").assert_code(0).out(),
        "x\none\ntwo\np\n"
    );

    for (args, code, words) in [
        (
            "ask shop/counter/a -k add-then-reject -d 1",
            20,
            "7 is not to stay",
        ),
        (
            "ask shop/counter/a -k add-then-trap -d 1",
            22,
            "the guest gave up",
        ),
        (
            "ask shop/relay/desk --timeout-ms 0",
            23,
            "no answer within 0 ms",
        ),
        (
            "ask shop/nobody/a",
            9,
            "shop/nobody/a: there is no such component",
        ),
        ("send shop/nobody/a", 9, "`airssys ps` lists the components"),
        ("ask shop/relay/desk --timeout-ms 3600001", 9, "an hour"),
        ("ask shop/relay", 2, "three parts"),
        ("ask shop/../relay", 2, "neither `.` nor `..`"),
        ("publish a..b", 9, "a topic"),
        ("publish orders.*", 9, "a topic"),
    ] {
        let run = home.run(args);
        assert_eq!(run.assert_code(code).out(), "", "{args}");
        run.assert_err(&[words]);
    }
    let error = ask("shop/counter/a -k no-such --json");
    assert_eq!(error.assert_code(20).json()["error"]["kind"], "rejected");
    drop(up);
}

#[test]
fn what_runs_is_shown_stopped_and_resumed() {
    let home = shop();
    let _up = home.up("");
    let ps = home.run("ps --actors");
    for words in [
        "shop: up ",
        "1 live actor, 0 dead letters",
        "front  running",
        "shop/relay/desk",
    ] {
        assert!(
            ps.assert_code(0).out().contains(words),
            "no {words} in\n{}",
            ps.out()
        );
    }
    let status = home.json("ps --actors");
    assert_eq!(status["components"][1]["name"], "shop/probe");
    assert_eq!(status["actors"][0]["address"], "shop/relay/desk");

    home.run("ask shop/counter/a -k add -d 2").assert_code(0);
    assert_eq!(home.json("stop shop/counter/a")["standing"], "ended");
    let refused = home.run("ask shop/counter/a -k get");
    refused
        .assert_code(9)
        .assert_err(&["the actor is stopped", "`airssys resume shop/counter/a`"]);
    assert!(home.run("ps").out().contains("stopped: shop/counter/a"));
    assert_eq!(
        home.json("resume shop/counter/a"),
        json!({"resumed": "shop/counter/a"})
    );
    assert_eq!(
        home.run("ask shop/counter/a -k get").assert_code(0).out(),
        "2"
    );
    home.run("resume front").assert_code(0);
    home.run("resume nowhere")
        .assert_code(9)
        .assert_err(&["there is no group \"nowhere\""]);
    home.run("resume A")
        .assert_code(2)
        .assert_err(&["the name of a group"]);
    home.run("stop shop/nobody/a")
        .assert_code(9)
        .assert_err(&["no component `shop/nobody`"]);
}

#[test]
fn dead_letters_are_looked_at_replayed_retried_and_dropped() {
    let home = shop();
    let _up = home.up("");
    assert_eq!(
        home.run("dead list").assert_code(0).out(),
        "no dead letters\n"
    );
    home.run("ask shop/counter/a -k add-then-trap -d 7")
        .assert_code(22);
    let list = home.json("dead list");
    assert_eq!(
        (list[0]["id"].clone(), list[0]["kind"].clone()),
        (json!(1), json!("add-then-trap"))
    );
    assert_eq!(home.json("dead list --to shop/relay"), json!([]));
    assert!(home.run("dead list").out().contains("shop/counter/a"));

    let letter = home.json("dead show 1");
    assert_eq!(
        (&letter["payload"], &letter["has_turn"]),
        (&json!({"text": "7"}), &json!(true))
    );
    let backtrace = letter["backtrace"].as_array().unwrap();
    assert!(
        backtrace.contains(&json!("core::panicking::panic_fmt")),
        "{letter}"
    );
    let shown = home.run("dead show 1");
    for words in ["payload   \"7\"", "panic_fmt", "`airssys replay 1`"] {
        assert!(
            shown.assert_code(0).out().contains(words),
            "{}",
            shown.out()
        );
    }
    assert_eq!(home.json("replay 1")["differences"], json!([]));
    assert!(
        home.run("replay 1")
            .assert_code(0)
            .out()
            .contains("the same")
    );

    // On a version that does not trap it goes otherwise.
    let upgraded = home.json(&format!("upgrade shop/counter {}", guest("echo")));
    let replayed = home.json("replay 1");
    assert_eq!(
        (&replayed["is_same_version"], &replayed["differences"]),
        (&json!(true), &json!([]))
    );
    let version = upgraded["to"]["digest"].as_str().unwrap();
    let replayed = home.json(&format!("replay 1 --version {version}"));
    assert_eq!(replayed["is"], "replied");
    assert_ne!(replayed["differences"], json!([]));
    home.run("replay 1 --version 9.9")
        .assert_code(9)
        .assert_err(&["no kept version `9.9`"]);

    assert_eq!(home.json("dead retry 1"), json!({"retried": 1}));
    home.run("dead show 1")
        .assert_code(9)
        .assert_err(&["no dead letter 1"]);
    home.run("stop shop/counter/a").assert_code(0);
    home.run("publish nobody.there").assert_code(0);
    home.run("dead drop 99").assert_code(9);
    home.run("dead drop").assert_code(2);
    home.run("dead show x").assert_code(2);
    assert!(home.json("dead drop --all")["dropped"].is_u64());
    assert_eq!(home.json("dead list"), json!([]));
}

#[test]
fn every_command_has_help_with_examples() {
    let home = Home::new();
    for command in [
        "up", "ask", "send", "publish", "ps", "logs", "deploy", "upgrade", "rollback", "stop",
        "resume", "dead", "replay",
    ] {
        let help = finish(home.command(&format!("{command} --help")));
        assert!(
            help.assert_code(0).out().contains("Examples:\n  airssys "),
            "{command}"
        );
    }
}
