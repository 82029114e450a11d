//! The words for what goes wrong with data on disk: what, why, and what to do.

// Layer 2: Third-party crate imports
use airssys_wasm::storage::data_folder::DataFolderError;
use airssys_wasm::system::data::error::DataError;

// Layer 3: Internal module imports
use crate::audit_advice::not_audited;
use crate::exit::Exit;
use crate::failure::Failure;

/// What to do when the store has failed.
pub(crate) const STORE_FAILED: &str =
    "free space or mend the disk, and start the system again; what was acknowledged is safe";

/// Explains why something was not done with data.
pub(crate) fn not_done(error: &DataError) -> Failure {
    let (exit, kind, next) = match error {
        DataError::Folder(error) => return of_folder(error),
        DataError::Audit(error) => return not_audited(error),
        DataError::Damaged(_) => (
            Exit::Damaged,
            "damaged-data",
            "`airssys verify FOLDER` tells more; restore a backup: `airssys up --data BACKUP`",
        ),
        DataError::Disk(_) => (Exit::StoreFailed, "store-failed", STORE_FAILED),
        DataError::Io { .. } => (Exit::Io, "io", "check the path, the rights, and the disk"),
        DataError::Destination { .. } => (
            Exit::Io,
            "destination",
            "a backup goes to a folder that does not exist, or is empty",
        ),
        DataError::NoDataFolder => (
            Exit::Refused,
            "no-data-folder",
            "give it one: `[system] data = \"data\"` in airssys.toml, or `airssys up --data data`",
        ),
        DataError::NoComponent(_) => (
            Exit::Refused,
            "unknown-component",
            "`airssys ps` lists the components",
        ),
        DataError::NotDurable(_) => (
            Exit::Refused,
            "not-durable",
            "let it be kept: `durability = \"strict\"` in airssys.toml",
        ),
        DataError::NoState(_) => (
            Exit::Refused,
            "no-state",
            "check the address: it has never committed anything",
        ),
        DataError::NotStopped(actor) => return not_stopped(error, actor.as_str()),
        DataError::InvalidState(_) => (
            Exit::NotImported,
            "invalid-state",
            "nothing has changed; mend the line, or export again",
        ),
        DataError::OverQuota(_) | DataError::TooLarge { .. } => (
            Exit::LimitExceeded,
            "limit-exceeded",
            "nothing has changed; raise the limit in airssys.toml, or import less",
        ),
        _ => (Exit::Refused, "refused", ""),
    };
    Failure::new(exit, kind, headline(exit))
        .because(error)
        .next(next)
}

fn headline(exit: Exit) -> &'static str {
    match exit {
        Exit::Damaged => "the data cannot be read",
        Exit::StoreFailed => "the disk failed or is full",
        Exit::NotImported => "this is not the state of an actor",
        Exit::LimitExceeded => "this is more than the actor may keep",
        Exit::Io => "a file or folder cannot be used",
        _ => "the system refused",
    }
}

fn not_stopped(error: &DataError, actor: &str) -> Failure {
    Failure::new(Exit::Refused, "not-stopped", headline(Exit::Refused))
        .because(error)
        .next(format!(
            "stop it first with `airssys stop {actor}`, and let it run again afterwards with \
             `airssys resume {actor}`"
        ))
}

fn of_folder(error: &DataFolderError) -> Failure {
    let (exit, kind, message, next) = match error {
        DataFolderError::InUse { .. } => (
            Exit::DataInUse,
            "data-in-use",
            "the data folder is in use",
            "stop that system with Ctrl-C; or leave out `--data` to talk to it, or work on a copy: \
             `airssys backup COPY`",
        ),
        DataFolderError::NoData { .. } => (
            Exit::NoData,
            "no-data",
            "there is no data",
            "check the path; `airssys up` tells where its data is",
        ),
        DataFolderError::Foreign { .. } => (
            Exit::NoData,
            "foreign-folder",
            "this is no data folder",
            "name an empty folder, or one that does not exist, to begin with new data",
        ),
        DataFolderError::Missing { .. } => (
            Exit::Damaged,
            "damaged",
            "the data is not whole",
            "restore a backup: `airssys up --data BACKUP`",
        ),
        DataFolderError::Version { .. } => (
            Exit::NoData,
            "data-format",
            "the data is of another release",
            "use the release of airssys that wrote it",
        ),
        _ => (
            Exit::Io,
            "io",
            "the data folder cannot be used",
            "check the path, the rights, and the disk",
        ),
    };
    Failure::new(exit, kind, message).because(error).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn every_error_has_a_cause_and_a_next_step() {
        let actor = || "a/b/c".parse().unwrap();
        let path = || PathBuf::from("data");
        for error in [
            DataError::Folder(DataFolderError::InUse { path: path() }),
            DataError::Folder(DataFolderError::NoData { path: path() }),
            DataError::Folder(DataFolderError::Foreign { path: path() }),
            DataError::Damaged("a reason".into()),
            DataError::Disk("a reason".into()),
            DataError::NoDataFolder,
            DataError::NoComponent("a/b".into()),
            DataError::NotDurable(actor()),
            DataError::NoState(actor()),
            DataError::NotStopped(actor()),
        ] {
            let failure = not_done(&error);
            assert!(
                !failure.cause.is_empty() && !failure.next.is_empty(),
                "{error:?}"
            );
            assert!(failure.exit.code() != 0, "{error:?}");
        }
    }
}
