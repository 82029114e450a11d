//! Every way to fail has its own exit code, cause and next step.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use crate::run::{airssys, airssys_with_stdin, command, finish, guest, hostile_guests, try_guest};

/// Each hostile guest: its exit code, its kind, and words of its error.
const HOSTILE: &[(&str, i32, &str, &str)] = &[
    (
        "bad-pointer",
        22,
        "malformed-data",
        "the guest passed malformed data",
    ),
    (
        "core-module",
        10,
        "core-module",
        "wasm-tools component new guests/bin/core-module.wasm",
    ),
    (
        "deep-recursion",
        24,
        "limit-exceeded",
        "wasm_stack_bytes allows 512 KiB",
    ),
    (
        "endless-loop",
        24,
        "limit-exceeded",
        "turn_fuel allows 1,000,000,000",
    ),
    (
        "endless-start",
        24,
        "limit-exceeded",
        "turn_fuel allows 1,000,000,000",
    ),
    (
        "huge-result",
        24,
        "limit-exceeded",
        "hostcall_bytes allows 8 MiB",
    ),
    ("invalid-utf8", 22, "malformed-data", "invalid utf-8"),
    (
        "memory-bomb",
        24,
        "limit-exceeded",
        "memory_bytes allows 64 MiB",
    ),
    (
        "table-bomb",
        24,
        "limit-exceeded",
        "memory_bytes allows 64 MiB",
    ),
    (
        "unknown-import",
        11,
        "unknown-import",
        "`evil:corp/backdoor@1.0.0`",
    ),
    ("unreachable", 22, "unreachable", "stack: handle-message"),
    (
        "wrong-version",
        12,
        "export-version",
        "`airssys:actor/handler@0.2.0`",
    ),
];

#[test]
fn every_hostile_guest_gets_its_own_error() {
    let covered: BTreeSet<String> = HOSTILE
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(covered, BTreeSet::from_iter(hostile_guests()));
    for (name, code, kind, words) in HOSTILE {
        // The fuel is to end before the time does, be the machine as busy as it may.
        let run = try_guest(name, "--timeout-ms 60000");
        assert_eq!(run.assert_code(*code).out(), "", "{name}");
        run.assert_err(&["error: ", "  cause: ", "  next:  ", words]);

        let run = try_guest(name, "--json --timeout-ms 60000");
        let error = &run.assert_code(*code).json()["error"];
        assert_eq!(error["kind"], *kind, "{name}");
        assert_eq!(error["exit_code"], *code, "{name}");
    }
}

#[test]
fn what_is_no_component_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let echo = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/bin/echo.wasm"));
    let echo = echo.unwrap();
    for (path, words) in [
        (file("empty.wasm", b""), "is empty"),
        (file("text.wasm", b"hello\n"), "this with 68 65 6c 6c"),
        (file("short.wasm", b"\0a"), "is not WebAssembly"),
        (file("some.wat", b"  (component)\n"), "wasm-tools parse"),
        (file("cut.wasm", &echo[..5_000]), "is damaged"),
    ] {
        for subcommand in ["try", "inspect"] {
            let run = airssys([subcommand, &path]);
            assert_eq!(run.assert_code(10).out(), "");
            run.assert_err(&[words, &path, "next:"]);
            let run = airssys([subcommand, &path, "--json"]);
            assert_eq!(
                run.assert_code(10).json()["error"]["kind"],
                "not-a-component"
            );
        }
    }
}

#[test]
fn a_component_without_a_handler_is_no_actor() {
    let minimal = "airssys-wasm/tests/fixtures/minimal-component.wasm";
    let run = airssys(["try", minimal]);
    run.assert_code(12).assert_err(&[
        "is no actor",
        "does not export `airssys:actor/handler@0.1.0`",
        "airssys-guest",
    ]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let echo = guest("echo");
    for (args, words) in [
        (
            ["try", "no/such.wasm", "--data", "x"],
            "cannot read no/such.wasm",
        ),
        (
            ["try", "guests/bin", "--data", "x"],
            "cannot read guests/bin\n",
        ),
        (
            ["try", &echo, "--file", "no/such.md"],
            "cannot read no/such.md",
        ),
        (["try", &echo, "--file", "guests"], "cannot read guests\n"),
        (
            ["inspect", "-v", "--", "no/such.wasm"],
            "cannot read no/such.wasm",
        ),
    ] {
        let run = airssys(args);
        assert_eq!(run.assert_code(3).out(), "");
        run.assert_err(&[words, "cause: ", "next: "]);
    }
    let run = airssys(["inspect", "no/such.wasm", "--json"]);
    assert_eq!(run.assert_code(3).json()["error"]["kind"], "io");
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    for subcommand in ["try", "inspect"] {
        let run = airssys([subcommand, "/dev/zero"]);
        run.assert_code(24)
            .assert_err(&["component_bytes allows 64 MiB", "next:"]);
    }
    let run = airssys(["try", &guest("echo"), "--file", "/dev/zero"]);
    run.assert_code(24)
        .assert_err(&["message_bytes allows 4 MiB", "--limit message_bytes=8MiB"]);
    let run = airssys_with_stdin(["try", &guest("echo"), "-"], &vec![0; (4 << 20) + 1]);
    run.assert_code(24)
        .assert_err(&["message_bytes allows 4 MiB"]);
    let most = vec![0; 4 << 20];
    let run = airssys_with_stdin(["try", &guest("echo"), "-"], &most);
    assert!(run.assert_code(0).stdout == most);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = command(["try", &guest("echo"), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    std::io::copy(&mut &vec![b'x'; 1 << 20][..], &mut input).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("effects  none") && !stderr.contains("error"),
        "{stderr}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    for args in [["try", "--data", "x"], ["try", "--data=x", "--json"]] {
        let mut command = command(args);
        command.arg(guest("echo"));
        command.stdout(File::create("/dev/full").unwrap());
        let run = finish(command);
        run.assert_code(3)
            .assert_err(&["cannot write to standard output", "next:"]);
    }
}
