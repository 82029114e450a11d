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
use crate::compiler::SUBCOMMAND;
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
    Try(Box<TryArgs>),
    Inspect(InspectArgs),
    Diff(DiffArgs),
    Up(Box<UpArgs>),
    Ask(AskArgs),
    Send(SendArgs),
    Publish(PublishArgs),
    Ps(PsArgs),
    Logs(LogsArgs),
    Deploy(DeployArgs),
    Upgrade(UpgradeArgs),
    Rollback(RollbackArgs),
    Grants(GrantsArgs),
    Grant(GrantArgs),
    Revoke(RevokeArgs),
    Policy(PolicyArgs),
    Stop(StopArgs),
    Resume(ResumeArgs),
    Dead(DeadArgs),
    Replay(ReplayArgs),
    Keygen(KeygenArgs),
    Sign(SignArgs),
    Audit(Box<AuditArgs>),
    Backup(BackupArgs),
    Verify(VerifyArgs),
    Compact(CompactArgs),
    Export(ExportArgs),
    Import(ImportArgs),
    /// Compile a component for the command that started this, within limits
    #[command(name = SUBCOMMAND, hide = true)]
    Compile,
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
