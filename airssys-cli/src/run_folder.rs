//! The folder that running systems are found in.

// Layer 1: Standard library imports
use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use rustix::process::geteuid;

// Layer 3: Internal module imports
use crate::cache;
use crate::exit::Exit;
use crate::failure::Failure;

/// What is above the folder says where it is for those who look for it.
const VARIABLE: &str = "XDG_RUNTIME_DIR";

/// How the names of server files end.
pub(crate) const EXTENSION: &str = "json";

/// The most server files that are looked at.
const MAX_FILES: usize = 1_024;

/// A folder that only its owner can look into: what lies in it lets one talk to systems.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder, made if it is not there: `$XDG_RUNTIME_DIR/airssys`, or else
    /// `~/.cache/airssys/run`.
    ///
    /// # Errors
    ///
    /// When nothing says where it is, it cannot be made, or others can look into it.
    pub(crate) fn open() -> Result<Self, Failure> {
        let path = path().ok_or_else(nowhere)?;
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| make_private(&path))
            .map_err(|e| unusable(&path, &e))?;
        let metadata = fs::symlink_metadata(&path).map_err(|e| unusable(&path, &e))?;
        let is_private = metadata.mode() & 0o077 == 0;
        if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() || !is_private {
            return Err(not_private(&path));
        }
        Ok(Self(path))
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(format!("{name}.{extension}"))
    }

    /// The names that there are server files for, sorted.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let entries = fs::read_dir(&self.0).map_err(|e| unusable(&self.0, &e))?;
        for entry in entries.take(MAX_FILES) {
            let path = entry.map_err(|e| unusable(&self.0, &e))?.path();
            let is_ours = path.extension().is_some_and(|it| it == EXTENSION);
            let name = path.file_stem().and_then(|name| name.to_str());
            names.extend(
                name.filter(|name| is_ours && is_name(name))
                    .map(str::to_owned),
            );
        }
        names.sort();
        Ok(names)
    }
}

/// Whether a text can be the name of a system: 1 to 64 of a-z 0-9 - and _.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// Reads the name of a system from the command line.
///
/// # Errors
///
/// What names are made of.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err("a system's name is 1 to 64 of a-z 0-9 - _".to_owned()),
    }
}

/// A path that is not absolute does not count, as the XDG base directory specification
/// says.
fn path() -> Option<PathBuf> {
    let runtime = env::var_os(VARIABLE).map(PathBuf::from);
    match runtime.filter(|path| path.is_absolute()) {
        Some(folder) => Some(folder.join("airssys")),
        None => Some(cache::base()?.join("airssys").join("run")),
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn nowhere() -> Failure {
    Failure::new(
        Exit::Io,
        "no-run-folder",
        "there is no place for the files of running systems",
    )
    .because(format!(
        "neither {VARIABLE} nor HOME says where it would be"
    ))
    .next("set one of them to a folder of your own")
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let message = format!(
        "cannot use {}, where running systems are found",
        path.display()
    );
    Failure::new(Exit::Io, "no-run-folder", message)
        .because(error)
        .next(format!("set {VARIABLE} to a folder that you can write to"))
}

fn not_private(path: &Path) -> Failure {
    let message = format!("{} is open to others", path.display());
    Failure::new(Exit::Io, "run-folder-not-private", message)
        .because("whoever can read what lies in it can talk to your systems")
        .next(format!(
            "see whose it is; if it is yours, run `chmod 700 {}`, and else set {VARIABLE} to a \
             folder of your own",
            path.display()
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for name in ["shop", "a", "0-9_z", &"x".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "A",
            "ü",
            "a b",
            "a.b",
            &"x".repeat(65),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
