//! Talking to a running system.

// Layer 1: Standard library imports
use std::error::Error;
use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde::de::DeserializeOwned;
use ureq::http::header::{AUTHORIZATION, EXPECT, HeaderValue, SERVER};
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::{Agent, Body, SendBody};

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form};
use crate::server::actors::ID_HEADER;
use crate::server::problem::ProblemBody;
use crate::server_file::ServerFile;
use crate::signature_advice::KIND_PREFIX;
use crate::system_args::SystemArgs;

/// How long a system of this machine may take to answer the phone.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// The largest body that is sent without asking whether it is wanted, in bytes.
const LARGE_BYTES: usize = 64 << 10;

/// The largest answer that is read, in bytes: 1 GiB.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// A running system, as commands talk to it.
pub(crate) struct Client {
    agent: Agent,
    file: ServerFile,
}

/// A path and its query.
#[derive(Debug)]
pub(crate) struct Target(String);

/// A successful answer.
pub(crate) struct Answer(Response<Body>);

impl Target {
    /// A path whose parts need no escapes.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Adds a part to the path.
    pub(crate) fn part(mut self, part: &str) -> Self {
        self.0.push('/');
        self.0.push_str(&escaped(part));
        self
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(&escaped(key));
        self.0.push('=');
        self.0.push_str(&escaped(&value.to_string()));
        self
    }

    /// Adds a parameter if there is a value for it.
    pub(crate) fn maybe(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl Client {
    /// Finds the system that is meant.
    ///
    /// # Errors
    ///
    /// As [`SystemArgs::find`].
    pub(crate) fn find(system: &SystemArgs) -> Result<Self, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A proxy has no business with this machine's own programs.
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_PATIENCE));
        Ok(Self {
            agent: config.build().into(),
            file: system.find()?,
        })
    }

    /// Where the system listens.
    pub(crate) fn url(&self) -> &str {
        &self.file.url
    }

    /// Asks for something.
    ///
    /// # Errors
    ///
    /// When the system refuses, or is not there.
    pub(crate) fn get(&self, target: Target) -> Result<Answer, Failure> {
        self.answer(self.agent.run(self.request(&Method::GET, &target, ())?))
    }

    /// Has something done, with a body.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(crate) fn post(&self, target: Target, body: &[u8]) -> Result<Answer, Failure> {
        self.post_once(target, None, body)
    }

    /// Has something done, with a body, and once only for all requests with this id.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(crate) fn post_once(
        &self,
        target: Target,
        id: Option<&str>,
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let mut request = self.request(&Method::POST, &target, body)?;
        if let Some(id) = id {
            let id = HeaderValue::from_bytes(id.as_bytes()).map_err(|e| cannot_request(&e))?;
            request.headers_mut().insert(ID_HEADER, id);
        }
        if body.len() > LARGE_BYTES {
            // Asked before it is sent: one that is refused would break off, and the answer be
            // lost.
            let wait = HeaderValue::from_static("100-continue");
            request.headers_mut().insert(EXPECT, wait);
        }
        self.answer(self.agent.run(request))
    }

    /// Sends a body of any length, as it is read.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), or when it cannot be read.
    pub(crate) fn upload(&self, target: Target, body: &mut dyn Read) -> Result<Answer, Failure> {
        let body = SendBody::from_reader(body);
        let mut request = self.request(&Method::POST, &target, body)?;
        let wait = HeaderValue::from_static("100-continue");
        request.headers_mut().insert(EXPECT, wait);
        self.answer(self.agent.run(request))
    }

    /// Has something removed.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(crate) fn delete(&self, target: Target) -> Result<Answer, Failure> {
        self.answer(self.agent.run(self.request(&Method::DELETE, &target, ())?))
    }

    fn request<B>(&self, method: &Method, target: &Target, body: B) -> Result<Request<B>, Failure> {
        Request::builder()
            .method(method)
            .uri(format!("{}{}", self.file.url, target.0))
            .header(AUTHORIZATION, format!("Bearer {}", self.file.token))
            .body(body)
            .map_err(|e| cannot_request(&e))
    }

    fn answer(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Answer, Failure> {
        let mut response = sent.map_err(|e| self.gone(&e))?;
        let server = response.headers().get(SERVER).map(HeaderValue::as_bytes);
        if !server.is_some_and(|name| name.starts_with(b"airssys/")) {
            return Err(self.someone_else());
        }
        if response.status().is_success() {
            return Ok(Answer(response));
        }
        let status = response.status();
        let body = response.body_mut().read_to_vec().unwrap_or_default();
        Err(refused(
            status,
            serde_json::from_slice(&body).unwrap_or_default(),
        ))
    }

    fn gone(&self, error: &ureq::Error) -> Failure {
        let message = format!("the system {} does not answer", self.file.name);
        Failure::new(Exit::NoSystem, "no-system", message)
            .because(error)
            .next("it may have ended just now; start it with `airssys up`")
    }

    fn someone_else(&self) -> Failure {
        let message = format!("what answers at {} is not airssys", self.file.url);
        Failure::new(Exit::WrongSystem, "wrong-system", message)
            .because("another program has the address of a system that is gone")
            .next("start the system again with `airssys up`")
    }
}

impl Answer {
    /// Whether it says that there is nothing to say.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.status() == StatusCode::NO_CONTENT
    }

    /// Its body.
    ///
    /// # Errors
    ///
    /// When the system ended while it was read.
    pub(crate) fn bytes(mut self) -> Result<Vec<u8>, Failure> {
        let body = self.0.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        body.read_to_vec().map_err(|e| cut(&e))
    }

    /// Its body as JSON.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), or when it is of another version of airssys.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        parse(&self.bytes()?)
    }

    /// Prints it: as the JSON that it is, or in words.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json), or when it cannot be printed.
    pub(crate) fn print<T: DeserializeOwned>(
        self,
        form: Form,
        words: impl FnOnce(T) -> String,
    ) -> Result<(), Failure> {
        let mut bytes = self.bytes()?;
        match form {
            Form::Json => {
                bytes.push(b'\n');
                output::write(&bytes)
            }
            Form::Text => output::write(words(parse(&bytes)?).as_bytes()),
        }
    }

    /// Its body, as it comes.
    pub(crate) fn reader(self) -> impl Read {
        self.0.into_body().into_reader()
    }
}

fn cannot_request(error: &dyn Error) -> Failure {
    Failure::new(Exit::Internal, "internal", "cannot make a request").because(error)
}

/// Reads an answer's JSON.
///
/// # Errors
///
/// When it is of another version of airssys.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::new(
            Exit::WrongSystem,
            "wrong-system",
            "the system's answer makes no sense",
        )
        .because(error)
        .next("it may be of another version of airssys: start it again with `airssys up`")
    })
}

/// What to make of an answer that broke off.
pub(crate) fn cut(error: &dyn Error) -> Failure {
    Failure::new(
        Exit::NoSystem,
        "no-system",
        "the system ended while it answered",
    )
    .because(error)
    .next("start it again with `airssys up`")
}

fn refused(status: StatusCode, body: ProblemBody) -> Failure {
    if body.kind.is_empty() {
        let message = format!("the system answers {status}");
        return Failure::new(Exit::Refused, "refused", message);
    }
    Failure::new(exit_of(&body.kind), body.kind, body.message)
        .because(body.cause)
        .next(body.next)
}

/// The exit code that goes with the word of a problem.
fn exit_of(kind: &str) -> Exit {
    match kind {
        "unauthorized" | "foreign-host" => Exit::WrongSystem,
        "not-a-component" | "core-module" => Exit::NotAComponent,
        "unknown-import" | "import-version" | "wrong-type" | "instantiation-failed" => {
            Exit::CannotRunHere
        }
        "missing-export" | "export-version" => Exit::MissingExport,
        "rejected" => Exit::Rejected,
        "failed" | "trial-failed" => Exit::Failed,
        "timeout" => Exit::Timeout,
        "limit-exceeded" | "too-large" => Exit::LimitExceeded,
        "io" | "destination" => Exit::Io,
        "store-failed" | "undecided" => Exit::StoreFailed,
        "damaged-data" => Exit::Damaged,
        "invalid-state" => Exit::NotImported,
        "audit-broken" => Exit::AuditBroken,
        "bad-policy" => Exit::BadManifest,
        "denied-by-policy" => Exit::Denied,
        kind if kind.starts_with(KIND_PREFIX) => Exit::NotTrusted,
        _ => Exit::Refused,
    }
}

/// Escapes what has a meaning in a URL.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            // Writing to a text cannot fail.
            byte => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_escaped() {
        let target = Target::new("/v1/topics")
            .part("a b/c?")
            .with("kind", "ü&=")
            .maybe("to", None::<&str>)
            .maybe("limit", Some(5));
        assert_eq!(
            target.0,
            "/v1/topics/a%20b%2Fc%3F?kind=%C3%BC%26%3D&limit=5"
        );
    }
}
