//! The first thing that went wrong, after which nothing is done any more.

// Layer 1: Standard library imports
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

// Layer 3: Internal module imports
use crate::storage::tables::error::TablesError;

/// Whether tables failed, and how. It is shared by all that use one file.
#[derive(Debug, Default)]
pub(crate) struct Failure(OnceLock<TablesError>);

impl Failure {
    /// Remembers a failure. The first one stays: others follow from it.
    pub(crate) fn set(&self, error: TablesError) -> TablesError {
        self.0.get_or_init(|| error).clone()
    }

    /// Runs something unless the tables failed before. A failed disk, and damage, fail them
    /// from now on. The engine may panic where a file is damaged in a way that no checksum
    /// covers, so that panics are damage too.
    ///
    /// # Errors
    ///
    /// What failed first, or what `run` returns.
    pub(crate) fn guard<T>(
        &self,
        run: impl FnOnce() -> Result<T, TablesError>,
    ) -> Result<T, TablesError> {
        if let Some(error) = self.0.get() {
            return Err(error.clone());
        }
        // Nothing that `run` may leave half done is looked at after it panicked.
        let error = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(panic) => TablesError::Damaged(words(panic.as_ref())),
        };
        // What the disk said is more than what the engine made of it.
        match (self.0.get(), &error) {
            (Some(first), _) => Err(first.clone()),
            (None, TablesError::Failed(_) | TablesError::Damaged(_) | TablesError::Removed) => {
                Err(self.set(error))
            }
            (None, _) => Err(error),
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!(
        "the engine gave up: {}",
        text.unwrap_or("it did not say why")
    )
}
