//! Request authentications as issuers, credentials and identity headers.

use super::atoms::{Atom, Condition, Held};
use super::formula::Formula;
use super::headers::headers;
use super::keys::{algorithms, keys};
use super::locations::{credentials, is_same};
use super::notes::Notes;
use super::resources::{JwtRule, Presence, RequestAuthentication, Resource};
use crate::document::Node;
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
    /// Where the usual ones do not.
    algorithms: Vec<&'static str>,
    /// Every request needs a token of it.
    is_required: bool,
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
        issuers.headers = headers(&rules, notes);
        issuers.is_required = issuers.all.iter().any(|issuer| issuer.is_required);
        issuers.forward_token = rules.iter().all(|rule| rule.forward_original_token);
        issuers.check_required()?;
        issuers.check_split_claims()?;
        if issuers.credentials.is_empty() {
            let prefixes = rules.iter().flat_map(|rule| &rule.from_headers);
            let prefixes: Vec<_> =
                prefixes.map(|header| format!("`{}` of the header `{}`", header.prefix, header.name)).collect();
            return Err(format!(
                "no location of a token is left: expected a prefix that is an authentication scheme and a blank, such as \
                 `Bearer `, found {}",
                prefixes.join(", ")
            ));
        }
        issuers.compare(&rules, notes);
        Ok(issuers)
    }

    /// Whether a claim is split at blanks.
    pub(super) fn splits(&self, claim: &str) -> bool {
        self.all.iter().all(|issuer| issuer.split_claims.iter().any(|name| name == claim))
    }

    fn add(&mut self, rule: &JwtRule, notes: &mut Notes) -> Result<(), String> {
        for location in credentials(rule, notes) {
            if !self.credentials.iter().any(|known| is_same(known, &location)) {
                self.credentials.push(location);
            }
        }
        let is_required = rule.presence == Presence::Required;
        let keys = keys(rule, notes)?;
        let known = self.all.iter_mut().find(|known| known.iss == rule.issuer);
        match known {
            Some(known) if known.is_required != is_required || is_required => Err(format!(
                "the issuer `{}` is there twice, and `presence: REQUIRED`: one rule has to say it",
                known.iss
            )),
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
                    algorithms: algorithms(&keys, &rule.issuer, notes),
                    is_required,
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

    /// Jotgate takes one token of a request.
    fn check_required(&self) -> Result<(), String> {
        let required: Vec<_> = self.all.iter().filter(|issuer| issuer.is_required).collect();
        match required.as_slice() {
            [one, other, ..] => Err(format!(
                "`presence: REQUIRED` of several issuers (`{}`, `{}`) asks for a token of each in every request, and \
                 Jotgate takes one token: keep one of them here, and have the other one checked by the upstream or a \
                 second filter",
                one.iss, other.iss
            )),
            _ => Ok(()),
        }
    }

    /// Who may pass, where it has to be with a token of one of several issuers.
    pub(super) fn required(&self, allowed: &Condition, notes: &mut Notes) -> Option<Condition> {
        let required = self.all.iter().find(|issuer| issuer.is_required).filter(|_| self.all.len() > 1)?;
        notes.stricter(format!(
            "a token of `{}` is required, and in Istio one of another issuer may come with it: a request with both is \
             denied",
            required.iss
        ));
        let is_from = Formula::Atom(Atom::Token(Held::Issuer(required.name.clone())));
        let allowed = allowed.map(&|atom: &Atom| match atom {
            Atom::Token(Held::Issuer(name)) if *name == required.name => Formula::TRUE,
            Atom::Token(Held::Issuer(_)) => Formula::FALSE,
            atom => Formula::Atom(atom.clone()),
        });
        Some(Formula::All(vec![is_from, allowed]))
    }

    fn check_split_claims(&self) -> Result<(), String> {
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
            let members = [
                ("name", Node::of_text(issuer.name.clone())),
                ("issuer", Node::of_text(issuer.iss.clone())),
                ("audiences", audiences),
                ("keys", issuer.keys.clone()),
                ("scopeClaims", Node::of_texts(["scope"])),
            ];
            let algorithms = Node::of_texts(issuer.algorithms.iter().copied());
            let algorithms = (!issuer.algorithms.is_empty()).then_some(("algorithms", algorithms));
            Node::of_map(members.into_iter().chain(algorithms))
        }))
    }
}
