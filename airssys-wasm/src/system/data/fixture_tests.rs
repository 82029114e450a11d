//! Data of every format that was released can be read.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Letter;
use crate::core::storage::row::{MessageNumber, StoredMessage};
use crate::core::storage::store::PageLimit;
use crate::storage::codec::fixtures::example_dead_letter;
use crate::storage::data_folder::{DataFolder, DataFolderError};
use crate::storage::log::log::CommitLog;
use crate::storage::log::recovery::TABLES_FILE;
use crate::system::data::error::DataError;
use crate::system::data::fixture::{
    FAR_MS, FAR_PERIOD, V1, copy_of, file_names, id, settings, version,
};
use crate::system::data::stopped_data::StoppedData;

#[test]
fn data_v1_is_read_whole() {
    let copy = copy_of(V1);
    let folder = DataFolder::open_existing(copy.path()).unwrap();
    let (log, recovered) = CommitLog::open(folder.disk().unwrap(), settings()).unwrap();
    assert!(
        log.stats().unapplied_bytes > 0,
        "some of it is in the log alone"
    );

    let state = |address: &str| log.load(&id(address)).unwrap().keys;
    for (address, count, keys) in [
        ("demo/counter/a", "6", 1),
        ("demo/counter/b", "7", 1),
        ("demo/counter/c", "1", 1),
    ] {
        assert_eq!(state(address).get("count").unwrap(), count);
        assert_eq!(state(address).len(), keys, "{address}");
        let stamp = log.load(&id(address)).unwrap().stamp.unwrap();
        assert_eq!((stamp.turns_below, stamp.ran_by), (1_000, version("1.0")));
    }
    assert_eq!(state("demo/relay/desk").get("notes").unwrap(), "one\n");

    let all = PageLimit {
        messages: 9,
        bytes: u64::MAX,
    };
    let page = log
        .messages(&id("demo/counter/a"), MessageNumber::ZERO, all)
        .unwrap();
    let payload = |it: &StoredMessage| match &it.letter {
        Letter::Message(it) => it.payload().as_bytes().to_vec(),
        Letter::Reply(_) => panic!("no reply was written"),
    };
    let waiting: Vec<_> = page.messages.iter().map(|(_, it)| payload(it)).collect();
    assert_eq!(waiting, [b"2", b"3"]);
    assert_eq!(recovered.backlog[&id("demo/counter/a")].messages, 2);

    let desk = id("demo/relay/desk");
    assert_eq!((&recovered.timers[0].0, recovered.timers[0].1), (&desk, 9));
    assert_eq!(recovered.timers[0].2.due_unix_ms, FAR_MS);
    assert_eq!(
        (&recovered.requests[0].0, recovered.requests[0].1),
        (&desk, 3)
    );
    assert_eq!(recovered.subscriptions, [(desk, "orders.>".to_owned())]);
    let (to, number, dead) = &recovered.dead_letters[0];
    assert_eq!((to, *number), (&id("a/b/d"), 1));
    assert_eq!(format!("{dead:?}"), format!("{:?}", example_dead_letter()));
    let periods = [FAR_PERIOD - 1, FAR_PERIOD];
    let answer = log.answer(&id("demo/counter/a"), periods, &"id-0".into());
    assert_eq!(answer.unwrap().unwrap().unwrap().unwrap().as_bytes(), b"5");
    let usage = log.usage("demo/counter");
    assert_eq!((usage.bytes, usage.keys), (18, 3));
}

#[test]
fn data_v1_is_sound_and_compacted_and_copied() {
    let copy = copy_of(V1);
    let data = StoppedData::open(copy.path()).unwrap();
    let names = file_names(copy.path());
    let contents: Vec<_> = names.iter().map(|path| fs::read(path).unwrap()).collect();
    let found = data.verify().unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    assert!(found.in_log > 0);
    for (path, before) in names.iter().zip(&contents) {
        assert!(
            fs::read(path).unwrap() == *before,
            "{} was changed",
            path.display()
        );
    }
    let counts: Vec<_> = found.rows.iter().map(|it| (it.kind, it.rows)).collect();
    let expected = [
        ("records", 4),
        ("states", 4),
        ("messages", 2),
        ("timers", 1),
        ("requests", 1),
        ("subscriptions", 1),
        ("dead-letters", 1),
        ("answers", 1),
        ("usage", 2),
    ];
    assert_eq!(counts, expected);
    let counters = &found.components[0];
    assert_eq!(
        (counters.name.as_str(), counters.keys, counters.bytes),
        ("demo/counter", 3, 18)
    );

    let above = TempDir::new().unwrap();
    let to = above.path().join("copy");
    let backup = data.backup(&to).unwrap();
    assert_eq!(backup.folder, to);
    data.compact().unwrap();
    let logs = file_names(copy.path());
    assert!(
        logs.iter()
            .all(|path| !path.to_str().unwrap().contains("log-"))
    );
    for folder in [copy.path(), &to] {
        let data = match folder == to {
            true => &StoppedData::open(folder).unwrap(),
            false => &data,
        };
        let again = data.verify().unwrap();
        assert_eq!(again.problems, Vec::<String>::new());
        assert_eq!((&again.rows, again.in_log), (&found.rows, 0));
        assert_eq!(again.seq, found.seq);
    }
}

#[test]
fn what_is_newer_foreign_or_damaged_is_refused_with_words() {
    let newer = copy_of(V1);
    fs::write(newer.path().join("format"), "airssys data, format 2\n").unwrap();
    let refused = StoppedData::open(newer.path()).unwrap_err().to_string();
    assert!(refused.contains("has data of format 2"), "{refused}");

    let foreign = copy_of(V1);
    fs::remove_file(foreign.path().join("format")).unwrap();
    let refused = DataFolder::open(foreign.path()).unwrap_err();
    assert!(
        matches!(refused, DataFolderError::Foreign { .. }),
        "{refused}"
    );

    let tables = copy_of(V1);
    let path = tables.path().join(TABLES_FILE);
    let whole = fs::read(&path).unwrap();
    for (bytes, words) in [
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (whole[..5_000].to_vec(), "damaged"),
        // As a crash leaves it when the tables are made, but the log has been longer.
        (whole[..3].to_vec(), "a file of the log was removed"),
        (
            b"SQLite format 3\0".repeat(400),
            "holds no tables of airssys",
        ),
    ] {
        fs::write(&path, &bytes).unwrap();
        let data = StoppedData::open(tables.path()).unwrap();
        let found = data.verify().unwrap();
        assert_eq!(found.problem_count, 1);
        assert!(found.problems[0].contains(words), "{:?}", found.problems);
        assert!(fs::read(&path).unwrap() == bytes, "it was changed");
        for refused in [
            data.compact().err(),
            data.export(&id("demo/counter/a")).err(),
        ] {
            let refused = refused.unwrap();
            assert!(matches!(refused, DataError::Damaged(_)), "{refused}");
            assert!(refused.to_string().contains(words), "{refused}");
        }
    }
}
