//! Reading the lines of a file from its beginning, each in bounded memory.

// Layer 1: Standard library imports
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

// Layer 3: Internal module imports
use crate::security::audit::line::MAX_LINE_BYTES;

/// Reads lines from the beginning of a file.
pub(crate) struct Forwards {
    reader: BufReader<File>,
    line: Vec<u8>,
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// A line that is longer than any that we write.
    TooLong,
    /// A piece of so many bytes that has no end: the last one, if it was not written wholly.
    Torn(u64),
    /// Nothing.
    End,
}

impl Forwards {
    pub(crate) fn new(file: File) -> Self {
        Self {
            reader: BufReader::new(file),
            line: Vec::new(),
        }
    }

    /// Reads the next line.
    pub(crate) fn next(&mut self) -> io::Result<Piece<'_>> {
        self.line.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        let mut limited = (&mut self.reader).take(most);
        let bytes = limited.read_until(b'\n', &mut self.line)?;
        Ok(match self.line.strip_suffix(b"\n") {
            Some(line) => Piece::Line(line),
            None if bytes == 0 => Piece::End,
            None if bytes as u64 == most => Piece::TooLong,
            None => Piece::Torn(bytes as u64),
        })
    }
}
