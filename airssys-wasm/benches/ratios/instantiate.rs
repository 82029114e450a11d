//! Activating and dropping an instance, beside wasmtime making and dropping one with the same
//! allocator.

// Layer 1: Standard library imports
use std::pin::pin;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, batches, compare};
use crate::ours::{context, finish, settings};
use crate::raw;

const INSTANCES: u32 = 2_048;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let throughput = engine(Profile::Throughput {
        instances: INSTANCES,
    })?;
    let density = engine(Profile::Density {
        instances: INSTANCES,
    })?;
    Ok(vec![
        activate("instantiate", &throughput, "reverse", plan)?,
        activate("instantiate_density", &density, "reverse", plan)?,
        // Exports `lifecycle`, so that activating it calls it.
        activate("instantiate_with_init", &throughput, "echo", plan)?,
    ])
}

fn engine(profile: Profile) -> Outcome<Arc<WasmtimeEngine>> {
    let config = EngineConfig {
        profile,
        ..EngineConfig::default()
    };
    Ok(Arc::new(WasmtimeEngine::with_config(config)?))
}

fn activate(key: &str, engine: &Arc<WasmtimeEngine>, guest: &str, plan: Plan) -> Outcome<Figure> {
    let bytes = guest::committed(guest)?;
    let component = ComponentLoader::new(Arc::clone(engine)).load_bytes(&bytes)?;
    let settings = settings();
    let ours = || {
        let mut store = engine.store(&component, settings.clone(), Keyspace::default());
        finish(pin!(store.activate(context(0))))?;
        Ok(())
    };
    let pre = raw::link(&mut Linker::new(engine.engine()), &bytes)?;
    let floor = || {
        let mut store = raw::store(engine.engine())?;
        pre.instantiate(&mut store)?;
        Ok(())
    };
    let compared = compare(plan, batches(plan, ours)?, batches(plan, floor)?)?;
    Ok(Figure::ratio(key, compared))
}
