//! The log and a plain model of it agree, whatever happens to the disk and the process.

// Layer 1: Standard library imports
use std::future::Future;
use std::thread;

// Layer 2: Third-party crate imports
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest,
};
use tokio::runtime::Builder;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::row::{Row, RowKey};
use crate::core::storage::store::Committed;
use crate::storage::disk::disk::Disk;
use crate::storage::disk::faulty::FaultyDisk;
use crate::storage::log::log::CommitLog;
use crate::storage::log::model::{ACTORS, Change, Model, Rows};
use crate::storage::log::recovery::TABLES_FILE;
use crate::storage::log::settings::LogSettings;
use crate::storage::tables::table::Table;
use crate::storage::tables::tables::Tables;
use crate::storage::wal::wal::Sizes;

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Read,
    /// Waits for one of the latest commits.
    Durable(u64),
    Checkpoint,
    Close,
    Drop,
    Crash(u64),
}

fn change() -> impl Strategy<Value = Change> {
    let (a, n) = (0..ACTORS, 0_usize..6);
    prop_oneof![
        2 => a.clone().prop_map(Change::Record),
        6 => (a.clone(), n.clone(), 0_usize..40).prop_map(|(a, n, b)| Change::Set(a, n, b)),
        3 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Unset(a, n)),
        8 => (a.clone(), 0_usize..40).prop_map(|(a, n)| Change::Send(a, n)),
        7 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Receive(a, n)),
        2 => a.clone().prop_map(Change::Timer),
        2 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Cancel(a, n)),
        2 => a.clone().prop_map(Change::Request),
        2 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Answered(a, n)),
        1 => (a.clone(), 0_usize..2).prop_map(|(a, n)| Change::Subscribe(a, n)),
        1 => (a.clone(), 0_usize..2).prop_map(|(a, n)| Change::Unsubscribe(a, n)),
        1 => a.clone().prop_map(Change::Bury),
        1 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Purge(a, n)),
        1 => (a.clone(), n.clone()).prop_map(|(a, n)| Change::Answer(a, n)),
        1 => (a, n).prop_map(|(a, n)| Change::Forget(a, n)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => prop::collection::vec(change(), 0..5).prop_map(Step::Commit),
        4 => Just(Step::Read),
        6 => (0_u64..4).prop_map(Step::Durable),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Close),
        1 => Just(Step::Drop),
        2 => any::<u64>().prop_map(Step::Crash),
    ]
}

fn settings() -> impl Strategy<Value = LogSettings> {
    // Bytes of batches and of checkpoints, and how old these get.
    let bytes = || prop::sample::select(vec![0, 2_000, 1 << 20]);
    (bytes(), bytes(), 0_u64..4).prop_map(|(batch_bytes, checkpoint_bytes, ms)| LogSettings {
        delay_ms: ms,
        batch_bytes,
        checkpoint_bytes,
        checkpoint_age_ms: ms,
        sizes: Sizes {
            segment_bytes: 2_000,
            ahead_bytes: 500,
        },
        cache_bytes: 1 << 20,
        ..LogSettings::default()
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// Opens a log, and brings the model to what it finds.
fn reopen(disk: &FaultyDisk, settings: LogSettings, model: &mut Model) -> CommitLog {
    let (log, recovered) = CommitLog::open(disk.clone(), settings).unwrap();
    let found = Rows::of(&log, recovered);
    assert!(model.cut_to(&found), "what is found was never committed");
    log
}

fn check_actors(log: &CommitLog, rows: &Rows) {
    let mut kept: Vec<&ComponentId> = Vec::new();
    for (actor, key) in rows.rows.keys() {
        if matches!(key, RowKey::Record | RowKey::State(_)) && kept.last() != Some(&actor) {
            kept.push(actor);
        }
    }
    for limit in 1..3 {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = log.actors("shop/", after.as_ref(), limit).unwrap();
            found.extend(page.iter().cloned());
            match page.into_iter().nth(limit - 1) {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        assert_eq!(found.iter().collect::<Vec<_>>(), kept);
    }
    kept.retain(|actor| actor.as_str().starts_with("shop/cart/"));
    let carts = log.actors("shop/cart/", None, 9).unwrap();
    assert_eq!(carts.iter().collect::<Vec<_>>(), kept);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn behaves_like_rows_applied_in_order(
        settings in settings(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut model = Model::new();
        let mut disk = FaultyDisk::new(1);
        let mut log = reopen(&disk, settings, &mut model);
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let commit = model.commit(&changes);
                    let is_empty = commit.is_empty();
                    let before = log.appended();
                    let seq = log.append(commit.clone()).unwrap().seq();
                    prop_assert_eq!(seq, if is_empty { 0 } else { before + 1 });
                    if !is_empty {
                        model.apply(seq, commit);
                    }
                }
                Step::Read => {
                    prop_assert_eq!(Rows::read(&log), model.now().readable());
                    check_actors(&log, model.now());
                }
                Step::Durable(back) => {
                    let seq = log.appended().saturating_sub(back);
                    block_on(log.durable(seq)).unwrap();
                    model.forget_before(seq);
                }
                Step::Checkpoint => {
                    block_on(log.checkpoint()).unwrap();
                    model.forget_before(log.appended());
                }
                Step::Close => {
                    block_on(log.close()).unwrap();
                    model.forget_before(log.appended());
                    drop(log);
                    log = reopen(&disk, settings, &mut model);
                }
                Step::Drop => {
                    model.forget_before(log.appended());
                    drop(log);
                    log = reopen(&disk, settings, &mut model);
                }
                Step::Crash(seed) => {
                    disk = disk.crash(seed);
                    drop(log);
                    log = reopen(&disk, settings, &mut model);
                }
            }
        }
        prop_assert_eq!(Rows::read(&log), model.now().readable());
        check_actors(&log, model.now());
    }
}

/// Writes and checkpoints follow each other without a pause.
fn restless() -> LogSettings {
    LogSettings {
        delay_ms: 0,
        batch_bytes: 0,
        checkpoint_bytes: 0,
        ..LogSettings::default()
    }
}

fn numbered(number: usize) -> ComponentId {
    ComponentId::new("shop", "cart", format!("n{number}"))
}

/// A commit that sets a key of each actor to the same text.
fn alike(actors: &[ComponentId], text: &str) -> Commit {
    let mut commit = Commit::default();
    for actor in actors {
        let row = Row::Value(text.to_owned().into());
        commit.put(actor, RowKey::State("k".into()), row);
    }
    commit
}

/// The text of an actor, as a number.
fn text_of(log: &CommitLog, actor: &ComponentId) -> u64 {
    let state = log.load(actor).unwrap().keys;
    let text = state.get("k").expect("it is somewhere at any moment");
    str::from_utf8(text).unwrap().parse().unwrap()
}

#[test]
fn what_was_appended_is_seen_wherever_it_is() {
    let (log, _) = CommitLog::open(FaultyDisk::new(1), restless()).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..3_000 {
                let both = [numbered(0), numbered(number)];
                let (actors, text) = (&both[usize::from(number == 0)..], number.to_string());
                drop(log.append(alike(actors, &text)).unwrap());
                for actor in actors {
                    assert_eq!(text_of(&log, actor), number as u64);
                }
            }
        });
        let (first, mut last) = (numbered(0), 0);
        while !writer.is_finished() {
            if log.appended() > 0 {
                let seen = text_of(&log, &first);
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
            }
        }
    });
    block_on(log.close()).unwrap();
    assert!(log.stats().checkpoints > 1);
}

#[test]
fn copies_are_of_whole_commits() {
    let (log, _) = CommitLog::open(FaultyDisk::new(1), restless()).unwrap();
    // More than settle at once.
    let actors: Vec<_> = (0..1_000).map(numbered).collect();
    drop(log.append(alike(&actors, "0")).unwrap());
    block_on(log.checkpoint()).unwrap();
    thread::scope(|scope| {
        let copier = scope.spawn(|| {
            for seed in 0..20 {
                let copy = FaultyDisk::new(seed);
                let target = Tables::open(copy.create(TABLES_FILE).unwrap(), 1 << 20).unwrap();
                log.snapshot_to(&target).unwrap();
                let rows = target.range(Table::States, &[], None, usize::MAX).unwrap();
                assert_eq!(rows.len(), actors.len());
                assert!(
                    rows.iter().all(|row| row.1 == rows[0].1),
                    "a commit is torn"
                );
            }
        });
        for number in 1.. {
            if copier.is_finished() {
                break;
            }
            block_on(log.room()).unwrap();
            drop(log.append(alike(&actors, &number.to_string())).unwrap());
        }
    });
}
