//! The command line.

// Layer 2: Third-party crate imports
use clap::{Parser, Subcommand};

// Layer 3: Internal module imports
use crate::commands::inspect::InspectArgs;
use crate::commands::r#try::TryArgs;
use crate::exit::Exit;
use crate::logging::LoggingArgs;

const EXAMPLES: &str = "\
Examples:
  airssys try markdown.wasm --file README.md    print a file as HTML
  airssys try counter.wasm --kind add --data 2  see what a turn wants to happen
  airssys inspect relay.wasm                    see what it would need before running it";

/// Run code you don't trust as actors you can rely on
#[derive(Parser)]
#[command(name = "airssys", version, arg_required_else_help = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", Exit::table()))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) logging: LoggingArgs,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a component for one turn: print its reply, show its effects and its cost
    Try(Box<TryArgs>),
    /// Show what is in a component, and what it would need, without running it
    Inspect(InspectArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
