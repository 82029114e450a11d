//! A folder as a system: with a manifest, or with nothing but components.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

// Layer 3: Internal module imports
use crate::system::component_name::ComponentName;
use crate::system::config::component::ComponentConfig;
use crate::system::config::system::{MAX_ENTRIES, SystemConfig};
use crate::system::manifest::{MANIFEST_FILE, Manifest};
use crate::system::manifest_error::ManifestError;

/// The namespace of components that were found in a folder.
const FOUND_NAMESPACE: &str = "app";

impl SystemConfig {
    /// The system of a folder: what its `airssys.toml` says, or else each of its
    /// `.wasm` files, in the order of their names, as the component `app/<file name>`
    /// with every default.
    ///
    /// Characters that no name of a component may have become `-`. Hidden files are
    /// passed over.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, has nothing to run or more than
    /// [`MAX_ENTRIES`] files, or two files give the same name.
    pub fn of_folder(folder: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let folder = folder.as_ref();
        let refused = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => ManifestError::NotAFolder(folder.into()),
            _ => ManifestError::Unreadable {
                path: folder.into(),
                source,
            },
        };
        if !fs::metadata(folder).map_err(refused)?.is_dir() {
            return Err(ManifestError::NotAFolder(folder.into()));
        }
        let manifest = folder.join(MANIFEST_FILE);
        // A link that leads nowhere is a manifest too, and an error.
        if fs::symlink_metadata(&manifest).is_ok() {
            return Manifest::read(manifest);
        }
        let files = component_files(folder)?;
        if files.is_empty() {
            return Err(ManifestError::NothingToRun(folder.into()));
        }
        Ok(Self {
            components: components_of(files)?,
            ..Self::default()
        })
    }
}

/// The `.wasm` files of a folder, sorted.
fn component_files(folder: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let refused = |source| ManifestError::Unreadable {
        path: folder.into(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_component = path
            .extension()
            .is_some_and(|extension| extension == "wasm");
        if is_hidden || !is_component || !path.is_file() {
            continue;
        }
        if files.len() == MAX_ENTRIES {
            return Err(ManifestError::TooManyFiles {
                folder: folder.into(),
                maximum: MAX_ENTRIES,
            });
        }
        files.push(path);
    }
    files.sort();
    Ok(files)
}

fn components_of(files: Vec<PathBuf>) -> Result<Vec<ComponentConfig>, ManifestError> {
    let mut seen: BTreeMap<ComponentName, PathBuf> = BTreeMap::new();
    let mut components = Vec::new();
    for path in files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!(
            "{FOUND_NAMESPACE}/{}",
            stem.replace(|c| !is_allowed(c), "-")
        );
        let name: ComponentName = match name.parse() {
            Ok(name) => name,
            Err(source) => return Err(ManifestError::FileName { path, source }),
        };
        if let Some(first) = seen.insert(name.clone(), path.clone()) {
            return Err(ManifestError::SameName {
                name: name.to_string(),
                first,
                second: path,
            });
        }
        components.push(ComponentConfig {
            source: Some(path),
            ..ComponentConfig::new(name)
        });
    }
    Ok(components)
}

/// Whether a name may have this character: it does if a name of nothing else parses.
fn is_allowed(c: char) -> bool {
    c == '.'
        || format!("{FOUND_NAMESPACE}/{c}")
            .parse::<ComponentName>()
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    use tempfile::TempDir;

    fn folder(files: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        folder
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let config = SystemConfig::of_folder(folder.path()).unwrap();
        config.check().unwrap();
        config
            .components
            .iter()
            .map(|c| c.name.to_string())
            .collect()
    }

    fn refusal(folder: &TempDir) -> String {
        let shown = SystemConfig::of_folder(folder.path())
            .unwrap_err()
            .to_string();
        shown.replace(&folder.path().display().to_string(), "FOLDER")
    }

    #[test]
    fn each_component_of_a_folder_is_run_with_defaults() {
        let folder = folder(&[
            "b.wasm",
            "a b.wasm",
            "ü.v1.wasm",
            ".hidden.wasm",
            "c.txt",
            "wasm",
        ]);
        fs::create_dir(folder.path().join("d.wasm")).unwrap();
        assert_eq!(names(&folder), ["app/a-b", "app/b", "app/-.v1"]);
        let config = SystemConfig::of_folder(folder.path()).unwrap();
        let expected = ComponentConfig {
            source: Some(folder.path().join("b.wasm")),
            ..ComponentConfig::new("app/b".parse().unwrap())
        };
        assert_eq!(config.components[1], expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_name_that_is_no_text_makes_a_name_all_the_same() {
        let folder = folder(&[]);
        let file = OsStr::from_bytes(b"a\xff.wasm");
        fs::write(folder.path().join(file), "").unwrap();
        assert_eq!(names(&folder), ["app/a-"]);
    }

    #[test]
    fn a_manifest_is_read_instead() {
        let folder = folder(&["a.wasm", "b.wasm"]);
        let text = "version = 1\n[[component]]\nname = \"shop/b\"\nsource = \"b.wasm\"\n";
        fs::write(folder.path().join(MANIFEST_FILE), text).unwrap();
        assert_eq!(names(&folder), ["shop/b"]);
    }

    #[test]
    fn a_folder_that_cannot_be_run_says_what_to_do() {
        assert!(refusal(&folder(&[])).contains("put a component here, or write airssys.toml:"));
        assert_eq!(
            refusal(&folder(&["a b.wasm", "a-b.wasm"])),
            "FOLDER/a b.wasm and FOLDER/a-b.wasm would both be the component `app/a-b`; \
             rename one, or name them in an airssys.toml"
        );
        let long = format!("{}.wasm", "x".repeat(129));
        assert!(refusal(&folder(&[&long])).contains("gives no name for a component"));

        let many: Vec<String> = (0..=MAX_ENTRIES).map(|n| format!("{n}.wasm")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(refusal(&folder(&many)).contains("more than 1024 .wasm files"));
        assert_eq!(names(&folder(&many[1..])).len(), MAX_ENTRIES);

        let here = folder(&["a.wasm"]);
        let file = SystemConfig::of_folder(here.path().join("a.wasm"));
        assert!(matches!(file, Err(ManifestError::NotAFolder(_))));
        let missing = SystemConfig::of_folder(here.path().join("missing"));
        assert!(matches!(missing, Err(ManifestError::NotAFolder(_))));
        fs::create_dir(here.path().join(MANIFEST_FILE)).unwrap();
        let folder = SystemConfig::of_folder(here.path());
        assert!(matches!(folder, Err(ManifestError::NotAFile(_))));
    }
}
