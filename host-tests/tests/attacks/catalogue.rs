//! The catalogue of attacks as it is written: cases, tokens, requests, and what is to come of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use vectors::read_json;

use crate::exchange::Request;

/// All cases, and the public keys and good tokens that belong to them.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) cases: Vec<Case>,
    pub(crate) keys: Keys,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
    count: usize,
    #[serde(rename = "baseline")]
    _baseline: Value,
    #[serde(rename = "by_category")]
    _by_category: Value,
    #[serde(rename = "licence_note")]
    _licence_note: Value,
    #[serde(rename = "status_conventions")]
    _status_conventions: Value,
    #[serde(rename = "tiers")]
    _tiers: Value,
    #[serde(rename = "title")]
    _title: Value,
}

/// One attack, with all its variants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) construct: String,
    pub(crate) expected: String,
    http_status: u16,
    #[serde(default)]
    http_status_also_ok: Vec<u16>,
    /// By variant, instead of `http_status`.
    #[serde(default)]
    variant_status: BTreeMap<String, Vec<u16>>,
    token: Option<String>,
    #[serde(default)]
    tokens: BTreeMap<String, String>,
    request: Option<OneOrMany<WrittenRequest>>,
    /// The key set of issuer a for this case.
    pub(crate) jwks: Option<Value>,
    pub(crate) also_run_with: Option<String>,
    pub(crate) config_needed: Option<String>,
    #[serde(rename = "category")]
    _category: String,
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "layer")]
    _layer: String,
    #[serde(rename = "rfc")]
    _rfc: Vec<String>,
    #[serde(rename = "tier")]
    _tier: String,
    #[serde(rename = "materialised")]
    _materialised: bool,
    #[serde(rename = "assert_also")]
    _assert_also: Option<String>,
    #[serde(rename = "policy_note")]
    _policy_note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// The keys and tokens that the cases refer to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) jwks_a: Value,
    pub(crate) jwks_b: Value,
    pub(crate) jwks_a_noalg: Value,
    pub(crate) good: BTreeMap<String, String>,
    #[serde(rename = "extra_jwks")]
    _extra_jwks: Value,
    #[serde(rename = "note")]
    _note: String,
}

/// A variant of a case, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// The token's name, the request's number, or nothing where there is only one.
    pub(crate) name: String,
    pub(crate) request: Request,
}

impl Catalogue {
    pub(crate) fn read() -> Self {
        let file: File = read_json("attacks_dev.json");
        assert_eq!(file.cases.len(), file.count, "the catalogue is not whole");
        Self { cases: file.cases, keys: read_json("attack_keys_public.json") }
    }

    pub(crate) fn good(&self, name: &str) -> &str {
        &self.keys.good[name]
    }

    /// The variants of a case that are written out as tokens or requests; none if it is described in words.
    pub(crate) fn variants(&self, case: &Case) -> Vec<Variant> {
        let tokens: Vec<(&str, &str)> = case
            .token
            .iter()
            .map(|token| ("", token.as_str()))
            .chain(case.tokens.iter().map(|(name, token)| (name.as_str(), token.as_str())))
            .collect();
        let requests = case.requests();
        match (tokens.as_slice(), requests.as_slice()) {
            (tokens, []) => {
                let variant = |&(name, token): &(&str, &str)| Variant {
                    name: name.into(),
                    request: Request::get("/api/x").bearer(token),
                };
                tokens.iter().map(variant).collect()
            }
            // `{token}` without a token: which ones are meant stands in prose.
            ([], requests) if requests.iter().any(|request| request.asks_for_a_token()) => Vec::new(),
            ([], requests) => {
                let name = |index: usize| if requests.len() == 1 { String::new() } else { index.to_string() };
                let variant = |(index, request): (usize, &&WrittenRequest)| Variant {
                    name: name(index),
                    request: self.fill(request, ""),
                };
                requests.iter().enumerate().map(variant).collect()
            }
            (tokens, [request]) => {
                let variant =
                    |&(name, token): &(&str, &str)| Variant { name: name.into(), request: self.fill(request, token) };
                tokens.iter().map(variant).collect()
            }
            _ => panic!("{}: several tokens for several requests", case.id),
        }
    }

    fn fill(&self, request: &WrittenRequest, token: &str) -> Request {
        let fill = |text: &str| {
            let filled = [
                ("{good}", self.good("rs256")),
                ("{good-bob}", self.good("bob")),
                ("{good-write}", self.good("write")),
                ("{bad-signature}", self.good("bad_signature")),
                ("{token}", token),
            ]
            .into_iter()
            .fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value));
            assert!(!filled.contains('{'), "`{text}` holds a placeholder that is not known");
            filled
        };
        let start = Request::new(&request.method, &fill(&request.path));
        request.headers.iter().fold(start, |request, (name, value)| request.header(name, &fill(value)))
    }
}

impl Case {
    /// The statuses that the catalogue accepts for a variant.
    pub(crate) fn statuses(&self, variant: &str) -> Vec<u16> {
        let usual = || std::iter::once(self.http_status).chain(self.http_status_also_ok.iter().copied()).collect();
        self.variant_status.get(variant).cloned().unwrap_or_else(usual)
    }

    fn requests(&self) -> Vec<&WrittenRequest> {
        match &self.request {
            None => Vec::new(),
            Some(OneOrMany::One(request)) => vec![request],
            Some(OneOrMany::Many(requests)) => requests.iter().collect(),
        }
    }
}

impl WrittenRequest {
    fn asks_for_a_token(&self) -> bool {
        self.headers.iter().any(|(_, value)| value.contains("{token}"))
    }
}
