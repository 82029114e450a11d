//! `wasi:cli`: the environment that was granted, and how a guest ends itself.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;
use wasmtime::Result as WasmtimeResult;
use wasmtime_wasi::p2::bindings::cli::{environment, exit};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::host_fn::wasi::turn::Turn;

/// A guest ended itself. Its turn has failed then, whatever it says of it.
#[derive(Debug, Error)]
#[error("it called `exit` of wasi:cli with status {0}")]
pub(crate) struct Exited(u8);

/// What `environment` and `exit` work on.
pub(crate) struct EnvironmentView<'a> {
    pub(crate) turn: &'a Arc<Turn>,
}

impl environment::Host for EnvironmentView<'_> {
    /// The variables that the operator has handed over, as far as they are granted.
    fn get_environment(&mut self) -> WasmtimeResult<Vec<(String, String)>> {
        let variables = self.turn.settings.provisions.env.iter();
        let permitted = |name: &str| self.turn.permit(Capability::Env, name).is_ok();
        Ok(variables
            .filter(|(name, _)| permitted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }

    fn get_arguments(&mut self) -> WasmtimeResult<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> WasmtimeResult<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for EnvironmentView<'_> {
    fn exit(&mut self, status: Result<(), ()>) -> WasmtimeResult<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status: u8) -> WasmtimeResult<()> {
        Err(Exited(status).into())
    }
}
