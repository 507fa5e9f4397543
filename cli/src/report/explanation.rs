//! An explanation as people read it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use inspect::explain::{
    AccessStep, CheckOutcome, CheckStep, CredentialStep, Decision, Explanation, LoginStep, Mismatch, Requirement,
    RuleStep, SenderStep, SessionStep, TokenStep, Upstream, UpstreamCredentialStep,
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// In colours, which are removed where the output is not a terminal.
pub(crate) fn text(explanation: &Explanation) -> String {
    let mut page = Page { has_session: explanation.session.is_some(), ..Page::default() };
    let Explanation { request, at, configuration, .. } = explanation;
    page.line(&format!("{} {}{}  {DIM}at {at}{DIM:#}", request.method, request.host, request.path));
    if !configuration.is_empty() {
        page.line(&format!("{DIM}{configuration}{DIM:#}"));
    }
    page.path(explanation);
    page.rules(&explanation.rules);
    if let Some(credential) = &explanation.credential {
        page.credential(credential);
    }
    if let Some(token) = &explanation.token {
        page.token(token);
    }
    if let Some(sender) = &explanation.sender {
        page.sender(sender);
    }
    if let Some(session) = &explanation.session {
        page.session(session);
    }
    if let Some(access) = &explanation.access {
        page.access(access);
    }
    if let Some(login) = &explanation.login {
        page.login(login);
    }
    page.upstream_credentials(&explanation.upstream_credentials);
    page.decision(&explanation.decision);
    for note in &explanation.notes {
        page.line(&format!("{UNSURE}note{UNSURE:#}: {note}"));
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    /// Whether a session says who the caller is, and no token.
    has_session: bool,
}

/// ✓ passed, ✗ failed, ? not known, - skipped.
#[derive(Clone, Copy)]
enum Mark {
    Failed,
    None,
    Passed,
    Unsure,
}

impl Page {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn head(&mut self, title: &str) {
        self.line(&format!("\n{title}"));
    }

    fn step(&mut self, depth: usize, mark: Mark, name: &str, detail: &str) {
        let (style, sign) = match mark {
            Mark::Failed => (BAD, "✗"),
            Mark::None => (DIM, "-"),
            Mark::Passed => (GOOD, "✓"),
            Mark::Unsure => (UNSURE, "?"),
        };
        let indent = "  ".repeat(depth);
        let line = format!("  {indent}{style}{sign}{style:#} {name:16}  {detail}");
        self.line(line.trim_end());
    }

    fn path(&mut self, explanation: &Explanation) {
        let path = &explanation.path;
        self.head("path");
        match &path.problem {
            Some(problem) => self.step(0, Mark::Failed, path.canonical.as_deref().unwrap_or("ambiguous"), problem),
            None => self.step(0, Mark::Passed, path.canonical.as_deref().unwrap_or_default(), ""),
        }
    }

    fn rules(&mut self, rules: &[RuleStep]) {
        if rules.is_empty() {
            return;
        }
        self.head("rules");
        for rule in rules {
            let why: Vec<_> = rule.mismatches.iter().map(mismatch).collect();
            match rule.matches {
                true => self.step(0, Mark::Passed, &rule.rule, "matches"),
                false => self.step(0, Mark::Failed, &rule.rule, &why.join("; ")),
            }
        }
        if !rules.iter().any(|rule| rule.matches) {
            self.step(0, Mark::None, "default", "no rule matches");
        }
    }

    fn credential(&mut self, credential: &CredentialStep) {
        self.head("credential");
        for location in &credential.locations {
            let mark = match location.found.as_str() {
                "nothing" => Mark::None,
                "credential" if location.used => Mark::Passed,
                "credential" | "foreign" => Mark::Unsure,
                _ => Mark::Failed,
            };
            let detail = match location.found.as_str() {
                _ if location.used && location.location == "session" => "a session, which is used",
                _ if location.used => "a token, which is used",
                "foreign" => "no JWT: it is forwarded as it came, without identity",
                found => found,
            };
            self.step(0, mark, &location.location, detail);
        }
        if let Some(reason) = &credential.reason {
            self.step(0, Mark::Failed, reason, credential.detail.as_deref().unwrap_or_default());
        }
    }

    fn sender(&mut self, sender: &SenderStep) {
        self.head("sender");
        let bound = match sender.bound_to.as_slice() {
            [] => String::from("the token is bound to nothing"),
            names => format!("the token is bound by {}", names.join(" and ")),
        };
        match (&sender.reason, &sender.detail) {
            (Some(reason), detail) => self.step(0, Mark::Failed, reason, detail.as_deref().unwrap_or_default()),
            (None, _) => self.step(0, Mark::Passed, "bound", &bound),
        }
    }

    fn token(&mut self, token: &TokenStep) {
        self.head("token");
        let is_skipped = |check: &&CheckStep| check.outcome == CheckOutcome::Skipped;
        for check in token.checks.iter().filter(|check| !is_skipped(check)) {
            let (mark, detail) = match check.outcome {
                CheckOutcome::Failed => (Mark::Failed, check.detail.clone()),
                CheckOutcome::Passed | CheckOutcome::Skipped => (Mark::Passed, check.detail.clone()),
                CheckOutcome::Trusted => (Mark::Unsure, String::from("not checked: trusted")),
                CheckOutcome::Unknown => (Mark::Unsure, check.detail.clone()),
            };
            self.step(0, mark, check.check, &detail);
        }
        let skipped: Vec<_> = token.checks.iter().filter(is_skipped).map(|check| check.check).collect();
        if !skipped.is_empty() {
            self.step(0, Mark::None, "skipped", &skipped.join(", "));
        }
    }

    fn session(&mut self, session: &SessionStep) {
        self.head("session");
        let issuer = session.issuer.as_deref().unwrap_or_default();
        self.step(0, Mark::None, "login", &format!("{}, at the issuer {issuer}, {}", session.login, session.created));
        if let Some(expires) = &session.expires {
            self.step(0, Mark::None, "expires", expires);
        }
        if let Some(claims) = &session.claims {
            self.step(0, Mark::None, "claims", &claims.to_string());
        }
        if let Some(reason) = &session.reason {
            self.step(0, Mark::Failed, reason, session.detail.as_deref().unwrap_or_default());
        }
    }

    fn login(&mut self, login: &LoginStep) {
        self.head(&format!("login ({})", login.login));
        self.step(0, Mark::None, "issuer", &login.issuer);
        let endpoint = match (&login.authorization, &login.discovery) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, discovery) => format!("as {} says", discovery.as_deref().unwrap_or("its discovery document")),
        };
        self.step(0, Mark::None, "authorization", &endpoint);
        self.step(0, Mark::None, "redirect URI", &login.redirect_uri);
        self.step(0, Mark::None, "scopes", &login.scopes.join(" "));
    }

    fn access(&mut self, access: &AccessStep) {
        let rule = access.rule.as_ref().map_or_else(|| String::from("default"), |rule| format!("rule {rule}"));
        self.head(&format!("access ({rule})"));
        match &access.requirement {
            Some(requirement) => self.requirement(0, requirement),
            None => self.line(&format!("  {}", access.asks)),
        }
    }

    fn requirement(&mut self, depth: usize, requirement: &Requirement) {
        let mark = match (requirement.met, &requirement.undecided) {
            (_, Some(_)) => Mark::Unsure,
            (Some(true), None) => Mark::Passed,
            (Some(false), None) => Mark::Failed,
            (None, None) => Mark::None,
        };
        // Of what has parts, the parts say why.
        let undecided = requirement.undecided.as_ref().filter(|_| requirement.parts.is_empty());
        let undecided = undecided.map(|why| format!("undecided: {why}"));
        let holder = if self.has_session { "session" } else { "token" };
        let found = requirement.found.as_ref().map(|found| format!("(the {holder} has: {found})"));
        let detail: Vec<_> = undecided.into_iter().chain(found).collect();
        self.step(depth, mark, &requirement.asks, &detail.join("  "));
        for part in &requirement.parts {
            self.requirement(depth.saturating_add(1), part);
        }
    }

    fn upstream_credentials(&mut self, credentials: &[UpstreamCredentialStep]) {
        if !credentials.is_empty() {
            self.head("credentials for the upstream");
        }
        for UpstreamCredentialStep { credential, header, source, made, claims } in credentials {
            let mark = if *made { Mark::Passed } else { Mark::None };
            let claims = claims.as_ref().map(|claims| format!(": {claims}")).unwrap_or_default();
            self.step(0, mark, credential, &format!("{source} in `{header}`{claims}"));
        }
    }

    fn decision(&mut self, decision: &Decision) {
        self.head("decision");
        let style = match decision.outcome.as_str() {
            "denied" => BAD,
            "undecided" => UNSURE,
            _ => GOOD,
        };
        let reason = decision.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let detail = decision.detail.as_ref().map(|detail| format!(", {detail}")).unwrap_or_default();
        self.line(&format!("  {style}{}{reason}{style:#}{detail}", decision.outcome));
        if let Some(answer) = &decision.answer {
            self.line(&format!("  the client gets {}", answer.status));
            for (name, value) in &answer.headers {
                self.line(&format!("    {name}: {value}"));
            }
            if !answer.body.is_empty() {
                self.line(&format!("    {}", answer.body));
            }
        }
        if let Some(upstream) = &decision.upstream {
            self.upstream(upstream);
        }
    }

    fn upstream(&mut self, upstream: &Upstream) {
        if upstream.set.is_empty() && upstream.removed.is_empty() {
            return self.line("  the upstream gets the request as it came");
        }
        self.line("  the upstream gets it with these changes");
        for name in &upstream.removed {
            self.line(&format!("    {BAD}-{BAD:#} {name}"));
        }
        for (name, value) in &upstream.set {
            self.line(&format!("    {GOOD}+{GOOD:#} {name}: {value}"));
        }
    }
}

fn mismatch(mismatch: &Mismatch) -> String {
    let expected = mismatch.expected.join(" or ");
    let found = mismatch.found.as_deref().unwrap_or("none");
    match mismatch.what {
        "header" => format!("header: expected `{expected}`, found {found}"),
        what => format!("{what}: expected {expected}, found {found}"),
    }
}
