//! How much the folders take that guests write to.

// Layer 1: Standard library imports
use std::fs;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::security::capability::Capability::{ReadFiles, WriteFiles};

use crate::files::Place;
use crate::outsider::Outsider;

/// All that lies there counts, be it files without content.
#[tokio::test]
async fn a_folder_takes_so_much_and_again_when_something_is_removed() {
    const ALLOWED: u64 = 64 << 10;
    let place = Place::new();
    let large = place.data().join("large");
    fs::write(&large, "x".repeat(32 << 10)).unwrap();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let limits = Limits {
        folder_bytes: ALLOWED,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&both, place.provisions(), limits).await;
    let append = json!({"path": "/data/b", "text": "x".repeat(16 << 10)});
    guest.act("append", append.clone()).await.unwrap();
    let refused = guest.act("append", append.clone()).await;
    assert_eq!(refused.unwrap_err(), "insufficient-space");
    for kind in ["make-folder", "write", "symlink", "link"] {
        let mut made = 0;
        let refused = loop {
            let path = format!("/data/{kind}-{made}");
            let args = match kind {
                "symlink" => json!({"path": path, "to": "a"}),
                "link" => json!({"path": "/data/a", "to": path}),
                _ => json!({ "path": path }),
            };
            match guest.act(kind, args).await {
                Ok(_) => made += 1,
                Err(refused) => break refused,
            }
        };
        assert_eq!(refused, "insufficient-space", "{kind}");
        assert!(made < 16, "{made} of {kind}");
    }
    let content: usize = ["a", "b", "large"]
        .iter()
        .filter_map(|it| Some(place.file(it)?.len()))
        .sum();
    assert!(content as u64 <= ALLOWED, "{content}");

    fs::remove_file(large).unwrap();
    let began = Instant::now();
    // It is measured anew when some time is over.
    while guest.act("append", append.clone()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "there is room");
    }
}

/// A file that is written over takes no more than it has.
#[tokio::test]
async fn what_is_written_over_takes_no_room() {
    let place = Place::new();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let limits = Limits {
        folder_bytes: 64 << 10,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&both, place.provisions(), limits).await;
    let write = json!({"path": "/data/b", "text": "x".repeat(20 << 10)});
    let began = Instant::now();
    for _ in 0..10 {
        while let Err(refused) = guest.act("write", write.clone()).await {
            // It took long to measure it, and is to be measured later.
            assert_eq!(refused, "insufficient-space");
            assert!(began.elapsed() < Duration::from_secs(60), "there is room");
        }
    }
    assert_eq!(place.file("b").unwrap().len(), 20 << 10);
}

/// What is removed takes room for as long as somebody has it open, be it to read it.
#[tokio::test]
async fn what_is_removed_and_open_to_be_read_takes_room() {
    let place = Place::new();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let limits = Limits {
        folder_bytes: 60 << 10,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&both, place.provisions(), limits).await;
    let append = json!({"path": "/data/b", "text": "x".repeat(20 << 10)});
    for _ in 0..2 {
        guest.act("append", append.clone()).await.unwrap();
        let read = json!({"path": "/data/b", "count": 1});
        guest.act("open-many", read).await.unwrap();
        guest.at("remove", "/data/b").await.unwrap();
    }
    let refused = guest.act("append", append.clone()).await;
    assert_eq!(refused.unwrap_err(), "insufficient-space");
    guest.activate().await;
    let began = Instant::now();
    while guest.act("append", append.clone()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "there is room");
    }
}

#[tokio::test]
async fn a_full_folder_is_opened_and_nothing_is_written() {
    let place = Place::new();
    fs::write(place.data().join("large"), "x".repeat(128 << 10)).unwrap();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let limits = Limits {
        folder_bytes: 64 << 10,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&both, place.provisions(), limits).await;
    guest.at("open", "/data/a").await.unwrap();
    let all = guest.act("again", json!({"text": "x"})).await.unwrap();
    let full = "insufficient-space";
    assert_eq!(all, json!(["ok", "ok", "ok", full, full]));
    assert_eq!(place.file("a").unwrap(), "hello");
}
