//! Places: for so many connections, and for fewer requests that may take long.

// Layer 1: Standard library imports
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

// Layer 2: Third-party crate imports
use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

// Layer 3: Internal module imports
use crate::server::problem::Problem;

/// The most connections that are open at once, and so the most requests that are answered: a
/// connection carries one at a time. One more waits until another has ended.
pub(crate) const MAX_CONNECTIONS: usize = 256;

/// The most requests at once that may take long, such as asks and those who follow the logs. One
/// more is told to come again. What is left of the connections is for requests that are answered
/// at once, so that an operator can see what is going on, and end it.
pub(crate) const MAX_LONG_REQUESTS: usize = 224;

/// The places of a server.
pub(crate) struct Places {
    /// One for each connection.
    pub(crate) connections: Arc<Semaphore>,
    /// One for each request that may take long.
    pub(crate) long_requests: LongRequests,
}

/// Places for requests that may take long.
#[derive(Clone)]
pub(crate) struct LongRequests(Arc<Semaphore>);

/// There is no place for one more request that may take long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// The place of a request that may take long.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// As many as there may be.
    pub(crate) fn new() -> Self {
        Self {
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            long_requests: LongRequests::new(MAX_LONG_REQUESTS),
        }
    }
}

impl LongRequests {
    fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// Takes a place.
    ///
    /// # Errors
    ///
    /// When all are taken.
    pub(crate) fn take(&self) -> Result<Place, Busy> {
        let taken = Arc::clone(&self.0).try_acquire_owned();
        taken
            .map(|permit| Place { _permit: permit })
            .map_err(|_full| Busy)
    }
}

impl IntoResponse for Busy {
    /// The connection ends with it, and makes room for another.
    fn into_response(self) -> Response {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            format!(
                "{MAX_LONG_REQUESTS} requests that take long are under way, and no more may be"
            ),
        )
        .because("they are asks that wait for a reply, uploads, or follow the logs")
        .next(
            "try again later; `airssys ps --actors` is answered meanwhile, and shows who is busy",
        );
        ([(CONNECTION, "close")], problem).into_response()
    }
}

impl Place {
    /// The answer that has this place, until all of it is sent or its connection ends.
    pub(crate) fn hold(self, answer: Response) -> Response {
        answer.map(|inner| {
            Body::new(Placed {
                inner,
                _place: self,
            })
        })
    }
}

/// Lets a request through that may take long, if there is a place for it.
pub(crate) async fn take_place(
    State(places): State<LongRequests>,
    request: Request,
    next: Next,
) -> Response {
    match places.take() {
        Ok(place) => place.hold(next.run(request).await),
        Err(busy) => busy.into_response(),
    }
}

/// The body of an answer that has a place.
struct Placed {
    inner: Body,
    _place: Place,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_held_until_the_answer_is_gone() {
        let places = LongRequests::new(2);
        let answer = |text: &'static str| {
            let place = places.take();
            place.map(|place| place.hold(Response::new(Body::from(text))))
        };
        let first = answer("first").unwrap();
        assert_eq!(first.body().size_hint().exact(), Some(5), "as it was");
        let second = answer("second").unwrap();
        assert_eq!(answer("third").map(drop), Err(Busy));
        drop(first);
        let third = answer("third").unwrap();
        assert_eq!(answer("fourth").map(drop), Err(Busy));
        drop((second, third));
        assert!(answer("fifth").is_ok());
    }

    #[test]
    fn most_connections_may_take_long_and_some_may_not() {
        let places = Places::new();
        let left = || places.connections.available_permits();
        let taken = (0..left()).map_while(|_| places.long_requests.take().ok());
        let taken: Vec<Place> = taken.collect();
        assert_eq!(taken.len(), MAX_LONG_REQUESTS);
        assert!(left() - taken.len() >= 32);
    }
}
