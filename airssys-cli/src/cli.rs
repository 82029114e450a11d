//! The command line.

// Layer 2: Third-party crate imports
use clap::{Parser, Subcommand};

// Layer 3: Internal module imports
use crate::commands::ask::AskArgs;
use crate::commands::audit::AuditArgs;
use crate::commands::backup::BackupArgs;
use crate::commands::compact::CompactArgs;
use crate::commands::dead::DeadArgs;
use crate::commands::deploy::DeployArgs;
use crate::commands::diff::DiffArgs;
use crate::commands::export::ExportArgs;
use crate::commands::grant::GrantArgs;
use crate::commands::grants::GrantsArgs;
use crate::commands::import::ImportArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::keygen::KeygenArgs;
use crate::commands::logs::LogsArgs;
use crate::commands::policy::PolicyArgs;
use crate::commands::ps::PsArgs;
use crate::commands::publish::PublishArgs;
use crate::commands::replay::ReplayArgs;
use crate::commands::resume::ResumeArgs;
use crate::commands::revoke::RevokeArgs;
use crate::commands::rollback::RollbackArgs;
use crate::commands::send::SendArgs;
use crate::commands::sign::SignArgs;
use crate::commands::stop::StopArgs;
use crate::commands::r#try::TryArgs;
use crate::commands::up::UpArgs;
use crate::commands::upgrade::UpgradeArgs;
use crate::commands::verify::VerifyArgs;
use crate::exit::Exit;
use crate::logging::LoggingArgs;
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys try markdown.wasm --file README.md    print a file as HTML
  airssys try counter.wasm --kind add --data 2  see what a turn wants to happen
  airssys inspect relay.wasm                    see what it asks for before running it
  airssys up examples/shop                      run a system of actors
  airssys ask shop/cart/alice -k add -d 2       talk to one of them";

/// Run code you don't trust as actors you can rely on
#[derive(Parser)]
#[command(name = "airssys", version, arg_required_else_help = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", Exit::table()))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) system: SystemArgs,
    #[command(flatten)]
    pub(crate) logging: LoggingArgs,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a component for one turn: print its reply, show its effects and its cost
    Try(Box<TryArgs>),
    // These two have their words, short and long, beside their arguments.
    Inspect(InspectArgs),
    Diff(DiffArgs),
    /// Run a system of actors until Ctrl-C
    Up(Box<UpArgs>),
    /// Send a message to an actor of a running system, and print its reply
    Ask(AskArgs),
    /// Send a message to an actor, without waiting for it to be handled
    Send(SendArgs),
    /// Send a message to all actors that subscribed to a topic
    Publish(PublishArgs),
    /// Show what runs in a system
    Ps(PsArgs),
    /// Show what guests log in a running system, and what happens there
    Logs(LogsArgs),
    /// Add a component to a running system
    Deploy(DeployArgs),
    /// Give a component a new version, while messages flow
    Upgrade(UpgradeArgs),
    /// Return a component to a version that is kept
    Rollback(RollbackArgs),
    /// Show what is granted to a component of a running system
    Grants(GrantsArgs),
    /// Grant a component of a running system something
    Grant(GrantArgs),
    /// Take from a component of a running system what was granted
    Revoke(RevokeArgs),
    /// Check the rules above grants, written in Cedar, or have a system obey others
    Policy(PolicyArgs),
    /// Stop an actor
    Stop(StopArgs),
    /// Let run again what was stopped or given up
    Resume(ResumeArgs),
    /// List, look at, retry or drop messages that nobody handled
    Dead(DeadArgs),
    /// Run the turn of a dead letter again, and compare
    Replay(ReplayArgs),
    /// Make a key to sign components with
    Keygen(KeygenArgs),
    /// Sign a component
    Sign(SignArgs),
    /// Show what was done to a system and what was denied, or check the log of it
    Audit(Box<AuditArgs>),
    /// Copy the data of a system, which may run meanwhile, to a new folder
    Backup(BackupArgs),
    /// Check a data folder, or the signature of a component
    Verify(VerifyArgs),
    /// Have a data folder take as little room as it can
    Compact(CompactArgs),
    /// Print what an actor keeps, as JSON lines
    Export(ExportArgs),
    /// Replace what an actor keeps by what JSON lines say
    Import(ImportArgs),
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
