//! Claims: a token whose signature is good is admitted, refused and reported exactly as another reading of its header
//! and payload says.
//!
//! An input is the header of a token up to the first line feed, then its payload.

#![no_main]

use driver::memory::{Exchange, Outcome, Proxy};
use fuzz::json::{self, Shape, Tree};
use fuzz::number::{Date, Plain};
use fuzz::proxy::{self, Gullible, folded};
use gate::{Gate, Timestamp};
use jose::base64url;
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main",
        "issuer": "https://idp.example.com",
        "audiences": ["api", "web"],
        "algorithms": ["ES256"],
        "tokenTypes": ["at+jwt", "JWT"],
        "maxLifetime": "1h",
        "clockSkew": "60s",
        "groupsClaim": "realm.groups",
        "groupScopes": {"exec:admin": ["ops", "sre"]},
        "keys": {"inline": KEYS}
    }],
    "rules": [
        {"name": "scopes", "match": {"paths": ["/scopes"]}, "access": {"scopes": {"all": ["read", "exec:admin"]}}},
        {"name": "groups", "match": {"paths": ["/groups"]},
         "access": {"groups": {"any": ["dev", "ops"]}, "audiences": {"any": ["web"]}}}
    ],
    "default": "authenticated",
    "identityHeaders": {
        "X-User": "$subject",
        "X-Email": "$verifiedEmail",
        "X-Issuer": "$issuer",
        "X-Scopes": "$scopes",
        "X-Groups": {"claim": "$groups", "onUnrepresentable": "omit"},
        "X-Tenant": "org.tenant",
        "X-Names": {"claim": ["https://example.com/names"], "onUnrepresentable": "omit"},
        "X-Rule": "$rule"
    },
    "limits": {"tokenBytes": 4096, "headerBytes": 64}
}"#;

/// A quarter past the second, so that fractions matter.
const NOW: (u64, u32) = (1_800_000_000, 250_000_000);
const SKEW: u64 = 60;
const MAX_LIFETIME: u64 = 3600;
const TOKEN_BYTES: usize = 4096;
const HEADER_BYTES: usize = 64;

thread_local! {
    static GATE: Gate = proxy::gate(CONFIGURATION, now());
}

fn now() -> Timestamp {
    Timestamp::from_nanos(NOW.0 * 1_000_000_000 + u64::from(NOW.1))
}

fuzz_target!(|input: &[u8]| {
    let mut proxy = Proxy::new(GATE.with(Gate::clone), Gullible, now());
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let [header, payload] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let token = format!("{}.{}.AAAA", base64url::encode(header), base64url::encode(payload));
    let claims = if token.len() > TOKEN_BYTES { Err("token_too_large") } else { Claims::read(header, payload) };
    for (path, rule) in [("/scopes", Some("scopes")), ("/groups", Some("groups")), ("/other", None)] {
        let request = Exchange::new([
            (":method", "GET"),
            (":path", path),
            ("authorization", &format!("Bearer {token}")),
            ("x_user", "mallory"),
            ("x-tenant", "mallory"),
            ("x-other", "kept"),
        ]);
        let decided = proxy.decide(request);
        let expected = claims.as_ref().map_err(|reason| *reason).and_then(|claims| claims.admit(rule));
        check(&decided, expected, &token);
    }
});

fn check(decided: &Exchange, expected: Result<Vec<(&str, String)>, &str>, token: &str) {
    let found = match &decided.outcome {
        Outcome::Forwarded => {
            let forwarded = &decided.headers;
            let mut kept = 0;
            let mut identity = Vec::new();
            for (name, value) in &forwarded.0 {
                assert!(!value.iter().any(u8::is_ascii_control), "{forwarded:?}");
                match folded(name).as_str() {
                    "-method" | "-path" | "x-other" => kept += 1,
                    _ => identity.push((name.clone(), value.clone())),
                }
            }
            assert_eq!(kept, 3, "{forwarded:?}");
            Ok(identity)
        }
        Outcome::Replied { reply, details } => {
            assert!(!reply.body.contains(token));
            let body = json::read(reply.body.as_bytes()).expect("is a problem document");
            let reason = body.get("reason").and_then(Tree::string).expect("has a reason").to_string();
            assert_eq!(*details, format!("jotgate_{reason}"));
            Err(reason)
        }
        Outcome::Waiting => panic!("waits for keys that it has"),
    };
    let lines = |headers: Vec<(&str, String)>| {
        headers.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect()
    };
    assert_eq!(found, expected.map(lines).map_err(str::to_string));
    for (name, value) in &decided.properties {
        assert!(!value.chars().any(char::is_control), "{name}: {value:?}");
    }
    for line in &decided.log {
        assert!(line.bytes().all(|byte| byte >= 0x20) && !line.contains(token), "{line:?}");
    }
}

/// What a token says, once all that is asked of every token holds.
struct Claims {
    scopes: Vec<String>,
    groups: Vec<String>,
    audiences: Vec<String>,
    /// The identity headers, as far as rules have no say in them.
    identity: Result<Vec<(&'static str, String)>, &'static str>,
}

impl Claims {
    /// Reads a token in the order of the contract; `Err` is the reason to refuse it.
    fn read(header: &[u8], payload: &[u8]) -> Result<Self, &'static str> {
        let header = json::read(header).map_err(|_| "malformed_token")?;
        let payload = json::read(payload).map_err(|_| "malformed_token")?;
        check_header(&header, &payload)?;
        let mut scopes = Vec::new();
        for name in ["scope", "scp"] {
            let found = strings(payload.get(name))?.unwrap_or_default();
            let is_text = payload.get(name).is_some_and(|claim| claim.string().is_some());
            let split = |text: &String| text.split(' ').map(str::to_string).collect::<Vec<_>>();
            match is_text {
                true => scopes.extend(found.iter().flat_map(split).filter(|scope| !scope.is_empty())),
                false => scopes.extend(found),
            }
        }
        let mut groups: Vec<String> = Vec::new();
        for group in strings(find(&payload, &["realm", "groups"]))?.unwrap_or_default() {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let audiences = strings(payload.get("aud"))?.unwrap_or_default();
        check_dates(&payload)?;
        if !audiences.iter().any(|audience| audience == "api" || audience == "web") {
            return Err("wrong_audience");
        }
        if groups.iter().any(|group| group == "ops" || group == "sre") {
            scopes.push("exec:admin".to_string());
        }
        scopes.sort();
        scopes.dedup();
        let identity = identity(&payload, &scopes, &groups);
        Ok(Self { scopes, groups, audiences, identity })
    }

    /// The identity headers for a request that falls under `rule`; `Err` is the reason to refuse it.
    fn admit(&self, rule: Option<&str>) -> Result<Vec<(&'static str, String)>, &'static str> {
        let has = |found: &[String], wanted: &str| found.iter().any(|name| name == wanted);
        match rule {
            Some("scopes") if !has(&self.scopes, "read") || !has(&self.scopes, "exec:admin") => {
                return Err("insufficient_scope");
            }
            Some("groups") if !has(&self.groups, "dev") && !has(&self.groups, "ops") => return Err("access_denied"),
            Some("groups") if !has(&self.audiences, "web") => return Err("access_denied"),
            _ => {}
        }
        let mut headers = self.identity.clone()?;
        headers.extend(rule.map(|rule| ("x-rule", rule.to_string())));
        Ok(headers)
    }
}

fn check_header(header: &Tree<'_>, payload: &Tree<'_>) -> Result<(), &'static str> {
    let string = |name| header.get(name).map(|member| member.string().ok_or("malformed_token")).transpose();
    let (alg, kid, typ) = (string("alg")?.ok_or("malformed_token")?, string("kid")?, string("typ")?);
    if !header.is_object() || !payload.is_object() {
        return Err("malformed_token");
    }
    let is_extended = header.get("crit").is_some() || header.get("b64").is_some_and(|b64| b64.text != "true");
    let sized = |prefix| ["256", "384", "512"].iter().any(|bits| alg.strip_prefix(prefix) == Some(bits));
    if !(alg == "EdDSA" || ["ES", "HS", "PS", "RS"].into_iter().any(sized)) || is_extended {
        return Err("unsupported_algorithm");
    }
    let iss = payload.get("iss").filter(|iss| !matches!(iss.shape, Shape::Null));
    if iss.ok_or("unknown_issuer")?.string().ok_or("bad_claim")? != "https://idp.example.com" {
        return Err("unknown_issuer");
    }
    match (alg, kid) {
        ("ES256", None | Some("" | "es")) => {}
        ("ES256", Some("ed" | "rs")) => return Err("unsupported_algorithm"),
        ("ES256", _) => return Err("unknown_key"),
        _ => return Err("unsupported_algorithm"),
    }
    let typ = typ.ok_or("wrong_type")?.to_ascii_lowercase();
    let is_type = |wanted: &&str| typ == *wanted || typ.strip_prefix("application/") == Some(wanted);
    ["at+jwt", "jwt"].iter().any(is_type).then_some(()).ok_or("wrong_type")
}

fn check_dates(payload: &Tree<'_>) -> Result<(), &'static str> {
    let read = |name| match payload.get(name) {
        Some(Tree { shape: Shape::Number, text }) => Ok(Some(Plain::read(text))),
        None | Some(Tree { shape: Shape::Null, .. }) => Ok(None),
        Some(_) => Err("bad_claim"),
    };
    let (exp, nbf, iat) = (read("exp")?, read("nbf")?, read("iat")?);
    let [exp, nbf, iat] = [&exp, &nbf, &iat].map(|plain| plain.as_ref().map(Plain::to_date));
    if [exp, nbf, iat].contains(&Some(None)) {
        return Err("bad_claim");
    }
    let [exp, nbf, iat] = [exp, nbf, iat].map(Option::flatten);
    let exp = exp.ok_or("bad_claim")?;
    let (seconds, nanoseconds) = NOW;
    if (Date { seconds: exp.seconds + SKEW, ..exp }).cmp_instant(seconds, nanoseconds).is_le() {
        return Err("expired");
    }
    if [nbf, iat].into_iter().flatten().any(|date| date.cmp_instant(seconds + SKEW, nanoseconds).is_gt()) {
        return Err("not_yet_valid");
    }
    let iat = iat.ok_or("bad_claim")?;
    let latest = Date { seconds: iat.seconds + MAX_LIFETIME, ..iat };
    if exp > latest { Err("lifetime_too_long") } else { Ok(()) }
}

/// The text for a header, if there is one, or why the request is refused.
type Text = Result<Option<String>, &'static str>;

const UNREPRESENTABLE: &str = "unrepresentable_claim";

/// The identity headers that a token gives, in the order of the configuration.
fn identity(
    payload: &Tree<'_>,
    scopes: &[String],
    groups: &[String],
) -> Result<Vec<(&'static str, String)>, &'static str> {
    let is_verified = payload.get("email_verified").is_some_and(|verified| match &verified.shape {
        Shape::Bool(value) => *value,
        Shape::String(text) => text == "true",
        _ => false,
    });
    let or_none = |text: Text| text.and_then(faithful).or(Ok(None));
    let texts = [
        ("x-user", one_name(payload.get("sub"))),
        ("x-email", one_name(payload.get("email").filter(|_| is_verified))),
        ("x-issuer", Ok(Some("https://idp.example.com".to_string()))),
        ("x-scopes", joined(scopes.iter().cloned().map(Some), " ")),
        ("x-groups", or_none(joined(groups.iter().cloned().map(Some), ","))),
        ("x-tenant", claim(find(payload, &["org", "tenant"]))),
        ("x-names", or_none(claim(payload.get("https://example.com/names")))),
    ];
    let mut headers = Vec::new();
    for (name, text) in texts {
        headers.extend(text.and_then(faithful)?.map(|text| (name, text)));
    }
    Ok(headers)
}

/// A text that a header can carry as it is.
fn faithful(text: Option<String>) -> Text {
    let is_faithful =
        |text: &String| text.len() <= HEADER_BYTES && text.trim() == text && !text.chars().any(char::is_control);
    if text.as_ref().is_none_or(is_faithful) { Ok(text) } else { Err(UNREPRESENTABLE) }
}

fn one_name(claim: Option<&Tree<'_>>) -> Text {
    match claim.map(|claim| &claim.shape) {
        Some(Shape::String(text)) if text.is_empty() => Err(UNREPRESENTABLE),
        None | Some(Shape::Null | Shape::Number | Shape::String(_)) => Ok(claim.and_then(scalar)),
        Some(_) => Err(UNREPRESENTABLE),
    }
}

fn claim(claim: Option<&Tree<'_>>) -> Text {
    match claim.map(|claim| &claim.shape) {
        Some(Shape::Array(elements)) => joined(elements.iter().map(scalar), ","),
        Some(Shape::Object(_)) => Err(UNREPRESENTABLE),
        _ => Ok(claim.and_then(scalar)),
    }
}

fn scalar(value: &Tree<'_>) -> Option<String> {
    match &value.shape {
        Shape::String(text) => Some(text.clone()),
        Shape::Bool(_) | Shape::Number => Some(value.text.to_string()),
        Shape::Array(_) | Shape::Null | Shape::Object(_) => None,
    }
}

/// A list that can be taken apart again.
fn joined(elements: impl Iterator<Item = Option<String>>, separator: &str) -> Text {
    let elements: Vec<String> = elements.collect::<Option<_>>().ok_or(UNREPRESENTABLE)?;
    let is_whole = |text: &String| !text.is_empty() && !text.contains(separator) && text.trim() == text;
    match elements.iter().all(is_whole) {
        true => Ok((!elements.is_empty()).then(|| elements.join(separator))),
        false => Err(UNREPRESENTABLE),
    }
}

/// The strings of a claim that is one or a list of them; `None` where there is none.
fn strings(claim: Option<&Tree<'_>>) -> Result<Option<Vec<String>>, &'static str> {
    match claim.map(|claim| &claim.shape) {
        None | Some(Shape::Null) => Ok(None),
        Some(Shape::String(text)) => Ok(Some(vec![text.clone()])),
        Some(Shape::Array(elements)) => {
            let texts = elements.iter().map(|element| element.string().map(str::to_string).ok_or("bad_claim"));
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err("bad_claim"),
    }
}

fn find<'p>(payload: &'p Tree<'_>, path: &[&str]) -> Option<&'p Tree<'p>> {
    path.iter().try_fold(payload, |value, name| value.get(name))
}
