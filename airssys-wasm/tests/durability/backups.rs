//! Backups of running systems.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;
use tokio::join;

// Layer 3: Internal module imports
use crate::support::{ask, start};
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::data::stopped_data::StoppedData;
use airssys_wasm::system::error::StartError;
use airssys_wasm::system::handle::System;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_what_was_acknowledged_and_starts() {
    let home = TempDir::new().unwrap();
    let (data, copy) = (home.path().join("data"), home.path().join("copies/one"));
    let system = start(&data).await;
    for _ in 0..20 {
        ask(&system, "demo/counter/a", "add", "1").await;
    }
    // Others go on meanwhile: what is answered later may be there or not.
    let adding = async {
        for _ in 0..50 {
            ask(&system, "demo/counter/b", "add", "1").await;
        }
    };
    let (backup, ()) = join!(system.backup(&copy), adding);
    let backup = backup.unwrap();
    assert_eq!(backup.folder, copy);
    assert!(backup.bytes > 0 && backup.seq > 0);
    ask(&system, "demo/counter/a", "add", "100").await;
    let taken = system.backup(&copy).await.unwrap_err();
    assert!(taken.to_string().contains("not empty"), "{taken}");
    let names = fs::read_dir(home.path().join("copies")).unwrap().count();
    assert_eq!(names, 1, "something else is left");

    // The running system has its folder for itself.
    let in_use = StoppedData::open(&data).unwrap_err();
    assert!(
        in_use.to_string().contains("in use by another process"),
        "{in_use}"
    );
    let found = StoppedData::open(&copy).unwrap().verify().unwrap();
    assert!(found.is_sound(), "{:?}", found.problems);
    let restored = start(&copy).await;
    assert_eq!(ask(&restored, "demo/counter/a", "get", "").await, "20");
    let b: u32 = ask(&restored, "demo/counter/b", "get", "")
        .await
        .parse()
        .unwrap();
    assert!(b <= 50, "{b}");
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "120");
    let status = restored.status();
    assert_eq!(status.data.unwrap().folder, copy);
    assert_eq!(status.components[0].storage_keys, 1 + u64::from(b > 0));
    restored.shutdown().await;
    system.shutdown().await;
    let late = system.backup(home.path().join("late")).await.unwrap_err();
    assert!(matches!(late, DataError::Disk(_)), "{late}");
    assert!(!home.path().join("late").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_without_data_has_no_backup() {
    let home = TempDir::new().unwrap();
    let builder = System::builder().component("demo/counter", "../guests/bin/counter.wasm");
    let system = builder.start().await.unwrap();
    let refused = system.backup(home.path().join("copy")).await.unwrap_err();
    assert!(matches!(refused, DataError::NoDataFolder), "{refused}");
    let refused = system
        .export(&"demo/counter/a".parse().unwrap())
        .await
        .unwrap_err();
    assert!(matches!(refused, DataError::NoDataFolder), "{refused}");
    assert_eq!(system.status().data, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_folder_does_not_start() {
    let home = TempDir::new().unwrap();
    let system = start(home.path()).await;
    ask(&system, "demo/counter/a", "add", "1").await;
    system.shutdown().await;
    drop(system);
    let tables = home.path().join("tables.redb");
    let whole = fs::read(&tables).unwrap();
    fs::write(&tables, &whole[..whole.len() / 3]).unwrap();
    let builder = System::builder().configure(|system| system.data = Some(home.path().into()));
    let Err(refused) = builder.start().await else {
        panic!("it started");
    };
    assert!(
        matches!(refused, StartError::Data(DataError::Damaged(_))),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("restore a backup"),
        "{refused}"
    );
}
