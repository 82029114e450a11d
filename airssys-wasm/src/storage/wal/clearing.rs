//! Forgetting a log that nobody needs any more.

// Layer 3: Internal module imports
use crate::storage::disk::disk::Disk;
use crate::storage::wal::error::WalError;
use crate::storage::wal::segment::first_of;

/// Removes all files of a log, which nobody has open. Whoever asks for it has everything
/// that is in them elsewhere.
///
/// # Errors
///
/// When the disk fails. Some of the files may be gone then.
pub(crate) fn clear<D: Disk>(disk: &D) -> Result<(), WalError> {
    let names = disk.names().map_err(WalError::disk("list", "the folder"))?;
    let mut own: Vec<_> = names
        .iter()
        .filter(|name| first_of(name).is_some())
        .collect();
    own.sort_unstable();
    // The oldest first: what a crash leaves of them follows what was removed.
    for name in own {
        disk.remove(name).map_err(WalError::disk("remove", name))?;
    }
    disk.sync().map_err(WalError::disk("sync", "the folder"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::faulty::FaultyDisk;
    use crate::storage::wal::wal::Wal;

    #[test]
    fn all_files_of_the_log_are_gone_and_no_others() {
        let disk = FaultyDisk::new(0);
        disk.put("log-of-mine", b"text".to_vec());
        let mut wal = Wal::open(disk.clone(), 0, |_, _| Ok(())).unwrap();
        wal.append(1, b"first").unwrap();
        drop(wal);
        assert_eq!(disk.names().unwrap().len(), 2);
        clear(&disk).unwrap();
        assert_eq!(disk.names().unwrap(), ["log-of-mine"]);
        let mut wal = Wal::open(disk.clone(), 1, |_, _| Ok(())).unwrap();
        wal.append(2, b"second").unwrap();
        drop(wal);
        let mut found = Vec::new();
        let replay = |seq, _: &[u8]| {
            found.push(seq);
            Ok(())
        };
        Wal::open(disk, 1, replay).unwrap();
        assert_eq!(found, [2]);
    }
}
