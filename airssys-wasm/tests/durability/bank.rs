//! A bank whose process is killed again and again, and whose books are right at the end.
//!
//! A hundred accounts, actors of the guest `account`, transfer money among themselves: by
//! messages, and by requests that may be refused. Callers outside order the transfers, some
//! of which trap on purpose, and some of which want to be tried again. Meanwhile the process
//! is killed with SIGKILL at random moments and started again on the same folder, and
//! callers repeat what was not acknowledged, with the same id. At the end, no money was
//! made or lost, every transfer that was acknowledged is there, none twice, nothing
//! overtook anything between two accounts, timers still tick, and the dead letters are those
//! that trapped on purpose.
//!
//! The process is killed six times, or as often as is wanted:
//!
//! ```sh
//! AIRSSYS_KILLS=60 cargo test -p airssys-wasm --test durability bank -- --nocapture
//! ```
//!
//! It tells what it did in one line. `AIRSSYS_SEED` repeats the choices of another run, as
//! far as the machine lets it.

// Layer 1: Standard library imports
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;
use tokio::sync::{Barrier, watch};
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::system::builder::SystemBuilder;

use crate::audit::{audit, statements};
use crate::orders::{Fate, Order};
use crate::process::{PATIENCE, Process, Trouble};
use crate::support::{at_once, guest};

/// How many accounts there are.
pub(crate) const ACCOUNTS: usize = 120;

/// What each of them begins with: so much that no small transfer is ever refused.
pub(crate) const BALANCE: u64 = 100_000;

/// How often the timer of an account ticks, in milliseconds.
const TICK_MS: u64 = 1_000;

const CALLERS: usize = 12;

pub(crate) fn components(builder: SystemBuilder) -> SystemBuilder {
    let account = builder.component_with("demo/account", &*guest("account"), |it| {
        // Small, so that messages wait on disk as well.
        it.limits.mailbox = 8;
        it.retry = at_once(2);
    });
    // Fewer than there are accounts, so that they make room for each other.
    account.configure(|system| system.max_live_actors = ACCOUNTS / 2)
}

/// The address of an account.
pub(crate) fn account(number: usize) -> String {
    format!("demo/account/{number}")
}

/// The process of the moment, and what callers need to know.
struct Bank {
    process: watch::Receiver<Arc<Process>>,
    acknowledged: AtomicU64,
    repeated: AtomicU64,
    /// Where callers wait until all accounts are open.
    open: Barrier,
    /// Whether callers order nothing for a while.
    is_resting: AtomicBool,
    is_closing: AtomicBool,
}

impl Bank {
    /// Places an order until it is acknowledged, in the same words.
    async fn place(&self, order: &Order) -> Result<(), Trouble> {
        loop {
            let process = Arc::clone(&self.process.borrow());
            let (to, kind, payload) = (&order.from, order.kind, &order.payload);
            let id = Some(order.id.as_str());
            let placed = match order.is_asked {
                true => process.try_ask(to, kind, payload, id).await.map(drop),
                false => process.try_send(to, kind, payload, id).await,
            };
            match placed {
                Err(Trouble::Killed) => {
                    self.repeated.fetch_add(1, Ordering::Relaxed);
                    let is_next = |next: &Arc<Process>| !Arc::ptr_eq(next, &process);
                    let next = self.process.clone().wait_for(is_next).await.map(drop);
                    next.expect("the next process");
                }
                Err(full) if full.word() == "mailbox-full" => sleep(Duration::from_millis(1)).await,
                acknowledged => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return acknowledged;
                }
            }
        }
    }

    /// Opens the accounts, then orders transfers until the bank closes.
    async fn call(&self, caller: usize, mut rng: StdRng) -> Vec<Order> {
        for number in (caller..ACCOUNTS).step_by(CALLERS) {
            let opening = Order::opening(number, BALANCE, TICK_MS);
            self.place(&opening).await.unwrap();
        }
        self.open.wait().await;
        let mut placed = Vec::new();
        while !self.is_closing.load(Ordering::Relaxed) {
            if self.is_resting.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(5)).await;
                continue;
            }
            let order = Order::random(caller, placed.len() + 1, &mut rng);
            let told = self.place(&order).await;
            let expected = match order.fate {
                _ if !order.is_asked => "",
                Fate::Done => "",
                Fate::Rejected => "rejected",
                Fate::Dead => "failed",
            };
            let word = told.as_ref().err().map_or("", Trouble::word);
            assert_eq!(word, expected, "{order:?}: {told:?}");
            placed.push(order);
        }
        placed
    }

    /// Waits for a moment to kill the process.
    async fn moment(&self, rng: &mut StdRng) {
        match rng.random_range(0..10) {
            // Perhaps before it has started.
            0..2 => sleep(Duration::from_micros(rng.random_range(0..60_000))).await,
            2..4 => sleep(Duration::from_micros(rng.random_range(0..600_000))).await,
            // The log is put into the tables about a second after the load has ended.
            4..6 => {
                self.is_resting.store(true, Ordering::Relaxed);
                sleep(Duration::from_millis(rng.random_range(800..1_400))).await;
            }
            _ => self.work(rng).await,
        }
    }

    /// Waits until some more orders are acknowledged.
    async fn work(&self, rng: &mut StdRng) {
        let after = self.acknowledged.load(Ordering::Relaxed) + rng.random_range(1..600);
        let deadline = Instant::now() + PATIENCE;
        while self.acknowledged.load(Ordering::Relaxed) < after {
            assert!(!self.process.borrow().has_ended(), "it has ended by itself");
            assert!(Instant::now() < deadline, "callers stand still");
            sleep(Duration::from_micros(rng.random_range(0..1_000))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_of_a_bank_are_right_however_often_it_is_killed() {
    let kills = setting("AIRSSYS_KILLS").unwrap_or(6);
    let seed = setting("AIRSSYS_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    eprintln!("AIRSSYS_KILLS={kills} AIRSSYS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let folder = TempDir::new().unwrap();
    let start = || Arc::new(Process::start("bank", folder.path()));
    let (processes, process) = watch::channel(start());
    let bank = Arc::new(Bank {
        process,
        acknowledged: AtomicU64::new(0),
        repeated: AtomicU64::new(0),
        open: Barrier::new(CALLERS),
        is_resting: AtomicBool::new(false),
        is_closing: AtomicBool::new(false),
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (bank, rng) = (Arc::clone(&bank), StdRng::seed_from_u64(rng.random()));
            tokio::spawn(async move { bank.call(caller, rng).await })
        })
        .collect();
    for _ in 0..kills {
        bank.moment(&mut rng).await;
        processes.borrow().kill();
        bank.is_resting.store(false, Ordering::Relaxed);
        processes.send_replace(start());
    }
    bank.work(&mut rng).await;
    bank.is_closing.store(true, Ordering::Relaxed);
    let mut orders = Vec::new();
    for caller in callers {
        orders.extend(caller.await.unwrap());
    }
    let worked = began.elapsed();

    let process = Arc::clone(&processes.borrow());
    let found = audit(&process, &orders).await;
    process.kill();
    let again = Process::start("bank", folder.path());
    assert_eq!(audit(&again, &orders).await, found, "after one more kill");
    let ticks: u64 = statements(&again).await.values().map(|it| it.ticks).sum();
    eprintln!(
        "{} transfers acknowledged, {kills} kills, {} calls repeated, {} dead letters, \
         {ticks} ticks, {:.1} s of work, {:.1} s in all",
        orders.len(),
        bank.repeated.load(Ordering::Relaxed),
        orders
            .iter()
            .filter(|order| order.fate == Fate::Dead)
            .count(),
        worked.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
}

fn setting(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|e| panic!("{name}={text}: {e}")),
    )
}
