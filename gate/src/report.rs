//! What operators get to know of a request: a metric, a line for the log, properties for the access log.

use std::fmt::Write as _;

use crate::reason::Reason;
use crate::request::Request;

/// The longest value in a log line, in bytes.
const MAX_VALUE: usize = 256;

/// What operators get to know of one request that was decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The counter to increase by one.
    pub metric: String,
    /// A line for the log, for refusals. Never holds a token, a cookie, a query or a key.
    pub log: Option<String>,
    /// Properties of the request, by name.
    pub properties: Vec<(&'static str, String)>,
    /// The response code details of an answer.
    pub details: Option<String>,
}

/// What was learned of a request on the way to its decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rule: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) kid: Option<String>,
    /// Only of a token that was verified.
    pub(crate) subject: Option<String>,
}

impl Facts {
    /// The report on a request that passes.
    pub(crate) fn allowed(self) -> Report {
        let properties = self.properties("allowed", None);
        Report { metric: String::from("jotgate_requests_allowed"), log: None, properties, details: None }
    }

    /// The report on a request that is refused.
    pub(crate) fn denied(self, reason: Reason, request: &Request<'_>) -> Report {
        let name = reason.name();
        let mut line = format!("request refused: reason={name}");
        for (key, value) in [
            ("rule", self.rule.as_deref().map(str::as_bytes)),
            ("issuer", self.issuer.as_deref().map(str::as_bytes)),
            ("kid", self.kid.as_deref().map(str::as_bytes)),
            ("subject", self.subject.as_deref().map(str::as_bytes)),
            ("method", Some(request.method())),
            ("path", Some(request.path_without_query())),
        ] {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(line, " {key}={}", quoted(value));
            }
        }
        Report {
            metric: format!("jotgate_requests_denied_{name}"),
            log: Some(line),
            properties: self.properties("denied", Some(name)),
            details: Some(format!("jotgate_{name}")),
        }
    }

    fn properties(&self, decision: &str, reason: Option<&str>) -> Vec<(&'static str, String)> {
        let known = [
            ("jotgate_decision", Some(decision)),
            ("jotgate_issuer", self.issuer.as_deref()),
            ("jotgate_reason", reason),
            ("jotgate_rule", self.rule.as_deref()),
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
        false => serde_json::Value::from(text).to_string().chars().map(visible).collect(),
    }
}

/// JSON lets most characters stand for themselves; some of them end a line for some reader, or steer a terminal.
fn visible(character: char) -> String {
    match character {
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => format!("\\u{:04x}", u32::from(character)),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

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
        let facts = Facts { subject: Some("a\nb".into()), issuer: Some("main".into()), ..Facts::default() };
        let names: Vec<_> = facts.allowed().properties.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["jotgate_decision", "jotgate_issuer"]);
    }

    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn the_line_leaves_the_query_out() {
        let lines: [(&[u8], &[u8]); 2] = [(b":method", b"GET"), (b":path", b"/a?access_token=secret")];
        let facts = Facts { rule: Some("write".into()), kid: Some("k 1".into()), ..Facts::default() };
        let report = facts.denied(Reason::Expired, &Request::new(&lines));
        insta::assert_snapshot!(report.log.expect("is logged"), @r#"request refused: reason=expired rule=write kid="k 1" method=GET path=/a"#);
        assert_eq!(
            (report.metric.as_str(), report.details.as_deref()),
            ("jotgate_requests_denied_expired", Some("jotgate_expired"))
        );
    }
}
