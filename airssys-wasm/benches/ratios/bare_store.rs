//! The store by itself: redb, told the same as turns tell ours, one transaction for as many
//! turns as wait for the disk.

// Layer 1: Standard library imports
use std::path::Path;
use std::time::Instant;

// Layer 2: Third-party crate imports
use redb::{Database, Durability, Table, TableDefinition, WriteTransaction};

// Layer 3: Internal module imports
use crate::measure::{Outcome, per_run};
use crate::ring::{Shape, writes};
use crate::stage::actor;

type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenRows<'a> = Table<'a, &'static [u8], &'static [u8]>;

const STATE: Rows = TableDefinition::new("state");
const OUTBOX: Rows = TableDefinition::new("outbox");

/// As much as ours has.
const CACHE_BYTES: usize = 64 << 20;

/// Actors that pass messages on, as rows of a store.
pub(crate) struct BareStore {
    database: Database,
    shape: Shape,
    turn: u64,
}

impl BareStore {
    /// A store in which all actors have all their keys.
    pub(crate) fn new(folder: &Path, shape: Shape) -> Outcome<Self> {
        let path = folder.join("bare.redb");
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)?;
        let transaction = begin(&database)?;
        {
            let mut state = transaction.open_table(STATE)?;
            transaction.open_table(OUTBOX)?;
            for number in 0..shape.actors {
                for further in 0..shape.entries {
                    write_state(&mut state, number, writes(further, shape.entries))?;
                }
            }
        }
        transaction.commit()?;
        Ok(Self {
            database,
            shape,
            turn: 0,
        })
    }

    /// Runs turns, `waiting` at a time, and returns the time of each in nanoseconds.
    pub(crate) fn run(&mut self, waiting: u32, turns: u32) -> Outcome<f64> {
        let began = Instant::now();
        for _ in 0..turns / waiting {
            let transaction = begin(&self.database)?;
            {
                let mut state = transaction.open_table(STATE)?;
                let mut outbox = transaction.open_table(OUTBOX)?;
                for _ in 0..waiting {
                    self.turn += 1;
                    turn((&mut state, &mut outbox), self.turn, self.shape)?;
                }
            }
            transaction.commit()?;
        }
        Ok(per_run(began.elapsed(), turns / waiting * waiting))
    }
}

/// What a turn's keys and values and its message have in bytes, as the mean of a hundred.
pub(crate) fn logical_bytes(shape: Shape) -> f64 {
    let of_turn = |further: u64| {
        let state = writes(further, shape.entries).into_iter();
        let state: usize = state.map(|(key, value)| key.len() + value.len()).sum();
        state + message(0, 1, further).len()
    };
    (0..100).map(of_turn).sum::<usize>() as f64 / 100.0
}

/// One transaction, which is on disk when it is committed, and the file sound if the process
/// is killed.
fn begin(database: &Database) -> Outcome<WriteTransaction> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Two keys, the message that the turn sends, and the end of the one that it handles.
fn turn(
    (state, outbox): (&mut OpenRows<'_>, &mut OpenRows<'_>),
    turn: u64,
    shape: Shape,
) -> Outcome {
    let actors = shape.actors as u64;
    let number = (turn % actors) as usize;
    let next = (number + 1) % shape.actors;
    let further = u64::MAX / 2 - turn / actors;
    write_state(state, number, writes(further, shape.entries))?;
    outbox.insert(
        outbox_key(next, turn).as_slice(),
        message(number, next, further).as_slice(),
    )?;
    // The message came from the actor before, when it was its turn in the last round.
    if let Some(sent) = (turn - 1).checked_sub(actors) {
        outbox.remove(outbox_key(number, sent).as_slice())?;
    }
    Ok(())
}

fn write_state(state: &mut OpenRows<'_>, number: usize, writes: [(String, Vec<u8>); 2]) -> Outcome {
    let address = actor(number);
    for (key, value) in writes {
        let key = [address.as_str().as_bytes(), &[0], key.as_bytes()].concat();
        state.insert(key.as_slice(), value.as_slice())?;
    }
    Ok(())
}

fn outbox_key(to: usize, turn: u64) -> Vec<u8> {
    [actor(to).as_str().as_bytes(), &[0], &turn.to_be_bytes()].concat()
}

/// Sender, receiver, kind and payload.
fn message(from: usize, to: usize, further: u64) -> Vec<u8> {
    let (from, to) = (actor(from), actor(to));
    format!("{from} {to} work {}", further % 1_000).into_bytes()
}
