//! What a token request may ask for, as query parameters or as a JSON object.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::BadRequest;
use crate::flaws::Flaw;

/// What a token should be like; all members are optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenRequest {
    /// The subject, by default `alice`.
    pub sub: Option<String>,
    /// The `scope` claim.
    pub scope: Option<String>,
    /// The `groups` claim: a list, or text with commas.
    #[serde(deserialize_with = "names")]
    pub groups: Option<Vec<String>>,
    /// The audience: one or several (a list, or text with commas); by default the issuer's.
    #[serde(deserialize_with = "names")]
    pub aud: Option<Vec<String>>,
    /// Seconds until it expires, by default 600; a negative number makes an expired token.
    pub lifetime: Option<i64>,
    /// Which of the issuer's keys signs, by default the first.
    pub alg: Option<String>,
    /// A `kid` other than the key's.
    pub kid: Option<String>,
    /// A `typ` other than `JWT`.
    pub typ: Option<String>,
    /// Other claims; they replace those above, and null removes one.
    pub claims: Map<String, Value>,
    /// Other header members; they replace the usual ones, and null removes one.
    pub header: Map<String, Value>,
    /// Instead of a JWT, a token that begins with this text, and that only the issuer can read: it tells the claims to
    /// who asks.
    pub opaque: Option<String>,
    /// What is wrong with it.
    pub flaw: Flaw,
}

impl TokenRequest {
    /// A token for that subject, otherwise ordinary.
    pub fn subject(subject: impl Into<String>) -> Self {
        Self { sub: Some(subject.into()), ..Self::default() }
    }

    /// The request in a query string and a JSON body, either of which may be empty; the body's members win.
    pub(super) fn parse(query: &str, body: &[u8]) -> Result<Self, BadRequest> {
        let mut members = Map::new();
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| BadRequest::new(format!("query: {error}")))?;
        for (name, text) in pairs {
            let value = value_of(&name, text)?;
            if members.insert(name.clone(), value).is_some() {
                return Err(BadRequest::new(format!("query: `{name}` is given twice")));
            }
        }
        if !body.is_empty() {
            let body: Map<String, Value> =
                serde_json::from_slice(body).map_err(|error| BadRequest::new(format!("body: {error}")))?;
            members.extend(body);
        }
        serde_json::from_value(Value::Object(members)).map_err(|error| BadRequest::new(error.to_string()))
    }
}

/// Query parameters are text, except for those that are JSON by their meaning.
fn value_of(name: &str, text: String) -> Result<Value, BadRequest> {
    if matches!(name, "claims" | "header" | "lifetime") {
        serde_json::from_str(&text).map_err(|error| BadRequest::new(format!("query: `{name}`: {error}")))
    } else {
        Ok(Value::String(text))
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let name = |value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(serde::de::Error::custom(format!("expected a name, found `{other}`"))),
    };
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(Some(Vec::new())),
        Value::String(text) => Ok(Some(text.split(',').map(str::to_owned).collect())),
        Value::Array(values) => values.into_iter().map(name).collect::<Result<_, _>>().map(Some),
        other => Err(serde::de::Error::custom(format!("expected names, found `{other}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_body_mean_the_same() {
        let query = TokenRequest::parse(
            "sub=bob&scope=a+b&groups=x,y&aud=one&lifetime=-5&claims=%7B%22n%22%3A1%7D&flaw=alg-none",
            b"",
        );
        let body = br#"{"sub": "bob", "scope": "a b", "groups": ["x", "y"], "aud": "one", "lifetime": -5,
            "claims": {"n": 1}, "flaw": "alg-none"}"#;
        assert!(query.is_ok(), "{query:?}");
        assert_eq!(query, TokenRequest::parse("", body));
    }

    #[test]
    fn mistakes_are_named() {
        let message = |query: &str| TokenRequest::parse(query, b"").map_err(|error| error.to_string());
        let expected = "unknown field `subject`, expected one of";
        assert!(message("subject=a").is_err_and(|message| message.starts_with(expected)));
        assert!(message("flaw=odd").is_err_and(|message| message.starts_with("unknown variant `odd`")));
        assert!(message("lifetime=soon").is_err_and(|message| message.starts_with("query: `lifetime`:")));
        assert_eq!(message("sub=a&sub=b"), Err("query: `sub` is given twice".to_owned()));
    }
}
