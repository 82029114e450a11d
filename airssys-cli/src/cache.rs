//! Where compiled components are kept between runs.

// Layer 1: Standard library imports
use std::env;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::runtime::cache::{CacheError, CompileCache};

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

const HEADLINE: &str = "compiling without a cache, so starting takes longer";

/// Opens the user's cache. Without one a run is slower and otherwise the same, so a
/// folder that cannot be used is a warning.
pub(crate) fn open() -> Option<CompileCache> {
    let opened = folder()
        .ok_or_else(nowhere)
        .and_then(|folder| CompileCache::open(folder).map_err(|e| unusable(&e)));
    opened.inspect_err(Failure::print_warning).ok()
}

/// `$XDG_CACHE_HOME/airssys/compiled`, or the same below `~/.cache`. As the XDG base
/// directory specification says, a path that is not absolute does not count.
fn folder() -> Option<PathBuf> {
    Some(base()?.join("airssys").join("compiled"))
}

/// The folder of what the user's programs can make anew.
pub(crate) fn base() -> Option<PathBuf> {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".cache")))
}

fn nowhere() -> Failure {
    Failure::new(Exit::Success, "no-cache", HEADLINE)
        .because("neither XDG_CACHE_HOME nor HOME says where it would be")
        .next("set one of them, or pass --no-cache")
}

fn unusable(error: &CacheError) -> Failure {
    let next = match error {
        CacheError::NotPrivate { folder, .. } => format!(
            "a compiled component is native code, so remove what others may have put there: \
             `rm -r {}`; the next run makes it anew",
            folder.display()
        ),
        CacheError::NotOurs { folder, .. } | CacheError::NotAFolder { folder } => format!(
            "move {} away, set XDG_CACHE_HOME to a folder of your own, or pass --no-cache",
            folder.display()
        ),
        _ => "set XDG_CACHE_HOME to a folder that you can write to, or pass --no-cache".to_owned(),
    };
    let cause = match error {
        // The rest of its words is advice, which stands below.
        CacheError::NotPrivate { folder, mode } => {
            format!("{} is open to others (mode {mode:03o})", folder.display())
        }
        error => error.to_string(),
    };
    Failure::new(Exit::Success, "no-cache", HEADLINE)
        .because(cause)
        .next(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn every_unusable_folder_has_a_cause_and_a_next_step() {
        let folder = || PathBuf::from("/somewhere/compiled");
        for error in [
            CacheError::Io {
                folder: folder(),
                source: io::ErrorKind::PermissionDenied.into(),
            },
            CacheError::NotAFolder { folder: folder() },
            CacheError::NotOurs {
                folder: folder(),
                owner: 0,
                user: 1,
            },
            CacheError::NotPrivate {
                folder: folder(),
                mode: 0o777,
            },
        ] {
            let warning = unusable(&error);
            assert!(warning.cause.contains("/somewhere/compiled"), "{warning:?}");
            assert!(!warning.next.is_empty(), "{warning:?}");
        }
    }
}
