//! How a world is set up: the client at its provider, and the configuration of the plugin.

use real_envoy::Bootstrap;
use serde_json::{Value, json};

/// The client's secret, with what a form has to encode.
pub(crate) const CLIENT_SECRET: &str = "s3cret+of/the=client%&:";
/// What sessions are sealed with.
pub(crate) const SESSION_SECRET: &str = "a session secret of no fewer than 32 octets";

/// What a world differs in.
pub(crate) struct Setup {
    /// `client.authentication`.
    pub(crate) authentication: &'static str,
    /// More members for the client, beside its `id`.
    pub(crate) client: Value,
    /// Members of `session` that replace the usual ones.
    pub(crate) session: Value,
    /// Members of `login` that replace the usual ones.
    pub(crate) login: Value,
    /// Members of the `keys` of its issuer.
    pub(crate) keys: Value,
    /// Members of the top that replace the usual ones.
    pub(crate) config: Value,
    /// The origin that people know, if it is not where Envoy listens.
    pub(crate) public_url: Option<&'static str>,
    /// What the provider is told.
    pub(crate) provider: Value,
    /// Changes Envoy's configuration.
    pub(crate) bootstrap: fn(Bootstrap) -> Bootstrap,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            authentication: "basic",
            client: json!({"secret": CLIENT_SECRET}),
            session: json!({}),
            login: json!({}),
            keys: json!({}),
            config: json!({}),
            public_url: None,
            provider: json!({}),
            bootstrap: |bootstrap| bootstrap,
        }
    }
}

impl Setup {
    /// Where this is: somewhere that browsers take for secure, with `__Host-` cookies.
    pub(crate) fn secure() -> Self {
        Self { public_url: Some("https://dash.example.com"), ..Self::default() }
    }

    /// The plugin's configuration: everybody may see `/public`, those who are logged in the rest, `ops` `/admin`.
    pub(crate) fn configuration(&self, issuer: &str, origin: &str) -> Value {
        let client = json!({"id": "dashboard", "authentication": self.authentication});
        let login = json!({
            "name": "main", "issuer": "main", "client": merged(client, &self.client),
            "scopes": ["openid", "email", "groups"],
        });
        let session = json!({"secrets": [SESSION_SECRET], "publicUrl": origin});
        let config = json!({
            "issuers": [{
                "name": "main", "issuer": issuer, "audiences": ["dashboard"],
                "keys": merged(json!({"discovery": {}, "cluster": "provider"}), &self.keys),
            }],
            "login": merged(login, &self.login),
            "session": merged(session, &self.session),
            "rules": [
                {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
                {"name": "api", "match": {"paths": ["/api/**"]}, "access": "authenticated", "unauthenticated": "challenge"},
                {"name": "admin", "match": {"paths": ["/admin/**"]}, "access": {"groups": {"any": ["ops"]}}},
                {"name": "rest", "access": "authenticated"},
            ],
        });
        let config = merged(config, &self.config).to_string().replace("{{issuer}}", issuer);
        serde_json::from_str(&config).unwrap()
    }
}

/// An object with the members of another in their place; null removes one.
pub(crate) fn merged(mut members: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.as_object_mut().unwrap().remove(name)),
            value => members[name] = value.clone(),
        }
    }
    members
}
