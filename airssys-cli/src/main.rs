//! `airssys`: run code you don't trust as actors you can rely on.
//!
//! - `airssys try` runs one turn of a component, or many, and shows the reply, what the
//!   turn wants to happen, and what it cost.
//! - `airssys inspect` says what is in a component without running it, and `diff` what a
//!   new version of it asks for beyond the old one.
//! - `airssys up` runs a system of actors until Ctrl-C, and `ask`, `send`, `publish`, `ps`,
//!   `logs`, `deploy`, `upgrade`, `rollback`, `stop`, `resume`, `dead` and `replay` talk to it.
//! - `airssys keygen` makes a key, `sign` signs a component with it, and `verify` checks that.
//! - `airssys verify` and `compact` work on the data of a system that does not run, and
//!   `backup`, `export` and `import` on that of one that runs or does not.
//!
//! What a command was asked for goes to standard output and nothing else does: the
//! bytes of a reply, a table, or with `--json` one object on one line. Everything about
//! it, logs and errors included, goes to standard error. How a run ended is its exit
//! code; [`exit::Exit`] is the table of them, which `airssys --help` prints.
//!
//! # The path of a run
//!
//! [`cli`] reads the arguments and [`commands`] carries them out. `try` reads its
//! [`input`], opens the [`cache`], and hands a plan to [`trial`], which loads the component
//! and runs the turns of an [`actor`]; [`interrupt`] lets go of it at Ctrl-C. What came of it
//! is written by [`report`] or as JSON. Whatever fails becomes a [`failure`], whose words are
//! chosen in [`advice`].
//!
//! `up` reads a [`place`], takes its name in the [`run_folder`], and starts a [`host`]: the
//! system, the [`server`] in front of it, and the [`log_book`]. It leaves a [`server_file`],
//! by which [`system_args`] finds it for the [`client`] of every other command.
//!
//! Both have components compiled by a [`compiler`], which is this program in another process.

// Layer 1: Standard library imports
use std::process::ExitCode;

// Layer 2: Third-party crate imports
use airssys_wasm::runtime::compiler::worker;
use clap::Parser;

// Layer 3: Internal module imports
use cli::{Cli, Command};
use exit::Exit;

mod actor;
mod advice;
mod audit_advice;
mod cache;
mod cli;
mod client;
mod commands;
mod compiler;
mod data_advice;
mod distribution;
mod effect;
mod exit;
mod failure;
mod host;
mod input;
mod interrupt;
mod limits;
mod listing;
mod log_book;
mod logging;
mod measurement;
mod message;
mod moment;
mod now;
mod output;
mod place;
mod policy_advice;
mod quantity;
mod report;
mod run_folder;
mod server;
mod server_file;
mod signature_advice;
mod signature_args;
mod system_args;
mod table;
mod text;
mod trial;
mod version;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return Exit::of_usage(&answer).into(),
    };
    // A running system logs in its own way, and a compiler not at all.
    if !matches!(cli.command, Command::Up(_) | Command::Compile) {
        logging::start(&cli.logging);
    }
    run(cli)
}

fn run(cli: Cli) -> ExitCode {
    let system = &cli.system;
    let exit = match cli.command {
        Command::Compile => return worker::run(),
        Command::Try(args) => commands::r#try::run(*args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Diff(args) => commands::diff::run(args),
        Command::Up(args) => commands::up::run(*args, &cli.logging),
        Command::Ask(args) => commands::ask::run(args, system),
        Command::Send(args) => commands::send::run(args, system),
        Command::Publish(args) => commands::publish::run(args, system),
        Command::Ps(args) => commands::ps::run(&args, system),
        Command::Logs(args) => commands::logs::run(&args, system),
        Command::Deploy(args) => commands::deploy::run(args, system),
        Command::Upgrade(args) => commands::upgrade::run(args, system),
        Command::Rollback(args) => commands::rollback::run(&args, system),
        Command::Grants(args) => commands::grants::run(&args, system),
        Command::Grant(args) => commands::grant::run(&args, system),
        Command::Revoke(args) => commands::revoke::run(&args, system),
        Command::Policy(args) => commands::policy::run(&args, system),
        Command::Stop(args) => commands::stop::run(&args, system),
        Command::Resume(args) => commands::resume::run(&args, system),
        Command::Dead(args) => commands::dead::run(&args, system),
        Command::Replay(args) => commands::replay::run(&args, system),
        Command::Keygen(args) => commands::keygen::run(&args),
        Command::Sign(args) => commands::sign::run(&args),
        Command::Audit(args) => commands::audit::run(&args, system),
        Command::Backup(args) => commands::backup::run(&args, system),
        Command::Verify(args) => commands::verify::run(args),
        Command::Compact(args) => commands::compact::run(args),
        Command::Export(args) => commands::export::run(&args, system),
        Command::Import(args) => commands::import::run(&args, system),
    };
    exit.into()
}
