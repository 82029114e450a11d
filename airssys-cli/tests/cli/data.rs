//! Data on disk, and the commands that care for it.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::run::{airssys, finish};
use crate::system::{Home, Up};

const SHOP: &str = r#"
name = "shop"
[system]
data = "data"
[[component]]
name = "shop/counter"
source = "counter.wasm"
[component.limits]
value_bytes = 10
[[component]]
name = "shop/fleeting"
source = "counter.wasm"
durability = "none"
"#;

pub(crate) fn shop() -> Home {
    Home::with_manifest(&["counter"], SHOP)
}

pub(crate) fn end(up: Up) {
    up.signal(Signal::TERM);
    let (code, stdout, stderr) = up.ended();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

pub(crate) fn add(home: &Home, actor: &str, number: u32) -> String {
    let run = home.run(&format!("ask {actor} -k add -d {number}"));
    run.assert_code(0).out().to_owned()
}

#[test]
fn a_killed_system_goes_on_and_its_folder_is_its_own() {
    let home = shop();
    let folder = home.path().join("data");
    let up = home.up("");
    assert_eq!(
        up.ready["data"],
        json!({"folder": folder, "waiting_at_start": 0})
    );
    assert_eq!(add(&home, "shop/counter/a", 2), "2");
    assert_eq!(add(&home, "shop/fleeting/a", 2), "2");
    let second = home.run(&format!("up {} --name other", home.path().display()));
    second
        .assert_code(31)
        .assert_err(&["is in use by another process"]);
    // It is killed.
    drop(up);
    let up = home.up("");
    assert_eq!(add(&home, "shop/counter/a", 1), "3");
    assert_eq!(add(&home, "shop/fleeting/a", 1), "1");
    let status = home.json("ps");
    assert_eq!(status["data"]["folder"], folder.to_str().unwrap());
    let counter = &status["components"][0];
    assert_eq!(
        (
            &counter["durability"],
            &counter["storage_bytes"],
            &counter["storage_keys"]
        ),
        (&json!("strict"), &json!(6), &json!(1))
    );
    assert_eq!(status["components"][1]["durability"], "none");
    let ps = home.run("ps");
    for words in ["KEEPS", "strict", "6 bytes", "data in "] {
        assert!(ps.out().contains(words), "no {words} in\n{}", ps.out());
    }
    end(up);

    let up = home.up("--ephemeral");
    assert_eq!(up.ready["data"], Value::Null);
    assert_eq!(add(&home, "shop/counter/a", 1), "1");
    home.run("backup copy")
        .assert_code(9)
        .assert_err(&["has no data folder", "--data"]);
    end(up);
    home.run("up . --ephemeral --data x").assert_code(2);
    let elsewhere = home.path().join("elsewhere");
    let up = home.up(&format!("--data {}", elsewhere.display()));
    assert_eq!(add(&home, "shop/counter/a", 1), "1");
    end(up);
    assert!(elsewhere.join("format").exists());
}

#[test]
fn a_message_with_an_id_is_handled_once() {
    let home = shop();
    let up = home.up("");
    for _ in 0..2 {
        let run = home.run("ask shop/counter/a -k add -d 2 --id order-ü1");
        assert_eq!(run.assert_code(0).out(), "2");
        home.run("send shop/counter/a -k add -d 10 --id s1")
            .assert_code(0);
    }
    drop(up);
    let _up = home.up("");
    let run = home.run("ask shop/counter/a -k add -d 2 --id order-ü1");
    assert_eq!(run.assert_code(0).out(), "2");
    let count = home.run("ask shop/counter/a -k get");
    assert_eq!(count.assert_code(0).out(), "12");
    for id in ["", "\n", " x", &"x".repeat(129)] {
        let mut command = home.command("ask shop/counter/a -k get --id");
        command.arg(id);
        finish(command).assert_code(2).assert_err(&["an id has"]);
    }
}

#[test]
fn messages_that_wait_are_told_at_the_start() {
    let manifest = SHOP.replace(
        "[component.limits]",
        "[component.retry]\nattempts = 2\nfirst_ms = 60000\nmax_ms = 60000\n[component.limits]",
    );
    let home = Home::with_manifest(&["counter"], &manifest);
    let up = home.up("");
    home.run("send shop/counter/a -k add-then-retry -d 1")
        .assert_code(0);
    home.run("send shop/counter/a -k add -d 1").assert_code(0);
    drop(up);
    let up = home.up("");
    assert_eq!(up.ready["data"]["waiting_at_start"], 2);
}

#[test]
fn a_backup_of_a_running_system_is_sound_and_starts() {
    let home = shop();
    let up = home.up("");
    for number in 1..=5 {
        add(&home, "shop/counter/a", number);
    }
    let copy = home.path().join("copies/one");
    let at = copy.display();
    let backup = home.json(&format!("backup {at}"));
    assert_eq!(backup["folder"], copy.to_str().unwrap());
    assert!(backup["bytes"].as_u64().unwrap() > 0 && backup["seq"].as_u64().unwrap() > 0);
    add(&home, "shop/counter/a", 100);
    home.run(&format!("backup {at}"))
        .assert_code(3)
        .assert_err(&["the folder is not empty"]);
    // Relative paths are those of whoever types them.
    let mut command = home.command("backup two");
    command.current_dir(home.path());
    let run = finish(command);
    assert!(run.assert_code(0).out().contains("/two: "), "{}", run.out());
    for args in [
        "verify data",
        "compact data",
        "export a/b/c --data data",
        "backup x --data data",
    ] {
        let mut command = home.command(args);
        command.current_dir(home.path());
        finish(command)
            .assert_code(31)
            .assert_err(&["is in use by another process", "leave out `--data`"]);
    }
    end(up);

    let verified = home.json(&format!("verify {at}"));
    assert_eq!(
        (&verified["is_sound"], &verified["problem_count"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(
        verified["components"],
        json!([{"name": "shop/counter", "keys": 1, "bytes": 7}])
    );
    let text = home.run(&format!("verify {at}"));
    for words in ["format 1", "states", "shop/counter  1     7", "\nsound\n"] {
        assert!(text.assert_code(0).out().contains(words), "{}", text.out());
    }
    let up = home.up(&format!("--data {at}"));
    assert_eq!(add(&home, "shop/counter/a", 1), "16");
    end(up);
    let compacted = home.json(&format!("compact {at}"));
    assert!(compacted["bytes_after"].as_u64() < compacted["bytes_before"].as_u64());
    let three = home.path().join("three");
    let run = home.run(&format!("backup {} --data {at}", three.display()));
    assert!(
        run.assert_code(0).out().contains("/three: "),
        "{}",
        run.out()
    );
    let state = home.run(&format!("export shop/counter/a --data {}", three.display()));
    assert!(
        state
            .assert_code(0)
            .out()
            .ends_with("{\"key\":\"count\",\"value\":\"16\"}\n")
    );
    let names: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
    let is_partial = |name: &str| name.contains(".partial");
    assert!(names.iter().all(|it| {
        let name = it.as_ref().unwrap().file_name();
        !is_partial(name.to_str().unwrap())
    }));
}

#[test]
fn damage_is_found_and_nothing_starts_on_it() {
    let home = shop();
    let folder = home.path().join("data");
    let at = folder.display();
    for (args, words) in [
        (format!("verify {at}"), "has no data of a system"),
        (
            format!("compact {}", home.path().display()),
            "has no data of a system",
        ),
    ] {
        home.run(&args).assert_code(32).assert_err(&[words]);
    }
    let up = home.up("");
    add(&home, "shop/counter/a", 1);
    end(up);
    let tables = folder.join("tables.redb");
    let whole = fs::read(&tables).unwrap();
    fs::write(&tables, &whole[..whole.len() / 3]).unwrap();
    let run = home.run(&format!("verify {at}"));
    assert!(
        run.assert_code(33)
            .out()
            .contains("problem: the file is damaged"),
        "{}",
        run.out()
    );
    let run = home.run(&format!("verify {at} --json"));
    let found = run.assert_code(33).json();
    assert_eq!(
        (&found["is_sound"], &found["problem_count"]),
        (&json!(false), &json!(1))
    );
    for args in [
        format!("compact {at}"),
        format!("export shop/counter/a --data {at}"),
        format!("backup {at}-copy --data {at}"),
        format!("up {}", home.path().display()),
    ] {
        home.run(&args).assert_code(33).assert_err(&[
            "the data cannot be read",
            "damaged",
            "restore a backup",
        ]);
    }
    assert!(!home.path().join("data-copy").exists());
    fs::write(folder.join("format"), "airssys data, format 9\n").unwrap();
    let path = home.path().display().to_string();
    for args in [format!("verify {at}"), format!("up {path}")] {
        home.run(&args)
            .assert_code(32)
            .assert_err(&["has data of format 9"]);
    }
    fs::remove_file(folder.join("format")).unwrap();
    home.run(&format!("up {path}"))
        .assert_code(32)
        .assert_err(&["is no data folder"]);
}

#[test]
fn data_is_cared_for_by_http_with_bounds() {
    let home = shop();
    let up = home.up("");
    add(&home, "shop/counter/a", 5);
    let content: Value =
        serde_json::from_slice(&fs::read(home.server_file("shop")).unwrap()).unwrap();
    let token = content["token"].as_str().unwrap();
    let send = |head: &str, body: &str| {
        let request = format!(
            "{head} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        up.raw(request.as_bytes())
    };
    for (head, body, status, words) in [
        ("POST /v1/backup", "", "400", "missing field `to`"),
        ("POST /v1/backup?to=copy", "", "400", "an absolute path"),
        ("POST /v1/backup?to=/proc/copy", "", "500", "\"io\""),
        ("GET /v1/backup?to=/tmp/copy", "", "405", "another method"),
        (
            "GET /v1/actors/shop/counter/a/state",
            "",
            "200",
            "\"value\":\"5\"",
        ),
        ("GET /v1/actors/shop/counter/../state", "", "400", "neither"),
        (
            "POST /v1/actors/shop/counter/a/state",
            "x",
            "409",
            "not stopped",
        ),
        (
            "PUT /v1/actors/shop/counter/a/state",
            "x",
            "405",
            "another method",
        ),
    ] {
        let answer = send(head, body);
        let first = answer.lines().next().unwrap_or_default();
        assert!(
            first.contains(status) && answer.contains(words),
            "{head}\n{answer}"
        );
    }
    let ask = |ids: &str| {
        let request = format!(
            "POST /v1/actors/shop/counter/a/ask?kind=get HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {token}\r\nconnection: close\r\n{ids}content-length: 0\r\n\r\n"
        );
        up.raw(request.as_bytes())
    };
    let long = format!("idempotency-key: {}\r\n", "x".repeat(129));
    for (ids, status, words) in [
        ("idempotency-key: one\r\n", "200", "\r\n5"),
        (
            "idempotency-key: one\r\nidempotency-key: two\r\n",
            "400",
            "several",
        ),
        ("idempotency-key: \r\n", "400", "1 to 128 bytes"),
        (long.as_str(), "400", "1 to 128 bytes"),
    ] {
        let answer = ask(ids);
        let first = answer.lines().next().unwrap_or_default();
        assert!(
            first.contains(status) && answer.contains(words),
            "{ids}\n{answer}"
        );
    }
}

#[test]
fn every_command_has_help_with_examples_and_json() {
    for command in ["backup", "verify", "compact", "export", "import"] {
        let run = airssys([command, "--help"]);
        for words in ["Examples:\n  airssys ", "--json"] {
            assert!(run.assert_code(0).out().contains(words), "{command}");
        }
        airssys([command]).assert_code(2);
    }
}

#[test]
fn a_store_that_fails_ends_the_system_and_loses_nothing() {
    let home = shop();
    let up = home.up("");
    add(&home, "shop/counter/a", 5);
    let folder = home.path().join("data");
    let entries = fs::read_dir(&folder).unwrap();
    let log = entries
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("log-"))
        .unwrap();
    let aside = home.path().join("aside");
    fs::rename(&log, &aside).unwrap();
    let run = home.run("ask shop/counter/a -k add -d 1 --json");
    let kind = run.assert_code(30).json()["error"]["kind"].clone();
    assert!(
        ["undecided", "store-failed"].contains(&kind.as_str().unwrap()),
        "{kind}"
    );
    let (code, stdout, stderr) = up.ended();
    assert_eq!(code, Some(30), "{stdout}{stderr}");
    assert!(stdout.contains("was removed or replaced"), "{stdout}");
    assert!(stderr.contains("the store failed"), "{stderr}");
    assert!(!home.server_file("shop").exists());
    fs::rename(aside, log).unwrap();
    let up = home.up("");
    let count = home.run("ask shop/counter/a -k get");
    let count: u32 = count.assert_code(0).out().parse().unwrap();
    // Nobody was told whether one was added.
    assert!([5, 6].contains(&count), "{count}");
    drop(up);
}
