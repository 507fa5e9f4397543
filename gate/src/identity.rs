//! Identity headers: what is forwarded to the upstream about a verified caller.

mod signed;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use jose::json::Value;

pub(crate) use self::signed::PreparedClaims;
pub use self::signed::{SignedClaim, SignedValue};
pub use self::text::Form;
use self::text::Unrepresentable;
use crate::claims::ClaimRef;
use crate::heap;
use crate::http::HeaderEdit;

/// A header that the upstream gets.
#[derive(Clone, Debug)]
pub struct IdentityHeader {
    /// Its name, in lower case.
    pub name: Arc<str>,
    /// Its value: the first of these that is present.
    pub values: Vec<IdentityValue>,
    /// How a value with parts is written.
    pub form: Form,
    /// Whether it is left out where its value does not fit a header; otherwise the request is refused.
    pub omit: bool,
}

/// The value of an identity header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityValue {
    /// A claim.
    Claim(ClaimRef),
    /// The address of the client: see `client_ip`.
    ClientIp,
    /// The groups.
    Groups,
    /// The issuer, as `iss` has it.
    Issuer,
    /// A claim that names one person, such as `sub`: a string that is not empty, or the digits of a number.
    Name(ClaimRef),
    /// The payload of the token, in base64url without padding.
    Payload,
    /// The scopes that the rule asks for, with spaces between them.
    RequiredScopes,
    /// The name of the rule that let the request pass.
    Rule,
    /// Whether the rule asks for `all` of its scopes or `any`.
    Satisfy,
    /// The scopes, sorted.
    Scopes,
    /// The token itself.
    Token,
    /// `email`, if `email_verified` is true or the issuer's addresses count as verified.
    VerifiedEmail,
}

/// What the values of identity headers are taken from. Made from verified tokens only: see `principal`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimSource<'v> {
    /// As received, in the compact serialisation; a session may have kept none.
    pub(crate) token: Option<&'v str>,
    /// Its payload, if it is a JWT.
    pub(crate) payload: Option<&'v str>,
    pub(crate) claims: Value<'v>,
    pub(crate) issuer: &'v str,
    /// Each `email` of the issuer counts as verified.
    pub(crate) trusts_email: bool,
    pub(crate) scopes: &'v [String],
    pub(crate) groups: &'v [String],
    pub(crate) max_bytes: usize,
}

/// What headers may carry about a request and about its rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestFacts<'o> {
    pub(crate) rule: Option<&'o str>,
    pub(crate) required_scopes: Option<&'o str>,
    pub(crate) satisfy: Option<&'o str>,
    pub(crate) client_ip: Option<&'o str>,
    pub(crate) max_bytes: usize,
}

/// The identity header that cannot carry its value, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UnrepresentableHeader(pub(crate) Arc<str>);

/// An identity header, settled as far as the token goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PreparedHeader {
    name: Arc<str>,
    /// The first that is there counts; behind one that certainly is there is nothing.
    parts: Vec<Part>,
    omit: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    /// Known with the request.
    PerRequest(PerRequest),
    /// Known with the token.
    Text(Result<Arc<str>, Unrepresentable>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PerRequest {
    ClientIp,
    RequiredScopes,
    Rule,
    Satisfy,
}

impl IdentityHeader {
    /// A header with one value, in its usual form.
    pub(crate) fn plain(name: &str, value: IdentityValue) -> Self {
        Self { name: name.into(), values: vec![value], form: Form::Joined(None), omit: false }
    }

    /// The header, as far as the token goes.
    pub(crate) fn render(&self, source: &ClaimSource<'_>) -> PreparedHeader {
        PreparedHeader { name: Arc::clone(&self.name), parts: self.render_parts(source), omit: self.omit }
    }

    fn render_parts(&self, source: &ClaimSource<'_>) -> Vec<Part> {
        let mut parts = Vec::new();
        for value in &self.values {
            if let Some(per_request) = value.per_request() {
                parts.push(Part::PerRequest(per_request));
            } else if let Some(text) = value.text(source, &self.form).transpose() {
                parts.push(Part::Text(text.and_then(|text| text::check(&text, source.max_bytes).map(Arc::from))));
                break;
            }
        }
        parts
    }
}

impl IdentityValue {
    /// How a claim is read: `sub` and `email` name one person in every header.
    pub(crate) fn of_claim(reference: ClaimRef) -> Self {
        match reference.names_a_person() {
            true => Self::Name(reference),
            false => Self::Claim(reference),
        }
    }

    /// Whether this may be a list.
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self, Self::Claim(_) | Self::Groups | Self::Name(_) | Self::Scopes)
    }

    fn per_request(&self) -> Option<PerRequest> {
        match self {
            Self::ClientIp => Some(PerRequest::ClientIp),
            Self::RequiredScopes => Some(PerRequest::RequiredScopes),
            Self::Rule => Some(PerRequest::Rule),
            Self::Satisfy => Some(PerRequest::Satisfy),
            _ => None,
        }
    }

    fn text<'v>(&self, source: &ClaimSource<'v>, form: &Form) -> Result<Option<Cow<'v, str>>, Unrepresentable> {
        match self {
            Self::Claim(claim) => claim.find(source.claims).map_or(Ok(None), |claim| text::of_claim(claim, form)),
            Self::Groups => text::of_list(source.groups, ",", form),
            Self::Issuer => Ok(Some(source.issuer.into())),
            Self::Name(claim) => claim.find(source.claims).map_or(Ok(None), |claim| text::of_name(claim, form)),
            Self::Payload => Ok(source.payload.map(Cow::from)),
            Self::Scopes => text::of_list(source.scopes, " ", form),
            Self::Token => Ok(source.token.map(Cow::from)),
            Self::VerifiedEmail => source.email().map_or(Ok(None), |email| text::of_name(email, form)),
            Self::ClientIp | Self::RequiredScopes | Self::Rule | Self::Satisfy => Ok(None),
        }
    }
}

impl<'v> ClaimSource<'v> {
    /// `email`, if it counts as verified.
    fn email(&self) -> Option<Value<'v>> {
        let email = self.claims.get("email")?;
        (self.trusts_email || says_verified(self.claims)).then_some(email)
    }
}

/// OIDC Core §5.1 has a boolean there; some issuers write it as text.
pub(crate) fn says_verified(claims: Value<'_>) -> bool {
    let verified = claims.get("email_verified");
    verified.is_some_and(|verified| verified.as_bool() == Some(true) || verified.as_str() == Some("true"))
}

impl PreparedHeader {
    /// What it takes up in memory beside itself, in bytes, about. Its name is the configuration's.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::list(&self.parts, |part| match part {
            Part::Text(Ok(text)) => heap::shared(text),
            Part::PerRequest(_) | Part::Text(Err(Unrepresentable)) => 0,
        })
    }

    /// The header, with these facts; `None`: it is left out.
    pub(crate) fn complete(&self, facts: &RequestFacts<'_>) -> Result<Option<HeaderEdit>, UnrepresentableHeader> {
        let value = match facts.first_of(&self.parts) {
            Err(Unrepresentable) if self.omit => None,
            value => value.map_err(|Unrepresentable| UnrepresentableHeader(Arc::clone(&self.name)))?,
        };
        Ok(value.map(|value| HeaderEdit::Add(Arc::clone(&self.name), value)))
    }
}

impl RequestFacts<'_> {
    fn first_of(&self, parts: &[Part]) -> Result<Option<Arc<str>>, Unrepresentable> {
        for part in parts {
            match part {
                Part::Text(text) => return text.clone().map(Some),
                Part::PerRequest(per_request) => {
                    if let Some(text) = self.per_request(*per_request) {
                        return text::check(text, self.max_bytes).map(|text| Some(text.into()));
                    }
                }
            }
        }
        Ok(None)
    }

    fn per_request(&self, per_request: PerRequest) -> Option<&str> {
        match per_request {
            PerRequest::ClientIp => self.client_ip,
            PerRequest::RequiredScopes => self.required_scopes,
            PerRequest::Rule => self.rule,
            PerRequest::Satisfy => self.satisfy,
        }
    }
}

#[cfg(test)]
mod tests;
