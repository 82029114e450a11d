//! Where compiled components are kept, and that no cache is no failure.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::run::{Run, command, finish, guest};

fn echo_with_cache(home: &Path, args: &[&str]) -> Run {
    let mut command = command(["try", &guest("echo"), "--data", "hello"]);
    command.args(args).env("XDG_CACHE_HOME", home);
    finish(command)
}

fn entries(home: &Path) -> Vec<PathBuf> {
    let compiled = home.join("airssys/compiled").read_dir().unwrap();
    compiled.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn what_was_compiled_is_kept_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let run = echo_with_cache(home.path(), &[]);
        assert_eq!(run.assert_code(0).out(), "hello");
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
        assert_eq!(entries(home.path()).len(), 1);
    }
    let mode = fs::metadata(home.path().join("airssys/compiled"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_broken_entry_is_compiled_again() {
    let home = tempfile::tempdir().unwrap();
    echo_with_cache(home.path(), &[]).assert_code(0);
    let entry = entries(home.path()).remove(0);
    let mut bytes = fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&entry, bytes).unwrap();
    let run = echo_with_cache(home.path(), &[]);
    assert_eq!(run.assert_code(0).out(), "hello");
    run.assert_err(&["warning: compiling again"]);
    let mended = echo_with_cache(home.path(), &[]);
    assert!(!mended.stderr.contains("warning"), "{}", mended.stderr);
}

#[test]
fn a_folder_that_others_can_write_is_not_trusted() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("airssys/compiled");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    let run = echo_with_cache(home.path(), &[]);
    assert_eq!(run.assert_code(0).out(), "hello");
    let next = format!(
        "next:  a compiled component is native code, so remove what others may have put there: `rm -r {}`",
        folder.display()
    );
    run.assert_err(&["warning: compiling without a cache", "(mode 777)", &next]);
    assert_eq!(entries(home.path()).len(), 0);
}

#[test]
fn no_folder_at_all_is_a_warning() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("airssys"), "a file").unwrap();
    let run = echo_with_cache(home.path(), &[]);
    assert_eq!(run.assert_code(0).out(), "hello");
    run.assert_err(&["warning: compiling without a cache", "--no-cache"]);

    // A relative path does not count, and then it is the home folder's.
    let mut command = command(["try", &guest("echo"), "--data", "hello"]);
    command
        .env("XDG_CACHE_HOME", "relative")
        .env("HOME", home.path());
    assert_eq!(finish(command).assert_code(0).out(), "hello");
    assert!(home.path().join(".cache/airssys/compiled").is_dir());
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let run = echo_with_cache(home.path(), &["--no-cache"]);
    assert_eq!(run.assert_code(0).out(), "hello");
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    assert_eq!(home.path().read_dir().unwrap().count(), 0);
}
