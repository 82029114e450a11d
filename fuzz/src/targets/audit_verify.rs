//! The folder of an audit log.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::security::audit::log::AuditLog;
use airssys_wasm::security::audit::mark::Mark;
use airssys_wasm::security::audit::query::{AuditQuery, find};
use airssys_wasm::security::audit::settings::AuditSettings;
use airssys_wasm::security::audit::verification::verify;

const FIRST_FILE: &str = "audit-00000000000000000001.jsonl";
const HEAD: &str = "head.json";

/// The first byte says what the rest is: the head and a file as they are, with `0xff` between
/// them, or entries for which the chain and the head are made.
pub(crate) fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let (head, file) = match kind % 2 {
        0 => {
            let split = rest.iter().position(|byte| *byte == 0xff);
            let (head, file) = rest.split_at(split.unwrap_or_default());
            (
                head.to_vec(),
                file.strip_prefix(&[0xff]).unwrap_or(file).to_vec(),
            )
        }
        _ => chained(rest, usize::from(*kind >> 1)),
    };
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(HEAD), head).unwrap();
    fs::write(folder.path().join(FIRST_FILE), file).unwrap();
    let before = verify(folder.path(), None);
    find(folder.path(), &AuditQuery::default()).unwrap();
    match AuditLog::open(folder.path(), AuditSettings::default(), 0) {
        Ok(log) => {
            log.close().unwrap();
            // Opening reads the last file alone, and here that is the whole log.
            let after = verify(folder.path(), None).unwrap();
            let before = before.unwrap();
            assert!(after.entries >= before.entries, "an entry is gone");
            assert_eq!(after.torn_bytes, 0, "what was torn is cut off");
        }
        Err(error) => {
            assert!(
                before.is_err(),
                "it was sound, and cannot be opened: {error}"
            );
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A chain of entries, one for each line, of which the head knows so many.
fn chained(entries: &[u8], known: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut file, mut last, mut noted) = (Vec::new(), Mark::BEGINNING, Mark::BEGINNING);
    for (index, entry) in entries.split(|byte| *byte == b'\n').enumerate() {
        let begin = file.len();
        let seq = last.seq + 1;
        let front = format!(
            "{{\"seq\":{seq},\"prev\":\"{}\",\"entry\":",
            last.hash.to_hex()
        );
        file.extend(front.as_bytes());
        file.extend(entry);
        let hash = Digest::of(&file[begin..]);
        file.extend(format!(",\"hash\":\"{}\"}}\n", hash.to_hex()).as_bytes());
        last = Mark { seq, hash };
        if index < known {
            noted = last;
        }
    }
    let head = format!(
        "{{\"behind\":\"{}\",\"last\":\"{noted}\"}}\n",
        Mark::BEGINNING
    );
    (head.into_bytes(), file)
}
