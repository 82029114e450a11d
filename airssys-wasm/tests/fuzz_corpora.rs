//! Every file of the corpora in `fuzz/corpus/`, fed to what it is for: what was found once
//! is not there again, whether anybody fuzzes or not.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

// Layer 3: Internal module imports
use targets::target::Target;

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

/// How large all corpora may get together, in bytes: they are for tests, and not all that a
/// fuzzer knows.
const MAX_BYTES: u64 = 256 << 10;

fn fuzz(below: &str) -> PathBuf {
    Path::new("../fuzz").join(below)
}

/// The names of what is in a folder, without what follows a dot.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

fn corpus(name: &str) {
    let target = Target::ALL.iter().find(|it| it.name == name).unwrap();
    let folder = fuzz("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let bytes = fs::read(&path).unwrap();
        if catch_unwind(|| (target.run)(&bytes)).is_err() {
            panic!("{} does it", path.display());
        }
    }
}

macro_rules! corpora {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                corpus(stringify!($name));
            }
        )+

        #[test]
        fn each_target_is_a_program_with_a_corpus_and_a_test() {
            let all: BTreeSet<String> = Target::ALL.iter().map(|it| it.name.to_owned()).collect();
            let tested = [$(stringify!($name)),+].map(str::to_owned);
            assert_eq!(BTreeSet::from(tested), all);
            assert_eq!(names(&fuzz("corpus")), all);
            assert_eq!(names(&fuzz("fuzz_targets")), all);
        }
    };
}

corpora! {
    address
    audit_verify
    component
    inspection_diff
    manifest
    needs
    policy
    recorded_turn
    signature
    state_import
    store_recovery
}

#[test]
fn the_corpora_are_small() {
    let folders = fs::read_dir(fuzz("corpus")).unwrap();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
}
