//! The command line itself.

use crate::run::{airssys, command, finish, guest, try_guest};

#[test]
fn help_has_examples_and_the_exit_codes() {
    for args in [&["--help"][..], &["-h"], &["help"]] {
        let run = airssys(args);
        let help = run.assert_code(0).out();
        for words in ["Usage: airssys", "Examples:", "Exit codes:", "130  Ctrl-C."] {
            assert!(help.contains(words), "no {words:?} in\n{help}");
        }
    }
    // What it starts itself with is not for people, and tells them so.
    assert!(!airssys(["--help"]).out().contains("compile "));
    let compile = airssys(["compile"]);
    compile.assert_code(1).assert_err(&["a host of airssys"]);
    let run = airssys(["try", "--help"]);
    let help = run.assert_code(0).out();
    for words in [
        "<COMPONENT> [-]",
        "--repeat",
        "outcome     replied",
        "Examples:",
    ] {
        assert!(help.contains(words), "no {words:?} in\n{help}");
    }
    let run = airssys(["--version"]);
    assert_eq!(
        run.assert_code(0).out(),
        format!("airssys {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn without_arguments_there_is_help() {
    let run = airssys::<&str>([]);
    assert_eq!(run.assert_code(2).out(), "");
    run.assert_err(&["Usage: airssys", "Exit codes:"]);
}

#[test]
fn wrong_arguments_are_refused_before_anything_runs() {
    for (args, words) in [
        ("--data a --file b", "cannot be used with"),
        ("--data a -", "cannot be used with"),
        ("--file a -", "cannot be used with"),
        ("stray", "invalid value 'stray'"),
        ("--nonsense", "unexpected argument"),
        ("--fuel -5", "a whole number is expected"),
        ("--fuel 1.5", "a whole number is expected"),
        (
            "--fuel 18446744073709551616",
            "18446744073709551615, the largest",
        ),
        ("--timeout-ms soon", "a whole number is expected"),
        ("--memory 64TiB", "write KiB, MiB or GiB"),
        ("--memory 99999999999GiB", "more bytes than a computer has"),
        ("--memory -1", "a whole number is expected"),
        ("--limit replies=1", "the limits are component_bytes, "),
        ("--limit reply_bytes", "NAME=VALUE"),
        ("--repeat 0", "0 is not in 1..="),
        ("--repeat -1", "-1 is not in 1..="),
        ("--repeat 4294967296", "is not in 1..="),
        ("--address shop/cart", "three parts"),
        ("--address shop/../cart", "neither `.` nor `..`"),
        ("--address a/b/c/d", "three parts"),
        ("--address airssys/b/c", "the host's own"),
        ("--config novalue", "KEY=VALUE"),
        ("--config =x", "KEY=VALUE"),
        ("--seed x", "a whole number is expected"),
        ("--now-ms -1", "a whole number is expected"),
        ("--log a=b=c", "invalid value"),
    ] {
        let run = try_guest("echo", args);
        assert_eq!(run.assert_code(2).out(), "", "{args}");
        run.assert_err(&["error: ", words]);
    }
    airssys(["try"]).assert_code(2).assert_err(&["<COMPONENT>"]);
    airssys(["frobnicate"])
        .assert_code(2)
        .assert_err(&["unrecognized subcommand"]);
}

#[test]
fn extreme_values_are_taken_as_they_are() {
    let most = "18446744073709551615";
    for guest in ["echo", "caller"] {
        let args = format!("--fuel {most} --timeout-ms {most} --memory {most} --seed {most}");
        let run = try_guest(guest, &format!("{args} --now-ms {most} --data x"));
        let expected = if guest == "echo" { 0 } else { 20 };
        run.assert_code(expected);
    }
    try_guest("echo", "--fuel 0")
        .assert_code(24)
        .assert_err(&["turn_fuel allows 0"]);
    try_guest("echo", "--memory 0")
        .assert_code(24)
        .assert_err(&["memory_bytes allows 0 bytes"]);
}

#[test]
fn a_huge_kind_meets_its_limit() {
    let kind = "k".repeat(100_000);
    let run = airssys(["try", &guest("echo"), "--kind", &kind]);
    run.assert_code(24).assert_err(&[
        "kind_bytes allows 256 bytes, and 97.7 KiB was wanted",
        "--limit kind_bytes=128KiB",
    ]);
    let raised = [
        "try",
        &guest("echo"),
        "--kind",
        &kind,
        "--limit",
        "kind_bytes=128KiB",
    ];
    airssys(raised).assert_code(0);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_insist() {
    let colour = |variables: &[(&str, &str)]| {
        let mut command = command(["try", &guest("unreachable")]);
        command.envs(variables.iter().copied());
        let run = finish(command);
        run.assert_code(22);
        run.stderr.contains('\u{1b}')
    };
    assert!(!colour(&[]));
    assert!(colour(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}
