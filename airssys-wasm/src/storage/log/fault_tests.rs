//! Whatever goes wrong with the disk and whenever, what was acknowledged is there afterwards.

// Layer 1: Standard library imports
use std::ops::Range;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::runtime::Builder;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::core::storage::store::{Committed, StoreError};
use crate::storage::disk::faulty::{Fault, FaultyDisk};
use crate::storage::log::log::CommitLog;
use crate::storage::log::model::{Change, Model, Rows};
use crate::storage::log::settings::LogSettings;
use crate::storage::wal::wal::Sizes;

/// Longer than anything here takes.
const HANG: Duration = Duration::from_secs(60);

/// What goes wrong, and what is found afterwards.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// One operation, or all from it on; then the process ends and the machine goes on.
    Fails(Fault),
    /// The same, and then the power goes off.
    FailsAndCrashes(Fault),
    /// The power goes off at once.
    PowerCut,
    /// The disk is full, and then there is space again.
    Full,
    /// The disk is full for one operation.
    FullOnce,
}

const TROUBLES: [Trouble; 7] = [
    Trouble::Fails(Fault::Once),
    Trouble::Fails(Fault::Dead),
    Trouble::FailsAndCrashes(Fault::Once),
    Trouble::FailsAndCrashes(Fault::Dead),
    Trouble::PowerCut,
    Trouble::Full,
    Trouble::FullOnce,
];

impl Trouble {
    fn prepare(self, disk: &FaultyDisk, point: u64) {
        match self {
            Self::Fails(fault) | Self::FailsAndCrashes(fault) => disk.fail_at(point, fault),
            Self::PowerCut => disk.fail_at(point, Fault::PowerCut),
            Self::Full => disk.fill_during(Range {
                start: point,
                end: u64::MAX,
            }),
            Self::FullOnce => disk.fill_during(point..point + 1),
        }
    }

    fn end(self, disk: &FaultyDisk, seed: u64) -> FaultyDisk {
        match self {
            Self::FailsAndCrashes(_) | Self::PowerCut => disk.crash(seed),
            Self::Fails(_) | Self::Full | Self::FullOnce => {
                disk.heal();
                disk.clone()
            }
        }
    }
}

/// Nothing is done but what the script waits for, so that it does the same each time.
fn settings() -> LogSettings {
    LogSettings {
        delay_ms: u64::MAX,
        checkpoint_age_ms: u64::MAX,
        sizes: Sizes {
            segment_bytes: 1_500,
            ahead_bytes: 400,
        },
        cache_bytes: 1 << 20,
        ..LogSettings::default()
    }
}

/// Commits this and that, and acknowledges some of it.
async fn script(log: &CommitLog, model: &mut Model) -> Result<(), StoreError> {
    for round in 0..8 {
        let commits: [&[Change]; 4] = [
            &[
                Change::Set(0, round % 3, 30 * round),
                Change::Send(1, 20),
                Change::Record(0),
            ],
            &[Change::Receive(1, 0), Change::Timer(1), Change::Send(2, 9)],
            &[Change::Set(1, 1, 5), Change::Unset(1, 0), Change::Bury(2)],
            &[
                Change::Receive(2, round),
                Change::Cancel(1, 0),
                Change::Answer(0, round % 6),
            ],
        ];
        for changes in commits {
            let commit = model.commit(changes);
            let seq = log.append(commit.clone())?.seq();
            model.apply(seq, commit);
            if !seq.is_multiple_of(3) {
                log.durable(seq).await?;
                model.forget_before(seq);
            }
        }
        log.flush().await?;
        model.forget_before(log.appended());
        if round % 2 == 1 {
            log.checkpoint().await?;
        }
    }
    log.close().await
}

/// Runs the script on a disk with trouble. Whether there was none after all.
async fn run(disk: &FaultyDisk, model: &mut Model) -> bool {
    let Ok((log, _)) = CommitLog::open(disk.clone(), settings()) else {
        return false;
    };
    let done = timeout(HANG, script(&log, model))
        .await
        .expect("somebody is not woken");
    if done.is_ok() {
        return true;
    }
    // It stopped for good, and says so to everybody.
    let stopped = timeout(HANG, log.failed()).await.unwrap();
    assert_eq!(
        log.append(model.commit(&[Change::Record(0)])).unwrap_err(),
        stopped
    );
    assert_eq!(log.room().await.unwrap_err(), stopped);
    // What was on disk before it stopped is.
    assert_eq!(log.durable(log.appended() + 1).await.unwrap_err(), stopped);
    assert_eq!(log.close().await.unwrap_err(), stopped);
    false
}

/// Opens the log again, and goes on with it.
async fn check(disk: FaultyDisk, model: &mut Model) {
    for _ in 0..2 {
        let (log, recovered) = CommitLog::open(disk.clone(), settings()).unwrap();
        let found = Rows::of(&log, recovered);
        assert!(
            model.cut_to(&found),
            "what is found was never committed, or is too old"
        );
        let commit = model.commit(&[Change::Set(0, 0, 1), Change::Send(0, 1)]);
        let seq = log.append(commit.clone()).unwrap().seq();
        model.apply(seq, commit);
        log.flush().await.unwrap();
        model.forget_before(seq);
        assert_eq!(Rows::read(&log), model.now().readable());
    }
}

#[test]
fn every_operation_of_the_disk_may_fail() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut tried = 0;
    for trouble in TROUBLES {
        for point in 1.. {
            let disk = FaultyDisk::new(point);
            trouble.prepare(&disk, point);
            let mut model = Model::new();
            let is_done = runtime.block_on(run(&disk, &mut model));
            if is_done && disk.points() < point {
                break;
            }
            tried += 1;
            let mut disk = trouble.end(&disk, point);
            if point % 2 == 0 {
                // The power goes off again while the log is opened.
                disk.fail_at(disk.points() + 1 + point % 10, Fault::PowerCut);
                drop(CommitLog::open(disk.clone(), settings()));
                disk = disk.crash(point);
            }
            runtime.block_on(check(disk, &mut model));
        }
    }
    println!("{tried} points");
    assert!(tried > 1_000, "only {tried} points");
}
