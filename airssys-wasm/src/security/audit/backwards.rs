//! Reading the lines of a file from its end, in bounded memory.

// Layer 1: Standard library imports
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

// Layer 3: Internal module imports
use crate::security::audit::line::MAX_LINE_BYTES;

/// How many bytes are read at once.
const BLOCK_BYTES: u64 = 64 << 10;

/// Reads lines from the end of a file. What has no end itself, as a line that is being
/// written, is left out; what is longer than any line is cut.
pub(crate) struct Backwards {
    file: File,
    /// How much of the file's beginning was not read yet.
    unread: u64,
    /// What was read and not handed out.
    held: Vec<u8>,
    /// Whether the end of `held` is the end of a line.
    is_whole: bool,
}

impl Backwards {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let unread = file.metadata()?.len();
        Ok(Self {
            file,
            unread,
            held: Vec::new(),
            is_whole: false,
        })
    }

    /// The line before, without its end. `None` when there is none.
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.held.iter().rposition(|byte| *byte == b'\n') {
                let line = self.held.split_off(end + 1);
                self.held.pop();
                if std::mem::replace(&mut self.is_whole, true) {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.unread == 0 {
                let line = std::mem::take(&mut self.held);
                let is_line = std::mem::replace(&mut self.is_whole, false);
                return Ok(is_line.then_some(line));
            }
            self.read_block()?;
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        // Somebody else's megabytes without an end are not collected.
        self.held.truncate(MAX_LINE_BYTES + 1);
        let bytes = self.unread.min(BLOCK_BYTES);
        self.unread -= bytes;
        let mut block = vec![0; bytes as usize];
        self.file.read_exact_at(&mut block, self.unread)?;
        block.append(&mut self.held);
        self.held = block;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut backwards = Backwards::new(file).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = backwards.next().unwrap() {
            lines.push(line);
        }
        lines
    }

    #[test]
    fn lines_may_be_longer_than_a_block_holds() {
        assert!(lines(b"").is_empty());
        assert!(lines(b"torn").is_empty());
        assert_eq!(lines(b"\n"), [b""]);
        let long = vec![b'x'; 3 * BLOCK_BYTES as usize];
        let text = [b"a\n", &long[..], b"\nb\ntorn"].concat();
        let found = lines(&text);
        assert_eq!(found.len(), 3);
        assert_eq!((&found[0][..], &found[2][..]), (&b"b"[..], &b"a"[..]));
        assert!(found[1].len() > MAX_LINE_BYTES);
    }

    proptest! {
        #[test]
        fn it_is_the_other_way_round(
            written in prop::collection::vec((0..MAX_LINE_BYTES, any::<u8>()), 0..40),
        ) {
            let made = |(bytes, byte): (usize, u8)| vec![byte.max(b' '); bytes];
            let written: Vec<Vec<u8>> = written.into_iter().map(made).collect();
            let text: Vec<u8> = written.iter().flat_map(|it| [&it[..], b"\n"].concat()).collect();
            let mut found = lines(&text);
            found.reverse();
            prop_assert_eq!(found, written);
        }
    }
}
