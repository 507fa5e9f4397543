//! `eks`: tokens for a cluster of Amazon EKS.

use std::time::Duration;

use aws::arn::RoleArn;
use aws::eks::ClusterName;
use aws::region::Region;
use aws::sts::{LEAST_DURATION, MOST_DURATION};

use super::super::reader::{Node, all};
use super::super::{access, duration};
use super::known::{Known, check_kept};
use super::name::read_name;
use crate::http::HttpUri;
use crate::policy::{Eks, Issuer, KeptToken, Role};
use crate::rules::Access;

const DURATION: Duration = Duration::from_hours(1);

pub(super) fn read(node: &Node<'_, '_>, known: Known<'_>) -> Option<Eks> {
    let mut object = node.object()?;
    let region = object.required("region").and_then(|node| read_region(&node));
    let cluster_name = object.required("clusterName").and_then(|node| read_cluster_name(&node));
    let sts = object.required("sts").and_then(|node| read_sts(&node, region.as_ref()));
    let roles = object.required("roles").and_then(|node| read_roles(&node, known.issuers));
    let duration = object.or("duration", DURATION, read_duration);
    object.finish();
    let keeps = check_kept(node, KeptToken::Id, known);
    let (sts, sts_cluster) = sts?;
    keeps?;
    Some(Eks { region: region?, cluster_name: cluster_name?, sts, sts_cluster, roles: roles?, duration: duration? })
}

fn read_region(node: &Node<'_, '_>) -> Option<Region> {
    Region::parse(node.string()?).or_else(|| node.expected(Region::EXPECTED))
}

fn read_cluster_name(node: &Node<'_, '_>) -> Option<ClusterName> {
    ClusterName::parse(node.string()?).or_else(|| node.expected(ClusterName::EXPECTED))
}

/// `{cluster, endpoint}`: where roles are assumed, and the proxy's name for its upstream.
fn read_sts(node: &Node<'_, '_>, region: Option<&Region>) -> Option<(HttpUri, String)> {
    let mut object = node.object()?;
    let cluster = object.required("cluster").and_then(|node| node.owned_text());
    let endpoint = object.unless_null("endpoint", None, |node| read_endpoint(node).map(Some));
    object.finish();
    let uri = match endpoint? {
        Some(endpoint) => endpoint,
        None => HttpUri { is_https: true, authority: region?.sts_host(), path: String::from("/") },
    };
    Some((uri, cluster?))
}

fn read_endpoint(node: &Node<'_, '_>) -> Option<HttpUri> {
    HttpUri::parse(node.string()?).map_err(|expected| node.expected::<()>(expected)).ok()
}

fn read_duration(node: &Node<'_, '_>) -> Option<Duration> {
    let duration = duration::whole_seconds(node)?;
    match (LEAST_DURATION..=MOST_DURATION).contains(&duration) {
        true => Some(duration),
        false => node.expected("a duration from `15m` to `12h`: so long are roles assumed"),
    }
}

fn read_roles(node: &Node<'_, '_>, issuers: Option<&[Issuer]>) -> Option<Vec<Role>> {
    let nodes = node.list()?;
    let roles: Vec<_> = nodes.iter().map(|node| read_role(node, issuers)).collect();
    for (index, (node, role)) in nodes.iter().zip(&roles).enumerate() {
        let Some(role) = role else { continue };
        if roles.iter().take(index).flatten().any(|earlier| earlier.name == role.name) {
            node.error(format!("the name `{}` is taken by an earlier role", role.name));
        }
    }
    all(roles.into_iter())
}

fn read_role(node: &Node<'_, '_>, issuers: Option<&[Issuer]>) -> Option<Role> {
    let mut object = node.object()?;
    let name = object.required("name").and_then(|node| read_name(&node));
    let arn = object
        .required("arn")
        .and_then(|node| RoleArn::parse(node.string()?).or_else(|| node.expected(RoleArn::EXPECTED)));
    let access = object.or("access", Access::Authenticated, |node| read_access(node, issuers));
    object.finish();
    Some(Role { name: name?, arn: arn?, access: access? })
}

/// What a rule may require, but for what depends on the request: a role is taken for many.
fn read_access(node: &Node<'_, '_>, issuers: Option<&[Issuer]>) -> Option<Access> {
    let access = access::read(node, issuers)?;
    let mut parts = Vec::new();
    access.requirement().inspect(|requirement| requirement.request_parts(&mut parts));
    match access {
        Access::Deny | Access::Optional | Access::Public => {
            node.expected("requirements, or `authenticated`: whoever has no role is refused")
        }
        Access::Authenticated | Access::Require(_) if parts.is_empty() => Some(access),
        Access::Authenticated | Access::Require(_) => node.fail(
            "a claim cannot be compared with a part of the request here: a role is taken for all requests of its user",
        ),
    }
}
