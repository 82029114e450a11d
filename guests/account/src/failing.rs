//! Turns that fail when they have done everything that a turn can do.
//!
//! `transfer-then-…` writes, sends, asks, sets a timer and subscribes, and then
//! `trap`s, `reject`s, wants a `retry`, `spin`s until its fuel or its time is over, `grow`s
//! until its memory is full, or `hoard`s until its storage is.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use airssys_guest::{TurnError, messaging, storage};

use crate::ordering::Order;

const AN_HOUR: Duration = Duration::from_secs(3_600);

/// The order that this instance wanted again, by a number made of its id.
static WANTED: AtomicU64 = AtomicU64::new(0);

/// Carries an order out when it comes for the second time.
pub(crate) fn retry_once(order: &Order) -> Result<(), TurnError> {
    order.send()?;
    // An instance's memory is what a turn that failed does not take back.
    let number = order.id.bytes().fold(1, |number: u64, byte| {
        number.wrapping_mul(257).wrapping_add(byte.into())
    });
    if WANTED.swap(number, Ordering::Relaxed) != number {
        return Err(TurnError::retry("once more"));
    }
    Ok(())
}

/// Does everything, and fails.
pub(crate) fn fail(order: &Order, how: &str) -> Result<(), TurnError> {
    order.send()?;
    order.ask()?;
    messaging::send_after(AN_HOUR, &order.to, "tick", "0")?;
    messaging::subscribe("traces.>")?;
    match how {
        "trap" => panic!("the order says so"),
        "reject" => Err(TurnError::reject("the order says so")),
        "retry" => Err(TurnError::retry("the order says so")),
        "spin" => spin(),
        "grow" => grow(),
        "hoard" => hoard(),
        other => Err(TurnError::reject(format_args!("unknown failure `{other}`"))),
    }
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn grow() -> ! {
    let mut full = Vec::new();
    loop {
        full.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn hoard() -> Result<(), TurnError> {
    for number in 0_u64.. {
        storage::set(&format!("hoard/{number}"), [1; 1_024])?;
    }
    Ok(())
}
