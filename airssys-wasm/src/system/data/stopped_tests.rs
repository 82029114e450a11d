//! Data of systems that do not run.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::core::limits::Limits;
use crate::core::security::audit::{Action, Decision, Operation};
use crate::core::storage::commit::Commit;
use crate::core::storage::row::{Row, RowKey};
use crate::security::audit::log::AuditLog;
use crate::security::audit::query::{AuditQuery, find};
use crate::security::audit::settings::AuditSettings;
use crate::storage::codec::fixtures::example_dead_letter;
use crate::storage::data_folder::DataFolder;
use crate::storage::log::log::CommitLog;
use crate::storage::log::recovery::TABLES_FILE;
use crate::system::data::error::DataError;
use crate::system::data::fixture::{Rows, V1, copy_of, file_names, id, settings};
use crate::system::data::stopped_data::StoppedData;
use crate::system::data::waiting::wait_for;

/// All that is in the tables of the fixture, without what is in the log alone.
fn content(folder: &Path) -> Result<String, DataError> {
    let data = StoppedData::open(folder)?;
    let found = data.verify()?;
    if !found.is_sound() {
        return Err(DataError::Damaged(found.problems.join("; ")));
    }
    let actors = ["demo/counter/a", "demo/counter/b", "demo/relay/desk"];
    let states = actors.map(|actor| format!("{:?}", data.export(&id(actor))));
    Ok(format!(
        "{:?} {:?} {states:?}",
        found.rows, found.components
    ))
}

#[test]
fn a_flipped_byte_is_found_or_harmless() {
    let copy = copy_of(V1);
    for path in file_names(copy.path()) {
        if path.to_str().unwrap().contains("log-") {
            // Damage to the last frame cannot be told from a crash.
            fs::remove_file(path).unwrap();
        }
    }
    let path = copy.path().join(TABLES_FILE);
    let whole = fs::read(&path).unwrap();
    let expected = content(copy.path()).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut found = 0;
    for at in used.iter().step_by(used.len().div_ceil(60)) {
        let mut flipped = whole.clone();
        flipped[*at] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        match content(copy.path()) {
            Ok(same) => assert_eq!(same, expected, "byte {at}"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 0, "none was found");
}

#[test]
fn what_does_not_add_up_is_found() {
    let copy = TempDir::new().unwrap();
    let folder = DataFolder::open(copy.path()).unwrap();
    let (log, _) = CommitLog::open(folder.disk().unwrap(), settings()).unwrap();
    let rows = Rows(Commit::default())
        .state("demo/counter/a", "count", b"5", (7, 1))
        .put(
            "demo/counter/a",
            RowKey::DeadLetter(1),
            Row::DeadLetter(example_dead_letter().into()),
        );
    drop(log.append(rows.0).unwrap());
    wait_for(log.close()).unwrap();
    drop((log, folder));
    let found = StoppedData::open(copy.path()).unwrap().verify().unwrap();
    assert_eq!(found.problem_count, 2, "{:?}", found.problems);
    assert!(
        found.problems[0].contains("the message is for `a/b/d`"),
        "{:?}",
        found.problems
    );
    assert!(
        found.problems[1].contains("`demo/counter` keeps 1 keys of 6 bytes"),
        "{:?}",
        found.problems
    );
}

#[test]
fn state_goes_from_folder_to_folder() {
    let (copy, other) = (copy_of(V1), TempDir::new().unwrap());
    drop(DataFolder::open(other.path()).unwrap());
    let from = StoppedData::open(copy.path()).unwrap();
    let to = StoppedData::open(other.path()).unwrap();
    let (a, b) = (id("demo/counter/a"), id("demo/counter/b"));
    let lines: Vec<u8> = from.export(&b).unwrap().into_lines().flatten().collect();
    let nobody = to.export(&b).unwrap_err();
    assert!(matches!(nobody, DataError::NoState(_)), "{nobody}");
    let import = to.import(&b, &Limits::default(), lines.as_slice()).unwrap();
    assert_eq!((import.keys, import.bytes, import.keys_before), (1, 6, 0));
    assert_eq!(to.export(&b).unwrap(), from.export(&b).unwrap());
    // What was there is replaced, and other actors and messages are left alone.
    let import = from
        .import(&a, &Limits::default(), lines.as_slice())
        .unwrap();
    assert_eq!((import.keys, import.keys_before), (1, 1));
    assert_eq!(from.export(&a).unwrap().keys, from.export(&b).unwrap().keys);
    for data in [&from, &to] {
        let found = data.verify().unwrap();
        assert!(found.is_sound(), "{:?}", found.problems);
    }
    let messages = &from.verify().unwrap().rows[2];
    assert_eq!((messages.kind, messages.rows), ("messages", 2));

    let before = from.export(&a).unwrap();
    let cut = &lines[..lines.len() - 10];
    let refused = from.import(&a, &Limits::default(), cut).unwrap_err();
    assert!(matches!(refused, DataError::InvalidState(_)), "{refused}");
    let small = Limits {
        storage_bytes: 5,
        ..Limits::default()
    };
    let refused = from.import(&a, &small, lines.as_slice()).unwrap_err();
    assert!(
        refused.to_string().contains("storage_bytes allows 5"),
        "{refused}"
    );
    assert_eq!(from.export(&a).unwrap(), before);
}

#[test]
fn a_backup_goes_to_a_new_folder_or_nowhere() {
    let (copy, above) = (copy_of(V1), TempDir::new().unwrap());
    let data = StoppedData::open(copy.path()).unwrap();
    let refused = StoppedData::open(copy.path()).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    let to = |name: &str| above.path().join(name);
    fs::write(to("file"), "text").unwrap();
    fs::create_dir(to("full")).unwrap();
    fs::write(to("full/file"), "text").unwrap();
    fs::create_dir(to("empty")).unwrap();
    for (name, words) in [
        ("file", "there is a file already"),
        ("full", "not empty"),
        ("file/below", "Not a directory"),
        ("full/..", "no name for a new folder"),
    ] {
        let refused = data.backup(&to(name)).unwrap_err().to_string();
        assert!(refused.contains(words), "{name}: {refused}");
    }
    data.backup(&to("empty")).unwrap();
    data.backup(&to(&"n".repeat(255))).unwrap();
    data.backup(&to("deep/er/new")).unwrap();
    // Nothing else is left.
    assert_eq!(fs::read_dir(above.path()).unwrap().count(), 5);
    assert_eq!(fs::read_dir(to("full")).unwrap().count(), 1);
    for name in ["empty", "deep/er/new"] {
        let data = StoppedData::open(to(name)).unwrap();
        assert!(data.verify().unwrap().is_sound());
    }
}

#[test]
fn what_is_done_is_in_the_audit_log_beside_it() {
    let copy = copy_of(V1);
    let data = StoppedData::open(copy.path()).unwrap();
    let log = copy.path().join("audit");
    data.export(&id("demo/counter/a")).unwrap();
    assert!(!log.exists(), "there was none before");

    let small = AuditSettings {
        file_bytes: 64 << 10,
        ..AuditSettings::default()
    };
    AuditLog::open(&log, small, 0).unwrap().close().unwrap();
    let state = data.export(&id("demo/counter/a")).unwrap();
    let lines: Vec<u8> = state.into_lines().flatten().collect();
    let import = |lines: &[u8]| {
        let to = id("demo/counter/b");
        data.import(&to, &Limits::default(), lines)
    };
    import(&lines).unwrap();
    import(&lines[..10]).unwrap_err();
    let elsewhere = TempDir::new().unwrap();
    data.backup(&elsewhere.path().join("copy")).unwrap();
    let found = find(&log, &AuditQuery::default()).unwrap();
    let told: Vec<_> = found.records.iter().map(|it| &it.entry).collect();
    let deeds = told
        .iter()
        .map(|it| (it.action, it.decision, it.actor.as_deref()));
    let deed = |operation, decision, actor| (Action::Operate(operation), decision, actor);
    let expected = [
        deed(Operation::Backup, Decision::Allowed, None),
        deed(Operation::Import, Decision::Denied, Some("demo/counter/b")),
        deed(Operation::Import, Decision::Allowed, Some("demo/counter/b")),
        deed(Operation::Export, Decision::Allowed, Some("demo/counter/a")),
    ];
    assert_eq!(deeds.collect::<Vec<_>>(), expected, "the newest first");

    // Nothing is done that cannot be written down.
    let head_file = log.join("head.json");
    let head = fs::read(&head_file).unwrap();
    fs::write(&head_file, "{}").unwrap();
    let refused = import(&lines).unwrap_err();
    assert!(matches!(refused, DataError::Audit(_)), "{refused}");
    fs::write(&head_file, head).unwrap();
    import(&lines).unwrap();
}
