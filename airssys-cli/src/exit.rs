//! How a run ended.

// Layer 1: Standard library imports
use std::fmt::Write;
use std::process::ExitCode;

/// Names each exit code once: for the code, for its documentation and for `--help`.
macro_rules! exit_codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// The exit codes of `airssys`. Their numbers are stable.
        ///
        /// Below 10 it is about the run, from 10 on about the component, from 20 on
        /// about its turn, and from 30 on about the data on disk.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Exit {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl Exit {
            /// All of them, in order, with their meanings.
            const ALL: &[(Self, &str)] = &[$((Self::$name, $meaning),)*];
        }
    };
}

exit_codes! {
    Success = 0, "Done.";
    Internal = 1, "The system lacks something that airssys needs, or airssys has a bug.";
    Usage = 2, "The arguments are wrong. Told as text, also with --json.";
    Io = 3, "A file could not be read, or the output not written.";
    NoSystem = 4, "No system runs, or several do and none of them was named.";
    WrongSystem = 5, "What answers is not the system that was meant.";
    BadManifest = 6, "The manifest, or the folder, makes no system.";
    AlreadyRuns = 7, "A system of this name is running, or its port is in use.";
    LeftBehind = 8, "The system has ended, and left messages or actors unfinished.";
    Refused = 9, "The system refused: there is no such thing, or not now.";
    NotAComponent = 10, "The file is no WebAssembly component, or a damaged one.";
    CannotRunHere = 11, "The component needs what this host does not offer.";
    MissingExport = 12, "The component is no actor, or one for another version of the contract.";
    NotTrusted = 13, "The component is not signed as it must be, or was changed since.";
    AsksForMore = 14, "The new version asks for more than the old one (airssys diff).";
    Denied = 15, "Grants or the policy do not allow it (airssys policy check).";
    Rejected = 20, "The guest rejected the message, or refused to start.";
    RetryRequested = 21, "The guest asked for the message to be tried again later.";
    Failed = 22, "The guest trapped, or broke the rules of the contract.";
    Timeout = 23, "The turn took longer than it may (--timeout-ms).";
    LimitExceeded = 24, "Another limit was met (--fuel, --memory, --limit).";
    StoreFailed = 30, "The disk failed or is full. What was acknowledged is safe.";
    DataInUse = 31, "The data folder is in use by another process.";
    NoData = 32, "The folder has no data of a system, or of another release.";
    Damaged = 33, "The data is damaged: restore a backup.";
    NotImported = 34, "What was to be imported is not the state of an actor.";
    AuditBroken = 35, "The audit log was edited or cut.";
    Interrupted = 130, "Ctrl-C.";
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The table, for people.
    pub(crate) fn table() -> String {
        let mut table = String::from("Exit codes:");
        for (exit, meaning) in Self::ALL {
            // Writing to a text cannot fail.
            let _ = write!(table, "\n  {:>3}  {meaning}", exit.code());
        }
        table
    }

    /// Answers wrong arguments, and `--help` and `--version`, which arrive the same way.
    pub(crate) fn of_usage(answer: &clap::Error) -> Self {
        // Whoever closed the pipe does not want to read it.
        let _ = answer.print();
        match answer.exit_code() {
            0 => Self::Success,
            _ => Self::Usage,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_in_order() {
        assert!(Exit::ALL.is_sorted_by(|(a, _), (b, _)| a.code() < b.code()));
    }

    #[test]
    fn the_table_fits_a_terminal() {
        let table = Exit::table();
        assert!(table.lines().all(|line| line.len() <= 80), "{table}");
        assert_eq!(table.lines().count(), Exit::ALL.len() + 1);
    }
}
