//! Upgrades while many senders send.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

// Layer 2: Third-party crate imports
use tokio::task::{JoinHandle, yield_now};

// Layer 3: Internal module imports
use airssys_wasm::core::event::Event;
use airssys_wasm::system::handle::System;

use crate::support::{
    PATIENCE, Watch, ask, builder, component_status, from, guest, id, marked, settled, until,
};

/// Senders that number their messages to each of `actors` without a break.
struct Traffic {
    is_over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    senders: Vec<JoinHandle<u64>>,
}

impl Traffic {
    fn begin(system: &System, senders: usize, actors: usize) -> Self {
        let (is_over, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let sender = |sender: usize| {
            let (system, is_over, sent) = (system.clone(), Arc::clone(&is_over), Arc::clone(&sent));
            tokio::spawn(async move {
                let mut number = 0;
                while !is_over.load(Ordering::Relaxed) {
                    number += 1;
                    for actor in 0..actors {
                        let to = id(&format!("demo/ledger/{actor}"));
                        let sender = format!("test/sender/{sender}");
                        let message = from(&sender, &to, "next", &number.to_string());
                        system.send_when_space(message, PATIENCE).await.unwrap();
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    yield_now().await;
                }
                number
            })
        };
        Self {
            senders: (0..senders).map(sender).collect(),
            is_over,
            sent,
        }
    }

    /// Waits for so many messages more.
    async fn flow(&self, messages: u64) {
        let sent = self.sent.load(Ordering::Relaxed);
        until("messages flow", || {
            self.sent.load(Ordering::Relaxed) >= sent + messages
        })
        .await;
    }

    /// Ends it, and returns how many messages each sender has sent to each actor.
    async fn end(self) -> Vec<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut numbers = Vec::new();
        for sender in self.senders {
            numbers.push(sender.await.unwrap());
        }
        numbers
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_traffic_none_is_lost_or_doubled_and_all_stay_in_order() {
    const SENDERS: usize = 4;
    const ACTORS: usize = 5;
    let system = builder()
        .component_with("demo/ledger", &*guest("ledger"), |it| {
            it.limits.mailbox = 32;
        })
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    let traffic = Traffic::begin(&system, SENDERS, ACTORS);
    traffic.flow(200).await;
    for mark in ["two", "three"] {
        let report = system.upgrade("demo/ledger", marked("ledger", mark)).await;
        let report = report.unwrap();
        assert_eq!(report.component, "demo/ledger");
        assert!(report.tried > 0);
        assert_eq!(report.different, []);
        assert_eq!((report.switched, report.not_switched.len()), (ACTORS, 0));
        assert!(!report.is_reverted);
        assert_eq!(component_status(&system, "demo/ledger").version, report.to);
        traffic.flow(200).await;
    }
    let back = system.rollback("demo/ledger", None).await.unwrap();
    assert_eq!((back.switched, back.tried), (ACTORS, 0));
    traffic.flow(200).await;
    let sent = traffic.end().await;
    let counts = settled(&system, "demo/ledger").await;
    assert_eq!(counts.handled, sent.iter().sum::<u64>() * ACTORS as u64);
    assert_eq!((counts.rejected, counts.buried, counts.failed), (0, 0, 0));
    for actor in 0..ACTORS {
        let actor = format!("demo/ledger/{actor}");
        let total = ask(&system, &actor, "count", "").await;
        assert_eq!(total, sent.iter().sum::<u64>().to_string());
    }
    let events = watch.so_far();
    let switched = events
        .iter()
        .filter(|it| matches!(it, Event::Switched { .. }));
    assert_eq!(switched.count(), 3 * ACTORS);
    assert_eq!(
        component_status(&system, "demo/ledger").kept_versions.len(),
        3
    );
}
