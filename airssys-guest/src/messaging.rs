//! Messages to other actors, timers and topics.
//!
//! Everything here is recorded, and leaves when the turn has succeeded. Addresses
//! are `namespace/name/instance`, for example `shop/cart/alice`.
//!
//! # Errors
//! Every function may fail with [`HostError::Denied`] when the actor was not
//! granted the target, with [`HostError::Invalid`] when an address, a kind or a
//! topic is malformed, with [`HostError::TooLarge`] for a payload over the limit,
//! and with [`HostError::QuotaExceeded`] when the turn sends too much.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 3: Internal module imports
use crate::bindings::airssys::actor::messaging as host;
use crate::duration::to_millis;
use crate::error::HostError;
use crate::id::{Correlation, TimerId};

/// This actor's own address.
pub fn my_address() -> String {
    host::my_address()
}

/// Sends a message that expects no reply. Messages from one sender to one receiver
/// arrive in the order they were sent.
///
/// # Errors
/// See the [module](self).
pub fn send(target: &str, kind: &str, payload: impl AsRef<[u8]>) -> Result<(), HostError> {
    host::send(target, kind, payload.as_ref())
}

/// Sends the same message to each of `targets`, in order.
///
/// # Errors
/// See the [module](self). Then none of the messages is sent.
pub fn broadcast(targets: &[&str], kind: &str, payload: impl AsRef<[u8]>) -> Result<(), HostError> {
    host::broadcast(targets, kind, payload.as_ref())
}

/// Sends a message after `delay`, in whole milliseconds rounded up.
///
/// # Errors
/// See the [module](self).
pub fn send_after(
    delay: Duration,
    target: &str,
    kind: &str,
    payload: impl AsRef<[u8]>,
) -> Result<TimerId, HostError> {
    host::send_after(to_millis(delay), target, kind, payload.as_ref()).map(TimerId::from)
}

/// Cancels a timer of this actor. A timer that has fired already, or never existed,
/// is no error.
///
/// # Errors
/// See the [module](self).
pub fn cancel_timer(timer: TimerId) -> Result<(), HostError> {
    host::cancel_timer(timer.into())
}

/// Sends a message whose reply arrives later, as a turn of its own, in
/// [`Actor::reply`](crate::Actor::reply). After `timeout`, in whole milliseconds
/// rounded up, the reply is [`HostError::Timeout`].
///
/// # Errors
/// See the [module](self).
pub fn request(
    target: &str,
    kind: &str,
    payload: impl AsRef<[u8]>,
    timeout: Duration,
) -> Result<Correlation, HostError> {
    host::request(target, kind, payload.as_ref(), to_millis(timeout)).map(Correlation::from)
}

/// Gives up a request: its reply is dropped. A request that was answered already,
/// or never existed, is no error.
///
/// # Errors
/// See the [module](self).
pub fn cancel_request(correlation: Correlation) -> Result<(), HostError> {
    host::cancel_request(correlation.into())
}

/// Sends a message to all actors that subscribed to a pattern which matches
/// `topic`, a dot-separated list of words such as `orders.eu.created`.
///
/// # Errors
/// See the [module](self).
pub fn publish(topic: &str, kind: &str, payload: impl AsRef<[u8]>) -> Result<(), HostError> {
    host::publish(topic, kind, payload.as_ref())
}

/// Subscribes this actor to topics. In `pattern`, `*` stands for one word, and `>`
/// at the end for one or more: `orders.*.created`, `orders.>`.
///
/// # Errors
/// See the [module](self).
pub fn subscribe(pattern: &str) -> Result<(), HostError> {
    host::subscribe(pattern)
}

/// Ends a subscription. One that does not exist is no error.
///
/// # Errors
/// See the [module](self).
pub fn unsubscribe(pattern: &str) -> Result<(), HostError> {
    host::unsubscribe(pattern)
}
