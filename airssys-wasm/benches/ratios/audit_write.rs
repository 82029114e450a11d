//! Writing down what happens: what it costs who notes an entry, and until it is on disk,
//! beside appending the same bytes to a file.

// Layer 1: Standard library imports
use std::fs::{File, OpenOptions, read, read_dir};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

// Layer 3: Internal module imports
use airssys_wasm::core::security::audit::{Action, AuditEntry, Decision};
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::security::audit::log::AuditLog;
use airssys_wasm::security::audit::settings::AuditSettings;

use crate::disk::folder;
use crate::figure::Figure;
use crate::measure::{Outcome, Plan, compare, per_run, sample};

/// How many entries are noted at a time: fewer than wait at the most.
const ENTRIES: u32 = 1_000;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let folder = folder()?;
    let path = folder.path().join("audit");
    let log = AuditLog::open(&path, AuditSettings::default(), 0)?;
    note(&log, &mut entries())?;
    let lines = lines(&path)?;
    let mut appended = append_to(folder.path())?;
    let noted = compare(
        plan,
        || note(&log, &mut entries()),
        || {
            let mut lines = lines.iter();
            sample(ENTRIES, || {
                Ok(appended.write_all(lines.next().ok_or("too few lines")?)?)
            })
        },
    )?;
    let mut synced = append_to(folder.path())?;
    let text = lines.concat();
    let on_disk = compare(
        plan,
        || {
            let mut entries = entries();
            let began = Instant::now();
            note(&log, &mut entries)?;
            Ok(per_run(began.elapsed(), ENTRIES))
        },
        || {
            let began = Instant::now();
            synced.write_all(&text)?;
            synced.sync_data()?;
            Ok(per_run(began.elapsed(), ENTRIES))
        },
    )?;
    Ok(vec![
        Figure::ratio("audit_write", noted),
        Figure::ratio("audit_write_synced", on_disk),
    ])
}

/// Denials of usual length.
fn entries() -> Vec<AuditEntry> {
    let entry = |number: u64| AuditEntry {
        component: "shop/cart".to_owned(),
        actor: Some("shop/cart/alice".to_owned()),
        resource: "shop/stock/main".to_owned(),
        why: "not granted".to_owned(),
        ..AuditEntry::new(
            1_700_000_000_000 + number,
            Action::Use(Capability::Send),
            Decision::Denied,
        )
    };
    (0..u64::from(ENTRIES)).map(entry).collect()
}

/// The CPU time of noting one entry. When this returns they are on disk, which is not
/// measured.
fn note(log: &AuditLog, entries: &mut Vec<AuditEntry>) -> Outcome<f64> {
    let time = sample(ENTRIES, || {
        log.note(entries.pop().ok_or("too few entries")?);
        Ok(())
    })?;
    log.flush()?;
    Ok(time)
}

/// What the log has written for as many entries.
fn lines(folder: &Path) -> Outcome<Vec<Vec<u8>>> {
    for file in read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|it| it == "jsonl") {
            let text = read(path)?;
            let lines = text.split_inclusive(|byte| *byte == b'\n');
            return Ok(lines.map(<[u8]>::to_vec).collect());
        }
    }
    Err("the log has no file".into())
}

fn append_to(folder: &Path) -> Outcome<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    Ok(options.open(folder.join("appended"))?)
}
