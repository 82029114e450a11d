//! `wasi:http`.

use serde_json::{Value, json};

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use crate::kept::TRAILERS;
use crate::streams::{read_all, text, why, write_all};
use crate::{Args, Outcome, name};

/// Sends one request or, with a `count`, so many at once, and waits for all.
pub(crate) fn get(a: &Args) -> Outcome {
    if a.count == 0 {
        return answer(&send(a)?);
    }
    let sent: Vec<Result<FutureIncomingResponse, String>> = (0..a.count).map(|_| send(a)).collect();
    let answers = sent.into_iter().map(|sent| match sent {
        Ok(response) => answer(&response).map_or_else(Value::from, |it| it),
        Err(error) => error.into(),
    });
    Ok(answers.collect())
}

/// Sends requests without waiting for anything, and gives each up at once.
pub(crate) fn drop_many(a: &Args) -> Value {
    how_many(a.count, || send(a).map(drop))
}

/// Waits for the heads of answers one after another. What it keeps of each is not its body
/// but the promise of what follows that.
pub(crate) fn trail(a: &Args) -> Value {
    how_many(a.count, || {
        let response = head(&send(a)?)?;
        let body = response.consume().map_err(|()| "consumed")?;
        drop(response);
        let trailers = IncomingBody::finish(body);
        TRAILERS.with_borrow_mut(|all| all.push(trailers));
        Ok(())
    })
}

/// Does something so often or until it fails: how often it could, and why no more.
fn how_many(count: u64, mut act: impl FnMut() -> Result<(), String>) -> Value {
    for done in 0..count {
        if let Err(error) = act() {
            return json!([done, error]);
        }
    }
    json!([count, null])
}

fn send(a: &Args) -> Result<FutureIncomingResponse, String> {
    let (scheme, rest) = a.url.split_once("://").ok_or("no-scheme")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let request = OutgoingRequest::new(Fields::new());
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request
        .set_authority(Some(authority))
        .map_err(|()| "authority")?;
    let path = (!path.is_empty()).then_some(path);
    request.set_path_with_query(path).map_err(|()| "path")?;
    let body = if a.text.is_empty() {
        None
    } else {
        request.set_method(&Method::Post).map_err(|()| "method")?;
        Some(request.body().map_err(|()| "body")?)
    };
    let options = RequestOptions::new();
    if a.wait_ms > 0 {
        let wait = Some(a.wait_ms * 1_000_000);
        options
            .set_first_byte_timeout(wait)
            .map_err(|()| "option")?;
    }
    let response = handle(request, Some(options)).map_err(name)?;
    if let Some(body) = body {
        let stream = body.write().map_err(|()| "stream")?;
        // Who is denied is not read from, and hears why by the response.
        let _written = write_all(&stream, a.text.as_bytes());
        drop(stream);
        let _finished: Result<(), ErrorCode> = OutgoingBody::finish(body, None);
    }
    Ok(response)
}

fn head(response: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    response.subscribe().block();
    let response = response.get().ok_or("no-response")?.map_err(|()| "taken")?;
    response.map_err(name)
}

fn answer(response: &FutureIncomingResponse) -> Outcome {
    let response = head(response)?;
    let status = response.status();
    let body = response.consume().map_err(|()| "consumed")?;
    let stream = body.stream().map_err(|()| "stream")?;
    let read = read_all(&stream);
    let read = read.map_err(|error| why(error, |error| http_error_code(error).map(name)))?;
    drop(stream);
    drop(IncomingBody::finish(body));
    let mut shown = text(&read);
    let bytes = shown.len();
    shown.truncate(shown.floor_char_boundary(1_000));
    Ok(json!({ "status": status, "body": shown, "bytes": bytes }))
}
