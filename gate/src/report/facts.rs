//! What operators get to know of a request: a metric, a line for the log, properties for the access log.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::answer::Refusal;
use crate::callers::{Claimed, Entry, Failure, Principal, Verification};
use crate::http::{CanonicalPath, Request};
use crate::json_text;
use crate::policy::Policy;
use crate::report::{Metric, Reason};
use crate::rules::Shadowed;
use crate::trail::Trail;

/// The longest value in a log line, in bytes.
const MAX_VALUE: usize = 256;

/// What operators get to know of one request that was decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The counter to increase by one; none for what the gate itself was asked.
    pub metric: Option<Metric>,
    /// A line for the log, for refusals. Never holds a token, a cookie, a query or a key.
    pub log: Option<String>,
    /// The response code details of an answer.
    pub details: Option<String>,
    decision: Option<&'static str>,
    issuer: Option<Arc<str>>,
    reason: Option<Reason>,
    rule: Option<Arc<str>>,
    session: Option<Arc<str>>,
    subject: Option<Arc<str>>,
}

impl Report {
    /// Properties of the request, by name.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let known = [
            ("jotgate_decision", self.decision),
            ("jotgate_issuer", self.issuer.as_deref()),
            ("jotgate_reason", self.reason.map(Reason::name)),
            ("jotgate_rule", self.rule.as_deref()),
            ("jotgate_session", self.session.as_deref()),
            ("jotgate_subject", self.subject.as_deref()),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What was learned of a request on the way to its decision. Rule and issuer by index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rule: Option<usize>,
    pub(crate) issuer: Option<usize>,
    pub(crate) kid: Option<Arc<str>>,
    /// Only of a token that was verified.
    pub(crate) subject: Option<Arc<str>>,
    /// What logs call the session.
    pub(crate) session: Option<Arc<str>>,
    pub(crate) checked_signature: bool,
    /// What is to be said of a claim that is at fault: its name and type, never its value.
    pub(crate) detail: Option<Arc<str>>,
    /// The token was known.
    pub(crate) was_cached: bool,
}

impl Facts {
    /// The caller is known for certain.
    fn know(&mut self, principal: &Principal) {
        self.issuer = Some(principal.issuer());
        self.subject = principal.subject().cloned();
    }

    /// The report on a request that passes.
    pub(crate) fn allowed(self, policy: &Policy) -> Report {
        Report { metric: Some(Metric::Allowed), ..self.report(policy, "allowed", None) }
    }

    /// The report on a request that the gate itself answers.
    pub(crate) fn answered(self, policy: &Policy, details: &str) -> Report {
        let details = Some(String::from(details));
        Report { details, ..self.report(policy, "answered", None) }
    }

    /// The report on a request that is refused.
    pub(crate) fn denied(self, policy: &Policy, refusal: &Refusal, request: &Request<'_>) -> Report {
        let reason = refusal.reason;
        Report {
            metric: Some(Metric::Denied(reason)),
            log: Some(format!("request refused: {}", self.line(policy, refusal, request))),
            details: Some(format!("jotgate_{}", reason.name())),
            ..self.report(policy, "denied", Some(reason))
        }
    }

    /// The report on a request that is refused in audit mode, and passes.
    pub(crate) fn audited(self, policy: &Policy, refusal: &Refusal, request: &Request<'_>) -> Report {
        let reason = refusal.reason;
        Report {
            metric: Some(Metric::Audited(reason)),
            log: Some(format!("request would be refused: {}", self.line(policy, refusal, request))),
            ..self.report(policy, "audited", Some(reason))
        }
    }

    fn report(self, policy: &Policy, decision: &'static str, reason: Option<Reason>) -> Report {
        let log = policy.access_log;
        Report {
            metric: None,
            log: None,
            details: None,
            decision: Some(decision).filter(|_| log.decision),
            issuer: self.issuer_name(policy).filter(|_| log.issuer).cloned(),
            reason: reason.filter(|_| log.reason),
            // Access logs print them as they are.
            rule: self.rule_name(policy).filter(|_| log.rule).cloned().map(json_text::field),
            session: self.session.filter(|_| log.session),
            subject: self.subject.filter(|_| log.subject).map(json_text::field),
        }
    }

    fn line(&self, policy: &Policy, refusal: &Refusal, request: &Request<'_>) -> String {
        let reason = refusal.reason;
        let mut line = format!("reason={}", reason.name());
        // A fragment is no part of a request, and may hold what a query holds.
        let path = request.path_without_query().split(|&byte| byte == b'#').next().unwrap_or_default();
        for (key, value) in [
            ("rule", self.rule_name(policy).map(|name| name.as_bytes())),
            ("issuer", self.issuer_name(policy).map(|name| name.as_bytes())),
            ("kid", self.kid.as_deref().map(str::as_bytes)),
            ("subject", self.subject.as_deref().map(str::as_bytes)),
            ("detail", self.detail_of(reason).or(refusal.detail.as_deref()).map(str::as_bytes)),
            ("method", Some(request.method())),
            ("path", Some(path)),
        ] {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(line, " {key}={}", quoted(value));
            }
        }
        line
    }

    /// What more is to be said of `reason`.
    pub(crate) fn detail_of(&self, reason: Reason) -> Option<&str> {
        let is_about_claims = matches!(reason, Reason::BadClaim | Reason::WrongAudience);
        self.detail.as_deref().filter(|_| is_about_claims)
    }

    fn rule_name<'p>(&self, policy: &'p Policy) -> Option<&'p Arc<str>> {
        self.rule.and_then(|index| policy.rules.get(index)).map(|rule| &rule.name)
    }

    fn issuer_name<'p>(&self, policy: &'p Policy) -> Option<&'p Arc<str>> {
        self.issuer.and_then(|index| policy.issuers.get(index)).map(|issuer| &issuer.name)
    }
}

impl Trail for Facts {
    fn rule(&mut self, _: &Policy, _: &Request<'_>, _: &CanonicalPath<'_>, found: &Result<Option<usize>, Shadowed>) {
        self.rule = found.as_ref().ok().copied().flatten();
    }

    fn known(&mut self, entry: &Entry) {
        self.session = entry.session.as_ref().map(|open| Arc::clone(&open.log_id));
        self.was_cached = entry.session.is_none();
        self.kid.clone_from(&entry.kid);
        self.know(&entry.principal);
    }

    fn token(&mut self, _: &Verification<'_>, _: &[u8], claimed: Claimed, outcome: Result<&Principal, &Failure>) {
        self.checked_signature = claimed.checked_signature();
        self.kid = claimed.kid;
        self.issuer = claimed.issuer;
        self.detail = claimed.detail.map(Arc::from);
        if let Ok(principal) = outcome {
            self.know(principal);
        }
    }

    fn odd_groups(&mut self, detail: &Arc<str>) {
        self.detail = Some(Arc::clone(detail));
    }
}

/// A value as it is where it is plain; otherwise as a JSON string, so that no value can pass for another field.
fn quoted(value: &[u8]) -> String {
    let cut = value.get(..MAX_VALUE).unwrap_or(value);
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._~:/@+-".contains(byte);
    let text = String::from_utf8_lossy(cut);
    match !value.is_empty() && cut.iter().all(is_plain) {
        true => text.into_owned(),
        false => json_text::string(&text),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::testing::policy;
    use serde_json::json;

    #[test]
    fn values_that_are_not_plain_are_quoted_and_cut() {
        assert_eq!(quoted(b"a.b_c~d:/@+-9"), "a.b_c~d:/@+-9");
        assert_eq!(quoted(b""), "\"\"");
        assert_eq!(quoted(b"a b=c\"\r\n"), r#""a b=c\"\r\n""#);
        assert_eq!(quoted(&[0xff, b'a']), "\"\u{fffd}a\"");
        assert_eq!(
            quoted("Jos\u{e9}\u{7f}\u{85}\u{9b}\u{2028}\u{202e}".as_bytes()),
            "\"Jos\u{e9}\\u007f\\u0085\\u009b\\u2028\\u202e\""
        );
        assert_eq!(quoted(&[b'a'; 1000]).len(), MAX_VALUE);
    }

    #[test]
    fn no_property_leaves_its_field_in_the_access_log() {
        let policy = policy(&json!({"rules": [{"name": "a\"b", "access": "authenticated"}]}));
        let subject = Some("a\nb\u{2028}\" rule=\"admin\u{202e}".into());
        let facts = Facts { subject, issuer: Some(0), rule: Some(0), ..Facts::default() };
        let report = facts.allowed(&policy);
        let properties: Vec<_> = report.properties().collect();
        let expected = [
            ("jotgate_decision", "allowed"),
            ("jotgate_issuer", "main"),
            ("jotgate_rule", r#"a\"b"#),
            ("jotgate_subject", r#"a\nb\u2028\" rule=\"admin\u202e"#),
        ];
        assert_eq!(properties, expected);
    }

    #[test]
    fn properties_that_are_not_listed_cost_no_call() {
        let report = |listed: serde_json::Value| {
            let policy = policy(&json!({"accessLog": listed}));
            let facts = Facts { subject: Some("alice".into()), issuer: Some(0), rule: Some(0), ..Facts::default() };
            facts.denied(&policy, &Reason::Expired.into(), &Request::new(&[]))
        };
        let names = |listed| report(listed).properties().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(json!([])), [""; 0]);
        assert_eq!(names(json!(["subject", "decision"])), ["jotgate_decision", "jotgate_subject"]);
        assert_eq!(names(json!(["reason", "session", "issuer"])), ["jotgate_issuer", "jotgate_reason"]);
        assert!(report(json!([])).log.is_some_and(|line| line.contains("subject=alice")), "the line says all");
    }

    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn the_line_leaves_query_and_fragment_out() {
        let policy = policy(&json!({"rules": [{"name": "write", "access": "deny"}]}));
        let lines: [(&[u8], &[u8]); 2] = [(b":method", b"GET"), (b":path", b"/a#id_token=secret?access_token=secret")];
        let facts = Facts { rule: Some(0), kid: Some("k 1".into()), ..Facts::default() };
        let audited = facts.clone().audited(&policy, &Reason::Expired.into(), &Request::new(&lines));
        let denied = facts.denied(&policy, &Reason::Expired.into(), &Request::new(&lines));
        insta::assert_snapshot!(denied.log.as_deref().expect("is logged"), @r#"request refused: reason=expired rule=write kid="k 1" method=GET path=/a"#);
        insta::assert_snapshot!(audited.log.as_deref().expect("is logged"), @r#"request would be refused: reason=expired rule=write kid="k 1" method=GET path=/a"#);
        let name = |report: &Report| report.metric.map(|metric| metric.name(&policy)).unwrap_or_default();
        assert_eq!(
            (name(&denied).as_str(), denied.details.as_deref()),
            ("jotgate_requests_denied_expired", Some("jotgate_expired"))
        );
        assert_eq!((name(&audited).as_str(), audited.details), ("jotgate_requests_audited_expired", None));
    }
}
