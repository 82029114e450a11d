//! What `airssys up` is told to start: a manifest, or a folder.

// Layer 1: Standard library imports
use std::error::Error;
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::manifest::Manifest;
use airssys_wasm::system::manifest_error::ManifestError;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_folder::is_name;

/// What a system is called that nothing gives a name.
const NAMELESS: &str = "airssys";

/// The longest name.
const MAX_NAME: usize = 64;

/// Reads the system that a manifest or a folder describes, with a name.
///
/// # Errors
///
/// When it cannot be read or has a mistake, which is shown with its place.
pub(crate) fn read(place: &Path) -> Result<SystemConfig, Failure> {
    let is_folder = fs::metadata(place).is_ok_and(|it| it.is_dir());
    let read = match is_folder {
        true => SystemConfig::of_folder(place),
        false => Manifest::read(place),
    };
    let mut config = read.map_err(bad_manifest)?;
    if config.name.is_none() {
        let whole = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let folder = if is_folder {
            Some(whole.as_path())
        } else {
            whole.parent()
        };
        config.name = Some(folder.map_or_else(|| NAMELESS.to_owned(), name_of));
    }
    Ok(config)
}

/// The name of a folder or a file, made fit to be one of a system or a key.
pub(crate) fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_lowercase();
    let name: String = lower
        .chars()
        .map(|c| {
            if c.is_ascii() && is_name(&c.to_string()) {
                c
            } else {
                '-'
            }
        })
        .take(MAX_NAME)
        .collect();
    match name.trim_matches('-') {
        "" => NAMELESS.to_owned(),
        name => name.to_owned(),
    }
}

fn bad_manifest(error: ManifestError) -> Failure {
    let failure = Failure::new(
        Exit::BadManifest,
        "bad-manifest",
        "there is no system to start",
    );
    let cause = match error.source() {
        // What was shown says it already.
        Some(source) if !error.to_string().contains(&source.to_string()) => {
            format!("{error}: {source}")
        }
        _ => error.to_string(),
    };
    failure
        .because(cause)
        .next("`airssys up --print-schema` prints what may stand in an airssys.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_system_a_name() {
        for (name, expected) in [
            ("shop", "shop"),
            ("My Shop!", "my-shop"),
            ("ü", "airssys"),
            (&"x".repeat(200), &"x".repeat(64)),
        ] {
            assert_eq!(name_of(&Path::new("/home").join(name)), expected);
        }
        assert_eq!(name_of(Path::new("/")), NAMELESS);
    }
}
