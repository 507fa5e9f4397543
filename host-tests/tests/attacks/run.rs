//! Running the catalogue against a host. Nothing stops at the first failure: the list at the end has them all.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalogue::{Case, Catalogue};
use crate::exchange::{Answer, Request, claims};
use crate::mint::Claims;
use crate::reasons;
use crate::setting::Setting;

/// Where the gate runs.
pub(crate) trait Host {
    /// What failures call it.
    fn name(&self) -> &'static str;

    /// Whether a proxy with a mind of its own stands around the gate, and time passes by itself.
    fn is_real(&self) -> bool;

    /// The time by the gate's clock, in seconds.
    fn now(&self) -> u64;

    /// Sends a request to the gate that is set up so.
    fn send(&mut self, setting: &Setting, request: &Request) -> Answer;
}

/// The catalogue on its way through a host.
pub(crate) struct Run<'r, H: Host> {
    pub(crate) host: &'r mut H,
    pub(crate) catalogue: &'r Catalogue,
    failures: Vec<String>,
    ran: BTreeSet<String>,
    /// `$JOTGATE_ATTACK`: the one case to run.
    only: Option<String>,
    /// Everything that was sent as a token.
    pub(crate) tokens: BTreeSet<String>,
}

impl<'r, H: Host> Run<'r, H> {
    pub(crate) fn new(host: &'r mut H, catalogue: &'r Catalogue) -> Self {
        let only = std::env::var("JOTGATE_ATTACK").ok();
        let is_known = |id: &String| catalogue.cases.iter().any(|case| case.id == *id);
        assert!(only.iter().all(is_known), "JOTGATE_ATTACK: there is no case {only:?}");
        Self { host, catalogue, failures: Vec::new(), ran: BTreeSet::new(), only, tokens: BTreeSet::new() }
    }

    /// Whether all cases run, and not one that was chosen.
    pub(crate) fn is_whole(&self) -> bool {
        self.only.is_none()
    }

    fn is_chosen(&self, id: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == id)
    }

    /// Every case whose tokens or requests are written out.
    pub(crate) fn written(&mut self) {
        for case in &self.catalogue.cases {
            if self.catalogue.variants(case).is_empty() || !self.is_chosen(&case.id) {
                continue;
            }
            let setting = setting(self.catalogue, case);
            self.variants(case, &setting, false);
            self.expect_good(&case.id, &setting);
            for (setting, are_valid) in also_run_with(self.catalogue, case) {
                self.variants(case, &setting, are_valid);
                self.expect_good(&case.id, &setting);
            }
            self.ran.insert(case.id.clone());
        }
    }

    fn variants(&mut self, case: &Case, setting: &Setting, are_valid: bool) {
        for variant in self.catalogue.variants(case) {
            let answer = self.send(setting, &variant.request);
            let statuses = match reasons::other_status(&case.id, &variant.name) {
                Some(status) => vec![status],
                None => case.statuses(&variant.name),
            };
            let verdict = if are_valid { Some("ok") } else { reasons::verdict(&case.id, &variant.name) };
            let is_silent = self.host.is_real() && reasons::is_refused_by_envoy(&case.id, &variant.name);
            let problem = match verdict {
                None => Err(format!(
                    "expected a verdict in the tests' table, found none; the gate says {}",
                    answer.verdict()
                )),
                Some(_) if is_silent && answer.upstream.is_none() => Ok(()),
                Some(verdict) => judge(&variant.request, &answer, verdict),
            };
            let problem = problem.and_then(|()| match are_valid || statuses.contains(&answer.status) {
                true => Ok(()),
                false => Err(format!("expected status {statuses:?}, found {}", answer.status)),
            });
            if let Err(problem) = problem {
                let Case { id, title, construct, expected, .. } = case;
                self.fail(&format!(
                    "{id} ({title}), variant `{}`, with {}: {construct}\n    the catalogue expects: {expected}\n    {problem}",
                    variant.name, setting.name
                ));
            }
        }
    }

    /// Plays a case that is described only.
    pub(crate) fn case(&mut self, id: &str, run: impl FnOnce(&mut Self)) {
        assert!(self.catalogue.cases.iter().any(|case| case.id == id), "there is no case {id}");
        if !self.is_chosen(id) {
            return;
        }
        let before = self.failures.len();
        run(self);
        for failure in &mut self.failures[before..] {
            failure.insert_str(0, &format!("{id}: "));
        }
        self.ran.insert(id.to_owned());
    }

    /// Sends a request that is to get this verdict.
    pub(crate) fn expect(&mut self, what: &str, setting: &Setting, request: &Request, verdict: &str) -> Answer {
        let answer = self.send(setting, request);
        if let Err(problem) = judge(request, &answer, verdict) {
            self.fail(&format!("{what}, with {}: {problem}", setting.name));
        }
        answer
    }

    /// A request that never passes, whatever the reason.
    pub(crate) fn expect_refusal(&mut self, what: &str, setting: &Setting, request: &Request) {
        let answer = self.send(setting, request);
        if answer.upstream.is_some() || !(400..=503).contains(&answer.status) {
            self.fail(&format!("{what}, with {}: expected a refusal, found {answer:?}", setting.name));
        }
    }

    /// The gate still lets through what is good.
    pub(crate) fn expect_good(&mut self, after: &str, setting: &Setting) {
        let good = match setting.name.as_str() {
            "own" => Claims::own(self.host.now()).token(),
            "odd-keys" => Claims::of("odd", self.host.now()).token(),
            "key-sets" => Claims::of("fine", self.host.now()).strangers_token(),
            // The keys of issuer a may be what the case spoils.
            name if self.catalogue.cases.iter().any(|case| case.id == name) => self.catalogue.good("provider_b").into(),
            _ => self.catalogue.good("rs256").into(),
        };
        self.expect(&format!("a good token after {after}"), setting, &Request::get("/api/x").bearer(&good), "ok");
    }

    pub(crate) fn check(&mut self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    pub(crate) fn fail(&mut self, failure: &str) {
        self.failures.push(format!("{failure} [{}]", self.host.name()));
    }

    fn send(&mut self, setting: &Setting, request: &Request) -> Answer {
        self.tokens.extend(request.token().map(str::to_owned));
        self.host.send(setting, request)
    }

    /// Panics with what failed, and with the cases that were neither run nor belong `elsewhere` (with a reason).
    pub(crate) fn finish(self, elsewhere: &[(&str, &str)]) {
        let known: BTreeSet<_> = self.catalogue.cases.iter().map(|case| case.id.clone()).collect();
        let stale: Vec<_> = reasons::cases().filter(|id| !known.contains(*id)).collect();
        assert!(stale.is_empty(), "the tests' tables have cases that the catalogue has not: {stale:?}");
        let skipped: BTreeSet<_> = known.difference(&self.ran).map(String::as_str).collect();
        let allowed: BTreeSet<_> = elsewhere.iter().map(|(id, _)| *id).collect();
        if self.is_whole() {
            assert_eq!(skipped, allowed, "cases that were not run, and those that need not be");
        }
        let (failed, sent) = (self.failures.len(), self.tokens.len());
        println!("{}: {} cases, {sent} different tokens", self.host.name(), self.ran.len());
        assert!(failed == 0, "{failed} failures:\n\n- {}", self.failures.join("\n- "));
    }
}

fn setting(catalogue: &Catalogue, case: &Case) -> Setting {
    match (&case.jwks, case.config_needed.as_deref()) {
        (Some(jwks), None) => Setting::key_set(catalogue, &case.id, jwks),
        // Preflights can be checked, and not yet be let through.
        (None, None | Some("run with preflight bypass on and off")) => Setting::baseline(catalogue),
        (None, Some("cookie source enabled")) => Setting::cookie(catalogue),
        (None, Some("query source enabled")) => Setting::query(catalogue),
        (_, other) => panic!("{}: there is no setting for {other:?}", case.id),
    }
}

/// In which other settings a case is run, and whether its tokens are good there.
fn also_run_with(catalogue: &Catalogue, case: &Case) -> Vec<(Setting, bool)> {
    let Some(text) = &case.also_run_with else { return Vec::new() };
    assert!(text.contains("jwks_a_noalg"), "{}: cannot be run with {text}", case.id);
    let without_alg = (Setting::without_alg(catalogue), text.contains("VALID"));
    let with_hs256 = text.contains("HS256").then(|| (Setting::with_hs256(catalogue), false));
    std::iter::once(without_alg).chain(with_hs256).collect()
}

/// Whether an answer is the one that is expected, and in itself as the contract says.
fn judge(request: &Request, answer: &Answer, verdict: &str) -> Result<(), String> {
    let found = answer.verdict();
    let is_hidden = found == "?" && verdict != "ok" && (request.is_grpc() || request.method == "HEAD");
    if !is_hidden && !verdict.split('|').any(|verdict| verdict == found) {
        return Err(format!("expected {verdict}, found {found}: {answer:?}"));
    }
    let problem = match found {
        "ok" => problem_of_a_forwarded(request, answer),
        _ => problem_of_a_refusal(request, answer, found),
    };
    problem.map_or(Ok(()), |problem| Err(format!("{problem}: {answer:?}")))
}

/// The upstream is told who calls, and nothing else; it sees no credential.
fn problem_of_a_forwarded(request: &Request, answer: &Answer) -> Option<String> {
    let token = request.token().filter(|_| !request.path.starts_with("/public/"));
    let expected = token.map_or_else(Vec::new, |token| identity_of(&claims(token)));
    let found = answer.identity();
    if found != expected.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>() {
        return Some(format!("expected the identity {expected:?}, found {found:?}"));
    }
    let signature = token.and_then(|token| token.rsplit('.').next());
    signature.filter(|signature| answer.upstream_saw(signature)).map(|_| "the upstream saw the token".to_owned())
}

/// What the baseline's identity headers are to say, sorted by name.
fn identity_of(claims: &Value) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = |value: &Value| match value {
        Value::Array(elements) if elements.iter().all(Value::is_string) => elements.iter().map(text).collect(),
        Value::String(scopes) => scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let mut scopes = [list(&claims["scope"]), list(&claims["scp"])].concat();
    scopes.sort_unstable();
    scopes.dedup();
    let named = |name: &str| Some(&claims[name]).filter(|value| !value.is_null()).map(text);
    let headers = [
        ("x-auth-email", named("email")),
        ("x-auth-groups", Some(list(&claims["groups"]).join(","))),
        ("x-auth-scopes", Some(scopes.join(" "))),
        ("x-auth-user", named("sub")),
    ];
    // Who has no name is not told as one whose name is empty.
    headers.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// The answers of the contract (2.1): challenge, no cache, a problem document, nothing of what the client sent.
fn problem_of_a_refusal(request: &Request, answer: &Answer, reason: &str) -> Option<String> {
    if answer.header("cache-control") != Some("no-store") {
        return Some("expected `cache-control: no-store`".into());
    }
    if let Some((name, _)) = answer.headers.iter().find(|(name, _)| name.starts_with("access-control-")) {
        return Some(format!("there is a header `{name}`"));
    }
    let whole = format!("{:?}{}", answer.headers, answer.body);
    if request.token().is_some_and(|token| token.split('.').any(|part| part.len() > 8 && whole.contains(part))) {
        return Some("the answer holds a part of the token".into());
    }
    if request.is_grpc() {
        let is_grpc = answer.status == 200
            && answer.header("grpc-status").is_some()
            && answer.header("content-type") == Some("application/grpc");
        return (!is_grpc || !answer.body.is_empty() && answer.body.starts_with('{'))
            .then(|| "expected a gRPC status".into());
    }
    let error = match (reason, answer.status) {
        ("missing_token", 401) => Some(""),
        ("malformed_credentials" | "ambiguous_credentials", 400) => Some(r#", error="invalid_request""#),
        (_, 401) => Some(r#", error="invalid_token", error_description=""#),
        ("insufficient_scope", 403) => Some(r#", error="insufficient_scope", scope=""#),
        _ => None,
    };
    let challenge = answer.header("www-authenticate");
    let fits = match (error, challenge) {
        (Some(""), Some(challenge)) => challenge == r#"Bearer realm="jotgate""#,
        (Some(error), Some(challenge)) => {
            let scheme = if reason == "bad_proof" { "DPoP" } else { "Bearer" };
            challenge.starts_with(&format!(r#"{scheme} realm="jotgate"{error}"#))
        }
        (expected, found) => expected.is_none() && found.is_none(),
    };
    if !fits {
        return Some(format!("expected a challenge with {error:?}, found {challenge:?}"));
    }
    let retry = answer
        .header("retry-after")
        .map(|seconds| seconds.parse().is_ok_and(|seconds: u32| (1..=60).contains(&seconds)));
    if retry != (answer.status == 503).then_some(true) {
        return Some("expected `retry-after` with a 503, and only there".into());
    }
    if request.method != "HEAD" {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let members: Vec<_> = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let is_problem = members == ["detail", "reason", "status", "title", "type"] && body["status"] == answer.status;
        return (!is_problem).then(|| "expected a problem document".into());
    }
    None
}
