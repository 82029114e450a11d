//! Ctrl-C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{command, guest};

/// Starts a run, presses Ctrl-C once it is about to run turns, and returns its exit
/// code, standard output and standard error.
fn interrupted(name: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let mut child: Child = command(["try", &guest(name), "-v"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("activating") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended early");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        rest,
    )
}

#[test]
fn a_turn_without_end_is_abandoned() {
    let most = u64::MAX.to_string();
    let endless = ["--fuel", &most, "--timeout-ms", "60000"];
    let (code, stdout, stderr) = interrupted("endless-loop", &endless);
    assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
    assert!(stderr.contains("error: interrupted"), "{stderr}");
}

#[test]
fn a_measurement_says_what_it_has_so_far() {
    let many = ["--kind", "add", "--data", "1", "--repeat", "10000000"];
    let (code, stdout, stderr) = interrupted("counter", &many);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("error: interrupted"), "{stderr}");
    assert!(stderr.contains("of 10000000 turns were run"), "{stderr}");
    // Ctrl-C may come before the first turn.
    assert!(stdout.is_empty() || stdout.contains("p50"), "{stdout}");
}
