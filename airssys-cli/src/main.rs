//! `airssys`: run code you don't trust as actors you can rely on.
//!
//! - `airssys try` runs one turn of a component, or many, and shows the reply, what the
//!   turn wants to happen, and what it cost.
//! - `airssys inspect` says what is in a component without running it.
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
//! and runs the turns of an [`actor`]; [`interrupt`] lets go of it at Ctrl-C. What came of it is written by
//! [`report`] or as JSON. Whatever fails becomes a [`failure`], whose words are chosen
//! in [`advice`].

// Layer 1: Standard library imports
use std::process::ExitCode;

// Layer 2: Third-party crate imports
use clap::Parser;

// Layer 3: Internal module imports
use cli::{Cli, Command};
use exit::Exit;

mod actor;
mod advice;
mod cache;
mod cli;
mod commands;
mod distribution;
mod effect;
mod exit;
mod failure;
mod input;
mod interrupt;
mod limits;
mod logging;
mod measurement;
mod output;
mod quantity;
mod report;
mod text;
mod trial;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return Exit::of_usage(&answer).into(),
    };
    logging::start(&cli.logging);
    let exit = match cli.command {
        Command::Try(args) => commands::r#try::run(*args),
        Command::Inspect(args) => commands::inspect::run(&args),
    };
    exit.into()
}
