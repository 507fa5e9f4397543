//! `session.cookie`: the cookie that holds a session.

use std::net::Ipv4Addr;

use super::reader::{Node, Object};
use crate::http::is_header_name;
use crate::policy::{CookieSettings, PublicUrl, SameSite};

/// The name where browsers take it (RFC 6265bis §4.1.3), and elsewhere.
const SECURE_NAME: &str = "__Host-jotgate";
const PLAIN_NAME: &str = "jotgate";

/// Browsers drop a cookie whose name and value are longer than 4,096 octets together.
const LONGEST_NAME: usize = 64;

/// What of the cookie is read before it is put together.
#[derive(Clone, Debug, Default)]
struct Raw {
    name: Option<String>,
    same_site: SameSite,
    domain: Option<String>,
    is_persistent: bool,
}

pub(super) fn read(object: &mut Object<'_, '_>, public_url: Option<&PublicUrl>) -> Option<CookieSettings> {
    let node = object.optional("cookie");
    let raw = match &node {
        Some(node) => read_raw(node, public_url)?,
        None => Raw::default(),
    };
    let is_https = public_url?.uri.is_https;
    let default = if is_https { SECURE_NAME } else { PLAIN_NAME };
    let name = raw.name.unwrap_or_else(|| default.to_string());
    // Browsers take such a name over `http` from the machine that they run on, if the cookie is secure.
    let is_secure = is_https || has_prefix(&name, "__Host-") || has_prefix(&name, "__Secure-");
    let cookie = CookieSettings {
        name,
        same_site: raw.same_site,
        domain: raw.domain,
        is_persistent: raw.is_persistent,
        is_secure,
    };
    if let Some(node) = node {
        check(&node, &cookie);
    }
    Some(cookie)
}

fn read_raw(node: &Node<'_, '_>, public_url: Option<&PublicUrl>) -> Option<Raw> {
    let mut object = node.object()?;
    let name = object.or("name", None, |node| read_name(node).map(Some));
    let same_site = object.or("sameSite", SameSite::default(), |node| {
        node.word(&[("lax", SameSite::Lax), ("none", SameSite::None), ("strict", SameSite::Strict)])
    });
    let domain = object.unless_null("domain", None, |node| read_domain(node, public_url).map(Some));
    let is_persistent = object.or("persistent", false, Node::boolean);
    object.finish();
    Some(Raw { name: name?, same_site: same_site?, domain: domain?, is_persistent: is_persistent? })
}

/// Says what browsers would drop.
fn check(node: &Node<'_, '_>, cookie: &CookieSettings) {
    if cookie.domain.is_some() && has_prefix(&cookie.name, "__Host-") {
        let message = format!(
            "browsers take no `{}` with a domain (RFC 6265bis §4.1.3.2): give it another `name`, such as `__Secure-jotgate`",
            cookie.name
        );
        node.error_at("domain", message);
    }
    if cookie.same_site == SameSite::None && !cookie.is_secure {
        node.error_at("sameSite", "browsers take `none` for secure cookies only: `publicUrl` has to be `https`");
    }
}

/// Browsers compare prefixes without case (RFC 6265bis §4.1.3).
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn read_name(node: &Node<'_, '_>) -> Option<String> {
    let name = node.string()?;
    match is_header_name(name) && name.len() <= LONGEST_NAME {
        true => Some(name.to_string()),
        false => {
            node.expected(&format!("the name of a cookie (RFC 6265 §4.1.1), of at most {LONGEST_NAME} characters"))
        }
    }
}

/// The host of the public URL, or a domain above it: browsers drop others (RFC 6265 §5.3).
fn read_domain(node: &Node<'_, '_>, public_url: Option<&PublicUrl>) -> Option<String> {
    let domain = node.text()?;
    let Some(host) = public_url.map(|url| url.uri.host().to_string()) else { return Some(domain.to_string()) };
    let is_above = |host: &str| {
        host.strip_suffix(domain).is_some_and(|labels| labels.ends_with('.'))
            && domain.contains('.')
            && !domain.starts_with('.')
            && host.parse::<Ipv4Addr>().is_err()
    };
    match host == domain || is_above(&host) {
        true => Some(domain.to_string()),
        false => node.expected("the host of `publicUrl`, or a domain above it such as `example.com`, in lower case"),
    }
}
