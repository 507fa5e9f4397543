//! Istio's resources, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::document::{self, Divergent, Flaw, Node, typed};
use crate::finding::Finding;

/// A resource that says something about requests.
#[derive(Clone, Debug)]
pub(super) struct Resource<S> {
    /// `AuthorizationPolicy shop/orders`
    pub(super) title: String,
    pub(super) namespace: String,
    /// It is only tried out.
    pub(super) is_dry_run: bool,
    pub(super) target: Target,
    pub(super) spec: S,
}

/// What a resource applies to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Target {
    /// The labels of the workloads; none for all of them.
    pub(super) labels: BTreeMap<String, String>,
    /// `Gateway/shop`, of which one is enough.
    pub(super) references: Vec<String>,
}

/// All that files hold.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    pub(super) authentications: Vec<Resource<RequestAuthentication>>,
    pub(super) policies: Vec<Resource<AuthorizationPolicy>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RequestAuthentication {
    #[serde(default)]
    pub(super) jwt_rules: Vec<JwtRule>,
    selector: Option<Selector>,
    target_ref: Option<Reference>,
    #[serde(default)]
    target_refs: Vec<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct JwtRule {
    pub(super) issuer: String,
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    #[serde(alias = "jwks_uri")]
    pub(super) jwks_uri: Option<String>,
    pub(super) jwks: Option<String>,
    #[serde(default)]
    pub(super) from_headers: Vec<FromHeader>,
    #[serde(default)]
    pub(super) from_params: Vec<String>,
    #[serde(default)]
    pub(super) from_cookies: Vec<String>,
    #[serde(default)]
    pub(super) forward_original_token: bool,
    pub(super) output_payload_to_header: Option<String>,
    #[serde(default)]
    pub(super) output_claim_to_headers: Vec<ClaimToHeader>,
    pub(super) timeout: Option<String>,
    pub(super) space_delimited_claims: Option<Vec<String>>,
    #[serde(default)]
    pub(super) presence: Presence,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Presence {
    #[default]
    Optional,
    Required,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromHeader {
    pub(super) name: String,
    #[serde(default)]
    pub(super) prefix: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimToHeader {
    pub(super) header: String,
    pub(super) claim: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AuthorizationPolicy {
    #[serde(default)]
    pub(super) action: Action,
    #[serde(rename = "provider")]
    _provider: Option<Value>,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    selector: Option<Selector>,
    target_ref: Option<Reference>,
    #[serde(default)]
    target_refs: Vec<Reference>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Action {
    #[default]
    Allow,
    Audit,
    Custom,
    Deny,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    #[serde(default)]
    pub(super) from: Vec<From>,
    #[serde(default)]
    pub(super) to: Vec<To>,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// Names of fields, each with its values.
    pub(super) source: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    /// Likewise.
    pub(super) operation: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Condition {
    pub(super) key: String,
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) not_values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Selector {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "group")]
    _group: Option<String>,
    kind: String,
    name: String,
    #[serde(rename = "namespace")]
    _namespace: Option<String>,
}

/// What has a target.
trait Targeted: for<'d> Deserialize<'d> + Default {
    fn target(&self) -> Target;
}

impl Targeted for RequestAuthentication {
    fn target(&self) -> Target {
        Target::new(self.selector.as_ref(), self.target_ref.iter().chain(&self.target_refs))
    }
}

impl Targeted for AuthorizationPolicy {
    fn target(&self) -> Target {
        Target::new(self.selector.as_ref(), self.target_ref.iter().chain(&self.target_refs))
    }
}

impl Target {
    fn new<'r>(selector: Option<&Selector>, references: impl Iterator<Item = &'r Reference>) -> Self {
        Self {
            labels: selector.map(|selector| selector.match_labels.clone()).unwrap_or_default(),
            references: references.map(|target| format!("{}/{}", target.kind, target.name)).collect(),
        }
    }
}

impl From {
    /// The fields of a source.
    pub(super) const FIELDS: [&'static str; 14] = [
        "ipBlocks",
        "namespaces",
        "notIpBlocks",
        "notNamespaces",
        "notPrincipals",
        "notRemoteIpBlocks",
        "notRequestPrincipals",
        "notServiceAccounts",
        "notTrustDomains",
        "principals",
        "remoteIpBlocks",
        "requestPrincipals",
        "serviceAccounts",
        "trustDomains",
    ];
}

impl To {
    /// The fields of an operation.
    pub(super) const FIELDS: [&'static str; 8] =
        ["hosts", "methods", "notHosts", "notMethods", "notPaths", "notPorts", "paths", "ports"];
}

impl Resources {
    /// Adds the policies in a file; what is of another kind is skipped.
    pub fn read(&mut self, text: &str) -> Result<(), Finding> {
        let invalid = |flaw: Flaw| Finding::error("istio", "", flaw.message, flaw.span);
        let documents = document::read(text).map_err(invalid)?;
        let mut flaws = documents.iter().flat_map(|document| &document.flaws);
        if let Some(flaw) = flaws.find(|flaw| flaw.divergent == Divergent::Both) {
            return Err(invalid(flaw.clone()));
        }
        documents.iter().try_for_each(|document| self.read_manifest(&document.root))
    }

    fn read_manifest(&mut self, manifest: &Node) -> Result<(), Finding> {
        let kind = manifest.get("kind").and_then(Node::text).unwrap_or_default();
        match kind {
            "RequestAuthentication" => {
                self.authentications.push(resource(manifest, kind)?);
            }
            "AuthorizationPolicy" => {
                let found: Resource<AuthorizationPolicy> = resource(manifest, kind)?;
                check_fields(&found.spec, manifest)?;
                self.policies.push(found);
            }
            _ if kind.ends_with("List") => {
                let items = manifest.get("items").map(Node::elements).unwrap_or_default();
                items.iter().try_for_each(|item| self.read_manifest(item))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn resource<S: Targeted>(manifest: &Node, kind: &str) -> Result<Resource<S>, Finding> {
    let text = |path: &[&str]| manifest.find(path).and_then(Node::text).map(String::from);
    let name = text(&["metadata", "name"]).unwrap_or_default();
    let namespace = text(&["metadata", "namespace"]).unwrap_or_else(|| String::from("default"));
    // `spec: {}` and no spec at all are the same, and mean something.
    let spec: S = match manifest.get("spec").filter(|spec| spec.is_map()) {
        Some(spec) => typed(spec, "istio")?,
        None => S::default(),
    };
    Ok(Resource {
        title: format!("{kind} {namespace}/{name}"),
        is_dry_run: text(&["metadata", "annotations", "istio.io/dry-run"]).as_deref() == Some("true"),
        target: spec.target(),
        namespace,
        spec,
    })
}

/// An unknown field might be meant to deny requests.
fn check_fields(policy: &AuthorizationPolicy, manifest: &Node) -> Result<(), Finding> {
    let known = |fields: &BTreeMap<String, Vec<String>>, known: &[&str]| {
        let unknown = fields.keys().find(|name| !known.contains(&name.as_str()));
        unknown.map(|name| format!("unknown field `{name}`, expected one of `{}`", known.join("`, `")))
    };
    let empty = |fields: &BTreeMap<String, Vec<String>>| {
        fields
            .values()
            .all(Vec::is_empty)
            .then(|| String::from("expected a source or operation with members, as Istio does"))
    };
    let sources = policy.rules.iter().flat_map(|rule| &rule.from).map(|from| &from.source);
    let operations = policy.rules.iter().flat_map(|rule| &rule.to).map(|to| &to.operation);
    let problem = sources
        .map(|fields| known(fields, &From::FIELDS).or_else(|| empty(fields)))
        .chain(operations.map(|fields| known(fields, &To::FIELDS).or_else(|| empty(fields))))
        .flatten()
        .next();
    problem.map_or(Ok(()), |message| Err(Finding::error("istio", "spec.rules", message, manifest.span.clone())))
}
