//! The built plugin in a real Envoy: one process with a listener for each setting.

use std::time::UNIX_EPOCH;

use real_envoy::http::{self, Connection};
use real_envoy::{Bootstrap, Envoy};
use testbed::raw::{Answer as Served, RawServer};
use testbed::upstream::Upstream;

use crate::exchange::{Answer, Request};
use crate::run::Host;
use crate::setting::{ISSUERS, Setting};

pub(crate) struct RealEnvoy {
    pub(crate) envoy: Envoy,
    upstream: Upstream,
    pub(crate) issuers: RawServer,
}

impl RealEnvoy {
    /// With these settings; `change` may add clusters.
    pub(crate) fn start(settings: &[Setting], change: impl FnOnce(Bootstrap, &RawServer) -> Bootstrap) -> Self {
        let (upstream, issuers) = (Upstream::start(0).unwrap(), RawServer::start().unwrap());
        let mut bootstrap = Bootstrap::new(upstream.address()).cluster(ISSUERS, issuers.address());
        for setting in settings {
            for (path, (status, body)) in &setting.served {
                issuers.set(path, Served::response(*status, "application/json", body));
            }
            bootstrap = bootstrap.gateway(&setting.name, &setting.config.to_string());
        }
        let bootstrap = change(bootstrap, &issuers);
        let envoy = Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"));
        Self { envoy, upstream, issuers }
    }

    pub(crate) fn connect(&self, setting: &str) -> Connection {
        Connection::open(self.envoy.address(setting)).unwrap()
    }
}

impl Host for RealEnvoy {
    fn name(&self) -> &'static str {
        "Envoy"
    }

    fn is_real(&self) -> bool {
        true
    }

    fn now(&self) -> u64 {
        UNIX_EPOCH.elapsed().unwrap().as_secs()
    }

    fn send(&mut self, setting: &Setting, request: &Request) -> Answer {
        let before = self.upstream.count();
        let response = to_wire(request).send(self.envoy.address(&setting.name));
        let response = response.unwrap_or_else(|error| panic!("{}, {request:?}: {error}", setting.name));
        let reached = self.upstream.count() - before;
        assert!(reached <= 1, "{request:?} reached the upstream {reached} times");
        let upstream = (reached == 1).then(|| seen(&self.upstream));
        answer(&response, upstream)
    }
}

pub(crate) fn to_wire(request: &Request) -> http::Request {
    let start = http::Request::new(&request.method, &request.path);
    request.headers.iter().fold(start, |wire, (name, value)| wire.header(name, value))
}

/// The headers of the request that came last, which is in the memory of the upstream whatever it answered.
fn seen(upstream: &Upstream) -> Vec<(String, String)> {
    let last = upstream.seen().pop().unwrap();
    let line = |line: &serde_json::Value| (line[0].as_str().unwrap().to_owned(), line[1].as_str().unwrap().to_owned());
    last["headers"].as_array().unwrap().iter().map(line).collect()
}

fn answer(response: &http::Response, upstream: Option<Vec<(String, String)>>) -> Answer {
    let headers = response.head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()));
    let is_problem = response.header("content-type").as_deref() == Some("application/problem+json");
    let reason = is_problem.then(|| response.json()["reason"].as_str().map(str::to_owned)).flatten();
    Answer { status: response.status, reason, headers: headers.collect(), body: response.text(), upstream }
}
