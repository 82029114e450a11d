//! `wasi:http/outgoing-handler`: requests to those who are granted.

// Layer 1: Standard library imports
use std::future::{Future, ready};
use std::io;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Error as HyperError, Request, Response};
use tokio::time::Instant;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult};
use wasmtime_wasi_http::p2::HttpResult;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
};
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
    /// Whether anything was sent in this turn.
    has_sent: bool,
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
                has_sent: false,
            },
        }
    }

    /// Tells how much is left of the turn.
    pub(crate) fn set_left_ms(&mut self, left_ms: u64) {
        self.hooks.left = Duration::from_millis(left_ms);
    }

    /// Ends the requests of the turn with it. Costs a look at each handle of the instance if
    /// there were any.
    pub(crate) fn end(&mut self, table: &mut ResourceTable) {
        if take(&mut self.hooks.has_sent) {
            end_requests(table);
        }
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

/// What the guest holds of requests holds nothing of them any more, but what was received. Whoever
/// waits for the rest is told that the connection is closed, as it is then.
fn end_requests(table: &mut ResourceTable) {
    for entry in table.iter_mut() {
        if let Some(response) = entry.downcast_mut::<HostFutureIncomingResponse>() {
            if !matches!(response, HostFutureIncomingResponse::Consumed) {
                *response = HostFutureIncomingResponse::Ready(Err(Error::ConnectionTerminated));
            }
        } else if let Some(response) = entry.downcast_mut::<HostIncomingResponse>() {
            response.body = response.body.take().map(|_body| ended_body());
        } else if let Some(body) = entry.downcast_mut::<HostIncomingBody>() {
            *body = ended_body();
        } else if let Some(trailers) = entry.downcast_mut::<HostFutureTrailers>()
            && matches!(trailers, HostFutureTrailers::Waiting(_))
        {
            *trailers = HostFutureTrailers::Done(Err(Error::ConnectionTerminated));
        }
    }
}

/// A body that fails at once: one that only ended might be taken for a whole one.
fn ended_body() -> HostIncomingBody {
    let ended = Empty::<Bytes>::new()
        .map_err(Error::from)
        .with_trailers(ready(Some(Err(Error::ConnectionTerminated))));
    HostIncomingBody::new(ended.boxed_unsync())
}

/// What `wasi:http` calls the error behind a stream, if it is one of a body. Those of
/// wasmtime-wasi-http are of another type than its own function looks for.
///
/// # Errors
///
/// When there is no such handle.
pub(crate) fn http_error_code(
    view: &WasiHttpCtxView<'_>,
    error: &Resource<WasmtimeError>,
) -> WasmtimeResult<Option<ErrorCode>> {
    let error = view.table.get(error)?;
    let code = match error.downcast_ref::<Error>() {
        Some(Error::HttpRequestDenied) => ErrorCode::HttpRequestDenied,
        Some(Error::ConnectionReadTimeout) => ErrorCode::ConnectionReadTimeout,
        Some(Error::ConnectionTerminated) => ErrorCode::ConnectionTerminated,
        Some(Error::Hyper(_)) => ErrorCode::HttpProtocolError,
        Some(_) => ErrorCode::InternalError(None),
        None => return Ok(error.downcast_ref::<ErrorCode>().cloned()),
    };
    Ok(Some(code))
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
        self.has_sent = true;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::task::yield_now;
    use tokio::time::timeout;
    use wasmtime_wasi::p2::InputStream;
    use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

    fn body() -> HostIncomingBody {
        let whole = Empty::<Bytes>::new().map_err(Error::from);
        HostIncomingBody::new(whole.boxed_unsync())
    }

    /// A task that has no end of its own, and holds something until it is ended.
    fn holding<T: Send + 'static>(held: &Arc<()>) -> AbortOnDropJoinHandle<T> {
        let held = Arc::clone(held);
        spawn(async move {
            let _held = held;
            pending().await
        })
    }

    #[tokio::test]
    async fn nothing_of_a_request_outlives_its_turn() {
        let (mut table, held) = (ResourceTable::new(), Arc::new(()));
        let under_way = HostFutureIncomingResponse::Pending(holding(&held));
        let under_way = table.push(under_way).unwrap();
        // It has come, and nobody has taken it.
        let response = Response::new(Empty::new().map_err(Error::from).boxed_unsync());
        let answered = Ok((response, holding(&held)));
        let answered = HostFutureIncomingResponse::Ready(answered);
        let answered = table.push(answered).unwrap();
        let taken = table.push(HostFutureIncomingResponse::Consumed).unwrap();
        let mut read = body();
        read.retain_worker(holding(&held));
        let read = table.push(read).unwrap();
        let trailers = body().into_future_trailers();
        let trailers = table.push(trailers).unwrap();

        end_requests(&mut table);
        for response in [&under_way, &answered] {
            let response = table.get(response).unwrap();
            let HostFutureIncomingResponse::Ready(Err(error)) = response else {
                panic!("it is there still");
            };
            assert!(matches!(error, Error::ConnectionTerminated), "{error}");
        }
        let taken = table.get(&taken).unwrap();
        assert!(matches!(taken, HostFutureIncomingResponse::Consumed));
        let trailers = table.get(&trailers).unwrap();
        assert!(matches!(trailers, HostFutureTrailers::Done(Err(_))));
        let mut stream = table.get_mut(&read).unwrap().take_stream().unwrap();
        assert!(stream.read(1).is_err(), "it is not whole");
        // Tasks are dropped by their runtime, in their turn.
        let are_dropped = async {
            while Arc::strong_count(&held) > 1 {
                yield_now().await;
            }
        };
        assert!(timeout(Duration::from_secs(10), are_dropped).await.is_ok());
    }
}
