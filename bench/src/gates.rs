//! The configurations of Envoy: all alike, but for the filters that are measured.

#![expect(clippy::indexing_slicing, reason = "members of JSON objects that are made here")]

use real_envoy::Bootstrap;
use serde_json::{Value, json};

use crate::authz::DENY;
use crate::modules::{calls, nothing};
use crate::variant::{Caller, Gate, Jotgate, Protocol, Rules, Session, Upstream};
use crate::world::{AUDIENCE, ECHO, HOST, LIFETIME, SCOPE, World};

/// What Envoy answers by itself.
pub(crate) const ANSWER: &str = "ok\n";

/// Where a plugin's configuration names its module.
const MODULE: &str = "vm_config/code/local/filename";

/// What seals sessions.
const SECRET: &str = "only the bench seals sessions with this";
/// What will seal them once it is first.
const NEXT_SECRET: &str = "and with this once the other one is old";

/// What signs tokens for the upstream: the key of RFC 7515 A.3.
const SIGNING_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// The bootstrap configuration for a gate.
pub(crate) fn bootstrap(gate: Gate, world: &World) -> Bootstrap {
    let bootstrap = open(world);
    match gate {
        Gate::Open => bootstrap,
        Gate::Calls | Gate::Nothing => {
            let module = if gate == Gate::Calls { calls() } else { nothing() };
            bootstrap.plugin("").plugin_option(MODULE, &json!(module))
        }
        Gate::Native { caches } => bootstrap.filter(jwt_authn(world, caches)).filter(rbac()),
        Gate::Jotgate(gate) => {
            let bootstrap = bootstrap.gate(gate.host, &configuration(world, gate).to_string());
            let variables = json!({"key_values": {"SIGNING_KEY": SIGNING_KEY}});
            let bootstrap = bootstrap.plugin_option("vm_config/environment_variables", &variables);
            match gate.responses {
                true => bootstrap,
                false => bootstrap.plugin_option(MODULE, &json!(world.plugin_for_requests)),
            }
        }
        Gate::Hop(Protocol::Http) => bootstrap.filter(ext_authz(&json!({
            "http_service": {"server_uri": {"uri": "http://authz", "cluster": "authz", "timeout": "5s"}},
            "allowed_headers": {"patterns": [{"exact": DENY}]},
        }))),
        Gate::Hop(Protocol::Grpc) => {
            let service = json!({"grpc_service": {"envoy_grpc": {"cluster_name": "authz"}, "timeout": "5s"}});
            bootstrap.filter(ext_authz(&service)).http2("authz")
        }
    }
}

/// Has Envoy log each request, with what the gate knows of its caller.
pub(crate) fn logged(bootstrap: Bootstrap, gate: Gate) -> Bootstrap {
    let fields = match gate {
        Gate::Native { .. } => ["sub", "iss", "email", "azp"]
            .map(|claim| format!("%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:jwt:{claim})%")),
        _ => ["subject", "issuer", "rule", "decision"].map(|name| format!("%FILTER_STATE(wasm.jotgate_{name}:PLAIN)%")),
    };
    let line = ["%REQ(:METHOD)%", "%REQ(:PATH)%", "%RESPONSE_CODE%"].map(str::to_owned).into_iter().chain(fields);
    let text = line.collect::<Vec<_>>().join(" ") + "\n";
    let log = json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": "/dev/null",
            "log_format": {"text_format_source": {"inline_string": text}},
        },
    });
    bootstrap.connection_manager("access_log", &json!([log]))
}

/// The gate's configuration.
fn configuration(world: &World, gate: Jotgate) -> Value {
    let mut config = jotgate(world, gate.rules, gate.issuers);
    if !gate.properties {
        config["accessLog"] = json!([]);
    }
    match gate.caller {
        Caller::Opaque => config["introspection"] = json!([opaque_tokens(world)]),
        Caller::Session(session) => add_login(&mut config, world, gate.issuers, session),
        Caller::Token => {}
    }
    let credential = match gate.upstream {
        Upstream::Exchanged => json!({"exchange": {
            "endpoint": format!("{}/oauth/token", world.issuer.url()), "cluster": "issuer",
            "client": client(), "audience": AUDIENCE, "cacheFor": "1h",
        }}),
        Upstream::Nothing => return config,
        Upstream::Signed => json!({"token": {
            "issuer": "https://gate.example.com", "audience": AUDIENCE, "lifetime": "24h",
            "keys": [{"env": "SIGNING_KEY"}], "claims": [{"name": "scope", "from": "$scopes"}],
        }}),
    };
    config["upstreamCredentials"] = json!([credential]);
    config["upstreamCredentials"][0]["name"] = json!("bench");
    config["upstream"] = json!("bench");
    config
}

/// Tokens of the issuer that it alone can read.
fn opaque_tokens(world: &World) -> Value {
    json!({
        "name": "opaque", "issuer": world.issuer.issuer(), "audiences": [AUDIENCE],
        "endpoint": format!("{}/oauth/introspect", world.issuer.url()), "cluster": "issuer",
        "client": client(), "cacheFor": "1h",
    })
}

fn client() -> Value {
    json!({"id": "bench", "secret": "of the bench"})
}

/// What all configurations have. The rule that decides is the last one; the issuer of the tokens is the last one, too.
pub(crate) fn jotgate(world: &World, rules: Rules, issuers: usize) -> Value {
    let keys = json!({"jwksUri": jwks_uri(world), "cluster": "issuer", "refreshAfter": seconds(world)});
    let issuer = |index: usize| {
        let name = if index == issuers { world.issuer.issuer().into() } else { format!("https://idp-{index}.example") };
        json!({"name": format!("idp-{index}"), "issuer": name, "audiences": [AUDIENCE], "keys": keys})
    };
    json!({
        "issuers": (1..=issuers).map(issuer).collect::<Vec<_>>(),
        "rules": self::rules(rules),
        "identityHeaders": {
            "X-Auth-Request-User": "sub",
            "X-Auth-Request-Issuer": "$issuer",
            "X-Auth-Request-Email": "$verifiedEmail",
            "X-Auth-Request-Token-Scopes": "$scopes",
        },
    })
}

/// A login at the issuer of the tokens, and sessions.
fn add_login(config: &mut Value, world: &World, issuer: usize, session: Session) {
    let url = world.issuer.url();
    config["login"] = json!({
        "issuer": format!("idp-{issuer}"),
        "client": client(),
        "endpoints": {"authorization": format!("{url}/authorize"), "token": format!("{url}/oauth/token")},
    });
    let secrets = match session {
        Session::Current => json!([SECRET]),
        Session::Old => json!([NEXT_SECRET, SECRET]),
    };
    let (lifetime, refresh) = (format!("{LIFETIME}s"), format!("{}s", LIFETIME - 1));
    let public_url = format!("https://{HOST}");
    config["session"] =
        json!({"secrets": secrets, "publicUrl": public_url, "lifetime": lifetime, "refreshAfter": refresh});
}

fn rules(rules: Rules) -> Vec<Value> {
    let access = json!({"scopes": {"all": [SCOPE]}});
    let (count, filler): (_, fn(usize) -> Value) = match rules {
        Rules::Mixed(count) => (count, |index| match index % 3 {
            0 => json!({"paths": [format!("/service-{index}/status")]}),
            1 => json!({"paths": [format!("/service-{index}/{{id}}/items/*"), format!("/service-{index}/files/**")]}),
            _ => json!({"hosts": [format!("service-{index}.example.com")], "paths": ["/orders/**"]}),
        }),
        Rules::Siblings(count) => (count, |index| match index % 2 {
            0 => json!({"paths": [format!("/orders/list-{index}")]}),
            _ => json!({"paths": [format!("/orders/{{id}}/part-{index}/**")]}),
        }),
    };
    let others = (1..count).map(|index| json!({"match": filler(index), "access": access}));
    others
        .chain([json!({"name": "orders", "match": {"paths": ["/orders/*"], "methods": ["GET"]}, "access": access})])
        .collect()
}

/// No filter, and an answer from Envoy itself, so that no upstream is a part of what is measured.
pub(crate) fn open(world: &World) -> Bootstrap {
    let echoed = json!({
        "match": {"prefix": "/", "headers": [{"name": ECHO, "present_match": true}]},
        "route": {"cluster": "upstream"},
    });
    let answered = json!({
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": ANSWER}},
    });
    Bootstrap::new(world.upstream.address())
        .cluster("issuer", world.issuer.address())
        .cluster("authz", world.authz.address())
        .connection_manager("access_log", &json!([]))
        // Connections, of which there are few, are spread evenly over the workers.
        .listener("connection_balance_config/exact_balance", &json!({}))
        .routes(&json!([echoed, answered]))
}

pub(crate) fn jwt_authn(world: &World, caches: bool) -> Value {
    let to_headers = world.identity().map(|(header, claim, _)| json!({"header_name": header, "claim_name": claim}));
    let mut provider = json!({
        "issuer": world.issuer.issuer(),
        "audiences": [AUDIENCE],
        "remote_jwks": {
            "http_uri": {"uri": jwks_uri(world), "cluster": "issuer", "timeout": "5s"},
            "cache_duration": seconds(world),
        },
        "claim_to_headers": to_headers,
        // For `rbac`, which looks for one scope among those of the token.
        "payload_in_metadata": "jwt",
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
    });
    if caches {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 1000});
    }
    filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        json!({
            "providers": {"main": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
        }),
    )
}

fn rbac() -> Value {
    filter(
        "rbac",
        "rbac.v3.RBAC",
        json!({"rules": {"action": "ALLOW", "policies": {"orders": {
            "permissions": [{"and_rules": {"rules": [
                {"url_path": {"path": {"prefix": "/orders/"}}},
                {"header": {"name": ":method", "string_match": {"exact": "GET"}}},
            ]}}],
            "principals": [{"metadata": {
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{"key": "jwt"}, {"key": "scope"}],
                "value": {"list_match": {"one_of": {"string_match": {"exact": SCOPE}}}},
            }}],
        }}}}),
    )
}

fn ext_authz(service: &Value) -> Value {
    let mut config = service.clone();
    config["transport_api_version"] = "V3".into();
    filter("ext_authz", "ext_authz.v3.ExtAuthz", config)
}

fn filter(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}").into();
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

fn jwks_uri(world: &World) -> String {
    format!("{}/jwks", world.issuer.url())
}

fn seconds(world: &World) -> String {
    format!("{}s", world.refresh.as_secs())
}
