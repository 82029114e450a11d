//! What a component was compiled to.

// Layer 1: Standard library imports
use std::path::Path;

// Layer 2: Third-party crate imports
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// Native code, as wasmtime wrote it. To load it is to trust it, so that it comes from the
/// compiler that this host was given, or from the [cache](crate::runtime::cache), and from
/// nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Artefact<'a> {
    /// As the compiler handed it over.
    Bytes(&'a [u8]),
    /// In a file, which is mapped. It must not change.
    File(&'a Path),
}

impl Artefact<'_> {
    /// Loads it.
    ///
    /// # Errors
    ///
    /// When an engine of another version or with other settings made it, or it does not fit
    /// this one's pool.
    pub(crate) fn load(self, engine: &Engine) -> Result<Component> {
        match self {
            // SAFETY: the bytes must be what wasmtime made. They are what it returned in this
            // process, or in one of a program that whoever runs the host trusts like the host.
            // Wasmtime itself refuses artefacts of another version of it.
            Self::Bytes(bytes) => unsafe { Component::deserialize(engine, bytes) },
            // SAFETY: the file must be what wasmtime made, and stay so. It is in a folder that
            // this user alone can write, is whole, and was made for this component by an engine
            // of the same settings; entries are replaced and never written to.
            Self::File(path) => unsafe { Component::deserialize_file(engine, path) },
        }
    }
}
