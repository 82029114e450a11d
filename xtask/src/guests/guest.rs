//! A guest: what it is made of, how, and where its binary goes.

// Layer 1: Standard library imports
use std::fs;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use anyhow::Context as _;

/// The text in `guests/hostile/` that stays a core module, because that is its point.
const CORE_MODULE: &str = "core-module";

/// What every crate of `guests/` is built from, its own folder apart. The root's
/// `Cargo.toml` is not here: the SDK takes its dependencies from nowhere but its own.
const SHARED_BY_CRATES: &[&str] = &[
    "airssys-guest/Cargo.toml",
    "airssys-guest/src",
    "airssys-guest/wit",
    "guests/Cargo.lock",
    "guests/Cargo.toml",
    "guests/rustc.sh",
    "guests/small_stack.rs",
];

/// The folder of the binaries.
pub(crate) const BINARIES: &str = "guests/bin";

/// The folder of the contract.
pub(crate) const CONTRACT: &str = "wit";

/// A guest of this repository. Paths are relative to its root, with `/`.
pub(crate) struct Guest {
    /// Its name, which is that of its binary.
    pub(crate) name: String,
    /// Where its binary goes.
    pub(crate) binary: String,
    /// All files that it is made of, in order.
    pub(crate) sources: Vec<String>,
    /// How a core module is made of them.
    pub(crate) recipe: Recipe,
    /// The world for which a component is made of the module.
    pub(crate) world: World,
}

impl Guest {
    fn new(name: &str, mut sources: Vec<String>, recipe: Recipe, world: World) -> Self {
        sources.sort();
        Self {
            name: name.to_owned(),
            binary: format!("{BINARIES}/{name}.wasm"),
            sources,
            recipe,
            world,
        }
    }

    /// The smallest component, which the host's tests load.
    fn fixture() -> Self {
        let wit = "airssys-wasm/tests/fixtures/minimal-component.wit";
        Self {
            name: "minimal-component".to_owned(),
            binary: "airssys-wasm/tests/fixtures/minimal-component.wasm".to_owned(),
            sources: vec![wit.to_owned()],
            recipe: Recipe::Empty,
            world: World::Own {
                wit: wit.to_owned(),
            },
        }
    }
}

/// How a core module is made.
pub(crate) enum Recipe {
    /// By compiling a crate of the workspace `guests/`.
    Crate,
    /// By compiling a C file.
    C { source: String },
    /// By reading its text.
    Text { source: String },
    /// It is empty.
    Empty,
}

/// The world for which a component is made of a core module.
pub(crate) enum World {
    /// The one that the module names, as do those that use generated bindings.
    Named,
    /// `actor` of the contract.
    Actor,
    /// The only world of a file, which may use the contract.
    Own { wit: String },
    /// None: the module stays a module.
    None,
}

/// All guests of the repository at `root`, by kind and then by name.
pub(crate) fn discover(root: &Path) -> anyhow::Result<Vec<Guest>> {
    let mut guests = crates(root)?;
    guests.extend(c_files(root)?);
    guests.extend(texts(root)?);
    guests.push(Guest::fixture());
    Ok(guests)
}

fn crates(root: &Path) -> anyhow::Result<Vec<Guest>> {
    let mut shared = Vec::new();
    for path in SHARED_BY_CRATES {
        shared.extend(files(root, path)?);
    }
    let mut guests = Vec::new();
    for folder in entries(root, "guests")? {
        if !root.join(&folder).join("Cargo.toml").is_file() {
            continue;
        }
        let mut sources = shared.clone();
        sources.extend(files(root, &folder)?);
        guests.push(Guest::new(
            stem(&folder),
            sources,
            Recipe::Crate,
            World::Named,
        ));
    }
    Ok(guests)
}

fn c_files(root: &Path) -> anyhow::Result<Vec<Guest>> {
    let folder = entries(root, "guests/c")?;
    let mut shared = files(root, CONTRACT)?;
    shared.extend(folder.iter().filter(|path| path.ends_with(".h")).cloned());
    let mut guests = Vec::new();
    for source in folder.into_iter().filter(|path| path.ends_with(".c")) {
        let name = stem(&source).to_owned();
        let mut sources = shared.clone();
        sources.push(source.clone());
        guests.push(Guest::new(
            &name,
            sources,
            Recipe::C { source },
            World::Actor,
        ));
    }
    Ok(guests)
}

/// The guests that are text. One whose world is not the contract's has it in a `.wit`
/// of the same name.
fn texts(root: &Path) -> anyhow::Result<Vec<Guest>> {
    let folder = entries(root, "guests/hostile")?;
    let contract = files(root, CONTRACT)?;
    let mut guests = Vec::new();
    for source in folder.iter().filter(|path| path.ends_with(".wat")) {
        let name = stem(source);
        let wit = format!("guests/hostile/{name}.wit");
        let mut sources = vec![source.clone()];
        let world = if name == CORE_MODULE {
            World::None
        } else {
            sources.extend_from_slice(&contract);
            if folder.contains(&wit) {
                sources.push(wit.clone());
                World::Own { wit }
            } else {
                World::Actor
            }
        };
        let recipe = Recipe::Text {
            source: source.clone(),
        };
        guests.push(Guest::new(name, sources, recipe, world));
    }
    Ok(guests)
}

/// The file `path`, or all files below the folder `path`, in order.
fn files(root: &Path, path: &str) -> anyhow::Result<Vec<String>> {
    if !root.join(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in entries(root, path)? {
        found.extend(files(root, &entry)?);
    }
    Ok(found)
}

/// What lies in a folder, in order. Hidden files are an editor's or a system's.
fn entries(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(root.join(folder))?
            .map(|entry| Ok(PathBuf::from(entry?.file_name())))
            .collect()
    };
    let mut names: Vec<String> = read()
        .with_context(|| format!("cannot read the folder {folder}"))?
        .iter()
        .map(|name| format!("{folder}/{}", name.display()))
        .filter(|path| !stem(path).starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

/// The last part of a path, without what follows its dot.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some(("", _)) | None => name,
        Some((stem, _)) => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stem_of_a_hidden_file_is_its_name() {
        assert_eq!(stem("guests/c/reverse.c"), "reverse");
        assert_eq!(stem("guests/echo"), "echo");
        assert_eq!(stem("guests/.cargo"), ".cargo");
    }

    #[test]
    fn every_source_exists() -> anyhow::Result<()> {
        let root = crate::repository();
        for guest in discover(&root)? {
            for source in &guest.sources {
                assert!(root.join(source).is_file(), "{}: {source}", guest.name);
            }
        }
        Ok(())
    }
}
