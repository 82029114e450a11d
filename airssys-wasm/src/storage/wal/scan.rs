//! Reads a segment frame by frame.

// Layer 1: Standard library imports
use std::io;

// Layer 3: Internal module imports
use crate::storage::disk::disk::DiskFile;
use crate::storage::wal::frame::{HEAD_BYTES, Head, MAGIC};

/// How much is read at once, unless a frame is larger.
const WINDOW_BYTES: usize = 256 << 10;

/// The frames of a segment, from a place where one begins.
#[derive(Debug)]
pub(super) struct Frames<'a, F> {
    window: Window<'a, F>,
    salt: u64,
    at: u64,
}

/// What is in a segment after its last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing, or zeros that were written ahead.
    Empty,
    /// A frame that was not written to its end.
    Torn,
    /// Something that is no frame, and after it one: the first was on disk before the
    /// second was begun.
    Damaged,
}

impl<'a, F: DiskFile> Frames<'a, F> {
    pub(super) fn new(file: &'a F, salt: u64, from: u64) -> io::Result<Self> {
        let window = Window::new(file)?;
        let at = from;
        Ok(Self { window, salt, at })
    }

    /// Where the next frame begins, or would.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame's number and payload. Nothing if there is no whole frame here.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let (at, salt) = (self.at, self.salt);
        let head = self.window.get(at, HEAD_BYTES)?;
        let Some(head) = head.and_then(|bytes| Head::decode(salt, bytes)) else {
            return Ok(None);
        };
        let payload_at = at + HEAD_BYTES as u64;
        let payload = self.window.get(payload_at, head.payload_bytes as usize)?;
        match payload {
            Some(payload) if head.is_of(salt, payload) => {
                self.at = payload_at + u64::from(head.payload_bytes);
                Ok(Some((head.seq, payload)))
            }
            _ => Ok(None),
        }
    }

    /// Looks at everything after the last frame.
    pub(super) fn tail(&mut self) -> io::Result<Tail> {
        let mut tail = Tail::Empty;
        let (mut at, len) = (self.at, self.window.len);
        while at < len {
            let bytes = self.window.rest(at)?;
            if bytes.iter().any(|byte| *byte != 0) {
                tail = Tail::Torn;
                // A head right here is that of the torn frame.
                let skipped = usize::from(at == self.at);
                if has_head(self.salt, &bytes[skipped..]) {
                    return Ok(Tail::Damaged);
                }
            }
            // The next bytes overlap with these, so that a head on the border is seen.
            let overlap = match at + (bytes.len() as u64) < len {
                true => HEAD_BYTES - 1,
                false => 0,
            };
            at += (bytes.len() - overlap) as u64;
        }
        Ok(tail)
    }
}

fn has_head(salt: u64, bytes: &[u8]) -> bool {
    bytes
        .windows(HEAD_BYTES)
        .any(|bytes| bytes.starts_with(&MAGIC) && Head::decode(salt, bytes).is_some())
}

/// The part of a file that was read last.
#[derive(Debug)]
struct Window<'a, F> {
    file: &'a F,
    /// The length of the file.
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a, F: DiskFile> Window<'a, F> {
    fn new(file: &'a F) -> io::Result<Self> {
        Ok(Self {
            file,
            len: file.len_bytes()?,
            start: 0,
            bytes: Vec::new(),
        })
    }

    /// So many bytes of the file, or nothing if it has not so many.
    fn get(&mut self, at: u64, count: usize) -> io::Result<Option<&[u8]>> {
        let left = self.len.saturating_sub(at);
        if left < count as u64 {
            return Ok(None);
        }
        let end = self.start + self.bytes.len() as u64;
        if at < self.start || at + count as u64 > end {
            let wanted = left.min(WINDOW_BYTES.max(count) as u64) as usize;
            self.bytes.resize(wanted, 0);
            self.start = at;
            self.file.read_at(at, &mut self.bytes)?;
        }
        let from = (at - self.start) as usize;
        Ok(self.bytes.get(from..from + count))
    }

    /// Some bytes of the file, at least as many as a head has if there are so many.
    fn rest(&mut self, at: u64) -> io::Result<&[u8]> {
        let count = (self.len - at).min(WINDOW_BYTES as u64) as usize;
        Ok(self.get(at, count)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::disk::Disk;
    use crate::storage::disk::faulty::FaultyDisk;

    /// A file of two frames, the first of which has a bit flipped.
    fn damaged(payload_bytes: usize) -> Vec<u8> {
        let mut contents = Vec::new();
        for (seq, payload) in [(1, vec![7; payload_bytes]), (2, vec![])] {
            contents.extend(Head::of(5, seq, &payload).encode(5));
            contents.extend(payload);
        }
        contents[HEAD_BYTES] ^= 1;
        contents
    }

    #[test]
    fn a_head_after_a_broken_frame_is_found_wherever_it_is() {
        // Around the end of what is read at once.
        for payload_bytes in WINDOW_BYTES - 3 * HEAD_BYTES..WINDOW_BYTES + HEAD_BYTES {
            if payload_bytes % 5 != 0 {
                continue;
            }
            let disk = FaultyDisk::new(0);
            disk.put("log", damaged(payload_bytes));
            let file = disk.open("log").unwrap();
            let mut frames = Frames::new(&file, 5, 0).unwrap();
            assert_eq!(frames.next().unwrap(), None);
            assert_eq!(frames.tail().unwrap(), Tail::Damaged, "{payload_bytes}");
            let mut of_another = Frames::new(&file, 6, 0).unwrap();
            assert_eq!(of_another.next().unwrap(), None);
            assert_eq!(of_another.tail().unwrap(), Tail::Torn);
        }
    }
}
