//! Loading a file that was compiled before, beside wasmtime mapping what it was compiled to;
//! and what the loading is made of.

// Layer 1: Standard library imports
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tempfile::tempdir;
use twox_hash::XxHash3_128;
use wasmtime::Engine;
use wasmtime::component::Component;

// Layer 3: Internal module imports
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::outline::Outline;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, alone, batches, compare};

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let mut figures = load("load_cached", "echo", plan)?;
    figures.extend(load("load_cached_large", "markdown", plan)?);
    Ok(figures)
}

fn load(key: &str, guest: &str, plan: Plan) -> Outcome<Vec<Figure>> {
    let folder = tempdir()?;
    let engine = Arc::new(WasmtimeEngine::new()?);
    let file = guest::path(guest);
    let cache = CompileCache::open(folder.path().join("cache"))?;
    let loader = ComponentLoader::new(Arc::clone(&engine)).with_cache(cache.clone());
    // Each is dropped before the next, or the engine would find it in memory.
    let ours = || {
        drop(loader.load_file(&file)?);
        Ok(())
    };
    let artefact = artefact(engine.engine(), &file, folder.path())?;
    let floor = || {
        drop(deserialize_file(engine.engine(), &artefact)?);
        Ok(())
    };
    let compared = compare(plan, batches(plan, ours)?, batches(plan, floor)?)?;
    let mut figures = vec![Figure::ratio(key, compared)];
    let steps = Steps {
        engine: &engine,
        bytes: fs::read(&file)?,
        entry: only_entry(cache.folder())?,
        file,
    };
    figures.extend(steps.measure(key, plan)?);
    Ok(figures)
}

/// What loading is made of, each step by itself.
struct Steps<'a> {
    engine: &'a WasmtimeEngine,
    file: PathBuf,
    bytes: Vec<u8>,
    entry: PathBuf,
}

impl Steps<'_> {
    fn measure(&self, key: &str, plan: Plan) -> Outcome<Vec<Figure>> {
        let artefact = fs::read(&self.entry)?;
        let engine = self.engine.engine();
        let component = deserialize_file(engine, &self.entry)?;
        let mut figures = Vec::new();
        let mut step = |name: &str, run: &mut dyn FnMut() -> Outcome| -> Outcome {
            let spread = alone(plan, batches(plan, run)?)?;
            figures.push(Figure::plain(format!("{key}_{name}"), spread));
            Ok(())
        };
        step("read", &mut || done(fs::read(&self.file)?))?;
        step("outline", &mut || done(Outline::read(&self.bytes)?))?;
        step("digest", &mut || done(Digest::of(&self.bytes)))?;
        step("entry", &mut || done(fs::read(&self.entry)?))?;
        step("checksum", &mut || {
            done(XxHash3_128::oneshot_with_seed(7, &artefact))
        })?;
        step("map", &mut || done(deserialize_file(engine, &self.entry)?))?;
        step("link", &mut || {
            done(self.engine.linker().instantiate_pre(&component)?)
        })?;
        Ok(figures)
    }
}

fn done(result: impl Sized) -> Outcome {
    black_box(result);
    Ok(())
}

/// Writes what a component compiles to into `folder`.
fn artefact(engine: &Engine, file: &Path, folder: &Path) -> Outcome<PathBuf> {
    let artefact = folder.join("artefact.cwasm");
    let component = Component::from_file(engine, file)?;
    fs::write(&artefact, component.serialize()?)?;
    Ok(artefact)
}

fn only_entry(folder: &Path) -> Outcome<PathBuf> {
    let entry = fs::read_dir(folder)?.next().ok_or("nothing was cached")?;
    Ok(entry?.path())
}

fn deserialize_file(engine: &Engine, artefact: &Path) -> Outcome<Component> {
    // SAFETY: wasmtime made it, in a folder that is ours alone.
    Ok(unsafe { Component::deserialize_file(engine, artefact)? })
}
