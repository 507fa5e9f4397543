//! `senderConstraint`: what shows that the sender of a token is the one that it is bound to.

use std::time::Duration;

use jose::json::Kind;

use super::browser::Sections;
use super::reader::Node;
use super::{Environment, client_ip, duration, required_binding, secret};
use crate::binding::Nonces;
use crate::credentials::{CredentialLocations, PROOF_HEADER};
use crate::http::is_header_name;
use crate::policy::{CertificateSource, Dpop, Issuer, RequiredBinding, SenderConstraint};
use crate::rules::Rule;
use crate::sealing::SharedName;

const DEFAULT_WINDOW: Duration = Duration::from_mins(1);
/// With more, what is remembered of proofs fills what there is for it.
const MAX_WINDOW: Duration = Duration::from_mins(10);

/// The section, or what holds without it. Nonces may be made from the secrets of sessions.
pub(super) fn read(
    node: Option<&Node<'_, '_>>,
    sections: &Sections<'_, '_>,
    env: Environment<'_>,
) -> Option<SenderConstraint> {
    let proofs = SharedName::of_proofs(&secret::of_vms(env));
    let default_dpop = Dpop { window: DEFAULT_WINDOW, nonces: None, is_announced: false };
    let default = SenderConstraint {
        dpop: Some(default_dpop.clone()),
        mtls: CertificateSource::Connection,
        announces_certificates: false,
        require: RequiredBinding::None,
        is_required: false,
        proofs,
    };
    let Some(node) = node else { return Some(default) };
    let mut object = node.object()?;
    let dpop = object.or("dpop", Some(default_dpop), |node| match node.value.kind() {
        Kind::String => node.word(&[("off", None)]),
        _ => read_dpop(node, sections, env).map(Some),
    });
    let mtls = object.optional("mtls");
    let announces_certificates = mtls.is_some();
    let mtls = mtls.map_or(Some(CertificateSource::Connection), |node| read_mtls(&node));
    let require = object.or("require", default.require, required_binding::read);
    object.finish();
    Some(SenderConstraint { dpop: dpop?, mtls: mtls?, announces_certificates, require: require?, ..default })
}

/// Whether what is asked for can be had: of the top level, each issuer and each rule.
pub(super) fn check(root: &Node<'_, '_>, constraint: &SenderConstraint, issuers: &[Issuer], rules: &[Rule]) {
    let is_impossible = |require: RequiredBinding| {
        !require.is_met(constraint.dpop.is_some(), constraint.mtls != CertificateSource::Off)
    };
    let refuse = |member, of: &str| {
        root.error_at(member, [of, "requires tokens that nobody can use: what binds them is `off`"].concat());
    };
    if is_impossible(constraint.require) {
        refuse("senderConstraint", "`require` ");
    }
    for issuer in issuers.iter().filter(|issuer| is_impossible(issuer.require)) {
        refuse("issuers", &format!("`{}` ", issuer.name));
    }
    for rule in rules.iter().filter(|rule| rule.require.is_some_and(is_impossible)) {
        refuse("rules", &format!("`{}` ", rule.name));
    }
}

/// Whether the locations of tokens leave a place for those that come with a proof.
pub(super) fn with_proofs(
    locations: CredentialLocations,
    constraint: Option<&SenderConstraint>,
) -> CredentialLocations {
    match constraint.is_some_and(|constraint| constraint.dpop.is_some()) {
        true => locations.with_proofs(),
        false => locations,
    }
}

/// Proofs are for the gate: no upstream gets one, in whatever spelling of the name.
pub(super) fn with_stripped(
    mut strip: Vec<(String, bool)>,
    constraint: Option<&SenderConstraint>,
) -> Vec<(String, bool)> {
    if constraint.is_some_and(|constraint| constraint.dpop.is_some()) {
        strip.push((String::from(PROOF_HEADER), false));
    }
    strip
}

fn read_dpop(node: &Node<'_, '_>, sections: &Sections<'_, '_>, env: Environment<'_>) -> Option<Dpop> {
    let mut object = node.object()?;
    let window = object.or("window", DEFAULT_WINDOW, read_window);
    let nonces = object.or("nonce", None, |node| match node.value.as_bool() {
        Some(false) => Some(None),
        _ => read_nonces(node, sections, env).map(Some),
    });
    object.finish();
    Some(Dpop { window: window?, nonces: nonces?, is_announced: true })
}

fn read_window(node: &Node<'_, '_>) -> Option<Duration> {
    let window = duration::whole_seconds(node)?;
    match window > MAX_WINDOW {
        true => node.expected("a duration of at most 10m: each proof is remembered for as long"),
        false => Some(window),
    }
}

/// `true`, or secrets of their own.
fn read_nonces(node: &Node<'_, '_>, sections: &Sections<'_, '_>, env: Environment<'_>) -> Option<Nonces> {
    if node.value.as_bool() == Some(true) {
        return match sections.has_session() {
            // What is wrong with the section itself is told there.
            true => sections.keyring().map(Nonces::of_sessions),
            false => node
                .fail("expected a `session` whose `secrets` nonces are made from, or `nonce: {secrets: [{env: …}]}`"),
        };
    }
    let mut object = node.object()?;
    let secrets = object.required("secrets").and_then(|node| node.list_of(|node| secret::read_for_keys(node, env)));
    object.finish();
    Some(Nonces::new(&secrets?))
}

fn read_mtls(node: &Node<'_, '_>) -> Option<CertificateSource> {
    if node.value.kind() == Kind::String {
        return node.word(&[("connection", CertificateSource::Connection), ("off", CertificateSource::Off)]);
    }
    let mut object = node.object()?;
    let name = object.required("header").and_then(|node| {
        let name = node.string()?;
        if is_header_name(name) { Some(name.to_ascii_lowercase()) } else { node.expected("a header name") }
    });
    let trusted = object.required("trustedProxies").and_then(|node| client_ip::read_networks(&node));
    object.finish();
    Some(CertificateSource::Header { name: name?, trusted: trusted? })
}
