//! An Envoy that several tests share: each brings listeners and clusters of its own while it runs.
//!
//! Nearly all that the start of an Envoy costs is compiling the module, seconds each time. Listeners with the same code
//! and VM share what was compiled, and their VMs, but no configuration. They also share the log, the metrics and the
//! shared data of the plugin: a test that looks at those starts an Envoy of its own.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::{Value, json};

use crate::bootstrap::Bootstrap;
use crate::config::Config;
use crate::discovery::{CLUSTERS, LISTENERS, publish, response, watch};
use crate::envoy::{Builder, Envoy};
use crate::error::StartError;
use crate::ports::{NOWHERE, Port};

/// How long what is added may take to serve.
const READY: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// The members of configurations, of Envoy and of the plugin, that name a cluster.
const NAMES: [&str; 3] = ["api", "cluster", "jwksCluster"];

/// From where Envoy takes what is added.
const SOURCES: [(&str, &str); 2] = [CLUSTERS, LISTENERS];

/// A running Envoy to which tests add.
#[derive(Debug)]
pub struct SharedEnvoy {
    envoy: Envoy,
    added: Mutex<Added>,
}

#[derive(Debug, Default)]
struct Added {
    count: usize,
    clusters: Vec<Value>,
    listeners: Vec<Value>,
}

impl SharedEnvoy {
    /// Starts it. The plugin of a first listener lets nobody pass, and keeps the compiled module in use.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(|bootstrap| bootstrap, |builder| builder)
    }

    /// The same with changes of the first listener, whose VMs all others share: they have its environment.
    pub fn start_with(
        change: impl FnOnce(Bootstrap) -> Bootstrap,
        options: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, StartError> {
        let mut config = parse(&change(Bootstrap::new(NOWHERE).plugin(&nobody())).text());
        watch(&mut config, &SOURCES);
        let builder = options(Envoy::builder(&config.to_string()));
        let builder = SOURCES.iter().fold(builder, |builder, (_, file)| builder.file(file, &response(&[])));
        Ok(Self { envoy: builder.start()?, added: Mutex::default() })
    }

    /// Adds the listeners and clusters of a configuration, and waits until they serve. What is returned has the ports
    /// and the access log of these listeners, and everything else of the whole Envoy.
    pub fn add(&self, bootstrap: &Bootstrap) -> Result<Envoy, StartError> {
        self.add_at(bootstrap, [])
    }

    /// The same, with ports that somebody had to know before.
    pub fn add_at<const N: usize>(
        &self,
        bootstrap: &Bootstrap,
        reserved: [(&str, Port); N],
    ) -> Result<Envoy, StartError> {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.count += 1;
        let own = added.count;
        let directory = self.envoy.directory().join(own.to_string());
        fs::create_dir(&directory).map_err(StartError::of)?;
        let mut config = parse(&bootstrap.text());
        // The administration interface is that of the whole.
        config["admin"] = Value::Null;
        let mut config = Config::with_placeholders(&config.to_string());
        for (name, port) in reserved {
            config.set_port(name, port);
        }
        // Its environment is that of the first listener.
        config.take_environment();
        let (text, ports) = config.resolve(&directory)?;
        let mut resources = parse(&text)["static_resources"].take();
        let (mut clusters, mut listeners) = (list(&mut resources["clusters"]), list(&mut resources["listeners"]));
        let names: BTreeSet<_> = clusters.iter().filter_map(|cluster| Some(cluster["name"].as_str()?.into())).collect();
        let unique = |name: &str| format!("{own}-{name}");
        for cluster in &mut clusters {
            cluster["@type"] = json!("type.googleapis.com/envoy.config.cluster.v3.Cluster");
            rename(&mut cluster["name"], unique);
            rename(&mut cluster["load_assignment"]["cluster_name"], unique);
        }
        for listener in &mut listeners {
            listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
            rename(&mut listener["name"], unique);
            rename_clusters(listener, &names, &unique);
        }
        added.clusters.extend(clusters);
        publish(self.envoy.directory(), CLUSTERS.1, &added.clusters).map_err(StartError::of)?;
        let last = names.last().map(|name| format!("{}::", unique(name))).unwrap_or_default();
        self.wait_until("the clusters are there", || Ok(self.envoy.admin_get("/clusters")?.text().contains(&last)))?;
        added.listeners.extend(listeners);
        publish(self.envoy.directory(), LISTENERS.1, &added.listeners).map_err(StartError::of)?;
        for port in ports.values() {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
            self.wait_until("the listeners are there", || Ok(TcpStream::connect(address).is_ok()))?;
        }
        Ok(self.envoy.part(directory, ports))
    }

    fn wait_until(&self, what: &str, holds: impl Fn() -> io::Result<bool>) -> Result<(), StartError> {
        let start = Instant::now();
        while !holds().map_err(StartError::of)? {
            if start.elapsed() > READY {
                return Err(StartError(format!("{what}: not within {READY:?}; Envoy logged:\n{}", self.envoy.log())));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

/// A configuration that nobody passes, with the public key of RFC 8037, A.2.
fn nobody() -> String {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys = json!({"inline": {"keys": [key]}});
    let issuer = json!({"name": "nobody", "issuer": "https://nobody", "audiences": ["demo"], "keys": keys});
    json!({"issuers": [issuer], "default": "deny"}).to_string()
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a bootstrap is written as JSON")
}

fn list(value: &mut Value) -> Vec<Value> {
    value.as_array_mut().map(std::mem::take).unwrap_or_default()
}

fn rename(name: &mut Value, unique: impl Fn(&str) -> String) {
    if let Some(text) = name.as_str() {
        *name = unique(text).into();
    }
}

/// Wherever one of these clusters is named, be it in the plugin's configuration, which is JSON in a string.
fn rename_clusters(value: &mut Value, names: &BTreeSet<String>, unique: &impl Fn(&str) -> String) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename_clusters(item, names, unique)),
        Value::Object(members) => {
            for (member, value) in members {
                let is_name = NAMES.contains(&member.as_str()) && value.as_str().is_some_and(|it| names.contains(it));
                if is_name { rename(value, unique) } else { rename_clusters(value, names, unique) }
            }
        }
        Value::String(text) if text.starts_with('{') => {
            if let Ok(mut inner) = serde_json::from_str(text) {
                rename_clusters(&mut inner, names, unique);
                *text = inner.to_string();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_renamed_wherever_they_are_named_and_nothing_else_is() {
        let inner = json!({"cluster": "issuer", "issuer": "issuer", "jwksCluster": "elsewhere"}).to_string();
        let mut value = json!([{"route": {"cluster": "upstream"}, "name": "upstream"}, {"value": inner}]);
        let names = BTreeSet::from(["issuer".to_string(), "upstream".to_string()]);
        rename_clusters(&mut value, &names, &|name| format!("7-{name}"));
        let inner = json!({"cluster": "7-issuer", "issuer": "issuer", "jwksCluster": "elsewhere"}).to_string();
        assert_eq!(value, json!([{"route": {"cluster": "7-upstream"}, "name": "upstream"}, {"value": inner}]));
    }
}
