//! A log whose process is killed, or whose disk is full.

// Layer 1: Standard library imports
use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision, Operation};
use crate::security::audit::log::AuditLog;
use crate::security::audit::settings::AuditSettings;
use crate::security::audit::verification::verify;

/// Says where the other process writes.
const FOLDER: &str = "AIRSSYS_AUDIT_TEST";

fn open(folder: &Path) -> AuditLog {
    let settings = AuditSettings {
        file_bytes: 64 << 10,
        ..AuditSettings::default()
    };
    AuditLog::open(folder, settings, 0).unwrap()
}

#[test]
#[ignore = "is run by the others, in a process of its own"]
fn child() {
    let log = open(&PathBuf::from(env::var_os(FOLDER).unwrap()));
    for number in 1.. {
        let action = Action::Operate(Operation::Export);
        let mut entry = AuditEntry::new(number, action, Decision::Allowed);
        entry.resource = "x".repeat(number as usize % 500);
        log.note(entry);
        if number % 7 == 0 {
            match log.flush() {
                Ok(()) => println!("flushed {number}"),
                Err(error) => {
                    println!("failed {number} {error}");
                    return;
                }
            }
        }
    }
}

fn spawn(script: &str, folder: &Path) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(env::current_exe().unwrap());
    shell
        .args(["security::audit::process_tests::child", "--exact"])
        .args(["--ignored", "--nocapture"])
        .env(FOLDER, folder)
        // Where coverage is measured, what it wrote of it would be cut off as well.
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    shell.spawn().unwrap()
}

/// Reads until a line begins so, `times` over, and returns the number in the last one.
fn wait_for(child: &mut Child, word: &str, times: usize) -> u64 {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut numbers = (&mut lines).filter_map(|line| {
        let line = line.unwrap();
        let (_, rest) = line.split_once(word)?;
        rest.split_whitespace().next()?.parse().ok()
    });
    numbers.nth(times - 1).unwrap()
}

#[test]
fn what_was_flushed_outlives_the_process() {
    let above = TempDir::new().unwrap();
    let folder = above.path().join("audit");
    let mut at_least = 0;
    for times in [1, 40, 3, 80] {
        let mut child = spawn("exec \"$0\" \"$@\"", &folder);
        at_least += wait_for(&mut child, "flushed ", times);
        // This is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        let verified = verify(&folder, None).unwrap();
        assert!(verified.last.seq >= at_least, "{verified:?}");
        let log = open(&folder);
        log.close().unwrap();
        at_least = verify(&folder, None).unwrap().last.seq;
        assert!(at_least >= verified.last.seq);
    }
}

#[test]
fn a_full_disk_is_told_and_what_was_written_stays() {
    let above = TempDir::new().unwrap();
    let folder = above.path().join("audit");
    // No file may have more than 32 KiB.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let mut child = spawn(script, &folder);
    let noted = wait_for(&mut child, "failed ", 1);
    child.wait().unwrap();
    let verified = verify(&folder, None).unwrap();
    assert!(
        verified.entries > 7 && verified.entries < noted,
        "{verified:?}"
    );
    assert!(verified.torn_bytes > 0);
    // There is room again.
    let log = open(&folder);
    log.close().unwrap();
    let mended = verify(&folder, None).unwrap();
    assert_eq!(
        (mended.entries, mended.torn_bytes),
        (verified.entries + 1, 0)
    );
}
