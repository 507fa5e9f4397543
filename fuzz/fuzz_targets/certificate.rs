//! `X-Forwarded-Client-Cert`, through the whole engine: a token that is bound to a certificate passes where another
//! reading of the header's last element finds that certificate, once, and nowhere else.
//!
//! An input is the lines of the header.

#![no_main]

use driver::memory::{Exchange, Outcome, Proxy};
use fuzz::proxy::{self, Gullible};
use gate::{Gate, Timestamp};
use jose::base64url;
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{"name": "main", "issuer": "https://idp", "audiences": ["api"], "keys": {"inline": KEYS}}],
    "senderConstraint": {"mtls": {"header": "x-forwarded-client-cert", "trustedProxies": ["10.0.0.0/8"]}},
    "default": "authenticated"
}"#;
const NOW: u64 = 1_800_000_000;
/// The certificate that the token is bound to: octets of 7.
const OWN: &str = "0707070707070707070707070707070707070707070707070707070707070707";

thread_local! {
    static GATE: Gate = proxy::gate(CONFIGURATION, Timestamp::from_secs(NOW));
}

fuzz_target!(|input: &[u8]| {
    if input.iter().any(|byte| matches!(byte, 0 | b'\r')) {
        // No proxy takes such a line.
        return;
    }
    let input = String::from_utf8_lossy(input).replace("$H", OWN).into_bytes();
    let lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    let is_own = hash(lines.last().copied().unwrap_or_default()).is_some_and(|hash| hash.eq_ignore_ascii_case(OWN));
    assert_eq!(passes(&lines, "10.1.2.3:40000"), is_own);
    assert!(!passes(&lines, "192.0.2.1:40000"), "nobody else may say whose certificate it is");
});

fn passes(lines: &[&[u8]], peer: &str) -> bool {
    let claims = format!(
        r#"{{"iss":"https://idp","aud":"api","sub":"alice","exp":{},"cnf":{{"x5t#S256":"{}"}}}}"#,
        NOW + 60,
        base64url::encode(&[7; 32])
    );
    let part = |text: &str| base64url::encode(text.as_bytes());
    let token = format!("{}.{}.AAAA", part(r#"{"alg":"ES256","kid":"es"}"#), part(&claims));
    let authorization = format!("Bearer {token}");
    let own: [(&str, &[u8]); 5] = [
        (":method", b"GET"),
        (":path", b"/app"),
        (":authority", b"api"),
        (":scheme", b"https"),
        ("authorization", authorization.as_bytes()),
    ];
    let lines = lines.iter().map(|line| ("x-forwarded-client-cert", *line));
    let mut request = Exchange::new(own.into_iter().chain(lines));
    request.peer = peer.as_bytes().to_vec();
    let mut proxy = Proxy::new(GATE.with(Gate::clone), Gullible, Timestamp::from_secs(NOW));
    match proxy.decide(request).outcome {
        Outcome::Forwarded => true,
        Outcome::Replied { reply, .. } => {
            assert_eq!(reply.status, 401);
            false
        }
        Outcome::Waiting => panic!("there is nothing to wait for"),
    }
}

/// The one hash of the last element, as it stands there, by a walk over the characters.
fn hash(line: &[u8]) -> Option<String> {
    let mut elements = vec![vec![(String::new(), None::<String>)]];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in line.iter().map(|byte| char::from(*byte)) {
        let pairs = elements.last_mut().expect("is there");
        let (key, value) = pairs.last_mut().expect("is there");
        if !is_quoted && character == ',' {
            elements.push(vec![(String::new(), None)]);
        } else if !is_quoted && character == ';' {
            pairs.push((String::new(), None));
        } else if value.is_none() && character == '=' {
            *value = Some(String::new());
        } else {
            value.as_mut().unwrap_or(key).push(character);
        }
        // A key may be quoted as well, and is no key then.
        match character {
            _ if is_escaped => is_escaped = false,
            '"' => is_quoted = !is_quoted,
            '\\' => is_escaped = is_quoted,
            _ => {}
        }
    }
    let pairs = elements.pop()?;
    if is_quoted || pairs.iter().any(|(_, value)| value.is_none()) {
        return None;
    }
    let blank: &[char] = &[' ', '\t', '\n', '\u{c}'];
    let is_hash = |(key, _): &&(String, Option<String>)| key.trim_matches(blank).eq_ignore_ascii_case("hash");
    let mut hashes = pairs.iter().filter(is_hash).filter_map(|(_, value)| value.as_deref());
    let hash = hashes.next().filter(|_| hashes.next().is_none())?;
    let inner = hash.strip_prefix('"').and_then(|hash| hash.strip_suffix('"'));
    Some(String::from(inner.unwrap_or(hash)))
}
