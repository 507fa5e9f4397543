//! `clientIp`: whose word on where a request came from is taken.

use std::net::IpAddr;

use ipnet::IpNet;

use super::reader::Node;
use crate::http::TrustedProxies;

pub(super) fn read(node: &Node<'_, '_>) -> Option<TrustedProxies> {
    let mut object = node.object()?;
    let proxies = object.required("trustedProxies").and_then(|node| read_networks(&node));
    object.finish();
    proxies
}

/// `trustedProxies`.
pub(super) fn read_networks(node: &Node<'_, '_>) -> Option<TrustedProxies> {
    node.list_of(read_network).map(TrustedProxies::new)
}

/// `10.0.0.0/8`, or one address.
fn read_network(node: &Node<'_, '_>) -> Option<IpNet> {
    let text = node.string()?;
    let address = || text.parse().ok().map(|address: IpAddr| IpNet::from(address));
    let network: Option<IpNet> = text.parse().ok().or_else(address);
    let Some(network) = network else { return node.expected("a network such as `10.0.0.0/8`, or an address") };
    match network.trunc() == network {
        true => Some(network),
        false => node.expected(&format!("a network without bits behind its prefix, here `{}`", network.trunc())),
    }
}
