//! WASI 0.2: as much as ordinary toolchains need, and no capability.
//!
//! Clocks tell the turn's fixed time, random numbers come from the turn's seed,
//! standard input is empty, and standard output and error become lines of the log.
//! Whatever else of WASI a component imports is linked as well, since many toolchains
//! import all of it whether the program uses it or not, and refuses when it is called.

// Layer 1: Standard library imports
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng, TryRng};
use thiserror::Error;
use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasData, Linker, ResourceTable, ResourceType};
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, io as wasi_io, random};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiView, async_trait};

// Layer 3: Internal module imports
use crate::core::turn::recorder::Recorder;
use crate::runtime::host_fn::services::write_line;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// The interfaces of WASI that work here, without their versions.
const LINKED: [&str; 16] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/wall-clock",
    "wasi:clocks/monotonic-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
];

/// Whether an import, written without its version, works when it is called.
pub(crate) fn is_linked(interface: &str) -> bool {
    LINKED.contains(&interface)
}

/// A guest called an interface of WASI that it was not granted.
#[derive(Debug, Error)]
#[error("`{function}` is not granted: this host gives guests no {interface}")]
pub(crate) struct WasiDenied {
    interface: String,
    function: String,
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links the interfaces that work.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    let l = linker;
    wasi_io::error::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    wasi_io::poll::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    wasi_io::streams::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, WasiClocksView::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, WasiClocksView::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    Ok(())
}

/// Links the named imports of `component` as functions that refuse.
pub(crate) fn deny(
    linker: &mut Linker<StoreState>,
    component: &Component,
    interfaces: &[&str],
) -> WasmtimeResult<()> {
    let engine = linker.engine().clone();
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        if !interfaces.contains(&name) {
            continue;
        }
        let mut instance = linker.instance(name)?;
        for (member, item) in interface.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let (interface, function) = (name.to_owned(), format!("{name}#{member}"));
                    instance.func_new(member, move |_, _, _, _| {
                        Err(WasmtimeError::from(WasiDenied {
                            interface: interface.clone(),
                            function: function.clone(),
                        }))
                    })?;
                }
                ComponentItem::Resource(_) => {
                    let none_exist = ResourceType::host::<Infallible>();
                    instance.resource(member, none_exist, |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The WASI side of one instance.
pub(crate) struct WasiState {
    ctx: WasiCtx,
    turn: Arc<TurnInputs>,
}

/// What WASI takes from the turn: its time, its randomness, its allowance of lines.
struct TurnInputs {
    settings: Arc<InstanceSettings>,
    now_ms: AtomicU64,
    random: Mutex<ChaCha12Rng>,
    lines: AtomicU64,
}

impl WasiState {
    /// Made at the instance's first call of WASI, in the turn that `recorder` records.
    pub(crate) fn new(settings: &Arc<InstanceSettings>, recorder: &mut Recorder) -> Self {
        let turn = Arc::new(TurnInputs {
            settings: Arc::clone(settings),
            now_ms: AtomicU64::new(0),
            random: Mutex::new(ChaCha12Rng::from_seed([0; 32])),
            lines: AtomicU64::new(0),
        });
        turn.begin(recorder);
        let ctx = WasiCtx::builder()
            .wall_clock(TurnClock(Arc::clone(&turn)))
            .monotonic_clock(TurnClock(Arc::clone(&turn)))
            .secure_random(TurnRandom(Arc::clone(&turn)))
            .insecure_random(TurnRandom(Arc::clone(&turn)))
            .insecure_random_seed(u128::from(turn.draw()))
            .stdout(Log(Level::INFO, Arc::clone(&turn)))
            .stderr(Log(Level::WARN, Arc::clone(&turn)))
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        Self { ctx, turn }
    }

    pub(crate) fn begin(&mut self, recorder: &mut Recorder) {
        self.turn.begin(recorder);
    }

    pub(crate) fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

impl TurnInputs {
    fn begin(&self, recorder: &mut Recorder) {
        self.now_ms
            .store(recorder.context().now_ms, Ordering::Relaxed);
        self.lines.store(0, Ordering::Relaxed);
        *self.rng() = ChaCha12Rng::from_rng(recorder.random());
    }

    fn rng(&self) -> MutexGuard<'_, ChaCha12Rng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> u64 {
        self.rng().next_u64()
    }
}

struct TurnClock(Arc<TurnInputs>);

impl TurnClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now_ms.load(Ordering::Relaxed))
    }
}

impl HostWallClock for TurnClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        TurnClock::now(self)
    }
}

impl HostMonotonicClock for TurnClock {
    fn resolution(&self) -> u64 {
        Duration::from_millis(1).as_nanos() as u64
    }

    fn now(&self) -> u64 {
        TurnClock::now(self).as_nanos() as u64
    }
}

struct TurnRandom(Arc<TurnInputs>);

impl TryRng for TurnRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.rng().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.draw())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.rng().fill_bytes(bytes);
        Ok(())
    }
}

/// Standard output or error, which is the log.
struct Log(Level, Arc<TurnInputs>);

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
    turn: Arc<TurnInputs>,
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
        let lines = self.turn.lines.fetch_add(1, Ordering::Relaxed);
        if lines < self.turn.settings.limits.turn_log_lines {
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
