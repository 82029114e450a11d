//! Where components are compiled: in processes of this same program.

// Layer 2: Third-party crate imports
use airssys_wasm::runtime::compiler::command::CompilerCommand;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// The subcommand that they are started with.
pub(crate) const SUBCOMMAND: &str = "compile";

/// How one is started.
///
/// # Errors
///
/// When the system does not say where this program is.
pub(crate) fn command() -> Result<CompilerCommand, Failure> {
    let this_program = CompilerCommand::of_this_program()
        .map_err(|e| Failure::new(Exit::Io, "io", "cannot start a compiler").because(e))?;
    Ok(this_program.argument(SUBCOMMAND))
}
