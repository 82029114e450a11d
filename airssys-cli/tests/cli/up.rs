//! `up`: starting, being found, and ending.

use std::fs::{self, Permissions};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::system::Home;

const COUNTER: &str = r#"
name = "shop"
[[component]]
name = "shop/counter"
source = "counter.wasm"
run = ["main"]
"#;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Waits until something holds, and fails when it does not come to hold. It is long, so that a
/// machine that is busy with other things fails nothing.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to hold: {what}");
    }
}

#[test]
fn a_system_is_found_while_it_runs_and_not_after() {
    let home = Home::with_manifest(&["counter"], COUNTER);
    let nothing = home.run("ps");
    nothing
        .assert_code(4)
        .assert_err(&["no system is running", "`airssys up`"]);

    let up = home.up("");
    let file = home.server_file("shop");
    assert_eq!(up.ready["name"], "shop");
    assert_eq!(up.ready["components"], json!(["shop/counter"]));
    assert_eq!(up.ready["actors"], 1);
    assert_eq!(up.ready["server_file"], file.to_str().unwrap());
    assert!(
        up.ready["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(home.json("ps")["name"], "shop");
    home.run("ps --system shop").assert_code(0);
    home.run("ps --system other")
        .assert_code(4)
        .assert_err(&["there are shop"]);

    // The name is taken.
    let second = home.run(&format!("up {}", home.path().display()));
    second
        .assert_code(7)
        .assert_err(&["the system shop is running already", "--name"]);
    // And with another name the port is.
    let url = up.ready["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap();
    let third = home.run(&format!(
        "up {} --name b --listen {url}",
        home.path().display()
    ));
    third.assert_code(7).assert_err(&["cannot listen at"]);

    up.signal(Signal::TERM);
    let (code, stdout, stderr) = up.ended();
    assert_eq!(code, Some(0), "{stderr}");
    let ended: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(ended["ended"]["messages"], 0);
    assert!(stderr.contains("draining"), "{stderr}");
    assert!(!file.exists());
    home.run("ps").assert_code(4);
}

#[test]
fn of_several_systems_one_is_named() {
    let home = Home::with_manifest(&["counter"], "");
    let (_first, _second) = (home.up("--name first"), home.up("--name second"));
    let unclear = home.run("ask app/counter/1 -k get");
    unclear
        .assert_code(4)
        .assert_err(&["there are first, second", "--system first"]);
    home.run("ask app/counter/1 -k add -d 5 --system second")
        .assert_code(0);
    let mut command = home.command("ask app/counter/1 -k get");
    command.env("AIRSSYS_SYSTEM", "second");
    assert_eq!(crate::run::finish(command).assert_code(0).out(), "5");
    // The flag wins.
    let mut command = home.command("ask app/counter/1 -k get --system first");
    command.env("AIRSSYS_SYSTEM", "second");
    assert_eq!(crate::run::finish(command).assert_code(0).out(), "0");
}

#[test]
fn what_others_left_is_seen_through_and_replaced() {
    let home = Home::with_manifest(&["counter"], COUNTER);
    let file = home.server_file("shop");
    home.run("ps").assert_code(4);
    for garbage in ["", "{", "[]", &"x".repeat(100_000), r#"{"name":"shop"}"#] {
        fs::write(&file, garbage).unwrap();
        home.run("ps")
            .assert_code(4)
            .assert_err(&["no system is running"]);
    }
    // A process that lives, and somebody else at the address.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stale = |url: &str, pid: u32| {
        json!({"name": "shop", "url": url, "token": "t", "pid": pid, "started_ms": 0}).to_string()
    };
    let other = thread::spawn(move || {
        // The first one only looks whether somebody is there.
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"] {
            let mut stream = listener.accept().unwrap().0;
            if !answer.is_empty() {
                drop(stream.read(&mut [0; 1_024]));
                std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
            }
        }
    });
    fs::write(&file, stale(&url, std::process::id())).unwrap();
    home.run("ps")
        .assert_code(5)
        .assert_err(&["is not airssys"]);
    other.join().unwrap();
    // The same address with nobody there, a process that is gone, and another machine.
    for content in [
        stale(&url, std::process::id()),
        stale(&url, 0x7fff_fff0),
        stale("http://192.0.2.1:80", std::process::id()),
    ] {
        fs::write(&file, content).unwrap();
        home.run("ps").assert_code(4);
    }
    // A process that was killed leaves its file, and that is no hindrance.
    let up = home.up("");
    drop(up);
    assert!(file.exists());
    home.run("ps").assert_code(4);
    let up = home.up("");
    assert_eq!(home.json("ps")["url"], up.ready["url"]);
}

#[test]
fn a_token_of_another_system_is_refused() {
    let home = Home::with_manifest(&["counter"], COUNTER);
    let _up = home.up("");
    let file = home.server_file("shop");
    let mut content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    content["token"] = "x".repeat(43).into();
    fs::write(&file, content.to_string()).unwrap();
    home.run("ps")
        .assert_code(5)
        .assert_err(&["the token is another system's"]);
}

#[test]
fn a_folder_that_others_can_look_into_is_not_used() {
    let home = Home::with_manifest(&["counter"], COUNTER);
    home.run("ps").assert_code(4);
    let folder = home.path().join("run/airssys");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    for args in [format!("up {}", home.path().display()), "ps".to_owned()] {
        home.run(&args)
            .assert_code(3)
            .assert_err(&["is open to others", "chmod 700"]);
    }
}

#[test]
fn what_makes_no_system_says_why() {
    let home = Home::with_manifest(&["counter", "wrong-version"], "");
    let up = |args: &str| home.run(&format!("up {args}"));
    let path = home.path().display();
    fs::create_dir(home.path().join("empty")).unwrap();
    for (manifest, code, words) in [
        ("version = 1\nmailbx = 2\n", 6, "unknown key `mailbx`"),
        ("version = 2\n", 6, "version 2 is not known"),
        (
            "version = 1\n[[component]]\nname = \"a/b\"\nsource = \"no.wasm\"\n",
            6,
            "there is no file",
        ),
        (
            "version = 1\n[http]\nlisten = \"0.0.0.0:80\"\n",
            6,
            "loopback",
        ),
        ("\u{1b}[2J", 6, "airssys.toml:1:2"),
        (
            "version = 1\n[[component]]\nname = \"a/b\"\nsource = \"wrong-version.wasm\"\n",
            12,
            "wrong-version.wasm speaks another version",
        ),
        (
            "version = 1\n[[component]]\nname = \"a/b\"\nsource = \"airssys.toml\"\n",
            10,
            "airssys.toml is not WebAssembly",
        ),
    ] {
        fs::write(home.path().join("airssys.toml"), manifest).unwrap();
        let run = up(&format!("{path}"));
        assert_eq!(run.assert_code(code).out(), "", "{manifest}");
        run.assert_err(&[words]);
        assert!(!run.stderr.contains('\u{1b}'));
    }
    up(&format!("{path}/empty"))
        .assert_code(6)
        .assert_err(&["there is neither an airssys.toml"]);
    up("no/such/place")
        .assert_code(6)
        .assert_err(&["there is no such file"]);
    up("--listen 0.0.0.0:80")
        .assert_code(2)
        .assert_err(&["this machine only"]);
    up("--name ../x")
        .assert_code(2)
        .assert_err(&["a-z 0-9 - _"]);
    let error = up("no/such/place --json");
    assert_eq!(error.assert_code(6).json()["error"]["kind"], "bad-manifest");

    let schema = up("--print-schema");
    assert_eq!(schema.assert_code(0).json()["title"], "Manifest");
}

#[test]
fn a_message_under_way_is_answered_before_the_end() {
    // The pause is long enough to be seen, though each look is a process of its own.
    let manifest = format!(
        "{COUNTER}[component.retry]\nattempts = 2\nfirst_ms = 4000\nmax_ms = 4000\n\
         [system]\nshutdown_ms = 60000\n"
    );
    let home = Home::with_manifest(&["counter"], &manifest);
    let mut up = home.up("");
    let ask = home
        .command("ask shop/counter/main -k add-then-retry -d 1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("it pauses", || {
        home.json("ps --actors")["actors"][0]["phase"] == "pausing"
    });
    up.signal(Signal::INT);
    up.wait_for("draining");
    let asked = ask.wait_with_output().unwrap();
    let stderr = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(22), "{stderr}");
    assert!(stderr.contains("1 is not to stay yet"), "{stderr}");
    let (code, stdout, stderr) = up.ended();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

/// A system whose only actor is within a turn that does not end.
const ENDLESS: &str = r#"
name = "busy"
[system]
shutdown_ms = 100
[[component]]
name = "a/b"
source = "endless-loop.wasm"
[component.limits]
turn_fuel = 18446744073709551615
turn_wall_ms = 30000
"#;

#[test]
fn what_is_left_at_the_end_is_told() {
    let home = Home::with_manifest(&["endless-loop"], ENDLESS);
    let up = home.up("");
    home.run("send a/b/c").assert_code(0);
    until("it loops", || {
        home.json("ps")["components"][0]["counts"]["activated"] == 1
    });
    up.signal(Signal::INT);
    let (code, stdout, stderr) = up.ended();
    assert_eq!(code, Some(8), "{stdout}{stderr}");
    let ended: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(ended["ended"]["busy_actors"], json!(["a/b/c"]));
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let manifest = ENDLESS.replace("shutdown_ms = 100", "shutdown_ms = 60000");
    let home = Home::with_manifest(&["endless-loop"], &manifest);
    let mut up = home.up("");
    home.run("send a/b/c").assert_code(0);
    until("it loops", || {
        home.json("ps")["components"][0]["counts"]["activated"] == 1
    });
    up.signal(Signal::INT);
    up.wait_for("press Ctrl-C again");
    let refused = home.run("send a/b/c");
    refused
        .assert_code(9)
        .assert_err(&["the system is shutting down"]);
    up.signal(Signal::INT);
    let (code, _stdout, _stderr) = up.ended();
    assert_eq!(code, Some(130));
    assert!(!home.server_file("busy").exists());
}
