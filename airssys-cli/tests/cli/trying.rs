//! `try`: the reply, the effects, the inputs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::run::{airssys, airssys_with_stdin, guest, try_guest, try_json};

#[test]
fn markdown_becomes_html_from_each_source() {
    let markdown = guest("markdown");
    let html = "<h1>Hello <em>you</em></h1>\n";
    let run = airssys(["try", &markdown, "--data", "# Hello *you*"]);
    assert_eq!(run.assert_code(0).out(), html);
    run.assert_err(&["time", "fuel", "memory", "loaded in", "effects  none"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hello.md");
    fs::write(&file, "# Hello *you*").unwrap();
    let run = airssys(["try", &markdown, "--file", file.to_str().unwrap()]);
    assert_eq!(run.assert_code(0).out(), html);

    for stdin in [
        ["try", &markdown, "-", "-v"],
        ["try", &markdown, "--file", "-"],
    ] {
        let run = airssys_with_stdin(stdin, b"# Hello *you*");
        assert_eq!(run.assert_code(0).out(), html);
    }
}

#[test]
fn standard_input_that_nobody_asked_for_is_left_alone() {
    let run = airssys_with_stdin(["try", &guest("echo"), "--kind", "say"], b"unasked");
    assert_eq!(run.assert_code(0).out(), "");
}

#[test]
fn replies_are_raw_bytes() {
    let bytes = b"\xff\x00\x1b[2J\r\n no newline";
    let run = airssys_with_stdin(["try", &guest("echo"), "-"], bytes);
    assert_eq!(run.assert_code(0).stdout, bytes);

    let data = OsStr::from_bytes(b"\xfe\xff");
    let echo = guest("echo");
    let run = airssys([OsStr::new("try"), OsStr::new(&echo), OsStr::new("-d"), data]);
    assert_eq!(run.assert_code(0).stdout, b"\xfe\xff");

    let run = airssys_with_stdin(["try", &guest("reverse"), "-"], b"abc");
    assert_eq!(run.assert_code(0).stdout, b"cba");
}

#[test]
fn an_empty_reply_is_told_from_none() {
    try_guest("echo", "")
        .assert_code(0)
        .assert_err(&["reply    empty\n"]);
    try_guest("relay", "--kind note --data x")
        .assert_code(0)
        .assert_err(&["reply    none\n"]);
    let run = try_guest("echo", "--data x");
    assert!(!run.stderr.contains("reply "), "{}", run.stderr);
}

#[test]
fn data_may_begin_with_a_hyphen() {
    let run = try_guest("counter", "--kind add --data -7");
    assert_eq!(run.assert_code(0).out(), "-7");
}

#[test]
fn effects_are_shown_and_not_carried_out() {
    let run = try_guest("counter", "--kind add --data 2");
    assert_eq!(run.assert_code(0).out(), "2");
    run.assert_err(&["would set count = \"2\"", "(recorded, not carried out)"]);

    let later = r#"{"target":"demo/echo/one","kind":"say","text":"hello","delay_ms":1500}"#;
    let run = airssys(["try", &guest("relay"), "-k", "later", "-d", later]);
    run.assert_code(0)
        .assert_err(&["would send later say \"hello\" to demo/echo/one in 1,500 ms (timer "]);
}

#[test]
fn a_turn_that_fails_leaves_no_trace() {
    for (kind, code, message) in [
        (
            "add-then-reject",
            20,
            "error: the guest rejected the message\n  cause: 2 is not to stay\n",
        ),
        (
            "add-then-retry",
            21,
            "tried again later\n  cause: 2 is not to stay yet\n",
        ),
        (
            "add-then-trap",
            22,
            "error: the guest gave up (`unreachable`)\n",
        ),
    ] {
        let run = try_guest("counter", &format!("--kind {kind} --data 2"));
        assert_eq!(run.assert_code(code).out(), "");
        run.assert_err(&[
            message,
            "effects  none: a turn that fails leaves no trace",
            "next:",
        ]);
        assert!(!run.stderr.contains("would"), "{}", run.stderr);
    }
}

#[test]
fn a_trap_shows_the_stack() {
    let run = try_guest("counter", "--kind add-then-trap --data 2");
    run.assert_code(22)
        .assert_err(&["stack: ", "core::panicking::panic_fmt\n"]);
}

#[test]
fn what_a_guest_says_cannot_steer_the_terminal() {
    let kind = "\u{1b}[2J\u{202e}";
    let run = airssys(["try", &guest("counter"), "--kind", kind]);
    run.assert_code(20)
        .assert_err(&["unknown kind `\\u{1b}[2J\\u{202e}`"]);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
}

#[test]
fn init_is_told_the_configuration() {
    let run = try_guest(
        "lifecycle",
        "--kind config --data a --config a=b=c --config x=",
    );
    assert_eq!(run.assert_code(0).out(), "b=c");
    run.assert_err(&[
        "init     would set config/a = \"b=c\"",
        "would set starts = \"1\"",
    ]);

    // What init stores is there in the turn.
    let run = try_guest("lifecycle", "--kind get --data starts");
    assert_eq!(run.assert_code(0).out(), "1");

    let run = try_guest("lifecycle", "--config init=fail");
    run.assert_code(20).assert_err(&[
        "error: the guest refused to start\n",
        "cause: the configuration says that init fails\n",
        "`--config`",
    ]);
    let run = try_guest("lifecycle", "--config init=trap");
    run.assert_code(22)
        .assert_err(&["guest error: panicked at", "#init"]);
}

#[test]
fn equal_inputs_give_equal_turns() {
    let script = r#"[["services.random-bytes",{"count":16}],["services.now-ms",{}]]"#;
    let probe = guest("probe");
    let run = |args: &[&str]| {
        let all = ["try", &probe, "--kind", "script", "--data", script].into_iter();
        let run = airssys(all.chain(args.iter().copied()));
        run.assert_code(0).out().to_owned()
    };
    let fixed = ["--seed", "42", "--now-ms", "1700000000000"];
    assert_eq!(run(&fixed), run(&fixed));
    assert!(run(&fixed).contains("1700000000000"));
    assert_ne!(
        run(&fixed),
        run(&["--seed", "43", "--now-ms", "1700000000000"])
    );
    assert_ne!(run(&[]), run(&[]));
}

#[test]
fn the_address_is_the_file_or_what_is_asked_for() {
    let run = try_guest("relay", "--kind address");
    assert_eq!(run.assert_code(0).out(), "try/relay/1");
    let run = try_guest("relay", "--kind address --address shop/cart/alice");
    assert_eq!(run.assert_code(0).out(), "shop/cart/alice");
}

#[test]
fn calls_are_shown_and_nobody_answers() {
    let call = r#"{"target":"demo/echo/one","kind":"say","text":"hello","timeout_ms":1000}"#;
    let run = airssys(["try", &guest("caller"), "-k", "call", "-d", call]);
    run.assert_code(20).assert_err(&[
        "calls    say \"hello\" to demo/echo/one: nobody answers\n",
        "`airssys try` runs one component by itself",
    ]);
}

#[test]
fn long_lists_of_effects_are_cut() {
    let targets = vec!["\"demo/echo/one\""; 30].join(",");
    let broadcast = format!(r#"{{"targets":[{targets}],"kind":"say","text":"hello"}}"#);
    let run = airssys(["try", &guest("relay"), "-k", "broadcast", "-d", &broadcast]);
    run.assert_code(0)
        .assert_err(&["… and 10 more, which --json shows"]);
    assert_eq!(run.stderr.matches("would send").count(), 20);

    let (code, json) = try_json("relay", &format!("-k broadcast -d {broadcast}"));
    assert_eq!((code, json["effects"].as_array().unwrap().len()), (0, 30));
}
