//! What a token that the gate signs says about its caller, settled as far as the caller's own token goes.

use jose::claims::NumericDate;
use jose::json::{Kind, Value, write};

use super::{ClaimSource, IdentityValue};
use crate::claims::ClaimRef;
use crate::heap;

/// A claim of a token that the gate signs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedClaim {
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub value: SignedValue,
}

/// Where the value of a claim comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignedValue {
    /// The caller; absent there, absent here.
    Caller(IdentityValue),
    /// The configuration: JSON.
    Fixed(String),
}

/// The claims about one caller.
#[derive(Clone, Debug)]
pub(crate) struct PreparedClaims {
    /// The members of a JSON object, each with a comma in front.
    pub(crate) members: Box<str>,
    /// The caller's own `exp`, in seconds since the epoch.
    pub(crate) exp: Option<u64>,
}

impl PreparedClaims {
    /// Those that `claims` ask for.
    pub(crate) fn new(claims: &[SignedClaim], source: &ClaimSource<'_>) -> Self {
        let mut members = String::new();
        let text = |name| source.claims.get(name).and_then(Value::as_str);
        if let Some(subject) = text("sub") {
            push(&mut members, "sub", &write::string(subject));
        }
        // One level, whatever the caller's token says of its own origin (RFC 8693 §4.1).
        let jti = text("jti").map(|jti| [",\"jti\":", &write::string(jti)].concat()).unwrap_or_default();
        push(&mut members, "act", &["{\"iss\":", &write::string(source.issuer), &jti, "}"].concat());
        for claim in claims {
            if let Some(value) = claim.value.json(source) {
                push(&mut members, &claim.name, &value);
            }
        }
        let exp = source.claims.get("exp").and_then(NumericDate::from_claim).map(NumericDate::floor);
        Self { members: members.into(), exp }
    }

    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::allocation(self.members.len())
    }
}

impl SignedValue {
    /// The claim of the caller that it is.
    pub(crate) fn claim(&self) -> Option<&ClaimRef> {
        match self {
            Self::Caller(IdentityValue::Claim(claim) | IdentityValue::Name(claim)) => Some(claim),
            _ => None,
        }
    }

    fn json(&self, source: &ClaimSource<'_>) -> Option<String> {
        match self {
            Self::Fixed(json) => Some(json.clone()),
            Self::Caller(value) => value.json(source),
        }
    }
}

impl IdentityValue {
    /// The value as it stands in JSON: what was a list stays one, and scopes are one text (RFC 8693 §4.2).
    fn json(&self, source: &ClaimSource<'_>) -> Option<String> {
        match self {
            Self::Claim(claim) | Self::Name(claim) => claim.find(source.claims).map(write::compact),
            Self::Groups => Some(list(source.groups)),
            Self::Issuer => Some(write::string(source.issuer)),
            Self::Scopes => (!source.scopes.is_empty()).then(|| write::string(&source.scopes.join(" "))),
            Self::VerifiedEmail => source.email().filter(|email| email.kind() == Kind::String).map(write::compact),
            // A configuration asks for none of these.
            Self::ClientIp | Self::Payload | Self::RequiredScopes | Self::Rule | Self::Satisfy | Self::Token => None,
        }
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| write::string(text)).collect();
    ["[", &texts.join(","), "]"].concat()
}

fn push(members: &mut String, name: &str, value: &str) {
    for part in [",", &write::string(name), ":", value] {
        members.push_str(part);
    }
}
