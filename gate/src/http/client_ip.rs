//! The address of the client, as the proxies in front saw it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::request::Request;

/// Proxies whose word on where a request came from is taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// From the right of all `X-Forwarded-For` lines the first address that is no trusted proxy's; the left-most
    /// where all are. Without such a line the peer's own. Nothing, where something is reached that is no address.
    pub(crate) fn client_ip<'r>(&self, request: &Request<'r>) -> Option<&'r str> {
        let mut lines: Vec<_> = request.lines("x-forwarded-for").collect();
        lines.reverse();
        if lines.is_empty() {
            return address(request.peer()).map(|(text, _)| text);
        }
        let mut found = None;
        for element in lines.into_iter().flat_map(|line| line.rsplit(|&byte| byte == b',')) {
            let (text, address) = address(element)?;
            found = Some(text);
            if !self.contains(address) {
                break;
            }
        }
        found
    }

    /// Whether the request came from one of these.
    pub(crate) fn sent(&self, request: &Request<'_>) -> bool {
        address(request.peer()).is_some_and(|(_, address)| self.contains(address))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, address: IpAddr) -> bool {
        // `::ffff:10.0.0.1` is 10.0.0.1 on a socket for both families.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address as it is written, without port and brackets.
fn address(element: &[u8]) -> Option<(&str, IpAddr)> {
    let text = str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    if let Ok(address) = text.parse() {
        return Some((text, address));
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        let (host, _port) = text.rsplit_once(':')?;
        return Some((host.trim_matches(['[', ']']), socket.ip()));
    }
    let host = text.strip_prefix('[')?.strip_suffix(']')?;
    Some((host, IpAddr::V6(host.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HeaderLine;

    fn client_ip(trusted: &[&str], forwarded: &[&str], peer: &str) -> Option<String> {
        let proxies = TrustedProxies(trusted.iter().map(|network| network.parse().expect("is a network")).collect());
        let lines: Vec<HeaderLine<'_>> =
            forwarded.iter().map(|line| (&b"x-forwarded-for"[..], line.as_bytes())).collect();
        proxies.client_ip(&Request::new(&lines).with_peer(peer.as_bytes())).map(str::to_string)
    }

    #[test]
    fn trusted_proxies_are_skipped_from_the_right() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (forwarded, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["198.51.100.1, 203.0.113.9"], Some("203.0.113.9")),
            (&["203.0.113.9, 10.1.2.3"], Some("203.0.113.9")),
            (&["203.0.113.9 ,\t10.1.2.3 , 10.0.0.1"], Some("203.0.113.9")),
            (&["198.51.100.1", "203.0.113.9", "10.1.2.3"], Some("203.0.113.9")),
            (&["10.0.0.1, 10.0.0.2"], Some("10.0.0.1")),
            (&["10.0.0.1", "10.0.0.2"], Some("10.0.0.1")),
            (&["203.0.113.9, 2001:db8::1, [2001:db8::2]:443"], Some("203.0.113.9")),
            (&["203.0.113.9, ::ffff:10.0.0.1"], Some("203.0.113.9")),
            (&["::ffff:203.0.113.9"], Some("::ffff:203.0.113.9")),
            (&["203.0.113.9:1234"], Some("203.0.113.9")),
            (&["[2001:db9::1]:80"], Some("2001:db9::1")),
            (&["[2001:db9::1]"], Some("2001:db9::1")),
            (&["unknown, 203.0.113.9"], Some("203.0.113.9")),
            (&["unknown, 10.0.0.1"], None),
            (&["203.0.113.9, unknown"], None),
            (&["203.0.113.9,"], None),
            (&[""], None),
            (&["203.0.113.9, , 10.0.0.1"], None),
            (&["203.0.113.9:"], None),
            (&["203.0.113.9:99999"], None),
            (&["203.0.113.09"], None),
            (&["[203.0.113.9]"], None),
            (&["[2001:db9::1"], None),
            (&["fe80::1%eth0"], None),
            (&["203.0.113.9\u{a0}"], None),
        ] {
            assert_eq!(client_ip(&trusted, forwarded, "192.0.2.1:5").as_deref(), expected, "{forwarded:?}");
        }
    }

    #[test]
    fn without_proxies_the_right_most_counts_and_without_a_line_the_peer() {
        assert_eq!(client_ip(&[], &["203.0.113.9, 10.0.0.1"], "").as_deref(), Some("10.0.0.1"));
        assert_eq!(client_ip(&["192.0.2.0/24"], &[], "192.0.2.1:5").as_deref(), Some("192.0.2.1"));
        assert_eq!(client_ip(&[], &[], "[::1]:5").as_deref(), Some("::1"));
        assert_eq!(client_ip(&[], &[], "/run/socket"), None);
        assert_eq!(client_ip(&[], &[], ""), None);
    }
}
