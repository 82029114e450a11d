//! A data folder that is not there until it is whole.

// Layer 1: Standard library imports
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use tempfile::{Builder, TempDir};

// Layer 3: Internal module imports
use crate::storage::data_folder::write_format;
use crate::storage::disk::disk::{Disk, DiskFile};
use crate::storage::disk::folder::Folder;
use crate::storage::log::recovery::TABLES_FILE;
use crate::storage::tables::tables::{DEFAULT_CACHE_BYTES, Tables};
use crate::system::data::error::DataError;

/// What the folder lets others do: nothing.
const FOLDER_MODE: u32 = 0o700;

/// A data folder under another name, beside the one that it will have. It is removed unless
/// it is finished. What a crash leaves of it has no `format`, so that it is no data folder.
pub(crate) struct Draft {
    folder: TempDir,
    to: PathBuf,
    above: PathBuf,
}

impl Draft {
    /// Begins a folder that will be at `to`, where nothing is, or an empty folder. The
    /// folders above it are made.
    ///
    /// # Errors
    ///
    /// When something is there, or the disk fails.
    pub(crate) fn begin(to: &Path) -> Result<Self, DataError> {
        let reject = |reason| DataError::Destination {
            path: to.into(),
            reason,
        };
        let name = to
            .file_name()
            .ok_or_else(|| reject("this is no name for a new folder"))?;
        match fs::symlink_metadata(to) {
            Ok(found) if found.is_dir() => {
                let mut entries = fs::read_dir(to).map_err(|e| DataError::io(to, e))?;
                if entries.next().is_some() {
                    return Err(reject("the folder is not empty; choose a new one"));
                }
            }
            Ok(_) => return Err(reject("there is a file already; choose a new folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(DataError::io(to, error)),
        }
        let above = match to.parent() {
            Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
            _ => PathBuf::from("."),
        };
        Folder::open(&above).map_err(|e| DataError::io(&above, e))?;
        // A name of the longest kind has no room for more.
        let prefix: String = name.to_string_lossy().chars().take(40).collect();
        let folder = Builder::new()
            .prefix(&format!(".{prefix}."))
            .suffix(".partial")
            .permissions(Permissions::from_mode(FOLDER_MODE))
            .tempdir_in(&above)
            .map_err(|e| DataError::io(&above, e))?;
        Ok(Self {
            folder,
            to: to.to_owned(),
            above,
        })
    }

    /// Has the tables filled, which are on disk when this returns. The last batch that is in
    /// them is returned.
    ///
    /// # Errors
    ///
    /// When the disk fails, or `fill` does.
    pub(crate) fn fill_tables<E>(
        &self,
        fill: impl FnOnce(&Tables) -> Result<(), E>,
    ) -> Result<u64, DataError>
    where
        DataError: From<E>,
    {
        let path = self.folder.path();
        let failed = |error: io::Error| DataError::io(path, error);
        let disk = Folder::open(path).map_err(failed)?;
        let file = disk.create(TABLES_FILE).map_err(failed)?;
        disk.sync().map_err(failed)?;
        let tables = Tables::open(file, DEFAULT_CACHE_BYTES)?;
        fill(&tables)?;
        let applied = tables.applied()?;
        drop(tables);
        // Closing writes once more.
        let file = disk.open(TABLES_FILE).map_err(failed)?;
        file.sync().map_err(failed)?;
        Ok(applied)
    }

    /// Makes it a data folder, and gives it its name. It is there after a crash when this
    /// returns.
    ///
    /// # Errors
    ///
    /// When the disk fails, or something came to be where it should go.
    pub(crate) fn finish(self) -> Result<(), DataError> {
        write_format(self.folder.path())?;
        fs::rename(self.folder.path(), &self.to).map_err(|e| DataError::io(&self.to, e))?;
        // Nothing is there any more to be removed.
        drop(self.folder.keep());
        let above = File::open(&self.above).and_then(|above| above.sync_all());
        above.map_err(|e| DataError::io(&self.above, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::data_folder::{DataFolder, DataFolderError};
    use crate::storage::tables::error::TablesError;
    use std::mem;

    #[test]
    fn nothing_is_left_of_one_that_fails() {
        let above = TempDir::new().unwrap();
        let to = above.path().join("copy");
        let draft = Draft::begin(&to).unwrap();
        let full = |_: &Tables| Err(TablesError::Failed("no space left".into()));
        let failed = draft.fill_tables(full).unwrap_err();
        assert!(matches!(failed, DataError::Disk(_)), "{failed}");
        drop(draft);
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_leaves_is_no_data_folder() {
        let above = TempDir::new().unwrap();
        let to = above.path().join("copy");
        let draft = Draft::begin(&to).unwrap();
        let whole = |_: &Tables| Ok::<_, TablesError>(());
        draft.fill_tables(whole).unwrap();
        mem::forget(draft);
        assert!(!to.exists());
        let left = fs::read_dir(above.path()).unwrap().next().unwrap();
        let refused = DataFolder::open(left.unwrap().path()).unwrap_err();
        assert!(
            matches!(refused, DataFolderError::Foreign { .. }),
            "{refused}"
        );
        // It is in nobody's way.
        let draft = Draft::begin(&to).unwrap();
        draft.fill_tables(whole).unwrap();
        // Somebody was quicker.
        fs::create_dir(&to).unwrap();
        fs::write(to.join("file"), "text").unwrap();
        assert!(matches!(draft.finish(), Err(DataError::Io { .. })));
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(&to).unwrap().count(), 1);
    }
}
