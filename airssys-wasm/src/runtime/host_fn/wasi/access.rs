//! Reading and writing, told apart.

// Layer 2: Third-party crate imports
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, OpenFlags};

/// What a call does to a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    Both,
}

impl Access {
    /// What opening something so makes possible.
    pub(crate) fn of_opening(open: OpenFlags, flags: DescriptorFlags) -> Self {
        let changes = open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
            || flags.contains(DescriptorFlags::WRITE);
        // Without either flag the system opens it for reading.
        let is_write_only =
            flags.contains(DescriptorFlags::WRITE) && !flags.contains(DescriptorFlags::READ);
        match (changes, is_write_only) {
            (true, true) => Self::Write,
            (true, false) => Self::Both,
            (false, _) => Self::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_could_change_something_writes() {
        let none = OpenFlags::empty();
        let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
        for (open, flags, access) in [
            (none, DescriptorFlags::empty(), Access::Read),
            (none, read, Access::Read),
            (OpenFlags::DIRECTORY, read, Access::Read),
            (none, write, Access::Write),
            (OpenFlags::CREATE, write, Access::Write),
            (none, read | write, Access::Both),
            (OpenFlags::CREATE, read, Access::Both),
            (OpenFlags::TRUNCATE, DescriptorFlags::empty(), Access::Both),
        ] {
            assert_eq!(
                Access::of_opening(open, flags),
                access,
                "{open:?} {flags:?}"
            );
        }
    }
}
