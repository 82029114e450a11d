//! A data folder that is made of what was found, with right checksums where they would keep
//! everything else from being looked at.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;
use twox_hash::XxHash3_64;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::data::stopped_data::StoppedData;

/// The salt of all segments.
const SALT: u64 = 7;

/// A folder with data.
pub(crate) struct DataFolder(TempDir);

impl DataFolder {
    /// A folder with these files, besides the one that says what it is. There are tables
    /// without anything if they are not among them.
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("format", b"airssys data, format 1\n");
        write("tables.redb", b"");
        for (name, bytes) in files {
            write(name, bytes);
        }
        Self(folder)
    }

    /// Judges the data, then opens it as a system that starts does, and judges what that
    /// made of it.
    pub(crate) fn recover(&self) {
        let data = match StoppedData::open(self.0.path()) {
            Ok(data) => data,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        let before = data.verify().unwrap();
        let actor = ComponentId::new("demo", "counter", "a");
        match data.export(&actor) {
            Ok(_) | Err(DataError::NoState(_)) => {
                let after = data.verify().unwrap();
                assert!(after.seq >= before.seq, "recovery lost a commit");
                assert!(
                    after.is_sound() || !before.is_sound(),
                    "recovery broke what was sound: {:?}",
                    after.problems
                );
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A segment of the log with these frames, each a number and a payload.
pub(crate) fn segment<'a>(
    first: u64,
    before: u64,
    frames: impl IntoIterator<Item = (u64, &'a [u8])>,
) -> Vec<u8> {
    let mut bytes = b"airs-log\x01\0\0\0\0\0\0\0".to_vec();
    for number in [first, before, SALT] {
        bytes.extend(number.to_le_bytes());
    }
    let sum = XxHash3_64::oneshot(&bytes);
    bytes.extend(sum.to_le_bytes());
    for (seq, payload) in frames {
        bytes.extend(frame(seq, payload));
    }
    bytes
}

fn frame(seq: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xF5, b'A', b'w', b'F'];
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(seq.to_le_bytes());
    bytes.extend(XxHash3_64::oneshot_with_seed(SALT, payload).to_le_bytes());
    let sum = XxHash3_64::oneshot_with_seed(SALT, &bytes);
    bytes.extend(sum.to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// The payload of a frame with one row.
pub(crate) fn row(table: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut payload = vec![1, table];
    put_number(&mut payload, key.len());
    payload.extend(key);
    put_number(&mut payload, value.len() + 1);
    payload.extend(value);
    payload
}

fn put_number(payload: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        payload.push(number as u8 | 0x80);
        number >>= 7;
    }
    payload.push(number as u8);
}
