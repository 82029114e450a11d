//! `wasi:http/outgoing-handler`: requests to those who are granted.

// Layer 1: Standard library imports
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use hyper::{Error as HyperError, Request, Response};
use tokio::time::Instant;
use wasmtime::component::Resource;
use wasmtime_wasi_http::p2::HttpResult;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::exchange::Exchange;
use crate::runtime::host_fn::wasi::open::has_room;
use crate::runtime::host_fn::wasi::turn::Turn;

/// The most bytes of one set of header fields, as they lie in memory.
const MAX_FIELDS_BYTES: usize = 32 * 1024;

/// The most bytes that are taken from a guest at once to be sent.
const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// HTTP as one instance speaks it.
pub(crate) struct Http {
    pub(crate) ctx: WasiHttpCtx,
    pub(crate) hooks: Hooks,
}

/// How requests are sent: see [`Exchange`].
pub(crate) struct Hooks {
    turn: Arc<Turn>,
    /// What is left of the turn, of which no request takes more.
    left: Duration,
}

impl Http {
    pub(crate) fn new(turn: &Arc<Turn>) -> Self {
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(MAX_FIELDS_BYTES);
        Self {
            ctx,
            hooks: Hooks {
                turn: Arc::clone(turn),
                left: Duration::ZERO,
            },
        }
    }

    /// Tells how much is left of the turn.
    pub(crate) fn set_left_ms(&mut self, left_ms: u64) {
        self.hooks.left = Duration::from_millis(left_ms);
    }
}

/// Sends a request.
///
/// # Errors
///
/// What the guest is told.
pub(crate) fn handle(
    mut view: WasiHttpCtxView<'_>,
    request: Resource<HostOutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> HttpResult<Resource<HostFutureIncomingResponse>> {
    if !has_room(view.table) {
        view.table.delete(request)?;
        if let Some(options) = options {
            view.table.delete(options)?;
        }
        return Err(ErrorCode::ConnectionLimitReached.into());
    }
    let asked = view.table.get_mut(&request)?;
    // Without one wasmtime-wasi-http would write a line to the operator's log.
    asked.path_with_query.get_or_insert_with(|| "/".to_owned());
    // The call takes them, but wasmtime-wasi-http leaves them in the table.
    let taken = options.as_ref().map(Resource::rep);
    let response = view.handle(request, options);
    if let Some(taken) = taken {
        view.table
            .delete(Resource::<RequestOptions>::new_own(taken))?;
    }
    response
}

type Sent = Result<(Response<WasiBody>, Worker), Error>;
type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _finished: Worker,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        // Asked now and not when the request is under way, since it is this call that is
        // permitted or denied.
        let exchange = Exchange::begin(&self.turn, &request, Instant::now() + self.left);
        Box::new(async move {
            exchange?
                .carry_out(request, options.unwrap_or_default())
                .await
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_CHUNK_BYTES
    }

    // By default these write lines to the operator's log, as many as a guest likes.

    fn p2_error_from_hyper(&mut self, _error: &HyperError) -> ErrorCode {
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_connect(&mut self, _error: &io::Error) -> ErrorCode {
        ErrorCode::ConnectionRefused
    }

    fn p2_error_from_tls(&mut self, _error: &io::Error) -> ErrorCode {
        ErrorCode::TlsProtocolError
    }
}
