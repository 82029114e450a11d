//! What the callers of a bank order.

// Layer 2: Third-party crate imports
use rand::RngExt;
use rand::rngs::StdRng;

// Layer 3: Internal module imports
use crate::bank::{ACCOUNTS, BALANCE, account};

/// One order, which is placed until it is acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// The account that it is placed with.
    pub(crate) from: String,
    pub(crate) kind: &'static str,
    pub(crate) payload: String,
    /// Whether the caller awaits the account's reply, or only that the order is on disk.
    pub(crate) is_asked: bool,
    pub(crate) fate: Fate,
}

/// What is to become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Rejected,
    Dead,
}

impl Order {
    /// An account begins.
    pub(crate) fn opening(number: usize, amount: u64, tick_ms: u64) -> Self {
        Self {
            id: format!("open-{number}"),
            from: account(number),
            kind: "open",
            payload: format!("{amount} {tick_ms}"),
            is_asked: true,
            fate: Fate::Done,
        }
    }

    /// A transfer from any account to any other: the `number`th of its caller.
    pub(crate) fn random(caller: usize, number: usize, rng: &mut StdRng) -> Self {
        let from = rng.random_range(0..ACCOUNTS);
        // Few receivers, so that much goes between the same two.
        let to = (from + rng.random_range(1..6)) % ACCOUNTS;
        let mut amount = rng.random_range(1..20);
        let (kind, fate) = match rng.random_range(0..100) {
            0..40 => ("transfer", Fate::Done),
            40..80 => ("transfer-asking", Fate::Done),
            80..90 => ("transfer-retrying", Fate::Done),
            90..95 => ("transfer-then-trap", Fate::Dead),
            _ => {
                amount = BALANCE * ACCOUNTS as u64 + 1;
                ("transfer", Fate::Rejected)
            }
        };
        let id = format!("c{caller}-{number}");
        let payload = format!("{id} {} {amount}", account(to));
        Self {
            id,
            from: account(from),
            kind,
            payload,
            is_asked: rng.random_bool(0.6),
            fate,
        }
    }
}
