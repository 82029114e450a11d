//! Requests that are not meant well.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::system::{Home, Up};

struct Target {
    home: Home,
    up: Up,
    token: String,
}

impl Target {
    fn new() -> Self {
        let home = Home::with_manifest(&["echo"], "");
        let up = home.up("--name target");
        let file: Value =
            serde_json::from_slice(&fs::read(home.server_file("target")).unwrap()).unwrap();
        let token = file["token"].as_str().unwrap().to_owned();
        Self { home, up, token }
    }

    /// The status and the kind of the problem that a request is answered with.
    fn ask(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let head = format!("{line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
        let answer = self.up.raw(&[head.as_bytes(), body].concat());
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|it| it.parse().ok())
            .unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        (status, json["kind"].as_str().unwrap_or_default().to_owned())
    }

    /// As [`ask`](Self::ask), with everything that it takes to be let in.
    fn admitted(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let admission = format!(
            "host: localhost\r\nauthorization: Bearer {}\r\n",
            self.token
        );
        self.ask(line, &format!("{admission}{headers}"), body)
    }
}

#[test]
fn only_the_owner_under_the_name_of_this_machine_is_let_in() {
    let target = Target::new();
    let token = &target.token;
    let refused = |headers: &str, status: u16, kind: &str| {
        let (found, problem) = target.ask("GET /v1/status", headers, b"");
        assert_eq!((found, problem.as_str()), (status, kind), "{headers}");
    };
    assert_eq!(target.admitted("GET /v1/status", "", b"").0, 200);
    refused("host: 127.0.0.1\r\n", 401, "unauthorized");
    for wrong in [
        String::new(),
        "Bearer ".to_owned(),
        "Bearer x".to_owned(),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[1..]),
        format!("bearer {token}"),
        format!("Basic {token}"),
        token.clone(),
    ] {
        refused(
            &format!("host: localhost\r\nauthorization: {wrong}\r\n"),
            401,
            "unauthorized",
        );
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:80", ""] {
        let headers = format!("host: {host}\r\nauthorization: Bearer {token}\r\n");
        refused(&headers, 421, "foreign-host");
    }
    refused(
        &format!("authorization: Bearer {token}\r\n"),
        421,
        "foreign-host",
    );
    // Nothing is told about paths either.
    assert_eq!(
        target.ask("GET /nowhere", "host: localhost\r\n", b"").0,
        401
    );
    assert_eq!(
        target.ask("POST /v1/status", "host: localhost\r\n", b"").0,
        401
    );
}

#[test]
fn malformed_requests_are_refused_as_json() {
    let target = Target::new();
    let large = "x".repeat(5 << 20);
    let length = |bytes: usize| format!("content-length: {bytes}\r\n");
    let long_path = format!("POST /v1/actors/app/echo/{}/ask", "x".repeat(300));
    for (line, headers, body, status, kind) in [
        ("GET /v1/nowhere", String::new(), "", 404, "unknown-path"),
        ("GET /", String::new(), "", 404, "unknown-path"),
        ("DELETE /v1/status", String::new(), "", 405, "wrong-method"),
        (
            "POST /v1/actors/app/echo/1/ask",
            length(5 << 20),
            large.as_str(),
            413,
            "too-large",
        ),
        (
            "POST /v1/actors/app/echo/1/ask",
            length(1 << 40),
            "",
            413,
            "too-large",
        ),
        (
            "POST /v1/actors/app/echo/1/ask?timeout_ms=-1",
            length(0),
            "",
            400,
            "invalid",
        ),
        (
            "POST /v1/actors/app/echo/1/ask?timeout_ms=99999999",
            length(0),
            "",
            400,
            "invalid",
        ),
        (
            "POST /v1/actors/app/echo/1/send?wait_ms=x",
            length(0),
            "",
            400,
            "invalid",
        ),
        (
            "POST /v1/actors/app/echo/%2e%2e/ask",
            length(0),
            "",
            400,
            "invalid-address",
        ),
        (
            "POST /v1/actors/app/e%2Fcho/1/ask",
            length(0),
            "",
            400,
            "invalid-address",
        ),
        (
            "POST /v1/actors/app/echo/%ff/ask",
            length(0),
            "",
            400,
            "invalid",
        ),
        (long_path.as_str(), length(0), "", 400, "invalid-address"),
        (
            "POST /v1/actors/app/nobody/1/ask",
            length(0),
            "",
            404,
            "unknown-target",
        ),
        ("POST /v1/topics/a..b", length(0), "", 400, "invalid-topic"),
        (
            "POST /v1/components/airssys/x",
            length(0),
            "",
            400,
            "invalid-address",
        ),
        (
            "POST /v1/components/app/x?nonsense=1",
            length(0),
            "",
            400,
            "invalid",
        ),
        (
            "POST /v1/components/app/x",
            length(0),
            "",
            422,
            "not-a-component",
        ),
        (
            "POST /v1/components/app/echo/upgrade",
            length(4),
            "\0asm",
            422,
            "not-a-component",
        ),
        ("POST /v1/resume", length(0), "", 400, "invalid"),
        (
            "POST /v1/resume?target=/",
            length(0),
            "",
            400,
            "invalid-address",
        ),
        ("GET /v1/dead-letters/x", String::new(), "", 400, "invalid"),
        (
            "GET /v1/dead-letters/7",
            String::new(),
            "",
            404,
            "no-dead-letter",
        ),
        (
            "GET /v1/dead-letters?limit=-1",
            String::new(),
            "",
            400,
            "invalid",
        ),
        ("DELETE /v1/dead-letters", String::new(), "", 400, "invalid"),
        ("GET /v1/logs?level=loud", String::new(), "", 400, "invalid"),
    ] {
        let answer = target.admitted(line, &headers, body.as_bytes());
        assert_eq!((answer.0, answer.1.as_str()), (status, kind), "{line}");
    }
    // What is no HTTP is answered or cut off, and the system goes on.
    for garbage in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02",
        b"",
    ] {
        let answer = target.up.raw_half_closed(garbage);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    let trace = "traceparent: \u{1}nonsense\r\ncontent-length: 2\r\n";
    assert_eq!(
        target
            .admitted("POST /v1/actors/app/echo/1/ask", trace, b"hi")
            .0,
        400
    );
    let trace = "traceparent: nonsense\r\ncontent-length: 2\r\n";
    assert_eq!(
        target
            .admitted("POST /v1/actors/app/echo/1/ask", trace, b"hi")
            .0,
        200
    );
    assert_eq!(
        target.home.run("ask app/echo/1 -d hi").assert_code(0).out(),
        "hi"
    );
    // A component may be larger than a message.
    let mut command = target.home.command("deploy app/large");
    let file = target.home.path().join("large.bin");
    fs::write(&file, &large).unwrap();
    command.arg(&file);
    crate::run::finish(command).assert_code(10);
    let ask = format!("ask app/echo/1 --file {}", file.display());
    target
        .home
        .run(&ask)
        .assert_code(24)
        .assert_err(&["the body is larger than it may be"]);
}

/// How many connections are served at once.
#[cfg(target_os = "linux")]
const PLACES: usize = 256;

/// How many sockets a system has open.
#[cfg(target_os = "linux")]
fn sockets(up: &Up) -> usize {
    let open = fs::read_dir(up.proc("fd")).unwrap();
    // One may be closed before it is looked at.
    let leads_to = open.filter_map(|it| fs::read_link(it.unwrap().path()).ok());
    leads_to.filter(|it| it.starts_with("socket:")).count()
}

/// Reads until the connection is closed, which has to come to pass.
fn heard(mut stream: &TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
#[cfg(target_os = "linux")]
fn connections_that_say_nothing_hold_nobody_up_for_long() {
    let target = Target::new();
    let before = sockets(&target.up);
    let silent: Vec<TcpStream> = (0..PLACES + 44).map(|_| target.up.connect()).collect();
    let ask = target.home.run("ask app/echo/1 -d hi");
    let open = sockets(&target.up);
    assert!(open <= before + PLACES, "{before} and then {open}");
    assert_eq!(ask.assert_code(0).out(), "hi");
    for stream in &silent[..PLACES] {
        assert_eq!(heard(stream), "");
    }
}

/// How many of the requests that are served at once may take long.
const LONG_REQUESTS: usize = 224;

#[test]
fn an_operator_is_answered_however_many_wait() {
    let target = Target::new();
    let follow = format!(
        "GET /v1/logs?follow=true HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        target.token
    );
    let mut following = Vec::new();
    for number in 0..LONG_REQUESTS + 100 {
        let mut stream = target.up.connect();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(follow.as_bytes()).unwrap();
        if number >= LONG_REQUESTS {
            let answer = heard(&stream);
            assert!(answer.starts_with("HTTP/1.1 503"), "{number}: {answer}");
            continue;
        }
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(status, *b"HTTP/1.1 200", "{number}");
        following.push(stream);
    }
    target.home.run("ps").assert_code(0);
    let revoke = target.home.run("revoke app/echo send *");
    assert_ne!(revoke.code, 4, "it is answered: {}", revoke.stderr);
    for busy in ["ask app/echo/1 -d hi", "logs -f"] {
        target
            .home
            .run(busy)
            .assert_code(9)
            .assert_err(&["224 requests that take long", "try again later"]);
    }
    target.home.run("logs").assert_code(0);
    drop(following);
    // The server notices when it writes the next line to them, or reads their end.
    let began = Instant::now();
    let mut asked = target.home.run("ask app/echo/1 -d hi");
    while asked.code == 9 && began.elapsed() < Duration::from_secs(60) {
        asked = target.home.run("ask app/echo/1 -d hi");
    }
    assert_eq!(asked.assert_code(0).out(), "hi");
}

#[test]
fn who_is_not_let_in_gets_one_answer_and_no_other() {
    let target = Target::new();
    let mut stream = target.up.connect();
    let request = "GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let answer = heard(&stream);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_has_as_many_descriptors_as_it_may() {
    let home = Home::with_manifest(&["echo"], "");
    let up = home.up_with_few_descriptors(128);
    let limits = fs::read_to_string(up.proc("limits")).unwrap();
    let files = limits.lines().find(|it| it.starts_with("Max open files"));
    let files: Vec<&str> = files.unwrap().split_whitespace().collect();
    assert_eq!(files[3], files[4], "{limits}");
}
