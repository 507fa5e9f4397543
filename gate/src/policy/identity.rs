//! By what an issuer's tokens are known: an exact `iss`, one with a tenant in it, or a SPIFFE ID.

use jose::json::Value;

/// What stands in front of the trust domain in a SPIFFE ID.
pub(crate) const SPIFFE: &str = "spiffe://";

/// By what an issuer's tokens are known, beside its identifier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IssuerKind {
    /// `iss` is the identifier.
    Exact,
    /// `iss` is the identifier with a tenant in place of its placeholder.
    Tenants(TenantPattern),
    /// `sub` is a SPIFFE ID below the identifier (SPIFFE JWT-SVID §3.1).
    TrustDomain,
}

/// An `iss` with a placeholder for a tenant: `https://login.example.com/{tid}/v2.0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TenantPattern {
    prefix: String,
    /// The claim that names the tenant as well.
    claim: String,
    suffix: String,
    tenants: Tenants,
}

/// The tenants whose tokens are accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Tenants {
    /// All that the issuer has.
    Any,
    /// These.
    OneOf(Vec<String>),
}

impl TenantPattern {
    /// Reads an issuer with one placeholder, which takes the name of a claim.
    pub(crate) fn parse(text: &str, tenants: Tenants) -> Option<Self> {
        let (prefix, claim, suffix) = split_at_placeholder(text)?;
        let is_plain = |text: &str| !text.contains(['{', '}', '*']);
        (is_plain(prefix) && is_plain(suffix)).then(|| Self {
            prefix: prefix.to_string(),
            claim: claim.to_string(),
            suffix: suffix.to_string(),
            tenants,
        })
    }

    pub(crate) fn with_tenants(self, tenants: Tenants) -> Self {
        Self { tenants, ..self }
    }

    /// The claim that names the tenant as well.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// The tenants whose tokens are accepted.
    pub fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The `iss` of a tenant.
    pub fn issuer_of(&self, tenant: &str) -> String {
        format!("{}{tenant}{}", self.prefix, self.suffix)
    }

    /// The tenant in `iss`, if its tokens are accepted.
    pub(crate) fn tenant_in<'i>(&self, iss: &'i str) -> Option<&'i str> {
        let tenant = iss.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())?;
        let is_accepted = match &self.tenants {
            Tenants::Any => is_tenant(tenant),
            Tenants::OneOf(tenants) => tenants.iter().any(|known| known == tenant),
        };
        is_accepted.then_some(tenant)
    }

    /// Whether this is what the issuer calls itself in its discovery document: with a placeholder of its own at that
    /// position, as Entra ID does for `common`, or with an accepted tenant.
    pub(crate) fn is_in_document(&self, found: &str) -> bool {
        let is_placeholder = split_at_placeholder(found)
            .is_some_and(|(prefix, _, suffix)| prefix == self.prefix && suffix == self.suffix);
        is_placeholder || self.tenant_in(found).is_some()
    }

    /// Whether some `iss` is of both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (&self.tenants, &other.tenants) {
            (Tenants::OneOf(tenants), _) => tenants.iter().any(|one| other.tenant_in(&self.issuer_of(one)).is_some()),
            (_, Tenants::OneOf(_)) => other.overlaps(self),
            (Tenants::Any, Tenants::Any) => {
                let is_either =
                    |one: &str, other: &str, fits: fn(&str, &str) -> bool| fits(one, other) || fits(other, one);
                is_either(&self.prefix, &other.prefix, |one, other| one.starts_with(other))
                    && is_either(&self.suffix, &other.suffix, |one, other| one.ends_with(other))
            }
        }
    }
}

/// Whether a text can be a tenant: one part of a URI.
pub(crate) fn is_tenant(text: &str) -> bool {
    let is_odd = |byte: u8| byte <= b' ' || byte == 0x7f || b"/?#\\{}*".contains(&byte);
    !text.is_empty() && !text.bytes().any(is_odd)
}

/// Whether a key that says it is for `issuer` alone may sign tokens of `iss`. Where there is a placeholder, the tenant
/// takes its position.
pub(crate) fn is_key_for(issuer: &str, iss: &str) -> bool {
    let is_of_tenant = |(prefix, _, suffix): (&str, &str, &str)| {
        iss.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(is_tenant)
    };
    issuer == iss || split_at_placeholder(issuer).is_some_and(is_of_tenant)
}

/// The parts of a text around its first placeholder, and the name in that.
fn split_at_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (prefix, rest) = text.split_once('{')?;
    let (name, suffix) = rest.split_once('}')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (!name.is_empty() && name.bytes().all(is_name)).then_some((prefix, name, suffix))
}

/// Whether this is the name of a trust domain (SPIFFE-ID §2.1).
pub(crate) fn is_trust_domain(name: &str) -> bool {
    let is_known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    (1..=255).contains(&name.len()) && name.bytes().all(is_known)
}

/// The trust domain that a SPIFFE ID is in, as far as its beginning says: `spiffe://example.org`.
pub(crate) fn trust_domain_of(id: &str) -> Option<&str> {
    let name = id.strip_prefix(SPIFFE)?;
    let length = name.find('/').unwrap_or(name.len());
    id.get(..SPIFFE.len().saturating_add(length))
}

/// Whether this is the SPIFFE ID of a workload (SPIFFE-ID §2): a trust domain, and a path without empty and relative
/// segments, escapes, query or fragment.
pub(crate) fn is_workload(id: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_known);
    let parts = id.strip_prefix(SPIFFE).and_then(|rest| rest.split_once('/'));
    id.len() <= 2048 && parts.is_some_and(|(name, path)| is_trust_domain(name) && path.split('/').all(is_segment))
}

/// A claim, unless it is absent or null.
pub(crate) fn present<'d>(claims: Value<'d>, name: &str) -> Option<Value<'d>> {
    claims.get(name).filter(|claim| !claim.is_null())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn pattern(text: &str, tenants: &[&str]) -> TenantPattern {
        let tenants = match tenants {
            [] => Tenants::Any,
            tenants => Tenants::OneOf(tenants.iter().map(|tenant| (*tenant).to_string()).collect()),
        };
        TenantPattern::parse(text, tenants).expect(text)
    }

    #[test]
    fn the_placeholder_takes_one_tenant() {
        let any = pattern("https://login.example.com/{tid}/v2.0", &[]);
        assert_eq!((any.claim(), any.tenant_in("https://login.example.com/a-1/v2.0")), ("tid", Some("a-1")));
        for other in ["", "/", "a/b", "a?b", "a b", "a#b", "{tid}", "*"] {
            assert_eq!(any.tenant_in(&format!("https://login.example.com/{other}/v2.0")), None, "{other}");
        }
        for other in ["https://login.example.com/a/v2.0/", "https://login.example.com/v2.0", "x"] {
            assert_eq!(any.tenant_in(other), None, "{other}");
        }
        let listed = pattern("https://login.example.com/{tid}/v2.0", &["a"]);
        assert_eq!(listed.tenant_in("https://login.example.com/a/v2.0"), Some("a"));
        assert_eq!(listed.tenant_in("https://login.example.com/A/v2.0"), None);
        // Prefix and suffix do not share bytes.
        assert_eq!(pattern("ab{x}ba", &[]).tenant_in("aba"), None);
    }

    #[test]
    fn issuers_have_one_placeholder_and_it_names_a_claim() {
        for refused in
            ["https://a", "a/{}", "a/{b", "a/b}", "a/{b}/{c}", "a/{b c}", "a/{{b}}", "a/{b}/*", "a*/{b}", "a/}{b}"]
        {
            assert_eq!(TenantPattern::parse(refused, Tenants::Any), None, "{refused}");
        }
    }

    #[test]
    fn patterns_overlap_where_some_issuer_is_of_both() {
        let overlap = |one: &TenantPattern, other: &TenantPattern| {
            assert_eq!(one.overlaps(other), other.overlaps(one));
            one.overlaps(other)
        };
        let any = pattern("https://a/{t}/v2", &[]);
        assert!(overlap(&any, &pattern("https://a/{u}/v2", &["b"])));
        assert!(overlap(&any, &pattern("https://a/{u}/v2", &[])));
        assert!(overlap(&any, &pattern("https://{u}", &[])), "for all that is known");
        assert!(!overlap(&any, &pattern("https://b/{t}/v2", &[])));
        assert!(!overlap(&any, &pattern("https://a/{t}/v1", &[])));
        assert!(!overlap(&pattern("https://a/{t}/v2", &["b"]), &pattern("https://a/{t}/v2", &["c"])));
    }

    #[test]
    fn documents_have_a_placeholder_of_their_own_or_an_accepted_tenant() {
        let listed = pattern("https://login.example.com/{tid}/v2.0", &["a"]);
        for (found, is_it) in [
            ("https://login.example.com/{tenantid}/v2.0", true),
            ("https://login.example.com/{tid}/v2.0", true),
            ("https://login.example.com/a/v2.0", true),
            ("https://login.example.com/b/v2.0", false),
            ("https://login.example.com/{}/v2.0", false),
            ("https://login.example.org/{tenantid}/v2.0", false),
        ] {
            assert_eq!(listed.is_in_document(found), is_it, "{found}");
        }
    }

    #[test]
    fn keys_are_for_the_issuer_that_they_name() {
        for (issuer, iss, is_it) in [
            ("https://a/b", "https://a/b", true),
            ("https://a/b", "https://a/c", false),
            ("https://a/{tenantid}/v2", "https://a/b/v2", true),
            ("https://a/{tenantid}/v2", "https://a/b/c/v2", false),
            ("https://a/{tenantid}/v2", "https://a//v2", false),
            ("https://a/{tenantid}/v2", "https://b/b/v2", false),
            ("https://a/{}/v2", "https://a/b/v2", false),
            ("", "https://a", false),
        ] {
            assert_eq!(is_key_for(issuer, iss), is_it, "{issuer} {iss}");
        }
    }

    #[test]
    fn workloads_have_a_trust_domain_and_a_path() {
        assert!(is_workload("spiffe://example.org/ns/shop/sa/web") && is_workload("spiffe://a_1.b-c/X.y_Z-0/..."));
        for refused in [
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org//a",
            "spiffe://example.org/a/",
            "spiffe://example.org/a//b",
            "spiffe://example.org/.",
            "spiffe://example.org/a/../b",
            "spiffe:///a",
            "spiffe://Example.org/a",
            "SPIFFE://example.org/a",
            "https://example.org/a",
            "spiffe:/example.org/a",
            "spiffe://example.org:80/a",
            "spiffe://u@example.org/a",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe://example.org/a%2Fb",
            "spiffe://example.org/a b",
            "spiffe://example.org/\u{e9}",
            "",
        ] {
            assert!(!is_workload(refused), "{refused}");
        }
        assert!(!is_workload(&format!("spiffe://example.org/{}", "a".repeat(2048))));
        assert_eq!(trust_domain_of("spiffe://example.org.evil.org/a"), Some("spiffe://example.org.evil.org"));
        assert_eq!(trust_domain_of("spiffe://example.org"), Some("spiffe://example.org"));
    }
}
