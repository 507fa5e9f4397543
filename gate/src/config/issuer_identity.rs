//! `issuer`, `tenants` and `trustDomain`: by what an issuer's tokens are known.

use super::reader::{Node, Object};
use crate::policy::{IssuerKind, SPIFFE, TenantPattern, Tenants, is_tenant, is_trust_domain};

/// By what an issuer's tokens are known.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) identifier: String,
    pub(super) kind: IssuerKind,
}

pub(super) fn read(object: &mut Object<'_, '_>) -> Option<Identity> {
    let trust_domain = object.optional("trustDomain");
    let tenants = object.optional("tenants");
    let issuer = match &trust_domain {
        None => object.required("issuer"),
        Some(_) => object.optional("issuer"),
    };
    if let (Some(node), Some(_)) = (&trust_domain, &issuer) {
        return node.fail("expected `issuer` or `trustDomain`, found both");
    }
    if let Some(node) = trust_domain {
        if let Some(tenants) = tenants {
            tenants.error("expected `issuer` beside it, with a placeholder such as `{tid}`, found `trustDomain`");
        }
        return read_trust_domain(&node);
    }
    // Read in any case, for its own mistakes.
    let listed = tenants.as_ref().map(read_tenants);
    let node = issuer?;
    let identifier = node.owned_text()?;
    if !identifier.contains(['{', '}', '*']) {
        if let Some(node) = tenants {
            return node.fail("expected a placeholder in `issuer`, such as `https://login.example.com/{tid}/v2.0`");
        }
        return Some(Identity { identifier, kind: IssuerKind::Exact });
    }
    let Some(pattern) = TenantPattern::parse(&identifier, Tenants::Any) else {
        return node.expected("an issuer without `*`, and with one placeholder at most, the name of a claim: `{tid}`");
    };
    match listed {
        Some(listed) => {
            let kind = IssuerKind::Tenants(pattern.with_tenants(listed?));
            Some(Identity { identifier, kind })
        }
        None => node.fail("expected `tenants` beside the placeholder: the tenants whose tokens are accepted, or `any`"),
    }
}

fn read_tenants(node: &Node<'_, '_>) -> Option<Tenants> {
    match node.value.as_str() {
        Some("any") => Some(Tenants::Any),
        Some(_) => node.expected("a list of tenants, or `any`"),
        None => node.list_of(read_tenant).map(Tenants::OneOf),
    }
}

fn read_tenant(node: &Node<'_, '_>) -> Option<String> {
    let tenant = node.text()?;
    match is_tenant(tenant) {
        true => Some(tenant.to_string()),
        false => node.expected("a tenant, without blanks, `/`, `?`, `#`, `{`, `}` and `*`"),
    }
}

fn read_trust_domain(node: &Node<'_, '_>) -> Option<Identity> {
    let name = node.text()?;
    match is_trust_domain(name) {
        true => Some(Identity { identifier: format!("{SPIFFE}{name}"), kind: IssuerKind::TrustDomain }),
        false => node.expected("the name of a trust domain, in lower case and without `spiffe://`: `example.org`"),
    }
}
