//! The audit log of a running system, and what is done to it from outside.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::data::{add, end, shop};
use crate::run::Run;
use crate::system::Home;

/// The entries that a command prints, each as its action, decision and component.
fn entries(run: &Run) -> Vec<(String, String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = run.assert_code(0).out().lines();
    let values = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    values
        .map(|it| {
            (
                word(&it["action"]),
                word(&it["decision"]),
                word(&it["component"]),
            )
        })
        .collect()
}

fn entry(action: &str, decision: &str, component: &str) -> (String, String, String) {
    (action.into(), decision.into(), component.into())
}

fn folder(home: &Home) -> PathBuf {
    home.path().join("data/audit")
}

fn log_file(home: &Home) -> PathBuf {
    folder(home).join(format!("audit-{:020}.jsonl", 1))
}

#[test]
fn what_operators_do_is_written_down_and_outlives_a_kill() {
    let home = shop();
    let up = home.up("");
    add(&home, "shop/counter/a", 1);
    home.run("stop shop/counter/a").assert_code(0);
    home.run("resume shop/counter/a").assert_code(0);
    home.run("rollback shop/counter").assert_code(9);
    home.run("export shop/counter/a").assert_code(0);
    home.run("export shop/counter/b").assert_code(9);
    let copy = home.path().join("copy");
    home.run(&format!("backup {}", copy.display()))
        .assert_code(0);
    home.run("dead drop 7").assert_code(9);
    let counter = "shop/counter";
    let expected = vec![
        entry("drop_letter", "denied", ""),
        entry("backup", "allowed", ""),
        entry("export", "denied", counter),
        entry("export", "allowed", counter),
        entry("rollback", "denied", counter),
        entry("resume", "allowed", ""),
        entry("stop_actor", "allowed", counter),
        entry("start", "allowed", ""),
        entry("deploy", "allowed", "shop/fleeting"),
        entry("deploy", "allowed", counter),
    ];
    let all = |args: &str| entries(&home.run(&format!("audit --json {args}")));
    assert_eq!(without_signatures(all("")), expected);
    assert_eq!(all("--limit 2"), expected[..2]);
    assert_eq!(
        all("--decision denied --component shop"),
        [expected[2].clone(), expected[4].clone()]
    );
    assert_eq!(all("--action export").len(), 2);
    assert_eq!(all("--actor shop/counter/a").len(), 2);
    assert_eq!(all("--since 1h --action start").len(), 1);
    assert!(all("--since 2096-01-01T00:00:00Z").is_empty());
    assert!(all("--until 2026-01-01T00:00:00Z").is_empty());
    let table = home.run("audit --action backup");
    for words in ["SEQ", "DECISION", "backup", "allowed", "/copy", "-\n"] {
        assert!(table.assert_code(0).out().contains(words), "no {words}");
    }
    let nothing = home.run("audit --component none");
    assert_eq!(nothing.assert_code(0).out(), "no entries\n");
    for args in ["--action fly", "--decision maybe", "--since soon"] {
        home.run(&format!("audit {args}")).assert_code(2);
    }
    assert_eq!(home.json("ps")["audit"]["failure"], Value::Null);
    // A copy of the data has no log.
    assert!(!copy.join("audit").exists());

    // It is killed.
    drop(up);
    let at = folder(&home);
    let offline = home.run(&format!("audit --folder {} --json", at.display()));
    assert_eq!(without_signatures(entries(&offline)), expected);
    home.run(&format!("audit verify {}", at.display()))
        .assert_code(0);
    let up = home.up("");
    assert_eq!(
        all("--action start"),
        vec![entry("start", "allowed", ""); 2]
    );
    end(up);
    let last = home.run(&format!("audit --folder {} --limit 1 --json", at.display()));
    assert_eq!(entries(&last), [entry("shutdown", "allowed", "")]);
    let data = home.path().join("data");
    home.run(&format!("verify {}", data.display()))
        .assert_code(0);
    home.run(&format!("compact {}", data.display()))
        .assert_code(0);
}

/// Whether unsigned components are told is another matter.
fn without_signatures(mut all: Vec<(String, String, String)>) -> Vec<(String, String, String)> {
    all.retain(|(action, ..)| action != "signature");
    all
}

#[test]
fn an_edited_log_is_found_and_no_system_goes_on_with_it() {
    let home = shop();
    end(home.up(""));
    let at = folder(&home).display().to_string();
    let head = home.run(&format!("audit head {at}"));
    let head = head.assert_code(0).out().trim().to_owned();
    let sound = home.json(&format!("audit verify {at} --head {head}"));
    assert_eq!((&sound["last"], &sound["first"]), (&json!(head), &json!(1)));
    assert_eq!(home.json(&format!("audit head {at}"))["head"], head);
    let text = home.run(&format!("audit verify {at}"));
    let out = text.assert_code(0).out();
    assert!(out.contains("sound") && out.contains(&head), "{out}");

    let log = log_file(&home);
    let whole = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for edited in [
        whole.replacen("shop/counter", "shop/counted", 1),
        lines[..lines.len() - 1].concat(),
        lines[1..].concat(),
    ] {
        fs::write(&log, edited).unwrap();
        home.run(&format!("audit verify {at}"))
            .assert_code(35)
            .assert_err(&["the audit log was edited or cut", "line"]);
        let run = home.run(&format!("audit verify {at} --json"));
        let error = &run.assert_code(35).json()["error"];
        assert_eq!(
            (&error["kind"], &error["exit_code"]),
            (&json!("audit-broken"), &json!(35))
        );
        home.run(&format!("up {}", home.path().display()))
            .assert_code(35)
            .assert_err(&["the audit log was edited or cut"]);
    }
    fs::write(&log, &whole).unwrap();
    let wrong = format!("2:{}", "0".repeat(64));
    home.run(&format!("audit verify {at} --head {wrong}"))
        .assert_code(35)
        .assert_err(&["not the one that was noted"]);
    home.run(&format!("audit verify {at} --head 2"))
        .assert_code(2);
    for command in ["verify", "head"] {
        home.run(&format!("audit {command} {}/none", home.path().display()))
            .assert_code(32)
            .assert_err(&["there is no audit log"]);
    }
    // Whoever puts it aside begins anew.
    fs::rename(folder(&home), home.path().join("aside")).unwrap();
    end(home.up(""));
}

#[test]
fn an_audit_log_may_be_elsewhere_or_in_memory() {
    let home = Home::with_manifest(
        &["counter"],
        "name = \"elsewhere\"\n[security.audit]\nfolder = \"log\"\n\
         [[component]]\nname = \"shop/counter\"\nsource = \"counter.wasm\"\n",
    );
    let up = home.up("");
    let log = home.path().join("log");
    let second = home.run(&format!("up {} --name other", home.path().display()));
    second
        .assert_code(31)
        .assert_err(&["the audit log is in use", "written to by another process"]);
    assert!(!entries(&home.run("audit --json")).is_empty());
    end(up);
    home.run(&format!("audit verify {}", log.display()))
        .assert_code(0);

    let home = shop();
    let up = home.up("--ephemeral");
    assert_eq!(home.json("ps")["audit"]["folder"], Value::Null);
    let starts = home.run("audit --action start --json");
    assert_eq!(entries(&starts), [entry("start", "allowed", "")]);
    assert!(!folder(&home).exists());
    end(up);
}

#[test]
fn a_log_that_is_removed_while_it_is_written_goes_on_and_tells() {
    let home = shop();
    let up = home.up("");
    home.run("audit").assert_code(0);
    fs::remove_dir_all(folder(&home)).unwrap();
    home.run("stop shop/counter/a").assert_code(0);
    let found = entries(&home.run("audit --json"));
    assert_eq!(
        found,
        [
            entry("stop_actor", "allowed", "shop/counter"),
            entry("lost", "denied", "")
        ]
    );
    let at = folder(&home).display().to_string();
    home.run(&format!("audit verify {at}")).assert_code(35);
    end(up);
    assert!(!log_file(&home).exists());
}

#[test]
fn what_a_component_is_denied_is_written_down() {
    let home = Home::with_manifest(
        &["probe"],
        "name = \"strict\"\n[security.audit]\ndenials_per_s = 1\n\
         [[component]]\nname = \"shop/probe\"\nsource = \"probe.wasm\"\n",
    );
    let up = home.up("");
    for _ in 0..4 {
        let run = home.run("ask shop/probe/a -k messaging.publish -d {\"topic\":\"orders.new\"}");
        assert!(run.assert_code(0).out().contains("denied"), "{}", run.out());
    }
    // What came too fast is told when its second is over.
    let lines = loop {
        let run = home.run("audit --action publish --decision denied --json");
        let lines = run.assert_code(0).out().lines();
        let lines: Vec<Value> = lines.map(|it| serde_json::from_str(it).unwrap()).collect();
        let counts = lines.iter().map(|it| it["count"].as_u64().unwrap_or(1));
        let counts: u64 = counts.sum();
        if counts == 4 {
            break lines;
        }
        assert!(counts < 4, "{lines:?}");
    };
    let first = lines.last().unwrap();
    assert_eq!(
        (&first["component"], &first["actor"], &first["resource"]),
        (
            &json!("shop/probe"),
            &json!("shop/probe/a"),
            &json!("orders.new")
        )
    );
    assert!(first["why"].as_str().unwrap().contains("not granted"));
    end(up);
}
