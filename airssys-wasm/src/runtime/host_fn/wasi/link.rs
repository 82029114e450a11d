//! The interfaces of WASI that work here, in the linker.

// Layer 2: Third-party crate imports
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult, StoreContextMut};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{
    LinkOptions, cli, clocks, filesystem, io as wasi_io, random, sockets,
};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p2::bindings::{LinkOptions as HttpOptions, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::environment::EnvironmentView;
use crate::runtime::host_fn::wasi::files_view::FilesView;
use crate::runtime::host_fn::wasi::http::{handle, http_error_code};
use crate::runtime::host_fn::wasi::sockets::SocketsView;
use crate::runtime::state::StoreState;

/// The interfaces of WASI that work here, without their versions.
const LINKED: [&str; 29] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/wall-clock",
    "wasi:clocks/monotonic-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:sockets/network",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
    "wasi:http/types",
    "wasi:http/outgoing-handler",
];

/// The interfaces with functions that are linked by hand, in the version that wasmtime-wasi-http
/// has; older ones are compatible.
const OUTGOING_HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";
const HTTP_TYPES: &str = "wasi:http/types@0.2.12";

/// Whether an import, written without its version, works when it is called.
pub(crate) fn is_linked(interface: &str) -> bool {
    LINKED.contains(&interface)
}

/// Whether a function of an interface, written without its version, may wait.
pub(crate) fn may_wait(interface: &str) -> bool {
    [
        "wasi:io/",
        "wasi:filesystem/",
        "wasi:sockets/",
        "wasi:http/",
    ]
    .iter()
    .any(|package| interface.starts_with(package))
}

/// Links the interfaces that work.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    add_basics(linker)?;
    add_terminal(linker)?;
    add_files(linker)?;
    add_sockets(linker)?;
    add_http(linker)
}

fn add_basics(l: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    wasi_io::error::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    wasi_io::poll::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    wasi_io::streams::add_to_linker::<_, Io>(l, |s| s.ctx().table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, WasiClocksView::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, WasiClocksView::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, WasiRandomView::random)
}

fn add_terminal(l: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    cli::environment::add_to_linker::<_, Environment>(l, StoreState::environment)?;
    cli::exit::add_to_linker::<_, Environment>(l, StoreState::environment)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, WasiCliView::cli)
}

fn add_files(l: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    filesystem::types::add_to_linker::<_, Files>(l, StoreState::files)?;
    filesystem::preopens::add_to_linker::<_, Files>(l, StoreState::files)
}

fn add_sockets(l: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    let mut options = LinkOptions::default();
    options.network_error_code(true);
    let options = &options;
    sockets::network::add_to_linker::<_, WasiSockets>(
        l,
        &options.into(),
        WasiSocketsView::sockets,
    )?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(l, WasiSocketsView::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<_, Sockets>(l, StoreState::sockets)?;
    sockets::tcp::add_to_linker::<_, Sockets>(l, StoreState::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<_, Sockets>(l, StoreState::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(l, WasiSocketsView::sockets)?;
    sockets::udp_create_socket::add_to_linker::<_, Sockets>(l, StoreState::sockets)
}

fn add_http(l: &mut Linker<StoreState>) -> WasmtimeResult<()> {
    let options = &HttpOptions::default();
    http::types::add_to_linker::<_, WasiHttp>(l, &options.into(), WasiHttpView::http)?;
    l.allow_shadowing(true);
    l.instance(HTTP_TYPES)?.func_wrap(
        "http-error-code",
        |mut store: StoreContextMut<'_, StoreState>, (error,): (Resource<WasmtimeError>,)| {
            Ok((http_error_code(&store.data_mut().http(), &error)?,))
        },
    )?;
    l.allow_shadowing(false);
    l.instance(OUTGOING_HANDLER)?.func_wrap(
        "handle",
        |mut store: StoreContextMut<'_, StoreState>, (request, options)| match handle(
            store.data_mut().http(),
            request,
            options,
        ) {
            Ok(response) => Ok((Ok(response),)),
            Err(error) => Ok((Err(error.downcast()?),)),
        },
    )
}

/// Names what each interface gets.
struct Io;
struct Environment;
struct Files;
struct Sockets;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}
impl HasData for Environment {
    type Data<'a> = EnvironmentView<'a>;
}
impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}
impl HasData for Sockets {
    type Data<'a> = SocketsView<'a>;
}
