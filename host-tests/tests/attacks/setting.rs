//! How the gate is set up for a case.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use testbed::keys::{Algorithm, SigningKey, jwk_set};

use crate::catalogue::Catalogue;

/// The host of every `jwksUri`, and the cluster that leads there.
pub(crate) const ISSUERS: &str = "issuers";

/// The keys of the issuer whose tokens the tests make themselves; each is named by its algorithm.
pub(crate) static OWN_KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let algorithms = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    algorithms.into_iter().map(|algorithm| SigningKey::generate(algorithm).with_kid(algorithm.name())).collect()
});

/// A key of nobody's.
pub(crate) static STRANGER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256));

/// A configuration of the gate, and what its issuers answer.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) config: Value,
    /// By path: status and body.
    pub(crate) served: BTreeMap<String, (u16, Vec<u8>)>,
}

impl Setting {
    /// Every setting that some case needs, so that a host can prepare all of them at once.
    pub(crate) fn all(catalogue: &Catalogue) -> Vec<Self> {
        let fixed = [
            Self::baseline(catalogue),
            Self::without_alg(catalogue),
            Self::with_hs256(catalogue),
            Self::cookie(catalogue),
            Self::query(catalogue),
            Self::own(),
            crate::key_sets::setting(),
        ];
        let of_cases =
            catalogue.cases.iter().filter_map(|case| Some(Self::key_set(catalogue, &case.id, case.jwks.as_ref()?)));
        fixed.into_iter().chain(of_cases).collect()
    }

    /// The catalogue's `baseline`.
    pub(crate) fn baseline(catalogue: &Catalogue) -> Self {
        Self::inline("baseline", catalogue, &catalogue.keys.jwks_a)
    }

    /// The keys do not say which algorithm they are for.
    pub(crate) fn without_alg(catalogue: &Catalogue) -> Self {
        Self::inline("without-alg", catalogue, &catalogue.keys.jwks_a_noalg)
    }

    /// Issuer a may use HS256, too, and has no secret for it.
    pub(crate) fn with_hs256(catalogue: &Catalogue) -> Self {
        let mut setting = Self::baseline(catalogue);
        setting.name = "with-hs256".into();
        setting.config["issuers"][0]["algorithms"].as_array_mut().unwrap().push("HS256".into());
        setting
    }

    /// A token may also stand in the cookie `token`.
    pub(crate) fn cookie(catalogue: &Catalogue) -> Self {
        Self::baseline(catalogue).with_credential("cookie", &json!({"cookie": "token"}))
    }

    /// A token may also stand in the query parameter `access_token`.
    pub(crate) fn query(catalogue: &Catalogue) -> Self {
        Self::baseline(catalogue).with_credential("query", &json!({"query": "access_token"}))
    }

    /// Issuer a publishes these keys.
    pub(crate) fn key_set(catalogue: &Catalogue, name: &str, jwks: &Value) -> Self {
        let path = format!("/{name}");
        let config = config(&fetched(&path), &json!({"inline": catalogue.keys.jwks_b}));
        Self { name: name.into(), config, served: BTreeMap::from([(path, (200, jwks.to_string().into_bytes()))]) }
    }

    /// An issuer whose keys the tests have: `https://own.example` for `api`, the same without any clock skew, and a
    /// partner, whose tokens can give what begins with its name alone.
    pub(crate) fn own() -> Self {
        let issuer = |name: &str, skew: &str| {
            let keys = json!({"inline": jwk_set(OWN_KEYS.iter())});
            json!({
                "name": name, "issuer": format!("https://{name}.example"), "audiences": ["api"], "keys": keys,
                "clockSkew": skew,
            })
        };
        let mut partner = issuer("partner", "60s");
        partner["grants"] = json!({"groups": ["partner-*"], "scopes": ["partner:*"]});
        partner["groupScopes"] = json!({"read": ["partner-ops", "ops"]});
        let mut setting = Self {
            name: "own".into(),
            config: json!({"issuers": [issuer("own", "60s"), issuer("punctual", "0s"), partner]}),
            served: BTreeMap::new(),
        };
        add_rules(&mut setting.config);
        setting
    }

    fn inline(name: &str, catalogue: &Catalogue, jwks_a: &Value) -> Self {
        let config = config(&json!({"inline": jwks_a}), &json!({"inline": catalogue.keys.jwks_b}));
        Self { name: name.into(), config, served: BTreeMap::new() }
    }

    fn with_credential(mut self, name: &str, credential: &Value) -> Self {
        self.name = name.into();
        self.config["credentials"] = json!([{"header": "authorization", "scheme": "Bearer"}, credential]);
        self
    }
}

/// `keys` that are fetched from this path.
pub(crate) fn fetched(path: &str) -> Value {
    json!({"jwksUri": format!("http://issuers.example{path}"), "cluster": ISSUERS, "timeout": "1s", "unknownKeyCooldown": "1s"})
}

/// The catalogue's `baseline` as a configuration, with the `keys` of its issuers.
fn config(keys_a: &Value, keys_b: &Value) -> Value {
    let algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
    let mut config = json!({
        "issuers": [
            {"name": "a", "issuer": "https://issuer.example", "audiences": ["api"], "algorithms": algorithms, "keys": keys_a},
            {"name": "b", "issuer": "https://issuer-b.example", "audiences": ["api-b"], "algorithms": ["RS256"], "keys": keys_b},
        ],
    });
    add_rules(&mut config);
    config
}

/// The rules and identity headers of the catalogue's `baseline`.
pub(crate) fn add_rules(config: &mut Value) {
    let scope = |name: &str| json!({"scopes": {"all": [name]}});
    config["rules"] = json!([
        {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
        {"name": "optional", "match": {"paths": ["/optional/**"]}, "access": "optional"},
        {"name": "read", "match": {"paths": ["/api/**"], "methods": ["GET", "HEAD"]}, "access": scope("read")},
        {"name": "write", "match": {"paths": ["/api/**"], "methods": ["POST", "PUT", "PATCH", "DELETE"]}, "access": scope("write")},
        {"name": "admin", "match": {"paths": ["/admin/**"]}, "access": scope("admin")},
    ]);
    config["default"] = json!("deny");
    config["identityHeaders"] = json!({
        "X-Auth-User": "sub", "X-Auth-Scopes": "$scopes", "X-Auth-Email": "email", "X-Auth-Groups": "$groups",
    });
    config["stripHeaders"] = json!(["X-Auth-*"]);
}
