//! `wasi:sockets/ip-name-lookup`: the addresses of the names that are granted.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

// Layer 2: Third-party crate imports
use tokio::sync::Semaphore;
use wasmtime::Result as WasmtimeResult;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketResult, subscribe};
use wasmtime_wasi::runtime::spawn_blocking;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::host_fn::wasi::destination::{HostName, parse_host};
use crate::runtime::host_fn::wasi::open::has_room;
use crate::runtime::host_fn::wasi::sockets::SocketsView;

/// The most lookups at once, of all instances together. Each has a thread of the host for as
/// long as the system's resolver takes, whether somebody waits for it still or not.
const MAX_LOOKUPS: usize = 32;

/// The most of these that one component has.
const MAX_LOOKUPS_OF_COMPONENT: usize = 8;

/// The most addresses that are taken of one name.
const MAX_ADDRESSES: usize = 16;

static LOOKUPS: Semaphore = Semaphore::const_new(MAX_LOOKUPS);

/// Those of the components that look anything up now.
static OF_COMPONENTS: Mutex<BTreeMap<String, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());

type Found = Result<VecDeque<IpAddr>, ErrorCode>;

/// A lookup, under way or done.
pub(crate) struct Lookup {
    /// The name, if it is one and no address.
    name: Option<Arc<str>>,
    found: State,
}

enum State {
    UnderWay(Pin<Box<dyn Future<Output = Found> + Send>>),
    Done(Found),
}

/// The lookups that the actors of a component, `namespace/name`, may have at once.
pub(crate) fn lookups_of(component: &str) -> Arc<Semaphore> {
    let mut all = OF_COMPONENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(component).and_then(Weak::upgrade) {
        return known;
    }
    all.retain(|_, lookups| lookups.strong_count() > 0);
    let lookups = Arc::new(Semaphore::new(MAX_LOOKUPS_OF_COMPONENT));
    all.insert(component.to_owned(), Arc::downgrade(&lookups));
    lookups
}

/// The addresses of a name, of which nothing is known yet, found by one of these lookups.
///
/// # Errors
///
/// The resolver's.
pub(crate) async fn resolve(lookups: Arc<Semaphore>, name: Arc<str>) -> io::Result<Vec<IpAddr>> {
    // The component's own first, so that it waits for itself and not before others.
    let own = lookups.acquire_owned().await.map_err(io::Error::other)?;
    let turn = LOOKUPS.acquire().await.map_err(io::Error::other)?;
    let resolved = spawn_blocking(move || {
        let _turns = (own, turn);
        let addresses = (&*name, 0).to_socket_addrs()?;
        let mut found: Vec<IpAddr> = Vec::new();
        for address in addresses {
            let ip = address.ip().to_canonical();
            if found.len() < MAX_ADDRESSES && !found.contains(&ip) {
                found.push(ip);
            }
        }
        Ok(found)
    });
    resolved.await
}

impl Lookup {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let State::UnderWay(lookup) = &mut self.found {
            match lookup.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(found) => self.found = State::Done(found),
            }
        }
        Poll::Ready(())
    }

    /// The next address.
    fn next(&mut self) -> Result<Option<IpAddr>, ErrorCode> {
        let _ready = self.poll(&mut Context::from_waker(Waker::noop()));
        match &mut self.found {
            State::UnderWay(_) => Err(ErrorCode::WouldBlock),
            State::Done(Err(error)) => Err(*error),
            State::Done(Ok(addresses)) => Ok(addresses.pop_front()),
        }
    }
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Host for SocketsView<'_> {
    /// Looks up a name that is granted for at least one port. An address is its own name.
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        let host = parse_host(&name).ok_or(ErrorCode::InvalidArgument)?;
        if !has_room(self.inner.table) {
            return Err(ErrorCode::NewSocketLimit.into());
        }
        let lookup = match host {
            HostName::Address(ip) => Lookup {
                name: None,
                found: State::Done(Ok([ip].into())),
            },
            HostName::Name(name) => {
                let permitted = self.turn.permit(Capability::Network, &format!("{name}:*"));
                permitted.map_err(|_denied| ErrorCode::AccessDenied)?;
                let lookups = lookups_of(self.turn.settings.address.component());
                let asked = Arc::clone(&name);
                let lookup = async move {
                    let found = resolve(lookups, asked).await;
                    found
                        .map(VecDeque::from)
                        .map_err(|_why| ErrorCode::NameUnresolvable)
                };
                Lookup {
                    name: Some(name),
                    found: State::UnderWay(Box::pin(lookup)),
                }
            }
        };
        let lookup = self.inner.table.push(lookup)?;
        // Handles of this type are used by this file alone, which knows what is behind them.
        Ok(Resource::new_own(lookup.rep()))
    }
}

impl HostResolveAddressStream for SocketsView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let lookup = self.inner.table.get_mut(&lookup_behind(&stream))?;
        let next = lookup.next()?;
        if let (Some(name), Some(address)) = (&lookup.name, next) {
            self.peers.remember(name, address);
        }
        Ok(next.map(IpAddress::from))
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> WasmtimeResult<Resource<DynPollable>> {
        subscribe(self.inner.table, lookup_behind(&stream))
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> WasmtimeResult<()> {
        let lookup = Resource::<Lookup>::new_own(stream.rep());
        self.inner.table.delete(lookup)?;
        Ok(())
    }
}

fn lookup_behind(stream: &Resource<ResolveAddressStream>) -> Resource<Lookup> {
    Resource::new_borrow(stream.rep())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_component_leaves_lookups_to_others() {
        let (own, name) = (lookups_of("test/greedy"), Arc::<str>::from("localhost"));
        let all = Arc::clone(&own).acquire_many_owned(MAX_LOOKUPS_OF_COMPONENT as u32);
        let all = all.await.unwrap();
        let mut waiting = Box::pin(resolve(lookups_of("test/greedy"), Arc::clone(&name)));
        let polled = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await;
        assert!(!polled, "it has as many as it may have");
        let other = resolve(lookups_of("test/modest"), name).await;
        assert!(!other.unwrap().is_empty());
        drop(all);
        assert!(!waiting.await.unwrap().is_empty());
    }

    #[test]
    fn components_that_look_nothing_up_are_forgotten() {
        drop(lookups_of("test/short"));
        let _other = lookups_of("test/long");
        assert!(!OF_COMPONENTS.lock().unwrap().contains_key("test/short"));
    }
}
