//! Compiled components on disk: never trusted further than they can be checked.

// Layer 1: Standard library imports
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tempfile::{TempDir, tempdir};

// Layer 3: Internal module imports
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::TurnOutcome;
use airssys_wasm::runtime::cache::{CacheError, CompileCache};
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{engine, engine_with, guest, id, message};

struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: tempdir().unwrap(),
        }
    }

    fn cache(&self) -> CompileCache {
        CompileCache::open(self.folder.path().join("compiled")).unwrap()
    }

    /// Loads a guest as a new process would, with an empty memory, and tries it.
    async fn load(&self, engine: &Arc<WasmtimeEngine>, name: &str) {
        let loader = ComponentLoader::new(engine.clone()).with_cache(self.cache());
        let component = loader.load_bytes(&guest(name)).unwrap();
        let mut store = engine.store(&component, InstanceSettings::new(id()), Keyspace::default());
        store.activate(TurnContext::default()).await.unwrap();
        let abc = message("", "abc");
        let turn = store.handle_message(&abc, TurnContext::default());
        let expected = if name == "reverse" { "cba" } else { "abc" };
        assert_eq!(
            turn.await.unwrap().outcome,
            TurnOutcome::Replied(Some(expected.as_bytes().to_vec().into()))
        );
    }

    fn entries(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.cache().folder()).unwrap();
        let mut entries: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries
    }

    fn entry(&self) -> PathBuf {
        let entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries[0].clone()
    }
}

#[tokio::test]
async fn what_was_compiled_is_found_again() {
    let fixture = Fixture::new();
    fixture.load(&engine(), "echo").await;
    let written = fs::metadata(fixture.entry()).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    fixture.load(&engine(), "echo").await;
    let kept = fs::metadata(fixture.entry()).unwrap();
    assert_eq!(kept.modified().unwrap(), written.modified().unwrap());
}

#[tokio::test]
async fn a_damaged_entry_is_compiled_again_wherever_it_is_damaged() {
    let fixture = Fixture::new();
    fixture.load(&engine(), "reverse").await;
    let entry = fixture.entry();
    let good = fs::read(&entry).unwrap();
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let last = good.len() - 1;
    let mut all: Vec<Vec<u8>> = (0..good.len())
        .step_by(good.len() / 10)
        .chain([last, last - 8, last - 24, last - 40])
        .map(|at| damaged(&|bytes| bytes[at] ^= 1))
        .collect();
    all.extend([0, 1, 55, 56, good.len() / 2, last].map(|length| damaged(&|b| b.truncate(length))));
    all.push(damaged(&|bytes| bytes.push(0)));
    all.push(b"\x7fELF and no more".to_vec());
    for bytes in all {
        fs::write(&entry, &bytes).unwrap();
        fixture.load(&engine(), "reverse").await;
        assert_eq!(
            fs::read(&entry).unwrap(),
            good,
            "compiled and written again"
        );
    }
}

#[tokio::test]
async fn an_entry_of_another_component_is_not_taken() {
    let fixture = Fixture::new();
    fixture.load(&engine(), "echo").await;
    let echo = fixture.entry();
    fixture.load(&engine(), "reverse").await;
    let reverse = fixture
        .entries()
        .into_iter()
        .find(|path| *path != echo)
        .unwrap();
    fs::copy(&echo, &reverse).unwrap();
    fixture.load(&engine(), "reverse").await;
    assert_ne!(fs::read(&echo).unwrap(), fs::read(&reverse).unwrap());
}

#[tokio::test]
async fn engines_of_other_settings_have_entries_of_their_own() {
    let fixture = Fixture::new();
    let dense = engine_with(EngineConfig {
        profile: Profile::Density { instances: 2 },
        ..EngineConfig::default()
    });
    fixture.load(&engine(), "echo").await;
    fixture.load(&dense, "echo").await;
    let entries = fixture.entries();
    assert_eq!(entries.len(), 2);
    // An entry that is whole, but another engine's, is outdated as one of an earlier
    // release would be.
    let (first, second) = (
        fs::read(&entries[0]).unwrap(),
        fs::read(&entries[1]).unwrap(),
    );
    fs::write(&entries[0], &second).unwrap();
    fs::write(&entries[1], &first).unwrap();
    fixture.load(&engine(), "echo").await;
    let dense = engine_with(EngineConfig {
        profile: Profile::Density { instances: 2 },
        ..EngineConfig::default()
    });
    fixture.load(&dense, "echo").await;
    assert_eq!(fs::read(&entries[0]).unwrap(), first);
    assert_eq!(fs::read(&entries[1]).unwrap(), second);
}

#[tokio::test]
async fn links_and_files_that_others_can_write_are_not_followed() {
    let fixture = Fixture::new();
    fixture.load(&engine(), "echo").await;
    let entry = fixture.entry();
    let good = fs::read(&entry).unwrap();

    fs::set_permissions(&entry, Permissions::from_mode(0o666)).unwrap();
    fixture.load(&engine(), "echo").await;
    let mode = fs::metadata(&entry).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "written again");

    let elsewhere = fixture.folder.path().join("elsewhere");
    fs::write(&elsewhere, &good).unwrap();
    fs::remove_file(&entry).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    fixture.load(&engine(), "echo").await;
    assert!(!fs::symlink_metadata(&entry).unwrap().is_symlink());
}

#[test]
fn a_folder_that_is_not_private_is_refused() {
    let home = tempdir().unwrap();
    let folder = home.path().join("a/b/compiled");
    CompileCache::open(&folder).unwrap();
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    for open_to in [0o750, 0o701, 0o777] {
        fs::set_permissions(&folder, Permissions::from_mode(open_to)).unwrap();
        let refused = CompileCache::open(&folder).unwrap_err();
        assert!(matches!(refused, CacheError::NotPrivate { mode, .. } if mode == open_to));
        assert!(refused.to_string().contains("chmod 700"));
    }

    let link = home.path().join("link");
    symlink(home.path(), &link).unwrap();
    assert!(matches!(
        CompileCache::open(&link),
        Err(CacheError::NotAFolder { .. })
    ));

    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        CompileCache::open(&file),
        Err(CacheError::Io { .. })
    ));
    assert!(matches!(
        CompileCache::open(file.join("below")),
        Err(CacheError::Io { .. })
    ));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_time_and_nothing_else() {
    let fixture = Fixture::new();
    let loader = ComponentLoader::new(engine()).with_cache(fixture.cache());
    fs::remove_dir_all(fixture.folder.path().join("compiled")).unwrap();
    assert!(loader.load_bytes(&guest("echo")).is_ok());
}

#[tokio::test]
async fn the_oldest_entries_go_when_there_are_too_many() {
    let fixture = Fixture::new();
    fixture.load(&engine(), "echo").await;
    let echo = fixture.entry();
    let small = fixture.cache().with_max_bytes(1);
    let loader = ComponentLoader::new(engine()).with_cache(small);
    loader.load_bytes(&guest("reverse")).unwrap();
    assert_ne!(fixture.entry(), echo, "the newest alone is left");
}
