//! The disk, as the store sees it.

#[expect(clippy::module_inception, reason = "the file is named after its noun")]
pub mod disk;
#[cfg(test)]
pub(crate) mod faulty;
pub mod folder;
#[cfg(test)]
mod inode;
pub(crate) mod overlaid;
