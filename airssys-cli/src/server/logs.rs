//! What the system said, and what it says.

// Layer 1: Standard library imports
use std::convert::Infallible;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

// Layer 3: Internal module imports
use crate::log_book::{Following, Line, MAX_LINES, Severity, Speaker, Wanted};
use crate::now::now_ms;
use crate::server::extract::Asked;
use crate::server::shared::Shared;

/// Which lines to show.
#[derive(Debug, Deserialize)]
pub(crate) struct LogsQuery {
    /// Whether to go on with what comes.
    #[serde(default)]
    follow: bool,
    /// How many of those that were before.
    #[serde(default = "all_lines")]
    lines: usize,
    #[serde(default = "news")]
    level: Severity,
    actor: Option<String>,
}

/// `GET /v1/logs`: one JSON object on each line. Whoever follows needs a place.
pub(crate) async fn logs(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<LogsQuery>,
) -> Response {
    let wanted = Wanted {
        level: query.level,
        actor: query.actor,
    };
    let place = match query.follow {
        false => None,
        true => match shared.places.long_requests.take() {
            Ok(place) => Some(place),
            Err(busy) => return busy.into_response(),
        },
    };
    let (lines, following) = shared.book.last(query.lines, &wanted);
    let mut text = Vec::new();
    for line in &lines {
        write_line(&mut text, line);
    }
    let body = match following.filter(|_| query.follow) {
        None => Body::from(text),
        Some(following) => follow(text, following, wanted),
    };
    let answer = ([(CONTENT_TYPE, "application/x-ndjson")], body).into_response();
    match place {
        None => answer,
        Some(place) => place.hold(answer),
    }
}

/// What was there, and then each line as it comes.
fn follow(first: Vec<u8>, following: Following, wanted: Wanted) -> Body {
    // Something is sent at once, so that whoever follows knows that it has begun.
    let first = Some(Bytes::from(if first.is_empty() {
        b"\n".to_vec()
    } else {
        first
    }));
    let state = (first, following, wanted);
    Body::from_stream(stream::unfold(
        state,
        async |(first, mut following, wanted)| {
            let chunk = match first {
                Some(first) => first,
                None => next(&mut following, &wanted).await?,
            };
            Some((Ok::<_, Infallible>(chunk), (None, following, wanted)))
        },
    ))
}

/// The next line that is wanted. `None` when there will be none.
async fn next(following: &mut Following, wanted: &Wanted) -> Option<Bytes> {
    let mut text = Vec::new();
    loop {
        match following.recv().await {
            Ok(line) if wanted.has(&line) => write_line(&mut text, &line),
            Ok(_) => continue,
            Err(RecvError::Lagged(missed)) => write_line(&mut text, &missed_line(missed)),
            Err(RecvError::Closed) => return None,
        }
        return Some(text.into());
    }
}

fn missed_line(missed: u64) -> Line {
    Line {
        at_ms: now_ms(),
        level: Severity::Warning,
        from: Speaker::Host,
        actor: None,
        text: format!("{missed} lines are missing here: whoever follows is too slow"),
        event: None,
    }
}

fn write_line(text: &mut Vec<u8>, line: &Line) {
    // Writing what is made of texts and numbers to memory cannot fail.
    let _ = serde_json::to_writer(&mut *text, line);
    text.push(b'\n');
}

fn all_lines() -> usize {
    MAX_LINES
}

fn news() -> Severity {
    Severity::Info
}
