//! What operators get to know of a request: a metric, a line for the log, properties for the access log.

use std::fmt::Write as _;

use crate::config::Policy;
use crate::json_text;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::request::Request;

/// The longest value in a log line, in bytes.
const MAX_VALUE: usize = 256;

/// What operators get to know of one request that was decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The counter to increase by one; none for what the gate itself was asked.
    pub metric: Option<String>,
    /// A line for the log, for refusals. Never holds a token, a cookie, a query or a key.
    pub log: Option<String>,
    /// Properties of the request, by name.
    pub properties: Vec<(&'static str, String)>,
    /// The response code details of an answer.
    pub details: Option<String>,
}

/// What was learned of a request on the way to its decision. Rule and issuer by their place in the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rule: Option<usize>,
    pub(crate) issuer: Option<usize>,
    pub(crate) kid: Option<String>,
    /// Only of a token that was verified.
    pub(crate) subject: Option<String>,
    pub(crate) checked_signature: bool,
    /// The token was known.
    pub(crate) was_cached: bool,
}

impl Facts {
    /// The caller is known for certain.
    pub(crate) fn know(&mut self, principal: &Principal) {
        self.issuer = Some(principal.issuer());
        self.subject = principal.subject().map(str::to_string);
    }

    /// The report on a request that passes.
    pub(crate) fn allowed(self, policy: &Policy) -> Report {
        let properties = self.properties(policy, "allowed", None);
        Report { metric: Some(String::from("jotgate_requests_allowed")), log: None, properties, details: None }
    }

    /// The report on a request that the gate itself answers.
    pub(crate) fn answered(self, policy: &Policy) -> Report {
        let properties = self.properties(policy, "answered", None);
        Report { metric: None, log: None, properties, details: Some(String::from("jotgate_resource_metadata")) }
    }

    /// The report on a request that is refused.
    pub(crate) fn denied(self, policy: &Policy, reason: Reason, request: &Request<'_>) -> Report {
        let name = reason.name();
        Report {
            metric: Some(format!("jotgate_requests_denied_{name}")),
            log: Some(format!("request refused: {}", self.line(policy, reason, request))),
            properties: self.properties(policy, "denied", Some(name)),
            details: Some(format!("jotgate_{name}")),
        }
    }

    /// The report on a request that is refused in audit mode, and passes.
    pub(crate) fn audited(self, policy: &Policy, reason: Reason, request: &Request<'_>) -> Report {
        let name = reason.name();
        Report {
            metric: Some(format!("jotgate_requests_audited_{name}")),
            log: Some(format!("request would be refused: {}", self.line(policy, reason, request))),
            properties: self.properties(policy, "audited", Some(name)),
            details: None,
        }
    }

    fn line(&self, policy: &Policy, reason: Reason, request: &Request<'_>) -> String {
        let mut line = format!("reason={}", reason.name());
        // A fragment is no part of a request, and may hold what a query holds.
        let path = request.path_without_query().split(|&byte| byte == b'#').next().unwrap_or_default();
        for (key, value) in [
            ("rule", self.rule_name(policy).map(str::as_bytes)),
            ("issuer", self.issuer_name(policy).map(str::as_bytes)),
            ("kid", self.kid.as_deref().map(str::as_bytes)),
            ("subject", self.subject.as_deref().map(str::as_bytes)),
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

    fn rule_name<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        self.rule.and_then(|index| policy.rules.get(index)).map(|rule| rule.name.as_str())
    }

    fn issuer_name<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        self.issuer.and_then(|index| policy.issuers.get(index)).map(|issuer| issuer.name.as_str())
    }

    fn properties(&self, policy: &Policy, decision: &str, reason: Option<&str>) -> Vec<(&'static str, String)> {
        let known = [
            ("jotgate_decision", Some(decision)),
            ("jotgate_issuer", self.issuer_name(policy)),
            ("jotgate_reason", reason),
            ("jotgate_rule", self.rule_name(policy)),
            ("jotgate_subject", self.subject.as_deref()),
        ];
        // Access logs print them as they are: what could end a line stays out.
        let is_plain = |value: &&str| !value.chars().any(char::is_control);
        known.into_iter().filter_map(|(name, value)| Some((name, value.filter(is_plain)?.to_string()))).collect()
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
    use crate::tests::support::{inline, policy};
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
    fn no_property_ends_a_line_of_the_access_log() {
        let facts = Facts { subject: Some("a\nb".into()), issuer: Some(0), ..Facts::default() };
        let properties = facts.allowed(&policy(&inline(&json!({})))).properties;
        assert_eq!(properties, [("jotgate_decision", "allowed".to_string()), ("jotgate_issuer", "main".to_string())]);
    }

    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn the_line_leaves_query_and_fragment_out() {
        let policy = policy(&inline(&json!({"rules": [{"name": "write", "access": "deny"}]})));
        let lines: [(&[u8], &[u8]); 2] = [(b":method", b"GET"), (b":path", b"/a#id_token=secret?access_token=secret")];
        let facts = Facts { rule: Some(0), kid: Some("k 1".into()), ..Facts::default() };
        let audited = facts.clone().audited(&policy, Reason::Expired, &Request::new(&lines));
        let denied = facts.denied(&policy, Reason::Expired, &Request::new(&lines));
        insta::assert_snapshot!(denied.log.expect("is logged"), @r#"request refused: reason=expired rule=write kid="k 1" method=GET path=/a"#);
        insta::assert_snapshot!(audited.log.expect("is logged"), @r#"request would be refused: reason=expired rule=write kid="k 1" method=GET path=/a"#);
        assert_eq!(
            (denied.metric.as_deref(), denied.details.as_deref()),
            (Some("jotgate_requests_denied_expired"), Some("jotgate_expired"))
        );
        assert_eq!((audited.metric.as_deref(), audited.details), (Some("jotgate_requests_audited_expired"), None));
    }
}
