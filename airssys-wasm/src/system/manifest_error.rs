//! Why a manifest, or a folder of components, cannot be used.

// Layer 1: Standard library imports
use std::io;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::mistake::Mistake;
use crate::system::component_name::InvalidName;

/// The largest manifest that is read, in bytes: 1 MiB.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The shortest manifest that runs something, for those who have none yet.
const SHORTEST: &str =
    "version = 1\n\n[[component]]\nname = \"app/hello\"\nsource = \"hello.wasm\"";

/// Why a manifest, or a folder of components, cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Something in the manifest is wrong, at a place that is shown.
    #[error(transparent)]
    Mistake(Box<Mistake>),
    /// Nothing is there.
    #[error("{}: there is no such file; write one:\n\n{SHORTEST}", .0.display())]
    NotFound(PathBuf),
    /// The manifest is a folder, a device or a pipe.
    #[error("{}: this is no regular file; give the path of an airssys.toml", .0.display())]
    NotAFile(PathBuf),
    /// There is no such folder.
    #[error("{}: there is no such folder", .0.display())]
    NotAFolder(PathBuf),
    /// The manifest is too large.
    #[error("{}: this is larger than {MAX_MANIFEST_BYTES} bytes, the most that a manifest may have", .0.display())]
    TooLarge(PathBuf),
    /// The manifest is no text.
    #[error("{}: line {line} is not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The manifest.
        path: PathBuf,
        /// The first line that is no text, counted from 1.
        line: usize,
    },
    /// The text is no manifest, and no place says why.
    #[error("{}: {message}", path.display())]
    NotRead {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The system refused to read it.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has nothing to run.
    #[error(
        "{}: there is neither an airssys.toml nor a .wasm file; put a component here, or write airssys.toml:\n\n{SHORTEST}",
        .0.display()
    )]
    NothingToRun(PathBuf),
    /// The folder has too many components.
    #[error("{}: there are more than {maximum} .wasm files; name those to run in an airssys.toml", folder.display())]
    TooManyFiles {
        /// The folder.
        folder: PathBuf,
        /// How many there may be.
        maximum: usize,
    },
    /// Two files give the same name of a component.
    #[error("{} and {} would both be the component `{name}`; rename one, or name them in an airssys.toml", first.display(), second.display())]
    SameName {
        /// The name.
        name: String,
        /// The first file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A file's name makes no name of a component.
    #[error("{}: this gives no name for a component; rename it, or name it in an airssys.toml", path.display())]
    FileName {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidName,
    },
}

impl From<Mistake> for ManifestError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(Box::new(mistake))
    }
}
