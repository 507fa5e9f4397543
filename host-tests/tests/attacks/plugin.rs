//! The built plugin in the strict host. A trap or a violation of the ABI fails the test by itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use strict_host::{CalloutAnswer, Clock, HeaderMap, LogLevel, Outcome, Plugin, Proxy, Response, Root, VmOptions};

use crate::exchange::{Answer, Request};
use crate::run::Host;
use crate::setting::Setting;

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_PLUGIN", "dist/jotgate.wasm", "make plugin"));

#[derive(Default)]
pub(crate) struct StrictHost(BTreeMap<String, (Proxy, Root)>);

impl Host for StrictHost {
    fn name(&self) -> &'static str {
        "strict host"
    }

    fn is_real(&self) -> bool {
        false
    }

    fn now(&self) -> u64 {
        Clock::START.as_secs()
    }

    fn send(&mut self, setting: &Setting, request: &Request) -> Answer {
        let (proxy, root) = self.0.entry(setting.name.clone()).or_insert_with(|| start(setting));
        exchange(proxy, root, request)
    }
}

impl StrictHost {
    /// What all VMs logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.0.values().flat_map(|(_, root)| root.vm().log_at_least(LogLevel::Info)).collect()
    }
}

fn start(setting: &Setting) -> (Proxy, Root) {
    let (proxy, served) = (Proxy::new(), setting.served.clone());
    proxy.on_callout(move |callout| match served.get(&callout.path()) {
        Some((status, body)) => CalloutAnswer::respond(Response::new(*status).body(body.clone())),
        None => CalloutAnswer::respond(Response::new(404)),
    });
    let root = start_in(&proxy, setting);
    (proxy, root)
}

/// In a proxy whose network was set up otherwise.
pub(crate) fn start_in(proxy: &Proxy, setting: &Setting) -> Root {
    let vm = proxy.vm(&PLUGIN, VmOptions::new());
    let root = vm.start(setting.config.to_string()).unwrap_or_else(|error| panic!("{}: {error}", setting.name));
    proxy.settle();
    root
}

/// Whether the plugin refuses this text as a configuration, and says why.
pub(crate) fn refuses(configuration: &str) -> bool {
    let vm = Proxy::new().vm(&PLUGIN, VmOptions::new());
    vm.start(configuration).is_err() && !vm.log_at_least(LogLevel::Error).is_empty()
}

pub(crate) fn exchange(proxy: &Proxy, root: &Root, request: &Request) -> Answer {
    let stream = root.request(request.lines().as_slice(), true);
    let mut waited = 0;
    while stream.is_waiting() && waited < 100 {
        proxy.advance(Duration::from_millis(100));
        waited += 1;
    }
    let reason = stream.property_text("jotgate_reason");
    let answer = match stream.outcome() {
        Outcome::Continued(headers) => Answer {
            status: 200,
            reason: None,
            headers: Vec::new(),
            body: String::new(),
            upstream: Some(text(&headers)),
        },
        Outcome::Replied(_) => {
            let message = stream.downstream();
            let headers = text(&message.headers.unwrap());
            let status = headers.iter().find(|(name, _)| name == ":status").unwrap().1.parse().unwrap();
            Answer {
                status,
                reason,
                headers,
                body: String::from_utf8_lossy(&message.body).into_owned(),
                upstream: None,
            }
        }
        other => panic!("expected an answer to {request:?}, found {other:?}"),
    };
    stream.end();
    answer
}

fn text(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.iter().map(|(name, value)| (text(name), text(value))).collect()
}
