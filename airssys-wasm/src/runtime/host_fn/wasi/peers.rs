//! Whom an instance may reach over the network.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use wasmtime_wasi::sockets::SocketAddrUse;

// Layer 3: Internal module imports
use crate::core::security::address::{inner_v4, is_public};
use crate::core::security::capability::Capability;
use crate::runtime::host_fn::wasi::turn::Turn;

/// The most addresses that are known by name. Of more, those looked up first are forgotten.
const MAX_NAMED: usize = 256;

/// The most ends that datagrams are taken from. Of more, those written to first are
/// forgotten.
const MAX_WRITTEN_TO: usize = 256;

/// Whom an instance may reach: the addresses that are granted, and those of the names that
/// are granted, which it has looked up.
///
/// A name whose address is that of this machine or of a private network gives nobody the
/// way there. Whoever says what a name means would else decide whom a guest talks to.
pub(crate) struct Peers {
    turn: Arc<Turn>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    names: VecDeque<(IpAddr, Arc<str>)>,
    written_to: VecDeque<SocketAddr>,
}

impl Peers {
    pub(crate) fn new(turn: &Arc<Turn>) -> Self {
        Self {
            turn: Arc::clone(turn),
            known: Mutex::default(),
        }
    }

    /// The guest was told that a name has this address.
    pub(crate) fn remember(&self, name: &Arc<str>, address: IpAddr) {
        let named = (address.to_canonical(), Arc::clone(name));
        remember(&mut self.known().names, named, MAX_NAMED);
    }

    /// Whether the guest may reach an address now, by itself or by one of its names.
    pub(crate) fn may_reach(&self, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        let by_name = |name: &Arc<str>| self.permit(&format!("{name}:{port}"));
        let is_reached = is_public(ip) && self.names_of(ip).iter().any(by_name);
        (is_reached || self.permit(&endpoint(ip, port))) && nobody_forbids(&self.turn, ip, port)
    }

    /// Whether a socket may be used so with an address.
    pub(crate) fn may_use(&self, address: SocketAddr, how: SocketAddrUse) -> bool {
        match how {
            // Any free port, to send from. Nobody is listened to on it.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => address.port() == 0,
            SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => false,
            SocketAddrUse::TcpConnect => self.may_reach(address),
            SocketAddrUse::UdpSend => {
                let may_send = self.may_reach(address);
                if may_send {
                    remember(&mut self.known().written_to, address, MAX_WRITTEN_TO);
                }
                may_send
            }
            // Strangers could otherwise have denials written down in the guest's name.
            SocketAddrUse::UdpReceive => {
                self.known().written_to.contains(&address) && self.may_reach(address)
            }
        }
    }

    fn permit(&self, endpoint: &str) -> bool {
        self.turn.permit(Capability::Network, endpoint).is_ok()
    }

    fn names_of(&self, ip: IpAddr) -> Vec<Arc<str>> {
        let known = self.known();
        let names = known.names.iter().filter(|(address, _)| *address == ip);
        names.map(|(_, name)| Arc::clone(name)).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember<T: PartialEq>(known: &mut VecDeque<T>, it: T, most: usize) {
    if known.contains(&it) {
        return;
    }
    if known.len() == most {
        known.pop_front();
    }
    known.push_back(it);
}

/// Whether a name that was permitted may lead to this address. Where it is one of this machine
/// or of a private network, that has to be granted itself.
pub(crate) fn may_lead_to(turn: &Turn, ip: IpAddr, port: u16) -> bool {
    let is_granted = || {
        let granted = turn.permit(Capability::Network, &endpoint(ip, port));
        granted.is_ok()
    };
    (is_public(ip) || is_granted()) && nobody_forbids(turn, ip, port)
}

/// Whether no rule forbids an address that was permitted, by a name or as it is written: neither
/// itself nor the one of version 4 that a gateway would send its packets to.
fn nobody_forbids(turn: &Turn, ip: IpAddr, port: u16) -> bool {
    let ip = ip.to_canonical();
    let inner = match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(ip) => inner_v4(ip).map(IpAddr::V4),
    };
    let mut forms = [Some(ip), inner].into_iter().flatten();
    forms.all(|form| turn.may_use_alias(Capability::Network, &endpoint(form, port)))
}

/// An address and a port, as grants name them.
pub(crate) fn endpoint(ip: IpAddr, port: u16) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("{ip}:{port}"),
        IpAddr::V6(ip) => format!("[{ip}]:{port}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::core::component::id::ComponentId;
    use crate::core::limits::Limits;
    use crate::core::security::capabilities::Capabilities;
    use crate::core::ticker::Ticker;
    use crate::core::turn::call::Call;
    use crate::core::turn::errors::HostError;
    use crate::core::turn::recorder::Recorder;
    use crate::core::turn::surroundings::{PendingOutcome, Surroundings};
    use crate::runtime::lines::Lines;
    use crate::runtime::settings::InstanceSettings;
    use crate::security::grants::Grants;
    use std::future::pending;
    use std::time::{Duration, Instant};

    /// Grants, and what rules forbid: how endpoints begin.
    #[derive(Debug)]
    struct Grantor {
        grants: Grants,
        forbidden: Forbidden,
    }

    pub(crate) type Forbidden = Arc<Mutex<Vec<&'static str>>>;

    impl Surroundings for Grantor {
        fn permit(
            &self,
            actor: &ComponentId,
            capability: Capability,
            resource: &str,
        ) -> Result<(), HostError> {
            match self.grants.allow(actor, capability, resource) {
                true => self.permit_alias(actor, capability, resource),
                false => Err(HostError::Denied(resource.to_owned())),
            }
        }

        fn permit_alias(
            &self,
            _actor: &ComponentId,
            _capability: Capability,
            resource: &str,
        ) -> Result<(), HostError> {
            let forbidden = self.forbidden.lock().unwrap();
            match forbidden.iter().any(|it| resource.starts_with(it)) {
                true => Err(HostError::Denied(resource.to_owned())),
                false => Ok(()),
            }
        }

        fn admit(
            &self,
            _actor: &ComponentId,
            _target: &ComponentId,
            _bytes: u64,
        ) -> Result<(), HostError> {
            Ok(())
        }

        fn components(&self) -> Arc<[String]> {
            Arc::default()
        }

        fn call(&self, _call: Call) -> PendingOutcome<'_> {
            Box::pin(pending())
        }
    }

    fn peers(granted: &[&str]) -> Peers {
        let forbidden = Arc::new(Mutex::new(vec!["93.184.216.66:"]));
        Peers::new(&turn(granted, &forbidden))
    }

    /// A turn of an instance that may reach what is granted and not forbidden.
    pub(crate) fn turn(granted: &[&str], forbidden: &Forbidden) -> Arc<Turn> {
        let grants = Grants::compile(&Capabilities {
            network: granted.iter().map(|&it| it.into()).collect(),
            ..Capabilities::default()
        });
        let settings = Arc::new(InstanceSettings {
            limits: Limits::default(),
            surroundings: Arc::new(Grantor {
                grants: grants.unwrap(),
                forbidden: Arc::clone(forbidden),
            }),
            ..InstanceSettings::new(ComponentId::new("test", "guest", "one"))
        });
        let ticker = Ticker::new(Instant::now(), Duration::from_millis(1));
        let lines = Arc::new(Lines::new(Arc::clone(&settings), &ticker));
        Arc::new(Turn::new(&settings, &lines, &mut Recorder::default()))
    }

    fn reaches(peers: &Peers, address: &str) -> bool {
        peers.may_reach(address.parse().unwrap())
    }

    #[test]
    fn a_granted_name_leads_to_its_public_addresses() {
        let peers = peers(&["api.example.com:443"]);
        assert!(!reaches(&peers, "93.184.216.34:443"), "not looked up yet");
        let name: Arc<str> = "api.example.com".into();
        for address in ["93.184.216.34", "2606:2800::1", "::ffff:93.184.216.35"] {
            peers.remember(&name, address.parse().unwrap());
        }
        assert!(reaches(&peers, "93.184.216.34:443"));
        assert!(reaches(&peers, "[::ffff:93.184.216.34]:443"));
        assert!(reaches(&peers, "[2606:2800::1]:443"));
        assert!(reaches(&peers, "93.184.216.35:443"));
        assert!(!reaches(&peers, "93.184.216.34:80"), "another port");
        assert!(!reaches(&peers, "93.184.216.36:443"), "another address");
        peers.remember(&"evil.example.com".into(), [93, 184, 216, 36].into());
        assert!(!reaches(&peers, "93.184.216.36:443"), "another name");
    }

    #[test]
    fn no_name_leads_to_an_address_that_is_forbidden() {
        let peers = peers(&["api.example.com:443"]);
        let name: Arc<str> = "api.example.com".into();
        for address in ["93.184.216.66", "93.184.216.67"] {
            peers.remember(&name, address.parse().unwrap());
        }
        assert!(!reaches(&peers, "93.184.216.66:443"));
        assert!(!reaches(&peers, "[::ffff:93.184.216.66]:443"));
        assert!(reaches(&peers, "93.184.216.67:443"));
    }

    #[test]
    fn what_is_forbidden_is_so_in_each_form_of_its_address() {
        let forms = ["64:ff9b::5db8:d842", "2002:5db8:d842::1"];
        let allowed = ["64:ff9b::5db8:d843", "2002:5db8:d843::1"];
        let named = peers(&["api.example.com:443"]);
        for address in forms.into_iter().chain(allowed) {
            named.remember(&"api.example.com".into(), address.parse().unwrap());
        }
        let endpoint = |address: &str| format!("[{address}]:443");
        let all = forms.into_iter().chain(allowed).map(endpoint);
        let all: Vec<String> = all.collect();
        let granted: Vec<&str> = all.iter().map(String::as_str).collect();
        for peers in [named, peers(&granted)] {
            for address in forms {
                assert!(!reaches(&peers, &endpoint(address)), "{address}");
                let ip = address.parse().unwrap();
                assert!(!may_lead_to(&peers.turn, ip, 443), "{address}");
            }
            for address in allowed {
                assert!(reaches(&peers, &endpoint(address)), "{address}");
                let ip = address.parse().unwrap();
                assert!(may_lead_to(&peers.turn, ip, 443), "{address}");
            }
        }
    }

    #[test]
    fn no_name_leads_inside() {
        let peers = peers(&["api.example.com:443", "10.0.0.7:443"]);
        let name: Arc<str> = "api.example.com".into();
        for address in [
            "10.0.0.7",
            "10.0.0.8",
            "127.0.0.1",
            "::1",
            "169.254.169.254",
        ] {
            peers.remember(&name, address.parse().unwrap());
        }
        assert!(reaches(&peers, "10.0.0.7:443"), "it is granted itself");
        assert!(reaches(&peers, "[::ffff:10.0.0.7]:443"));
        for address in [
            "10.0.0.8:443",
            "127.0.0.1:443",
            "[::1]:443",
            "169.254.169.254:443",
        ] {
            assert!(!reaches(&peers, address), "{address}");
        }
    }

    #[test]
    fn no_more_is_remembered_than_may_be() {
        let peers = peers(&["*.example.com:443"]);
        for number in 0..=MAX_NAMED as u32 {
            let address = IpAddr::from((0x0800_0000_u32 + number).to_be_bytes());
            peers.remember(&format!("a{number}.example.com").into(), address);
        }
        assert!(!reaches(&peers, "8.0.0.0:443"), "the first is forgotten");
        assert!(reaches(&peers, "8.0.0.1:443"));
        assert!(reaches(&peers, "8.0.1.0:443"));
    }
}
