//! From a function's name and arguments to the call and its outcome.

use std::time::{Duration, SystemTime};

use airssys_guest::services::Level;
use airssys_guest::{CallError, HostError, messaging, rpc, services, storage};
use serde_json::{Value, json};

use crate::args::{Args, Text};

/// Why a call has no outcome.
pub(crate) enum Refusal {
    /// The host's error, as `name: detail`.
    Host(String),
    /// No host function has this name.
    UnknownKind,
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        Self::Host(error.to_string())
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        Self::Host(error.to_string())
    }
}

/// Calls the host function `interface.function`.
pub(crate) fn call(kind: &str, args: Args) -> Result<Value, Refusal> {
    match kind.split_once('.') {
        Some(("messaging", function)) => call_messaging(function, args),
        Some(("rpc", function)) => call_rpc(function, args),
        Some(("storage", function)) => call_storage(function, args),
        Some(("services", function)) => call_services(function, args),
        _ => Err(Refusal::UnknownKind),
    }
}

fn call_messaging(function: &str, a: Args) -> Result<Value, Refusal> {
    let (target, kind, payload) = (&a.target.0, &a.kind.0, &a.payload.0);
    match function {
        "my-address" => return Ok(messaging::my_address().into()),
        "send" => messaging::send(target, kind, payload)?,
        "broadcast" => messaging::broadcast(&texts(&a.targets), kind, payload)?,
        "send-after" => {
            let delay = Duration::from_millis(a.delay_ms);
            let timer = messaging::send_after(delay, target, kind, payload)?;
            return Ok(u64::from(timer).into());
        }
        "cancel-timer" => messaging::cancel_timer(a.timer.into())?,
        "request" => {
            let timeout = Duration::from_millis(a.timeout_ms);
            let correlation = messaging::request(target, kind, payload, timeout)?;
            return Ok(u64::from(correlation).into());
        }
        "cancel-request" => messaging::cancel_request(a.correlation.into())?,
        "publish" => messaging::publish(&a.topic.0, kind, payload)?,
        "subscribe" => messaging::subscribe(&a.pattern.0)?,
        "unsubscribe" => messaging::unsubscribe(&a.pattern.0)?,
        _ => return Err(Refusal::UnknownKind),
    }
    Ok(Value::Null)
}

fn call_rpc(function: &str, a: Args) -> Result<Value, Refusal> {
    let timeout = Duration::from_millis(a.timeout_ms);
    match function {
        "call" => Ok(bytes(rpc::call(
            &a.target.0,
            &a.kind.0,
            a.payload.0,
            timeout,
        )?)),
        _ => Err(Refusal::UnknownKind),
    }
}

fn call_storage(function: &str, a: Args) -> Result<Value, Refusal> {
    match function {
        "get" => Ok(bytes(storage::get(&a.key.0)?)),
        "get-many" => {
            let values = storage::get_many(&texts(&a.keys))?;
            Ok(values.into_iter().map(bytes).collect())
        }
        "get-from" => Ok(bytes(storage::get_from(&a.actor.0, &a.key.0)?)),
        "set" => Ok(storage::set(&a.key.0, a.value.0)?.into()),
        "remove" => Ok(storage::remove(&a.key.0)?.into()),
        "list-keys" => {
            let cursor = a.cursor.as_ref().map(|text| text.0.as_str());
            let page = storage::list_keys(&a.prefix.0, cursor, a.limit)?;
            Ok(json!({ "keys": page.keys, "next": page.next }))
        }
        "usage" => {
            let used = storage::usage()?;
            Ok(json!({ "bytes": used.bytes, "keys": used.keys, "max-bytes": used.max_bytes }))
        }
        _ => Err(Refusal::UnknownKind),
    }
}

fn call_services(function: &str, a: Args) -> Result<Value, Refusal> {
    match function {
        "log" => {
            services::log(level(&a.level.0), a.text.0);
            Ok(Value::Null)
        }
        "now-ms" => {
            let now = services::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            Ok(json!(now.as_millis() as u64))
        }
        "random-bytes" => Ok(hex(&services::random_bytes(a.count)?).into()),
        "config" => Ok(services::config(&a.key.0).into()),
        "secret" => Ok(services::secret(&a.name.0)?.into()),
        "list-components" => {
            let cursor = a.cursor.as_ref().map(|text| text.0.as_str());
            let page = services::list_components(cursor, a.limit)?;
            Ok(json!({ "components": page.components, "next": page.next }))
        }
        "trace-context" => Ok(services::trace_context().into()),
        _ => Err(Refusal::UnknownKind),
    }
}

/// A level by its name; anything else is `info`.
fn level(name: &str) -> Level {
    match name {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => Level::Info,
    }
}

fn texts(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.0.as_str()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as text, since JSON has no other form for them.
fn bytes(bytes: Option<Vec<u8>>) -> Value {
    bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .into()
}
