//! What each binary is and what it was made of: `guests/bin/MANIFEST.json`.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use super::digest;
use super::guest::{BINARIES, Guest};

/// The manifest's own path.
const PATH: &str = "guests/bin/MANIFEST.json";

/// All binaries, by their path.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Manifest {
    binaries: BTreeMap<String, Entry>,
}

/// One binary.
#[derive(Deserialize, Serialize)]
pub(crate) struct Entry {
    /// The binary's SHA-256 sum.
    sha256: String,
    /// The tools that made it. The versions of some are in its producers section.
    made_by: String,
    /// The files it was made of, each with its SHA-256 sum.
    sources: BTreeMap<String, String>,
}

impl Entry {
    /// The entry of a binary that was made just now.
    pub(crate) fn new(
        root: &Path,
        guest: &Guest,
        bytes: &[u8],
        made_by: String,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            sha256: digest::of_bytes(bytes),
            made_by,
            sources: sums(root, guest)?,
        })
    }
}

impl Manifest {
    /// The manifest of the repository at `root`; an empty one if there is none.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let path = root.join(PATH);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {PATH}"))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{PATH} is broken: delete it and run `cargo xtask guests`"))
    }

    /// Writes the manifest to the repository at `root`.
    pub(crate) fn write(&self, root: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(root.join(PATH), text).with_context(|| format!("cannot write {PATH}"))
    }

    /// Notes what the binary of `guest` is.
    pub(crate) fn insert(&mut self, guest: &Guest, entry: Entry) {
        self.binaries.insert(guest.binary.clone(), entry);
    }

    /// Everything in which the repository at `root` is not what the manifest says.
    pub(crate) fn differences(&self, root: &Path, guests: &[Guest]) -> anyhow::Result<Vec<String>> {
        let mut differences = Vec::new();
        for guest in guests {
            for difference in self.differences_of(root, guest)? {
                differences.push(format!("{}: {difference}", guest.binary));
            }
        }
        for stray in self.strays(root, guests)? {
            differences.push(format!("{stray}: no source makes it"));
        }
        Ok(differences)
    }

    /// Everything in which the binary of `guest` is not what the manifest says.
    pub(crate) fn differences_of(&self, root: &Path, guest: &Guest) -> anyhow::Result<Vec<String>> {
        let Some(entry) = self.binaries.get(&guest.binary) else {
            return Ok(vec!["is not in the manifest".to_owned()]);
        };
        let binary = root.join(&guest.binary);
        let mut differences = Vec::new();
        if !binary.exists() {
            differences.push("is missing".to_owned());
        } else if digest::of_file(&binary)? != entry.sha256 {
            differences.push("is not the file that was built".to_owned());
        }
        let now = sums(root, guest)?;
        for (source, sum) in &now {
            match entry.sources.get(source) {
                Some(then) if then == sum => {}
                Some(_) => differences.push(format!("{source} has changed since")),
                None => differences.push(format!("{source} is new since")),
            }
        }
        for source in entry.sources.keys() {
            if !now.contains_key(source) {
                differences.push(format!("{source} was part of it and is no more"));
            }
        }
        Ok(differences)
    }

    /// Removes the binaries that no guest makes, and returns their paths.
    pub(crate) fn remove_strays(
        &mut self,
        root: &Path,
        guests: &[Guest],
    ) -> anyhow::Result<Vec<String>> {
        let strays = self.strays(root, guests)?;
        for stray in &strays {
            self.binaries.remove(stray);
            let path = root.join(stray);
            if path.exists() {
                fs::remove_file(&path).with_context(|| format!("cannot remove {stray}"))?;
            }
        }
        Ok(strays)
    }

    /// The binaries that are committed or in the manifest and that no guest makes.
    fn strays(&self, root: &Path, guests: &[Guest]) -> anyhow::Result<Vec<String>> {
        let mut paths: Vec<String> = self.binaries.keys().cloned().collect();
        if root.join(BINARIES).exists() {
            for entry in fs::read_dir(root.join(BINARIES))? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if name.ends_with(".wasm") {
                    paths.push(format!("{BINARIES}/{name}"));
                }
            }
        }
        paths.sort();
        paths.dedup();
        paths.retain(|path| guests.iter().all(|guest| guest.binary != *path));
        Ok(paths)
    }
}

fn sums(root: &Path, guest: &Guest) -> anyhow::Result<BTreeMap<String, String>> {
    guest
        .sources
        .iter()
        .map(|source| Ok((source.clone(), digest::of_file(&root.join(source))?)))
        .collect()
}
