//! Reading a key that is in memory, beside an import that hands out a value which it holds.

// Layer 1: Standard library imports
use std::hint::black_box;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::effects::Writes;
use airssys_wasm::runtime::engine::WasmtimeEngine;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, compare, runs_in_a_batch, sample};
use crate::ours::{Ours, message};
use crate::raw::{HostErrorResult, Raw};

/// The key that the guest reads, among as many others.
const KEY: &str = "cart/total";
const OTHER_KEYS: usize = 100;
const VALUE_BYTES: usize = 64;

/// How often it reads the key in one turn.
pub(crate) const READS: u32 = 1_000;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let engine = Arc::new(WasmtimeEngine::new()?);
    let reads = guest::from_text(include_str!("guests/reads.wat"))?;
    let mut ours = Ours::new(&engine, &reads, keys())?;
    let compared = compare(
        plan,
        per_read(plan, |message| ours.turn(message))?,
        per_bare_read(plan, &engine)?,
    )?;
    Ok(vec![Figure::ratio("host_call", compared)])
}

/// The floor of all reads.
pub(crate) fn per_bare_read(
    plan: Plan,
    engine: &WasmtimeEngine,
) -> Outcome<impl FnMut() -> Outcome<f64> + use<>> {
    let reads = guest::from_text(include_str!("guests/reads.wat"))?;
    let mut raw = Raw::new(bare(Linker::new(engine.engine()))?, &reads)?;
    per_read(plan, move |message| raw.call(message))
}

/// The time of one read: of a turn with many, less that of a turn with none.
fn per_read(
    plan: Plan,
    mut turn: impl FnMut(&ComponentMessage) -> Outcome<usize>,
) -> Outcome<impl FnMut() -> Outcome<f64>> {
    let none = message(0);
    let many = message(0).with_correlation(READS.into());
    let mut turn = move |message: &_| turn(message).map(|_no_reply| ());
    let runs = runs_in_a_batch(plan, || turn(&many))?;
    Ok(move || {
        let reading = sample(runs, || turn(&many))?;
        let idle = sample(runs, || turn(&none))?;
        Ok((reading - idle) / f64::from(READS))
    })
}

/// The actor's state.
fn keys() -> Keyspace {
    let mut writes: Writes = (0..OTHER_KEYS)
        .map(|i| (format!("cart/item/{i:03}"), Some(value())))
        .collect();
    writes.insert(KEY.to_owned(), Some(value()));
    let mut keys = Keyspace::default();
    keys.apply(writes);
    keys
}

fn value() -> Bytes {
    Bytes::from(vec![b'v'; VALUE_BYTES])
}

/// The same import with nothing behind it.
fn bare(mut linker: Linker<()>) -> Outcome<Linker<()>> {
    let value = value().to_vec();
    linker.instance("airssys:actor/storage@0.1.0")?.func_wrap(
        "get",
        move |_: StoreContextMut<'_, ()>, (key,): (String,)| {
            black_box(key);
            Ok((Ok::<_, HostErrorResult>(Some(value.clone())),))
        },
    )?;
    Ok(linker)
}
