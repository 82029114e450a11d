//! Reading and writing streams to their ends.

use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// How much is read or written at once.
const PIECE: usize = 4_096;

/// Why a stream did not work. `explain` says what WASI calls the error behind it.
pub(crate) fn why(
    error: StreamError,
    explain: impl Fn(&crate::bindings::wasi::io::error::Error) -> Option<String>,
) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => {
            explain(&error).unwrap_or_else(|| error.to_debug_string())
        }
    }
}

/// Reads to the end.
pub(crate) fn read_all(input: &InputStream) -> Result<Vec<u8>, StreamError> {
    let mut all = Vec::new();
    loop {
        match input.blocking_read(PIECE as u64) {
            Ok(piece) => all.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}

/// Writes all of it.
pub(crate) fn write_all(output: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes
        .chunks(PIECE)
        .try_for_each(|piece| output.blocking_write_and_flush(piece))
}

/// Bytes as text, since JSON has no other form for them.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
