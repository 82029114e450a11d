//! Who is answered at all.

// Layer 1: Standard library imports
use std::net::IpAddr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, SERVER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

// Layer 3: Internal module imports
use crate::server::problem::Problem;
use crate::server::shared::Shared;

/// What every answer says that it is from.
pub(crate) const SERVER_NAME: &str = concat!("airssys/", env!("CARGO_PKG_VERSION"));

/// Lets through what was sent to this machine by its name, and has the token. Nothing else
/// of a request is read before that.
pub(crate) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&shared, request.headers()) {
        // A connection has a place, and whoever is not let in does not keep it: neither by
        // asking again and again, nor by leaving answers unread.
        Err(problem) => ([(CONNECTION, "close")], problem).into_response(),
        Ok(()) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static(SERVER_NAME));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Refuses a body that says it is larger than it may be, before any of it is read.
pub(crate) async fn check_length(
    State(max_bytes): State<usize>,
    request: Request,
    next: Next,
) -> Response {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length.filter(|length| *length > max_bytes as u64) {
        Some(length) => Problem::too_large(&format!(
            "it has {length} bytes, and {max_bytes} are allowed"
        ))
        .into_response(),
        None => next.run(request).await,
    }
}

fn admit(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    // A web page may have its own name lead here, and its scripts then talk to us.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_loopback) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "foreign-host",
            "this is for programs of this machine, under its own name",
        ));
    }
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    match shown {
        Some(token) if bool::from(token.ct_eq(shared.token.as_bytes())) => Ok(()),
        Some(_) => Err(unauthorized("the token is another system's")),
        None => Err(unauthorized(
            "a request needs `Authorization: Bearer` and the token",
        )),
    }
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        .next("the token stands in the system's file, where `airssys` finds it by itself")
}

/// Whether a `Host` is this machine, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _port)| name),
        None => host.split_once(':').map_or(host, |(name, _port)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:9",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "[::2]:80",
            "[::1",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
