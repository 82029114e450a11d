//! The manifest of a system.

// Layer 3: Internal module imports
use airssys_wasm::system::manifest::Manifest;

/// The most bytes of an error besides what it shows of the file.
const MAX_ERROR_BYTES: usize = 16 << 10;

/// The text of a manifest.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let read = Manifest::parse(text, "airssys.toml");
    assert_eq!(
        read.is_ok(),
        Manifest::parse(text, "airssys.toml").is_ok(),
        "it is read the same way twice"
    );
    if let Err(error) = read {
        let shown = error.to_string();
        assert!(!shown.is_empty() && shown.len() <= MAX_ERROR_BYTES + 4 * text.len());
    }
}
