//! From bytes, files and folders to compiled components.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::runtime::errors::WasmError;
use crate::runtime::artefact::Artefact;
use crate::runtime::cache::CompileCache;
use crate::runtime::compiled::CompiledComponent;
use crate::runtime::compiler::command::CompilerCommand;
use crate::runtime::engine::WasmtimeEngine;
use crate::runtime::outline::{HANDLER, Outline};

/// The most components that are loaded from one folder.
const MAX_FOLDER_COMPONENTS: usize = 1_024;

/// Loads actors: checks them, compiles them, and remembers what they compiled to.
///
/// Everything that can be known without compiling is checked first: the size, that it
/// is a component and no core module, that this host offers what it imports, and that
/// it exports a handler.
pub struct ComponentLoader {
    engine: Arc<WasmtimeEngine>,
    cache: Option<CompileCache>,
    compiler: Option<CompilerCommand>,
    limits: Limits,
}

/// Why a component could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder has more components than are loaded at once.
    #[error("{} has more than {MAX_FOLDER_COMPONENTS} components", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is no component that can be run here.
    #[error("{}: {source}", path.display())]
    Component {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WasmError,
    },
}

impl ComponentLoader {
    /// A loader for `engine` that remembers nothing between processes.
    pub fn new(engine: Arc<WasmtimeEngine>) -> Self {
        Self {
            engine,
            cache: None,
            compiler: None,
            limits: Limits::default(),
        }
    }

    /// Keeps what is compiled in `cache`.
    #[must_use]
    pub fn with_cache(mut self, cache: CompileCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Compiles each component in a process of its own, which `compile_ms` and `compile_bytes`
    /// hold for. Without one a component is compiled on the thread that loads it, for as long
    /// as it takes, and with as much memory: 30 KB made for it take half a minute and 1.4 GB.
    #[must_use]
    pub fn with_compiler(mut self, compiler: CompilerCommand) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Sets how large components may be: their bytes, their functions, and each of those; and
    /// what a [compiler](Self::with_compiler) may use.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Loads a component.
    ///
    /// # Errors
    ///
    /// In the order of the checks:
    /// [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded) when it is too
    /// large, [`InstantiationFailed`](WasmError::InstantiationFailed) when it is
    /// malformed, again the first when it has too many functions or too large ones,
    /// [`InvalidComponent`](WasmError::InvalidComponent) when it cannot be run here,
    /// [`ExportNotFound`](WasmError::ExportNotFound) when it is no actor, and then the first
    /// two again when it takes too much to compile, or cannot be.
    pub fn load_bytes(&self, bytes: &[u8]) -> Result<Arc<CompiledComponent>, WasmError> {
        self.load_within(&self.limits, bytes)
    }

    /// Loads a component that has limits of its own.
    ///
    /// # Errors
    ///
    /// As [`load_bytes`](Self::load_bytes).
    pub fn load_within(
        &self,
        limits: &Limits,
        bytes: &[u8],
    ) -> Result<Arc<CompiledComponent>, WasmError> {
        let allowed = limits.component_bytes;
        LimitExceeded::check(Limit::ComponentBytes, allowed, bytes.len() as u64)
            .map_err(WasmError::ResourceLimitExceeded)?;
        let outline = Outline::read(bytes)?;
        outline.check_functions(limits)?;
        self.engine.check_imports(&outline)?;
        outline.require_export(HANDLER)?;
        let compiled = self.obtain(limits, bytes, outline)?;
        compiled.require_handler()?;
        Ok(compiled)
    }

    /// Takes a component that is in use already, or from the cache, or compiles it.
    fn obtain(
        &self,
        limits: &Limits,
        bytes: &[u8],
        outline: Outline,
    ) -> Result<Arc<CompiledComponent>, WasmError> {
        let digest = Digest::of(bytes);
        if let Some(compiled) = self.engine.find(digest) {
            return Ok(compiled);
        }
        if let Some(compiled) = self.restore(digest, &outline) {
            return Ok(compiled);
        }
        let artefact = match &self.compiler {
            Some(compiler) => compiler.compile(self.engine.memory_access(), limits, bytes)?,
            None => self.engine.compile(bytes)?,
        };
        if let Some(cache) = &self.cache {
            cache.put(self.engine.engine(), digest, &artefact);
        }
        self.engine
            .load(Artefact::Bytes(&artefact), digest, outline)
    }

    /// Loads an entry of the cache. One that wasmtime does not take, say of another version, is
    /// no error: it is compiled again.
    fn restore(&self, digest: Digest, outline: &Outline) -> Option<Arc<CompiledComponent>> {
        let entry = self.cache.as_ref()?.get(self.engine.engine(), digest)?;
        let restored = self
            .engine
            .load(Artefact::File(&entry), digest, outline.clone());
        restored
            .inspect_err(|error| tracing::warn!(%error, "compiling again"))
            .ok()
    }

    /// Loads a component from a file.
    ///
    /// # Errors
    ///
    /// As [`load_bytes`](Self::load_bytes), with the file, and when it cannot be read.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Arc<CompiledComponent>, LoadError> {
        let path = path.as_ref();
        let component = |source| LoadError::Component {
            path: path.to_owned(),
            source,
        };
        let bytes = self.read(path)?;
        self.load_bytes(&bytes).map_err(component)
    }

    /// Loads all files of a folder whose name ends in `.wasm`, in the order of their
    /// names. Folders inside are not looked at.
    ///
    /// # Errors
    ///
    /// As [`load_file`](Self::load_file), for the first that cannot be loaded.
    pub fn load_folder(
        &self,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<(PathBuf, Arc<CompiledComponent>)>, LoadError> {
        let folder = folder.as_ref();
        let io = |source| LoadError::Io {
            path: folder.to_owned(),
            source,
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "wasm") && path.is_file() {
                files.push(path);
            }
            if files.len() > MAX_FOLDER_COMPONENTS {
                return Err(LoadError::TooMany {
                    folder: folder.to_owned(),
                });
            }
        }
        files.sort();
        files
            .into_iter()
            .map(|path| Ok((path.clone(), self.load_file(path)?)))
            .collect()
    }

    /// Reads a file, and of one that is too large just so much that it shows.
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let read = || -> io::Result<Vec<u8>> {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let mut bytes = Vec::new();
            file.take(self.limits.component_bytes.saturating_add(1))
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|source| LoadError::Io {
            path: path.to_owned(),
            source,
        })
    }
}
