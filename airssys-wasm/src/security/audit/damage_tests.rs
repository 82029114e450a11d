//! What is done to a log from outside is found, and what a crash does is mended.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::fmt::Debug;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::option;
use proptest::strategy::{Just, Strategy};
use proptest::test_runner::Config;
use proptest::{prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision, Operation};
use crate::security::audit::error::{AuditError, Broken};
use crate::security::audit::folder::{HEAD, name_of};
use crate::security::audit::mark::Mark;
use crate::security::audit::query::{AuditQuery, find};
use crate::security::audit::settings::AuditSettings;
use crate::security::audit::verification::{Verified, head, verify};
use crate::security::audit::writer::Writer;

/// Small files, so that there are several.
fn settings() -> AuditSettings {
    AuditSettings {
        file_bytes: 1_200,
        files: 3,
        ..AuditSettings::default()
    }
}

fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        component: "shop/cart".into(),
        resource: "x".repeat(number as usize % 40),
        ..AuditEntry::new(
            number,
            Action::Operate(Operation::Deploy),
            Decision::Allowed,
        )
    }
}

fn open(folder: &Path) -> Writer {
    Writer::open(folder, settings()).unwrap().0
}

fn write(writer: &mut Writer, numbers: RangeInclusive<u64>) {
    for number in numbers {
        writer.write(&mut VecDeque::from([entry(number)])).unwrap();
    }
}

/// A log with these entries that was closed.
fn log(entries: u64) -> (TempDir, PathBuf) {
    let above = TempDir::new().unwrap();
    let folder = above.path().join("audit");
    write(&mut open(&folder), 1..=entries);
    (above, folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|it| it.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|it| it.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    files.sort();
    files
}

fn sound(folder: &Path) -> Verified {
    verify(folder, None).unwrap()
}

#[track_caller]
fn broken(folder: &Path, what: impl Debug) -> Broken {
    match verify(folder, None) {
        Err(AuditError::Broken(broken)) => broken,
        other => panic!("{what:?}: {other:?}"),
    }
}

#[test]
fn every_byte_counts() {
    let (_above, folder) = log(9);
    let mut paths = files(&folder);
    assert!(paths.len() > 2);
    paths.push(folder.join(HEAD));
    for path in paths {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut edited = whole.clone();
            edited[at] ^= 1 << (at % 8);
            fs::write(&path, &edited).unwrap();
            broken(&folder, (&path, at));
            fs::write(&path, &whole[..at]).unwrap();
            broken(&folder, (&path, at));
            let mut longer = whole.clone();
            longer.insert(at, whole[at]);
            fs::write(&path, &longer).unwrap();
            broken(&folder, (&path, at));
        }
        fs::write(&path, &whole).unwrap();
        sound(&folder);
        fs::remove_file(&path).unwrap();
        broken(&folder, &path);
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn lines_stay_where_they_are() {
    let (_above, folder) = log(9);
    for path in files(&folder) {
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        for at in 0..lines.len() {
            let mut removed = lines.clone();
            removed.remove(at);
            let mut repeated = lines.clone();
            repeated.insert(at, lines[at]);
            for other in 0..lines.len() {
                let mut swapped = lines.clone();
                swapped.swap(at, other);
                if at != other {
                    fs::write(&path, swapped.concat()).unwrap();
                    broken(&folder, (at, other));
                }
            }
            for edited in [removed, repeated] {
                fs::write(&path, edited.concat()).unwrap();
                broken(&folder, (&path, at));
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    sound(&folder);
}

#[test]
fn where_it_is_broken_is_told() {
    let (_above, folder) = log(9);
    let second = files(&folder)[1].clone();
    let name = second.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = fs::read_to_string(&second).unwrap();
    let edited = whole.replacen("\"decision\":\"allowed\"", "\"decision\":\"denied\"", 1);
    fs::write(&second, edited).unwrap();
    let found = broken(&folder, "an edited entry");
    assert_eq!((&found.file, found.line), (&name, 1));
    assert!(found.what.ends_with(" was edited"), "{found}");
    fs::remove_file(&second).unwrap();
    let found = broken(&folder, "no file");
    assert!(
        found.to_string().contains("is missing before it"),
        "{found}"
    );
}

#[test]
fn a_noted_head_tells_a_log_that_was_made_anew() {
    let (_above, folder) = log(9);
    let noted = head(&folder).unwrap();
    assert_eq!(noted.seq, 9);
    verify(&folder, Some(noted)).unwrap();
    write(&mut open(&folder), 10..=11);
    verify(&folder, Some(noted)).unwrap();
    let ahead = head(&folder).unwrap();

    // Whoever computes everything anew is not found without it.
    let (_above, forged) = log(11);
    assert_eq!(head(&forged).unwrap(), ahead);
    fs::remove_dir_all(&forged).unwrap();
    let mut writer = open(&forged);
    write(&mut writer, 2..=12);
    sound(&forged);
    for mark in [noted, ahead] {
        let found = verify(&forged, Some(mark)).unwrap_err();
        assert!(matches!(found, AuditError::Broken(_)), "{found}");
    }
    let later = Mark { seq: 99, ..ahead };
    let found = verify(&folder, Some(later)).unwrap_err();
    assert!(matches!(found, AuditError::Broken(_)), "{found}");
    write(&mut open(&folder), 12..=60);
    let found = verify(&folder, Some(noted)).unwrap_err();
    assert!(
        matches!(found, AuditError::NotKept { seq: 9, .. }),
        "{found}"
    );
}

#[test]
fn an_opened_log_goes_on_and_a_cut_one_is_not_opened() {
    let (_above, folder) = log(4);
    assert!(matches!(
        verify(&folder.join("none"), None),
        Err(AuditError::NoLog { .. })
    ));
    for number in 5..=9 {
        let mut writer = open(&folder);
        assert_eq!(writer.last().seq, number - 1);
        write(&mut writer, number..=number);
    }
    assert_eq!(sound(&folder).last.seq, 9);
    let last = files(&folder).pop().unwrap();
    let whole = fs::read(&last).unwrap();
    fs::write(&last, &whole[..whole.len() - 1]).unwrap();
    let refused = || Writer::open(&folder, settings()).unwrap_err();
    assert!(matches!(refused(), AuditError::Broken(_)), "{}", refused());
    assert_eq!(fs::read(&last).unwrap().len(), whole.len() - 1);
    fs::remove_file(&last).unwrap();
    assert!(matches!(refused(), AuditError::Broken(_)), "{}", refused());
    fs::write(&last, &whole).unwrap();
    fs::remove_file(folder.join(HEAD)).unwrap();
    assert!(matches!(refused(), AuditError::Broken(_)), "{}", refused());
}

#[test]
fn rotation_keeps_the_newest_and_the_chain() {
    let (_above, folder) = log(0);
    let mut writer = open(&folder);
    for number in 1..=80 {
        write(&mut writer, number..=number);
        let verified = sound(&folder);
        assert_eq!(verified.last, writer.last());
        let files = files(&folder);
        assert!(files.len() <= 3);
        assert!(files.iter().all(|it| it.metadata().unwrap().len() <= 1_200));
        let found = find(&folder, &AuditQuery::default()).unwrap();
        assert_eq!(found.records.len() as u64, verified.entries);
        assert_eq!(found.records.last().unwrap().seq, verified.first);
        let numbers = found.records.iter().map(|it| (it.seq, it.entry.at_ms));
        assert!(numbers.eq((verified.first..=number).rev().map(|it| (it, it))));
    }
}

#[test]
fn a_crash_before_the_oldest_file_goes_leaves_nothing_in_the_way() {
    let (_above, folder) = log(9);
    let oldest = files(&folder)[0].clone();
    let whole = fs::read(&oldest).unwrap();
    write(&mut open(&folder), 10..=30);
    assert!(!oldest.exists());
    fs::write(&oldest, whole).unwrap();
    let before = sound(&folder);
    let found = find(&folder, &AuditQuery::default()).unwrap();
    assert_eq!(found.records.len() as u64, before.entries);
    drop(open(&folder));
    assert!(!oldest.exists());
    assert_eq!(sound(&folder), before);
}

#[test]
fn a_crash_before_the_first_line_of_a_file_leaves_an_empty_one() {
    let (_above, folder) = log(9);
    fs::write(folder.join(name_of(10)), "").unwrap();
    sound(&folder);
    write(&mut open(&folder), 10..=12);
    assert_eq!(sound(&folder).last.seq, 12);
}

#[test]
fn a_removed_file_is_noticed_while_it_is_written_to() {
    let (_above, folder) = log(9);
    let mut writer = open(&folder);
    fs::remove_file(files(&folder).pop().unwrap()).unwrap();
    write(&mut writer, 10..=10);
    broken(&folder, "a removed file");
    let found = find(&folder, &AuditQuery::default()).unwrap().records;
    assert_eq!((found[0].seq, found[1].seq), (11, 10));
    assert_eq!(found[1].entry.action, Action::Operate(Operation::Lost));
    assert!(
        found[1].entry.why.contains("removed"),
        "{}",
        found[1].entry.why
    );
    drop(writer);
    let mut writer = open(&folder);
    // What was removed is forgotten some time.
    write(&mut writer, 11..=40);
    sound(&folder);
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    /// The head is written after the lines. What comes behind the entry that it knows may
    /// be there in part, and anything may stand behind that.
    #[test]
    fn a_crash_loses_nothing_that_was_on_disk(
        before in 0..12_u64,
        more in 1..3_u64,
        kept in 0.0..1.0_f64,
        garbage in prop_oneof![
            Just(Vec::new()),
            vec(any::<u8>(), 0..200),
            (1..200_usize).prop_map(|zeros| vec![0; zeros]),
        ],
    ) {
        let (_above, folder) = log(before);
        let known = fs::read(folder.join(HEAD)).unwrap();
        let files_before = files(&folder);
        let bytes_before = files_before.last().map_or(0, |it| it.metadata().unwrap().len());
        write(&mut open(&folder), before + 1..=before + more);
        prop_assume!(before == 0 || files(&folder) == files_before);
        let last = files(&folder).pop().unwrap();
        let whole = fs::read(&last).unwrap();
        let written = whole.len() as u64 - bytes_before;
        let cut = bytes_before + (written as f64 * kept) as u64;
        let torn = [&whole[..cut as usize], &garbage].concat();
        fs::write(&last, &torn).unwrap();
        fs::write(folder.join(HEAD), known).unwrap();

        let (mut writer, cut_bytes) = Writer::open(&folder, settings()).unwrap();
        let found = writer.last().seq;
        prop_assert!((before..=before + more).contains(&found));
        let left = last.metadata().unwrap().len();
        prop_assert!(whole.starts_with(&fs::read(&last).unwrap()));
        prop_assert_eq!(cut_bytes, torn.len() as u64 - left);
        write(&mut writer, found + 1..=found + 2);
        prop_assert_eq!(sound(&folder).last.seq, found + 2);
    }

    #[test]
    fn a_query_finds_what_a_pass_over_all_finds(
        entries in vec((0..3_usize, any::<bool>(), 0..9_u64), 0..60),
        component in option::of(0..3_usize),
        since_ms in option::of(0..9_u64),
        limit in 0..40_usize,
    ) {
        let names = ["shop/cart", "shop/stock", "bank/account"];
        let above = TempDir::new().unwrap();
        let folder = above.path().join("audit");
        let mut writer = Writer::open(&folder, AuditSettings { files: 99, ..settings() }).unwrap().0;
        let action = Action::Operate(Operation::Upgrade);
        let made = entries.iter().map(|(component, is_allowed, at_ms)| AuditEntry {
            component: names[*component].to_owned(),
            ..AuditEntry::new(*at_ms, action, match is_allowed {
                true => Decision::Allowed,
                false => Decision::Denied,
            })
        });
        let made: Vec<AuditEntry> = made.collect();
        writer.write(&mut made.iter().cloned().collect()).unwrap();
        let query = AuditQuery {
            component: component.map(|it| names[it].to_owned()),
            decision: Some(Decision::Denied),
            since_ms,
            limit,
            ..AuditQuery::default()
        };
        let wanted = made.iter().rev().zip((1..=made.len() as u64).rev()).filter(|(entry, _)| {
            (query.component.is_none() || query.component.as_ref() == Some(&entry.component))
                && entry.decision == Decision::Denied
                && since_ms.is_none_or(|it| entry.at_ms >= it)
        });
        let wanted: Vec<(u64, &AuditEntry)> = wanted.map(|(it, seq)| (seq, it)).take(limit).collect();
        let found = find(&folder, &query).unwrap();
        prop_assert_eq!(found.unreadable, 0);
        let found: Vec<_> = found.records.iter().map(|it| (it.seq, &it.entry)).collect();
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(sound(&folder).entries, made.len() as u64);
    }
}
