//! Request authentications as issuers, credentials and identity headers.

use super::notes::Notes;
use super::resources::{FromHeader, JwtRule, Presence, RequestAuthentication, Resource};
use crate::document::{Node, json_at};
use gate::http::HttpUri;

/// What request authentications come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuers {
    pub(super) all: Vec<Issuer>,
    /// The locations of tokens, as in `credentials`.
    pub(super) credentials: Vec<Node>,
    /// Header names, each with its value.
    pub(super) headers: Vec<(String, Node)>,
    pub(super) forward_token: bool,
    /// Every request needs a token.
    pub(super) is_required: bool,
}

/// An issuer.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) name: String,
    /// What `iss` is.
    pub(super) iss: String,
    audiences: Vec<String>,
    keys: Node,
    /// The claims that hold several values with blanks between them.
    split_claims: Vec<String>,
}

impl Issuers {
    /// Reads rules. `Err` says what leaves nothing to go on with.
    pub(super) fn new(authentications: &[&Resource<RequestAuthentication>], notes: &mut Notes) -> Result<Self, String> {
        let mut issuers = Self { forward_token: true, ..Self::default() };
        let rules: Vec<_> = authentications.iter().flat_map(|resource| &resource.spec.jwt_rules).collect();
        for rule in &rules {
            issuers.add(rule, notes)?;
        }
        if issuers.all.is_empty() {
            return Err(String::from("there is no issuer: expected a RequestAuthentication with `jwtRules`"));
        }
        issuers.is_required = rules.iter().any(|rule| rule.presence == Presence::Required);
        issuers.forward_token = rules.iter().all(|rule| rule.forward_original_token);
        issuers.check_headers(&rules)?;
        issuers.compare(&rules, notes);
        Ok(issuers)
    }

    /// Whether a claim is split at blanks.
    pub(super) fn splits(&self, claim: &str) -> bool {
        self.all.iter().all(|issuer| issuer.split_claims.iter().any(|name| name == claim))
    }

    fn add(&mut self, rule: &JwtRule, notes: &mut Notes) -> Result<(), String> {
        for location in credentials(rule, notes) {
            if !self.credentials.contains(&location) {
                self.credentials.push(location);
            }
        }
        if self.all.is_empty() {
            self.headers = headers(rule);
        }
        let keys = keys(rule, notes)?;
        let known = self.all.iter_mut().find(|known| known.iss == rule.issuer);
        match known {
            Some(known) if known.keys == keys => {
                known.audiences.extend(rule.audiences.iter().cloned());
                if known.audiences.is_empty() != rule.audiences.is_empty() {
                    return Err(format!(
                        "the issuer `{}` is there twice, once with audiences and once without",
                        rule.issuer
                    ));
                }
                Ok(())
            }
            Some(_) => Err(format!("the issuer `{}` is there twice, with different keys", rule.issuer)),
            None => {
                let usual = || vec![String::from("scope"), String::from("permission")];
                self.all.push(Issuer {
                    name: self.name_for(&rule.issuer),
                    iss: rule.issuer.clone(),
                    audiences: rule.audiences.clone(),
                    keys,
                    split_claims: rule.space_delimited_claims.clone().unwrap_or_else(usual),
                });
                Ok(())
            }
        }
    }

    fn name_for(&self, issuer: &str) -> String {
        let host = HttpUri::parse(issuer).map_or_else(|_| issuer.to_string(), |uri| uri.host().to_string());
        let plain =
            |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
        let name: String = host.chars().map(plain).collect();
        let name = name.trim_matches('-');
        let name = if name.is_empty() { "issuer" } else { name };
        let is_taken = |name: &str| self.all.iter().any(|issuer| issuer.name == name);
        let mut numbered = (2..).map(|number: u32| format!("{name}-{number}"));
        if is_taken(name) { numbered.find(|name| !is_taken(name)).unwrap_or_default() } else { name.to_string() }
    }

    /// Headers would be made of the tokens of all issuers: the upstream could take one user for another.
    fn check_headers(&self, rules: &[&JwtRule]) -> Result<(), String> {
        if rules.iter().any(|rule| headers(rule) != self.headers) {
            return Err(String::from(
                "the issuers differ in `outputClaimToHeaders` or `outputPayloadToHeader`, and identity headers are the \
                 same for all: translate them one by one, for hosts or paths of their own",
            ));
        }
        let split = |issuer: &Issuer| issuer.split_claims.clone();
        match self.all.iter().any(|issuer| Some(split(issuer)) != self.all.first().map(split)) {
            true => Err(String::from("the issuers differ in `spaceDelimitedClaims`: claims are read alike for all")),
            false => Ok(()),
        }
    }

    /// What is for all issuers here, and for some in Istio.
    fn compare(&self, rules: &[&JwtRule], notes: &mut Notes) {
        if !self.forward_token && rules.iter().any(|rule| rule.forward_original_token) {
            notes.stricter("`forwardOriginalToken` differs between issuers: no token is forwarded");
        }
        if rules.len() > 1 && rules.iter().any(|rule| credentials(rule, &mut Notes::default()) != self.credentials) {
            notes.other("tokens of every issuer are read from all of the `credentials`");
        }
        if self.headers.iter().any(|(_, value)| value.is_map()) {
            notes.other("a list in a claim is sent with commas in between, not as JSON in base64");
        }
        if self.all.iter().any(|issuer| issuer.audiences.is_empty()) {
            notes.other(
                "an issuer without `audiences` accepts tokens that are for other services: list what `aud` must name",
            );
        }
    }

    /// As `issuers` has them.
    pub(super) fn to_node(&self) -> Node {
        Node::of_list(self.all.iter().map(|issuer| {
            let audiences = match issuer.audiences.as_slice() {
                [] => Node::of_text("any"),
                audiences => Node::of_texts(audiences.iter().cloned()),
            };
            Node::of_map([
                ("name", Node::of_text(issuer.name.clone())),
                ("issuer", Node::of_text(issuer.iss.clone())),
                ("audiences", audiences),
                ("keys", issuer.keys.clone()),
                ("scopeClaims", Node::of_texts(["scope"])),
            ])
        }))
    }
}

/// What a rule sends to the upstream, by header.
fn headers(rule: &JwtRule) -> Vec<(String, Node)> {
    let payload = rule.output_payload_to_header.iter().map(|header| (header.clone(), Node::of_text("$claims")));
    let claims = rule.output_claim_to_headers.iter().map(|output| {
        // A value that no header can carry is omitted, as in Istio.
        let claim = ("claim", Node::of_text(output.claim.clone()));
        (output.header.clone(), Node::of_map([claim, ("onUnrepresentable", Node::of_text("omit"))]))
    });
    payload.chain(claims).collect()
}

/// Where a rule reads tokens, as in `credentials`.
fn credentials(rule: &JwtRule, notes: &mut Notes) -> Vec<Node> {
    let one = |kind: &str, name: &str| Node::of_map([(kind, Node::of_text(name))]);
    let mut locations: Vec<_> = rule.from_headers.iter().filter_map(|header| header_location(header, notes)).collect();
    locations.extend(rule.from_params.iter().map(|name| one("query", name)));
    locations.extend(rule.from_cookies.iter().map(|name| one("cookie", name)));
    if rule.from_headers.is_empty() && rule.from_params.is_empty() && rule.from_cookies.is_empty() {
        let bearer = [("header", Node::of_text("authorization")), ("scheme", Node::of_text("Bearer"))];
        locations.extend([Node::of_map(bearer), one("query", "access_token")]);
    }
    locations
}

fn header_location(header: &FromHeader, notes: &mut Notes) -> Option<Node> {
    let name = ("header", Node::of_text(header.name.to_ascii_lowercase()));
    let scheme = header.prefix.strip_suffix(' ').filter(|scheme| !scheme.is_empty() && !scheme.contains(' '));
    match (header.prefix.as_str(), scheme) {
        ("", _) => Some(Node::of_map([name])),
        (_, Some(scheme)) => Some(Node::of_map([name, ("scheme", Node::of_text(scheme))])),
        (prefix, None) => {
            let text = format!(
                "the prefix `{prefix}` of the header `{}` is no scheme with a blank: tokens there are not found",
                header.name
            );
            notes.stricter(text);
            None
        }
    }
}

/// As `keys` has them.
fn keys(rule: &JwtRule, notes: &mut Notes) -> Result<Node, String> {
    let timeout = rule.timeout.as_ref().map(|timeout| ("timeout", Node::of_text(timeout.clone())));
    let mut from = |uri: &str, member: (&'static str, Node)| {
        let uri = HttpUri::parse(uri)
            .map_err(|expected| format!("`{uri}` of the issuer `{}`: expected {expected}", rule.issuer))?;
        let server = uri.server();
        let (host, port) = server.rsplit_once(':').unwrap_or((&server, "443"));
        notes.other(format!(
            "the cluster `outbound|{port}||{host}` needs a ServiceEntry for that host, unless it is in the mesh, and a \
             DestinationRule for TLS"
        ));
        let cluster = ("cluster", Node::of_text(format!("outbound|{port}||{host}")));
        Ok(Node::of_map([member, cluster].into_iter().chain(timeout.clone())))
    };
    match (&rule.jwks, &rule.jwks_uri) {
        (Some(_), Some(_)) => Err(format!("the issuer `{}` has both `jwks` and `jwksUri`", rule.issuer)),
        (Some(text), None) => {
            let set = json_at(text, &(0..0));
            let set = set.ok_or_else(|| format!("the `jwks` of the issuer `{}` is not JSON", rule.issuer))?;
            Ok(Node::of_map([("inline", set)]))
        }
        (None, Some(uri)) => from(uri, ("jwksUri", Node::of_text(uri.clone()))),
        (None, None) => from(&rule.issuer, ("discovery", Node::of_map::<&str>([]))),
    }
}
