//! Compiling the crates of `guests/`.

// Layer 1: Standard library imports
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

// Layer 2: Third-party crate imports
use anyhow::Context as _;

// Layer 3: Internal module imports
use super::process;

/// The target of the guests: WebAssembly without an operating system.
const TARGET: &str = "wasm32-unknown-unknown";

// What Debian's packages install.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std/src/lib.rs";

/// A toolchain that compiles Rust to [`TARGET`].
pub(crate) struct Rust {
    root: PathBuf,
    route: Route,
    version: String,
    /// Where the compiler keeps itself, for paths of the standard library.
    sysroot: String,
}

enum Route {
    /// The toolchain at hand has the target.
    Installed,
    /// Debian's compiler, which builds the standard library along.
    Debian,
}

impl Rust {
    /// The first toolchain that can do it, or what there would have to be.
    pub(crate) fn find(root: &Path) -> Result<Self, String> {
        let installed = OsStr::new("rustc");
        if has_target(installed)
            && let Some(found) = Self::with(root, Route::Installed, installed)
        {
            return Ok(found);
        }
        let debian = [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD];
        if debian.iter().all(|path| Path::new(path).exists())
            && let Some(found) = Self::with(root, Route::Debian, OsStr::new(DEBIAN_RUSTC))
        {
            return Ok(found);
        }
        Err(format!(
            "the target {TARGET} (`rustup target add {TARGET}`, or on Debian `apt-get install -y \
             rustc-web cargo-web rust-web-src lld-19`)"
        ))
    }

    fn with(root: &Path, route: Route, rustc: &OsStr) -> Option<Self> {
        Some(Self {
            root: root.to_owned(),
            route,
            version: output(rustc, &["--version"])?,
            sysroot: output(rustc, &["--print", "sysroot"])?,
        })
    }

    /// Compiles a crate to a core module.
    ///
    /// Each crate is compiled by itself: compiled together, the features that one asks of a
    /// dependency would be those of all, and its bytes would depend on its neighbours.
    pub(crate) fn build(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let target_folder = self.root.join("guests/target");
        let mut cargo = self.cargo();
        cargo
            .current_dir(self.root.join("guests"))
            .args([
                "build",
                "--quiet",
                "--release",
                "--locked",
                "--package",
                name,
            ])
            .args(["--target", TARGET, "--target-dir"])
            .arg(&target_folder)
            .env("CARGO_ENCODED_RUSTFLAGS", self.remapped_paths()?)
            .env("CARGO_INCREMENTAL", "0");
        if cfg!(unix) {
            cargo.env("RUSTC_WRAPPER", self.root.join("guests/rustc.sh"));
        }
        process::run(&mut cargo)?;

        let module =
            target_folder.join(format!("{TARGET}/release/{}.wasm", name.replace('-', "_")));
        fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
    }

    fn cargo(&self) -> Command {
        match self.route {
            Route::Installed => Command::new(env::var_os("CARGO").unwrap_or("cargo".into())),
            Route::Debian => {
                let mut cargo = Command::new(DEBIAN_CARGO);
                cargo
                    .args(["-Zbuild-std=std,panic_abort"])
                    .env("RUSTC", DEBIAN_RUSTC)
                    // Building the standard library is an unstable feature.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                    // It names the libraries of the toolchain that runs this.
                    .env_remove("LD_LIBRARY_PATH");
                cargo
            }
        }
    }

    /// The flags that keep this machine's folders out of the panic messages in a module.
    fn remapped_paths(&self) -> anyhow::Result<OsString> {
        let crates = cargo_home()?.join("registry/src");
        let standard_library = Path::new(&self.sysroot).join("lib/rustlib/src/rust");
        let mut flags = OsString::new();
        for (from, to) in [
            (self.root.as_path(), "/airssys"),
            (crates.as_path(), "/crates"),
            (standard_library.as_path(), "/rust"),
        ] {
            if !flags.is_empty() {
                flags.push("\x1f");
            }
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push("=");
            flags.push(to);
        }
        Ok(flags)
    }
}

impl Display for Rust {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.route {
            Route::Installed => f.write_str(&self.version),
            Route::Debian => write!(f, "{} of Debian, with its standard library", self.version),
        }
    }
}

fn has_target(rustc: &OsStr) -> bool {
    output(rustc, &["--print", "target-libdir", "--target", TARGET])
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

/// What a command prints, if it can be run and succeeds.
fn output(program: &OsStr, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    if program == DEBIAN_RUSTC {
        command.env_remove("LD_LIBRARY_PATH");
    }
    let output = command.args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Cargo's own rule for where it keeps what it downloads.
fn cargo_home() -> anyhow::Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(env::home_dir()
            .context("there is no home folder, and CARGO_HOME is not set")?
            .join(".cargo")),
    }
}
