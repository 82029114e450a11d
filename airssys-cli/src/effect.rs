//! What a turn wants to happen, as it is shown.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::turn::call::Call;
use airssys_wasm::core::turn::effects::{Content, Effects, Outgoing};
use serde::Serialize;

// Layer 3: Internal module imports
use crate::quantity::count;
use crate::text::{Data, visible};

/// One thing that a turn recorded.
///
/// As JSON it is an object whose `effect` says which, with the fields below.
#[derive(Debug, Serialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub(crate) enum Effect {
    Set {
        key: String,
        value: Data,
    },
    Remove {
        key: String,
    },
    Send {
        to: String,
        #[serde(flatten)]
        message: Message,
    },
    SendAfter {
        to: String,
        #[serde(flatten)]
        message: Message,
        delay_ms: u32,
        timer: u64,
    },
    CancelTimer {
        timer: u64,
    },
    Request {
        to: String,
        #[serde(flatten)]
        message: Message,
        timeout_ms: u32,
        correlation: u64,
    },
    CancelRequest {
        correlation: u64,
    },
    Publish {
        topic: String,
        #[serde(flatten)]
        message: Message,
    },
    Subscribe {
        pattern: String,
    },
    Unsubscribe {
        pattern: String,
    },
    /// Something that this command does not know yet.
    Other {
        description: String,
    },
}

/// A message's kind and payload.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    kind: String,
    payload: Data,
}

impl Effect {
    /// Everything that a turn recorded: its writes by key, then what it sends, in its
    /// order.
    pub(crate) fn all_of(effects: &Effects) -> Vec<Self> {
        let writes = effects.writes.iter().map(|(key, value)| {
            let key = key.clone();
            match value {
                Some(value) => Self::Set {
                    key,
                    value: Data(MessagePayload::new(value.clone())),
                },
                None => Self::Remove { key },
            }
        });
        writes
            .chain(effects.outgoing.iter().map(Self::of_outgoing))
            .collect()
    }

    fn of_outgoing(outgoing: &Outgoing) -> Self {
        match outgoing.clone() {
            Outgoing::Send { to, content } => Self::Send {
                to: to.to_string(),
                message: content.into(),
            },
            Outgoing::SendAfter {
                timer,
                delay_ms,
                to,
                content,
            } => Self::SendAfter {
                to: to.to_string(),
                message: content.into(),
                delay_ms,
                timer,
            },
            Outgoing::CancelTimer { timer } => Self::CancelTimer { timer },
            Outgoing::Request {
                correlation,
                timeout_ms,
                to,
                content,
            } => Self::Request {
                to: to.to_string(),
                message: content.into(),
                timeout_ms,
                correlation,
            },
            Outgoing::CancelRequest { correlation } => Self::CancelRequest { correlation },
            Outgoing::Publish { topic, content } => Self::Publish {
                topic,
                message: content.into(),
            },
            Outgoing::Subscribe { pattern } => Self::Subscribe { pattern },
            Outgoing::Unsubscribe { pattern } => Self::Unsubscribe { pattern },
            other => Self::Other {
                description: format!("{other:?}"),
            },
        }
    }

    /// What would happen, in two or three words, and to what.
    pub(crate) fn describe(&self) -> (&'static str, String) {
        match self {
            Self::Set { key, value } => ("set", format!("{} = {}", visible(key), value.preview())),
            Self::Remove { key } => ("remove", visible(key)),
            Self::Send { to, message } => ("send", message.to(to)),
            Self::SendAfter {
                to,
                message,
                delay_ms,
                timer,
            } => (
                "send later",
                format!(
                    "{} in {} ms (timer {timer})",
                    message.to(to),
                    count((*delay_ms).into())
                ),
            ),
            Self::CancelTimer { timer } => ("cancel", format!("timer {timer}")),
            Self::Request {
                to,
                message,
                timeout_ms,
                correlation,
            } => (
                "request",
                format!(
                    "{} within {} ms (request {correlation})",
                    message.to(to),
                    count((*timeout_ms).into())
                ),
            ),
            Self::CancelRequest { correlation } => ("cancel", format!("request {correlation}")),
            Self::Publish { topic, message } => ("publish", message.to(topic)),
            Self::Subscribe { pattern } => ("subscribe", format!("to {pattern}")),
            Self::Unsubscribe { pattern } => ("unsubscribe", format!("from {pattern}")),
            Self::Other { description } => ("do", visible(description)),
        }
    }
}

impl Message {
    fn to(&self, receiver: &str) -> String {
        let (kind, payload) = (visible(&self.kind), self.payload.preview());
        format!("{kind} {payload} to {receiver}")
    }
}

impl From<Content> for Message {
    fn from(content: Content) -> Self {
        Self {
            kind: content.kind,
            payload: Data(content.payload),
        }
    }
}

/// A call that a turn made and waited for. Nobody answered it.
#[derive(Debug, Serialize)]
pub(crate) struct UnansweredCall {
    to: String,
    #[serde(flatten)]
    message: Message,
    timeout_ms: u32,
}

impl UnansweredCall {
    /// What was sent to whom.
    pub(crate) fn describe(&self) -> String {
        format!("{}: nobody answers", self.message.to(&self.to))
    }
}

impl From<Call> for UnansweredCall {
    fn from(call: Call) -> Self {
        Self {
            to: call.to.to_string(),
            message: Message {
                kind: call.kind,
                payload: Data(call.payload),
            },
            timeout_ms: call.timeout_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use airssys_wasm::core::component::id::ComponentId;
    use airssys_wasm::core::storage::commit::Growth;
    use serde_json::json;

    fn content() -> Content {
        Content {
            kind: "greet".into(),
            payload: MessagePayload::new("hello"),
        }
    }

    fn all() -> Vec<Effect> {
        let to = ComponentId::new("shop", "cart", "alice");
        Effect::all_of(&Effects {
            writes: [("a\n".to_owned(), Some("1".into())), ("b".to_owned(), None)].into(),
            outgoing: vec![
                Outgoing::Send {
                    to: to.clone(),
                    content: content(),
                },
                Outgoing::SendAfter {
                    timer: 7,
                    delay_ms: 1_500,
                    to: to.clone(),
                    content: content(),
                },
                Outgoing::CancelTimer { timer: 7 },
                Outgoing::Request {
                    correlation: 8,
                    timeout_ms: 50,
                    to,
                    content: content(),
                },
                Outgoing::CancelRequest { correlation: 8 },
                Outgoing::Publish {
                    topic: "orders.eu".into(),
                    content: content(),
                },
                Outgoing::Subscribe {
                    pattern: "orders.>".into(),
                },
                Outgoing::Unsubscribe {
                    pattern: "orders.>".into(),
                },
            ],
            growth: Growth::default(),
        })
    }

    #[test]
    fn each_effect_is_told_in_a_line() {
        let lines: Vec<String> = all()
            .iter()
            .map(|effect| {
                let (verb, what) = effect.describe();
                format!("{verb} {what}")
            })
            .collect();
        assert_eq!(
            lines,
            [
                r#"set a\n = "1""#,
                "remove b",
                r#"send greet "hello" to shop/cart/alice"#,
                r#"send later greet "hello" to shop/cart/alice in 1,500 ms (timer 7)"#,
                "cancel timer 7",
                r#"request greet "hello" to shop/cart/alice within 50 ms (request 8)"#,
                "cancel request 8",
                r#"publish greet "hello" to orders.eu"#,
                "subscribe to orders.>",
                "unsubscribe from orders.>",
            ]
        );
    }

    #[test]
    fn each_effect_is_an_object() {
        let message = json!({"kind": "greet", "payload": {"text": "hello"}});
        let with = |fields| {
            let mut object = message.clone();
            let (Some(object_fields), serde_json::Value::Object(fields)) =
                (object.as_object_mut(), fields)
            else {
                panic!("objects");
            };
            object_fields.extend(fields);
            object
        };
        let to = "shop/cart/alice";
        assert_eq!(
            serde_json::to_value(all()).unwrap(),
            json!([
                {"effect": "set", "key": "a\n", "value": {"text": "1"}},
                {"effect": "remove", "key": "b"},
                with(json!({"effect": "send", "to": to})),
                with(json!({"effect": "send-after", "to": to, "delay_ms": 1_500, "timer": 7})),
                {"effect": "cancel-timer", "timer": 7},
                with(json!({"effect": "request", "to": to, "timeout_ms": 50, "correlation": 8})),
                {"effect": "cancel-request", "correlation": 8},
                with(json!({"effect": "publish", "topic": "orders.eu"})),
                {"effect": "subscribe", "pattern": "orders.>"},
                {"effect": "unsubscribe", "pattern": "orders.>"},
            ])
        );
    }
}
