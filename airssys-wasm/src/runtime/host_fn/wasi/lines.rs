//! Standard output and error, which become lines of the log.

// Layer 1: Standard library imports
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

// Layer 2: Third-party crate imports
use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

// Layer 3: Internal module imports
use crate::runtime::host_fn::services::write_line;
use crate::runtime::host_fn::wasi::turn::Turn;

/// Standard output or error, at the level of its lines.
pub(crate) struct Log(pub(crate) Level, pub(crate) Arc<Turn>);

impl Log {
    fn lines(&self) -> Lines {
        Lines {
            level: self.0,
            turn: Arc::clone(&self.1),
            unfinished: Vec::new(),
        }
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.lines())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.lines())
    }
}

/// Bytes on their way to the log, cut at line ends.
struct Lines {
    level: Level,
    turn: Arc<Turn>,
    unfinished: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        let max = self.turn.settings.limits.log_line_bytes as usize;
        for byte in bytes {
            if *byte == b'\n' {
                self.finish_line();
            } else {
                self.unfinished.push(*byte);
                // A guest that never ends its line does not fill our memory.
                if self.unfinished.len() > max {
                    self.finish_line();
                }
            }
        }
    }

    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.unfinished);
        if self.turn.admit_line() {
            let text = String::from_utf8_lossy(&line);
            write_line(&self.turn.settings, self.level, &text);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.finish_line();
        }
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.turn.settings.limits.hostcall_bytes as usize)
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
