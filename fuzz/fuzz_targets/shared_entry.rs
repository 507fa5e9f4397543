//! Entries of shared data, as another VM or another plugin may have written them: only a sealed one gives keys, only
//! ones that can still be in use, and whatever is in it, the gate goes on.
//!
//! An input is the body of an entry; the first byte says whether it is sealed. A date is eight bytes, of nanoseconds;
//! the words `NOW`, `OLD` and `NEW` in its place stand for the time of the request, one that is too long ago, and the
//! next hour. `KEYS` at the end stands for the issuer's keys.

#![no_main]

use std::time::Duration;

use driver::memory::{Exchange, HeaderLines, Memory, Outcome, Proxy, Store};
use fuzz::{sealed, signed};
use gate::{Gate, Policy, SharedValue, Timestamp};
use jose::Algorithm;
use jose::base64url;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"],
        "keys": {"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"}
    }],
    "default": "authenticated"
}"#;
/// Four dates, the revision, the number of failures, and the kind of the last.
const HEAD: usize = 45;
const NOW: u64 = 1_800_000_000;
/// `refreshAfter`, with its jitter, and `maxStale`.
const LONGEST: u64 = 24 * 3600 + 330;

thread_local! {
    static POLICY: Policy =
        Policy::parse(CONFIGURATION.as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, body)) = input.split_first() else { return };
    let body = fill_in(body);
    let members = "\"cluster\":\"idp\",\"jwksUri\":\"https://idp.example.com/jwks\",";
    let (name, mut bytes) = sealed::entry("https://idp.example.com", members, &body);
    let is_sealed = *kind != b'x';
    if !is_sealed {
        bytes.rotate_left(1);
    }
    let store = Store::default();
    store.stored().values.insert(name, SharedValue { bytes, version: 1 });
    let now = Timestamp::from_secs(NOW);
    let gate = POLICY.with(|policy| Gate::new(policy.clone(), now, 1));
    let mut proxy = Proxy::on(Memory::new(now).with_store(store), gate, Notary);
    proxy.pass(Duration::from_millis(5));
    let line = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let token = format!("Bearer {}", signed::TOKENS[0].1);
    let headers = HeaderLines(vec![line(":method", "GET"), line(":path", "/"), line("authorization", &token)]);
    let id = proxy.send(Exchange { headers, ..Exchange::default() });
    let passes = matches!(proxy.outcome(id), Some(Outcome::Forwarded));
    let holds = keys_in(&body);
    assert!(!passes || (is_sealed && holds != Keys::None), "{body:?}");
    assert!(passes || !is_sealed || holds != Keys::Certain, "{body:?}");
    // Nothing in an entry can stop the gate from deciding.
    for _ in 0..20 {
        proxy.pass(Duration::from_secs(1));
    }
    assert!(!matches!(proxy.outcome(id), None | Some(Outcome::Waiting)));
    assert!(proxy.host.callouts.len() <= 5, "each is waited for, for five seconds");
});

#[derive(Debug, PartialEq)]
enum Keys {
    Certain,
    None,
    Possible,
}

/// Whether an entry gives the issuer's keys, fetched at a time at which they can still be in use.
fn keys_in(body: &[u8]) -> Keys {
    let Some((head, text)) = body.split_at_checked(HEAD) else { return Keys::None };
    let date = |index: usize| {
        let bytes: [u8; 8] = head[index * 8..index * 8 + 8].try_into().expect("is long enough");
        u64::from_be_bytes(bytes) / 1_000_000_000
    };
    let is_known = |part: &&str| text.windows(part.len()).any(|found| found == part.as_bytes());
    if !(NOW - LONGEST..=NOW + 1).contains(&date(0)) || !is_known(&"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE") {
        return Keys::None;
    }
    let is_fresh = (NOW - 60..=NOW).contains(&date(0)) && (NOW + 1..NOW + 300).contains(&date(1));
    // Without a lease, an unknown key or a failure; the first revision is 1.
    let is_quiet = head[16..32].iter().chain(&head[40..]).all(|byte| *byte == 0);
    let is_newer = head[32..40].iter().any(|byte| *byte != 0);
    match is_fresh && is_quiet && is_newer && text == signed::KEYS.as_bytes() {
        true => Keys::Certain,
        false => Keys::Possible,
    }
}

fn fill_in(body: &[u8]) -> Vec<u8> {
    let (body, keys) = match body.strip_suffix(b"KEYS") {
        Some(body) => (body, signed::KEYS.as_bytes()),
        None => (body, &b""[..]),
    };
    let mut filled = Vec::new();
    let mut rest = body;
    while let Some(first) = rest.first() {
        let seconds = match rest {
            [b'N', b'O', b'W', ..] => Some(NOW),
            [b'O', b'L', b'D', ..] => Some(NOW - 10 * LONGEST),
            [b'N', b'E', b'W', ..] => Some(NOW + 200),
            _ => None,
        };
        match seconds {
            Some(seconds) => filled.extend((seconds * 1_000_000_000).to_be_bytes()),
            None => filled.push(*first),
        }
        rest = &rest[if seconds.is_some() { 3 } else { 1 }..];
    }
    [&filled, keys].concat()
}

/// Knows what was signed, at once.
struct Notary;

impl SignatureVerifier for Notary {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        [message, b".", base64url::encode(signature).as_bytes()].concat() == signed::TOKENS[0].1.as_bytes()
    }
}
