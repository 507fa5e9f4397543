//! An Envoy with the plugin in front of all servers: the header `x-server` chooses one.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use real_envoy::http::{Request, Response};
use real_envoy::http2::Connection;
use real_envoy::verdict::verdict;
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options, TokenRequest};

use crate::policy;
use crate::server::{Kind, Server};

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) servers: Vec<Server>,
    envoy: Envoy,
    token: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The gate refused it: status and reason. Without a reason it was Envoy.
    Refused(u16, String),
    /// The server has no handler for it; the rule that let it pass.
    Unhandled(u16, String),
    /// A handler ran.
    Ran(Box<Seen>),
}

/// Which handler ran, and what the server took the request for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The rule that let it pass.
    pub(crate) rule: String,
    /// The route that Envoy chose.
    pub(crate) route: String,
    pub(crate) handler: String,
    pub(crate) method: String,
    /// As the router of the framework sees it.
    pub(crate) path: String,
    /// As Envoy forwarded it, with the query.
    pub(crate) raw: String,
    pub(crate) host: String,
    pub(crate) tenant: Option<String>,
}

impl World {
    /// The one that other tests have at this time, or a new one; none where the servers are not installed.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());
        if !crate::server::are_installed() {
            return None;
        }
        let mut shared = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        Some(shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::start());
            *shared = Arc::downgrade(&world);
            world
        }))
    }

    fn start() -> Self {
        let (issuer, servers) = (Issuer::start(Options::default()).unwrap(), Server::start_all());
        let envoy = envoy(&issuer, &servers, &policy::ALL);
        let token = TokenRequest { scope: Some("all".into()), ..TokenRequest::subject("alice") };
        let token = issuer.token(&token).unwrap();
        Self { issuer, servers, envoy, token }
    }

    /// Another Envoy in front of the same servers.
    pub(crate) fn envoy(&self, gateways: &[Gateway]) -> Envoy {
        envoy(&self.issuer, &self.servers, gateways)
    }

    pub(crate) fn gateway(&self, name: &str) -> SocketAddr {
        self.envoy.address(name)
    }

    pub(crate) fn server(&self, kind: Kind) -> &Server {
        self.servers.iter().find(|server| server.kind == kind).unwrap()
    }

    /// Sends a request with a good token through a gateway to a server.
    pub(crate) fn send(&self, gateway: &str, kind: Kind, version: Version, request: &Request) -> Outcome {
        self.send_at(self.gateway(gateway), kind, version, request)
    }

    pub(crate) fn send_at(&self, gateway: SocketAddr, kind: Kind, version: Version, request: &Request) -> Outcome {
        let request = request.clone().header("x-server", kind.cluster()).bearer(&self.token);
        match version.try_send(&request, gateway) {
            Ok(response) => Outcome::of(&response),
            Err(error) => Outcome::Unhandled(0, error.to_string()),
        }
    }

    /// The same without a token.
    pub(crate) fn send_anonymous(&self, gateway: &str, kind: Kind, version: Version, request: &Request) -> Outcome {
        let request = request.clone().header("x-server", kind.cluster());
        Outcome::of(&version.send(&request, self.gateway(gateway)))
    }

    /// What a server makes of a request without the gate.
    pub(crate) fn ask(&self, kind: Kind, request: &Request) -> Outcome {
        let response = request.send(self.server(kind).address());
        Outcome::read(&response.unwrap_or_else(|error| panic!("{kind:?}, {request:?}: {error}")))
    }
}

impl Version {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];

    fn send(self, request: &Request, address: SocketAddr) -> Response {
        self.try_send(request, address).unwrap_or_else(|error| panic!("{self:?}, {request:?}: {error}"))
    }

    pub(crate) fn try_send(self, request: &Request, address: SocketAddr) -> std::io::Result<Response> {
        match self {
            Self::Http1 => request.send(address),
            Self::Http2 => Connection::open(address).and_then(|connection| connection.send(request)),
        }
    }
}

impl Outcome {
    pub(crate) fn of(response: &Response) -> Self {
        // What Envoy answers by itself has no time of an upstream.
        if response.header("x-envoy-upstream-service-time").is_some() {
            return Self::read(response);
        }
        let (status, reason) = verdict(response);
        Self::Refused(status, reason)
    }

    fn read(response: &Response) -> Self {
        let seen = response.json();
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_string();
        if seen["handler"].is_null() {
            return Self::Unhandled(response.status, response.header("x-reached").unwrap_or_default());
        }
        Self::Ran(Box::new(Seen {
            rule: text("rule"),
            route: text("route"),
            handler: text("handler"),
            method: text("method"),
            path: text("path"),
            raw: text("raw"),
            host: text("host"),
            tenant: seen["tenant"].as_str().map(str::to_string),
        }))
    }

    /// The handler that ran; empty if none did.
    pub(crate) fn handler(&self) -> &str {
        match self {
            Self::Ran(seen) => &seen.handler,
            _ => "",
        }
    }

    pub(crate) fn refused(status: u16, reason: &str) -> Self {
        Self::Refused(status, reason.into())
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status, reason) => write!(formatter, "{status} {reason}"),
            Self::Unhandled(status, rule) => write!(formatter, "{status} of the server (rule {rule})"),
            Self::Ran(seen) => write!(
                formatter,
                "handler {} (rule {}, route {}; method {}, path {}, forwarded {}, host {}, tenant {:?})",
                seen.handler, seen.rule, seen.route, seen.method, seen.path, seen.raw, seen.host, seen.tenant
            ),
        }
    }
}

/// A listener: its name, and the top-level members of the configuration that differ.
pub(crate) type Gateway = (&'static str, fn() -> Value);

fn envoy(issuer: &Issuer, servers: &[Server], gateways: &[Gateway]) -> Envoy {
    let mut bootstrap = Bootstrap::new(issuer.address()).cluster("issuer", issuer.address());
    for server in servers {
        bootstrap = bootstrap.cluster(server.kind.cluster(), server.address());
    }
    bootstrap = bootstrap.connection_manager("route_config", &routes());
    for (name, changes) in gateways {
        bootstrap = bootstrap.gateway(name, &policy::config(issuer, &changes()).to_string());
    }
    Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"))
}

/// A virtual host for the public site, and routes by raw paths. Servers see which route was taken, and the gate's rule.
fn routes() -> Value {
    let header = |name: &str, value: &str| {
        let action = "OVERWRITE_IF_EXISTS_OR_ADD";
        json!({"header": {"key": name, "value": value}, "append_action": action, "keep_empty_value": true})
    };
    let route = |prefix: &str, name: &str| {
        json!({
            "match": {"prefix": prefix},
            "route": {"cluster_header": "x-server", "timeout": "0s"},
            "request_headers_to_add": [header("x-route", name)],
        })
    };
    let rule = "%FILTER_STATE(wasm.jotgate_rule:PLAIN)%";
    json!({
        "request_headers_to_add": [header("x-rule", rule), header("x-raw-path", "%REQ(:PATH)%")],
        "response_headers_to_add": [header("x-reached", rule)],
        "virtual_hosts": [
            {"name": "public-site", "domains": ["public.example.com"], "routes": [route("/", "public-site")]},
            {"name": "all", "domains": ["*"], "routes": [
                route("/public/", "public"), route("/admin", "admin"), route("/", "rest"),
            ]},
        ],
    })
}
