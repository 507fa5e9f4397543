//! The usual bootstrap configuration: one listener, the plugin, an upstream and the issuers.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::programs::Gate;

/// A bootstrap configuration for [`crate::Envoy::start`], with the ports `gateway` and `admin`.
///
/// A request goes to the upstream, without a time limit, and may become a `WebSocket`. The access log has one JSON
/// object for each request ([`crate::Envoy::access_log`]).
#[derive(Clone, Debug)]
pub struct Bootstrap {
    clusters: Vec<Value>,
    filters: Vec<Value>,
    /// More listeners: the name of each, and the plugin's configuration there.
    gateways: Vec<(String, String)>,
    config: Value,
}

impl Bootstrap {
    /// Without the plugin, so far.
    pub fn new(upstream: SocketAddr) -> Self {
        let clusters = vec![cluster("upstream", upstream)];
        Self { clusters, filters: Vec::new(), gateways: Vec::new(), config: skeleton() }
    }

    /// Adds a cluster, for callouts to an issuer for example.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.push(cluster(name, address));
        self
    }

    /// Adds the plugin, its configuration being this text (a `StringValue`).
    #[must_use]
    pub fn plugin(self, configuration: &str) -> Self {
        self.gate(Gate::under_test(), configuration)
    }

    /// Likewise, with the gate running as this.
    #[must_use]
    pub fn gate(self, gate: Gate, configuration: &str) -> Self {
        self.filter(gate_with_text(gate, configuration))
    }

    /// Adds another listener, with a port of that name, that is like `gateway` but for the plugin's configuration.
    /// All of them share one VM in each worker.
    #[must_use]
    pub fn gateway(mut self, name: &str, configuration: &str) -> Self {
        self.gateways.push((name.into(), configuration.into()));
        self
    }

    /// Adds the plugin, its configuration being a protobuf `Struct`.
    #[must_use]
    pub fn plugin_struct(self, configuration: &Value) -> Self {
        let configuration = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration});
        self.filter(filter(Gate::under_test(), &configuration))
    }

    /// Adds an HTTP filter after those that were added before.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// Sets a member of the gate's `config` (`vm_config/environment_variables`, `allow_on_headers_stop_iteration`);
    /// the path is a JSON pointer (RFC 6901) without its first `/`.
    #[must_use]
    pub fn plugin_option(mut self, path: &str, value: &Value) -> Self {
        for filter in &mut self.filters {
            if filter["name"] == PLUGIN {
                set(&mut filter["typed_config"]["config"], path, value);
            }
        }
        self
    }

    /// Sets a member of the HTTP connection manager, the path being as in [`Bootstrap::plugin_option`].
    #[must_use]
    pub fn connection_manager(mut self, path: &str, value: &Value) -> Self {
        set(manager(&mut self.config), path, value);
        self
    }

    /// Sets a member of the listener, the path being as in [`Bootstrap::plugin_option`].
    #[must_use]
    pub fn listener(mut self, path: &str, value: &Value) -> Self {
        set(&mut self.config["static_resources"]["listeners"][0], path, value);
        self
    }

    /// Replaces the routes of the only virtual host.
    #[must_use]
    pub fn routes(mut self, routes: &Value) -> Self {
        manager(&mut self.config)["route_config"]["virtual_hosts"][0]["routes"] = routes.clone();
        self
    }

    /// Sets a member of a cluster, for example HTTP/2 towards the upstream ([`Bootstrap::http2`]).
    #[must_use]
    pub fn cluster_option(mut self, name: &str, path: &str, value: &Value) -> Self {
        for cluster in &mut self.clusters {
            if cluster["name"] == name {
                set(cluster, path, value);
            }
        }
        self
    }

    /// The cluster is spoken to in HTTP/2, as gRPC needs it.
    #[must_use]
    pub fn http2(self, cluster: &str) -> Self {
        let options = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        });
        self.cluster_option(cluster, "typed_extension_protocol_options", &options)
    }

    /// The configuration as text (JSON, which is YAML).
    pub fn text(&self) -> String {
        let router = typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", json!({}));
        let mut config = self.config.clone();
        config["static_resources"]["clusters"] = self.clusters.clone().into();
        manager(&mut config)["http_filters"] = [self.filters.as_slice(), std::slice::from_ref(&router)].concat().into();
        let mut listeners = config["static_resources"]["listeners"].clone();
        for (name, configuration) in &self.gateways {
            manager(&mut config)["http_filters"] = json!([gate_with_text(Gate::under_test(), configuration), router]);
            let mut listener = config["static_resources"]["listeners"][0].clone();
            listener["name"] = json!(name);
            listener["address"] = address(&format!("{{{{port:{name}}}}}"));
            listeners.as_array_mut().expect("is a list").push(listener);
        }
        config["static_resources"]["listeners"] = listeners;
        config.to_string()
    }
}

const PLUGIN: &str = "jotgate";

fn skeleton() -> Value {
    let connection_manager = json!({
        "stat_prefix": "gateway",
        "use_remote_address": true,
        "access_log": [access_log()],
        "route_config": {
            "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}],
            }],
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    });
    let name = "envoy.filters.network.http_connection_manager";
    let kind = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    // Prometheus sees the module's metrics by their own names, as it sees the plugin's.
    let runtime = json!({"envoy": {"reloadable_features": {"dynamic_modules_strip_custom_stat_prefix": true}}});
    json!({
        "admin": {"address": address("{{port:admin}}")},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": runtime}]},
        "static_resources": {
            "listeners": [{
                "name": "gateway",
                "address": address("{{port:gateway}}"),
                "filter_chains": [{"filters": [typed(name, kind, connection_manager)]}],
            }],
        },
    })
}

fn access_log() -> Value {
    let state = |name: &str| format!("%FILTER_STATE(wasm.jotgate_{name}:PLAIN)%");
    let log = json!({
        "path": "{{dir}}/access.log",
        "log_format": {"json_format": {
            "method": "%REQ(:METHOD)%",
            "path": "%REQ(:PATH)%",
            "status": "%RESPONSE_CODE%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "flags": "%RESPONSE_FLAGS%",
            "subject": state("subject"),
            "issuer": state("issuer"),
            "rule": state("rule"),
            "decision": state("decision"),
            "reason": state("reason"),
        }},
    });
    typed("envoy.access_loggers.file", "extensions.access_loggers.file.v3.FileAccessLog", log)
}

fn gate_with_text(gate: Gate, configuration: &str) -> Value {
    filter(gate, &json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration}))
}

fn filter(gate: Gate, configuration: &Value) -> Value {
    match gate {
        Gate::Module => module(configuration),
        Gate::Plugin => wasm(configuration),
    }
}

fn module(configuration: &Value) -> Value {
    let config = json!({
        "dynamic_module_config": {"name": "{{module}}", "do_not_close": true},
        "filter_name": PLUGIN,
        "filter_config": configuration,
    });
    typed(PLUGIN, "extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter", config)
}

fn wasm(configuration: &Value) -> Value {
    let config = json!({
        "config": {
            "name": PLUGIN,
            "root_id": PLUGIN,
            "vm_config": {
                "vm_id": PLUGIN,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": "{{plugin}}"}},
            },
            "configuration": configuration,
            "failure_policy": "FAIL_RELOAD",
        },
    });
    typed(PLUGIN, "extensions.filters.http.wasm.v3.Wasm", config)
}

fn cluster(name: &str, address: SocketAddr) -> Value {
    // The default of 1,024 would answer bursts with 503.
    let unlimited = json!({
        "max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000,
    });
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "20s",
        "circuit_breakers": {"thresholds": [unlimited]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": address.ip().to_string(), "port_value": address.port(),
            }}}}]}],
        },
    })
}

fn address(port: &str) -> Value {
    // Envoy takes numbers in quotes, which is what a placeholder in JSON becomes.
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn typed(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("type.googleapis.com/envoy.{kind}").into();
    json!({"name": name, "typed_config": config})
}

fn manager(config: &mut Value) -> &mut Value {
    &mut config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

/// Makes the objects on the way that are not there yet.
fn set(mut member: &mut Value, path: &str, value: &Value) {
    for step in path.split('/') {
        let step = step.replace("~1", "/").replace("~0", "~");
        member = match step.parse::<usize>() {
            Ok(index) if member.is_array() => &mut member[index],
            _ => &mut member[step.as_str()],
        };
    }
    *member = value.clone();
}
