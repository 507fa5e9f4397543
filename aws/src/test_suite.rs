//! The test suite that AWS publishes for signers (`sigv4-test-suite.json`), for the tests of [`crate::sigv4`].

use std::time::Duration;

use oauth::Secret;
use serde_json::Value;

use crate::instant;
use crate::sigv4::Credentials;

/// One case, with what it is signed with.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) at: Duration,
    pub(crate) expires: Duration,
    pub(crate) method: String,
    pub(crate) header: Expected,
    pub(crate) query: Expected,
    access_key_id: String,
    secret_access_key: String,
    /// Where it is signed as well.
    session_token: Option<String>,
    signs_body: bool,
    target: String,
    lines: Vec<(String, String)>,
    body: String,
}

/// What a signer makes of it.
pub(crate) struct Expected {
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

impl Expected {
    /// The canonical path, which is an argument of ours.
    pub(crate) fn path(&self) -> &str {
        self.canonical_request.lines().nth(1).expect("has a path")
    }
}

type Pairs = Vec<(String, String)>;

/// The cases. Some of the suite's have more than one path for one canonical path: all of them are there.
pub(crate) fn read() -> Vec<Case> {
    let suite: Value = serde_json::from_str(include_str!("../sigv4-test-suite.json")).expect("is JSON");
    let cases = suite["cases"].as_array().expect("is a list");
    assert_eq!(cases.len(), 38);
    cases.iter().map(case).collect()
}

fn case(value: &Value) -> Case {
    let text = |value: &Value| value.as_str().expect("is text").to_string();
    let context = &value["context"];
    let credentials = &context["credentials"];
    let expected = |kind: &str| Expected {
        canonical_request: text(&value[kind]["canonical-request"]),
        string_to_sign: text(&value[kind]["string-to-sign"]),
        signature: text(&value[kind]["signature"]),
    };
    let request = text(&value["request"]);
    let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
    let mut lines = head.lines();
    let first = lines.next().expect("has a request line");
    let (method, rest) = first.split_once(' ').expect("has a method");
    let (target, _) = rest.rsplit_once(' ').expect("has a version");
    let omits_token = context["omit_session_token"].as_bool() == Some(true);
    Case {
        name: text(&value["name"]),
        region: text(&context["region"]),
        service: text(&context["service"]),
        at: instant::parse(context["timestamp"].as_str().expect("is text")).expect("is an instant"),
        expires: Duration::from_secs(context["expiration_in_seconds"].as_u64().expect("is a number")),
        method: method.to_string(),
        header: expected("header"),
        query: expected("query"),
        access_key_id: text(&credentials["access_key_id"]),
        secret_access_key: text(&credentials["secret_access_key"]),
        session_token: credentials["token"].as_str().filter(|_| !omits_token).map(String::from),
        signs_body: context["sign_body"].as_bool() == Some(true),
        target: target.to_string(),
        lines: unfolded(lines),
        body: body.to_string(),
    }
}

/// Header lines; one that starts with a blank goes on with the one before it.
fn unfolded<'l>(lines: impl Iterator<Item = &'l str>) -> Pairs {
    let mut found: Pairs = Vec::new();
    for line in lines {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => found.push((name.to_lowercase(), value.to_string())),
            None => found.last_mut().expect("goes on with one").1.push_str(line),
        }
    }
    found
}

impl Case {
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: Secret::new(self.secret_access_key.clone()),
            session_token: self.session_token.clone().map(Secret::new),
        }
    }

    pub(crate) fn signed_body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    /// The parameters, decoded.
    pub(crate) fn query(&self) -> Pairs {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect()
    }

    /// The headers in canonical form.
    pub(crate) fn headers(&self) -> Pairs {
        canonical(self.lines.clone())
    }

    /// The same, with those that a signer adds.
    pub(crate) fn headers_with_signature(&self, date: &str) -> Pairs {
        let mut lines = self.lines.clone();
        lines.push(("x-amz-date".into(), date.into()));
        lines.extend(self.session_token.clone().map(|token| ("x-amz-security-token".into(), token)));
        if self.signs_body {
            let hash = self.header.canonical_request.lines().last().expect("has a hash");
            lines.push(("x-amz-content-sha256".into(), hash.into()));
        }
        canonical(lines)
    }
}

fn canonical(lines: Pairs) -> Pairs {
    let mut found: Pairs = Vec::new();
    for (name, value) in lines {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        match found.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => *values = [values, ",", &value].concat(),
            None => found.push((name, value)),
        }
    }
    found.sort();
    found
}

pub(crate) fn pairs(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        octets.push(u8::from_str_radix(&part[..2], 16).expect("is an escape"));
        octets.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(octets).expect("is text")
}
