//! What has to be done from time to time.

// Layer 1: Standard library imports
use std::sync::{Arc, Weak};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::select;
use tokio::time::{sleep, sleep_until};

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::system::node::Node;

/// How often idle actors are looked for, and the clock is compared with the system's.
const SWEEP: Duration = Duration::from_millis(250);

/// The least time between two looks at what is due.
const TICK: Duration = Duration::from_millis(1);

/// Starts the tasks that send what is due, and that passivate idle actors. They end when
/// the system is dropped.
pub(crate) fn start(node: &Arc<Node>) {
    let quick = node.lanes.quick().clone();
    quick.spawn(keep_time(Arc::downgrade(node)));
    quick.spawn(sweep(Arc::downgrade(node)));
    quick.spawn(watch(Arc::downgrade(node)));
}

/// Stops the system when its store fails.
async fn watch(node: Weak<Node>) {
    loop {
        // Held for a moment only, so as not to keep a dropped system's store open.
        let Some(log) = node.upgrade().and_then(|node| node.store.log().cloned()) else {
            return;
        };
        select! {
            error = log.failed() => {
                if let Some(node) = node.upgrade().filter(|node| node.is_open().is_ok()) {
                    node.halt(&error);
                }
                return;
            }
            () = sleep(SWEEP) => {}
        }
    }
}

/// Sends what is due.
async fn keep_time(node: Weak<Node>) {
    loop {
        let Some(node) = node.upgrade() else {
            return;
        };
        node.router.tick(&node, node.clock.now().clock_ms);
        // Looked at again now and then, so as not to keep a dropped system alive.
        let again = sleep(SWEEP);
        match node.router.next_due() {
            // A millisecond later, since the clock tells whole ones, and never at once, since
            // it may be behind.
            Some(due_ms) => select! {
                () = async {
                    sleep(TICK).await;
                    sleep_until(node.clock.at(due_ms.saturating_add(1))).await;
                } => {}
                () = node.router.earlier() => {}
                () = again => {}
            },
            None => select! {
                () = node.router.earlier() => {}
                () = again => {}
            },
        }
    }
}

/// Passivates idle actors, wakes those for which messages wait, and forgets old answers.
async fn sweep(node: Weak<Node>) {
    loop {
        sleep(SWEEP).await;
        let Some(node) = node.upgrade() else {
            return;
        };
        node.clock.follow_system_time();
        node.forget_answers();
        node.directory.sweep(&node);
        node.wake();
    }
}
