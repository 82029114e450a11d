//! `cargo xtask guests`: from the sources in `guests/` to the binaries in `guests/bin/`.
//!
//! The binaries are committed, so that the tests need nothing but a Rust toolchain.
//! `MANIFEST.json` beside them tells what each was made of. A guest whose sources have not
//! changed since is left alone, or everyone's toolchain would bring everyone new bytes.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use clap::Args;

// Layer 3: Internal module imports
use build::{Built, Toolchains};
use guest::Guest;
use manifest::{Entry, Manifest};

mod build;
mod component;
mod digest;
mod guest;
mod manifest;
mod process;
mod roll;
mod rust;
mod zig;

/// Options of `cargo xtask guests`
#[derive(Args)]
pub(crate) struct GuestsArgs {
    /// Build nothing, and fail if a binary is not what the manifest says
    #[arg(long, conflicts_with = "all")]
    check: bool,
    /// Build also the guests whose sources have not changed
    #[arg(long)]
    all: bool,
}

/// Builds the guests of the repository at `root`, or checks them.
pub(crate) fn run(args: &GuestsArgs, root: &Path) -> anyhow::Result<()> {
    let guests = guest::discover(root)?;
    let manifest = Manifest::read(root)?;
    if args.check {
        check(root, &guests, &manifest)
    } else {
        build(root, &guests, manifest, args.all)
    }
}

fn check(root: &Path, guests: &[Guest], manifest: &Manifest) -> anyhow::Result<()> {
    let mut differences = manifest.differences(root, guests)?;
    if !roll::is_current(root, guests) {
        differences.push(format!("{}: does not name these guests", roll::PATH));
    }
    for difference in &differences {
        println!("{difference}");
    }
    anyhow::ensure!(
        differences.is_empty(),
        "the binaries of the guests are not those of their sources: run `cargo xtask guests` \
         and commit what it changes"
    );
    println!("{} binaries are those of their sources", guests.len());
    Ok(())
}

fn build(root: &Path, guests: &[Guest], mut manifest: Manifest, all: bool) -> anyhow::Result<()> {
    for stray in manifest.remove_strays(root, guests)? {
        println!("{stray}: removed, since no source makes it any more");
    }
    let toolchains = Toolchains::new(root);
    let mut left = 0;
    for guest in guests {
        let differences = manifest.differences_of(root, guest)?;
        if differences.is_empty() && !all {
            continue;
        }
        let built = toolchains
            .build(guest)
            .with_context(|| format!("cannot build {}", guest.binary))?;
        match built {
            Built::Binary { bytes, made_by } => {
                let entry = Entry::new(root, guest, &bytes, made_by)?;
                write(&root.join(&guest.binary), &bytes)?;
                println!("{}: {} bytes", guest.binary, bytes.len());
                manifest.insert(guest, entry);
                // Now and not in the end, so that a later failure loses nothing.
                manifest.write(root)?;
            }
            Built::Left { missing } => {
                left += 1;
                println!("{}: left as it is, for want of {missing}", guest.binary);
                for difference in differences {
                    println!("    {difference}");
                }
            }
        }
    }
    manifest.write(root)?;
    if !roll::is_current(root, guests) {
        write(&root.join(roll::PATH), roll::text(guests).as_bytes())?;
    }
    println!(
        "{} of {} guests are up to date",
        guests.len() - left,
        guests.len()
    );
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_binaries_are_those_of_their_sources() -> anyhow::Result<()> {
        let args = GuestsArgs {
            check: true,
            all: false,
        };
        run(&args, &crate::repository())
    }
}
