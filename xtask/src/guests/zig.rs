//! Compiling C.

// Layer 1: Standard library imports
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

// Layer 2: Third-party crate imports
use anyhow::Context as _;

// Layer 3: Internal module imports
use super::process;

/// The release of Zig, of which only the C compiler is used. It is the one with a linker for
/// WebAssembly that a package manager installs without privileges.
const PACKAGE: &str = "ziglang==0.17.1";

/// Zig's C compiler, in a Python environment below `guests/target/`.
pub(crate) struct Zig {
    root: PathBuf,
    python: PathBuf,
}

impl Zig {
    /// Installs it if it is not there, or says what there would have to be.
    pub(crate) fn find(root: &Path) -> Result<Self, String> {
        let environment = root.join("guests/target/zig");
        let zig = Self {
            root: root.to_owned(),
            python: environment.join("bin/python"),
        };
        if zig.is_installed() {
            return Ok(zig);
        }
        println!("installing {PACKAGE} into {}", environment.display());
        process::run(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )
        .and_then(|()| {
            let pip = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                PACKAGE,
            ];
            process::run(Command::new(&zig.python).args(pip))
        })
        .map(|()| zig)
        .map_err(|error| format!("a C compiler (`pip install {PACKAGE}`: {error:#})"))
    }

    fn is_installed(&self) -> bool {
        Command::new(&self.python)
            .args(["-m", "ziglang", "version"])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// Compiles a file to a core module.
    pub(crate) fn build(&self, source: &str) -> anyhow::Result<Vec<u8>> {
        let target = self.root.join("guests/target");
        let module = target.join("c.wasm");
        process::run(
            Command::new(&self.python)
                .args([
                    "-m",
                    "ziglang",
                    "cc",
                    "--target=wasm32-freestanding",
                    "-nostdlib",
                ])
                .args(["-std=c23", "-Wall", "-Wextra", "-Werror", "-Os", "-g0"])
                .args([
                    "-Wl,--no-entry",
                    "-Wl,--strip-debug",
                    "-Wl,-z,stack-size=16384",
                ])
                .args([source, "-o"])
                .arg(&module)
                .current_dir(&self.root)
                .env("ZIG_GLOBAL_CACHE_DIR", target.join("zig-cache"))
                .env("ZIG_LOCAL_CACHE_DIR", target.join("zig-cache")),
        )?;
        fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
    }
}

impl Display for Zig {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(PACKAGE)
    }
}
