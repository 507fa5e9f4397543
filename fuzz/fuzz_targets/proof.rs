//! Proofs of possession (RFC 9449): one counts for the request, token and key that another reading finds in it, and for
//! no other. Each signature is a good one here: what refuses a proof is not that.
//!
//! An input has four lines: the request (method, scheme, authority and path), the header, the claims, and whether a
//! nonce is asked for, by `N`. `$J` stands for the public key, `$A` for the digest of the token.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use fuzz::json::{self, Shape, Tree};
use fuzz::number::{Date, Plain};
use fuzz::proxy::Gullible;
use fuzz::uri;
use jose::base64url;
use libfuzzer_sys::fuzz_target;
use oauth::dpop::{Expected, Target, check};
use sha2::{Digest, Sha256};

const TOKEN: &str = "a.b.c";
const NOW: u64 = 1_800_000_000;
const WINDOW: u64 = 60;
const SKEW: u64 = 30;
const NONCE: &str = "nonce";
const X: &str = "o8kzHnlSEu4q-4cE3xtme01kYGxqamTretuZSw22UQs";
const Y: &str = "6_aCi57qhBVndvz1Dlv1qbLGQe2Qf7-JBd_qv08RFio";
/// What may be beside a public key.
const ALGORITHMS: [&str; 10] =
    ["EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// RFC 7638 §3.
static THUMBPRINT: LazyLock<[u8; 32]> =
    LazyLock::new(|| Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{X}","y":"{Y}"}}"#)).into());

/// A request, as it is compared with.
struct Line<'l> {
    method: &'l str,
    is_https: bool,
    authority: &'l str,
    path: &'l str,
    asks_for_nonce: bool,
}

fuzz_target!(|input: &[u8]| {
    let Ok(input) = str::from_utf8(input) else { return };
    let mut lines = input.splitn(4, '\n');
    let [request, header, claims, nonce] = std::array::from_fn(|_| fill(lines.next().unwrap_or_default()));
    let mut words = request.splitn(4, ' ');
    let [method, scheme, authority, path] = std::array::from_fn(|_| words.next().unwrap_or_default());
    let request = Line { method, is_https: scheme == "https", authority, path, asks_for_nonce: nonce.contains('N') };
    let text = [base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()), String::from("AAAA")];
    let found = check(text.join(".").as_bytes(), &expected(&request), &Gullible);
    let header = json::read(header.as_bytes()).ok().filter(Tree::is_object);
    let claims = json::read(claims.as_bytes()).ok().filter(Tree::is_object);
    let (Some(header), Some(claims)) = (header, claims) else { return assert!(found.is_err(), "{found:?}") };
    let is_known = is_header(&header);
    let is_for = are_claims(&claims, &request);
    match (&found, is_known) {
        (Ok(proof), Some(_)) => {
            assert!(is_for, "{proof:?}");
            assert_eq!(Some(proof.jti.as_str()), claims.get("jti").and_then(Tree::string));
            let now = Duration::from_secs(NOW);
            assert!(proof.ends >= now && proof.ends <= now + Duration::from_secs(SKEW + WINDOW + 2), "{proof:?}");
        }
        (Ok(proof), None) => panic!("taken, whatever its header says: {proof:?}"),
        (Err(error), is_known) => assert!(!is_for || is_known != Some(true), "{error:?}"),
    }
});

fn fill(line: &str) -> String {
    let key = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"}}"#);
    line.replace("$J", &key).replace("$A", &base64url::encode(&Sha256::digest(TOKEN)))
}

fn expected<'e>(request: &'e Line<'_>) -> Expected<'e> {
    Expected {
        method: request.method.as_bytes(),
        target: Target {
            is_https: request.is_https,
            authority: request.authority.as_bytes(),
            path: request.path.as_bytes(),
        },
        token: TOKEN.as_bytes(),
        key: &THUMBPRINT,
        now: Duration::from_secs(NOW),
        window: Duration::from_secs(WINDOW),
        skew: Duration::from_secs(SKEW),
        accepts_nonce: request.asks_for_nonce.then_some(&|nonce: &str| nonce == NONCE),
    }
}

/// Whether a header may be that of a proof; and whether it is just what it should be.
fn is_header(header: &Tree<'_>) -> Option<bool> {
    let text = |tree: &Tree<'_>, name: &str| tree.get(name).and_then(Tree::string).map(String::from);
    let jwk = header.get("jwk")?;
    let is_key = text(jwk, "kty").as_deref() == Some("EC")
        && text(jwk, "crv").as_deref() == Some("P-256")
        && text(jwk, "x").as_deref() == Some(X)
        && text(jwk, "y").as_deref() == Some(Y)
        && ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|name| jwk.get(name).is_none());
    let is_alone = ["crit", "jku", "x5c", "x5u"].iter().all(|name| header.get(name).is_none());
    let is_algorithm = text(header, "alg").is_some_and(|alg| ALGORITHMS.contains(&alg.as_str()));
    let is_type = text(header, "typ").as_deref() == Some("dpop+jwt");
    (is_key && is_alone && is_type && is_algorithm).then(|| {
        let is_simple = header.members().len() == 3 && jwk.members().len() == 4;
        is_simple && text(header, "alg").as_deref() == Some("ES256")
    })
}

fn are_claims(claims: &Tree<'_>, request: &Line<'_>) -> bool {
    let text = |name: &str| claims.get(name).and_then(Tree::string);
    let is_identifier = text("jti").is_some_and(|jti| (1..=128).contains(&jti.len()));
    let is_target = text("htu")
        .is_some_and(|htu| uri::is_same(htu, request.is_https, request.authority.as_bytes(), request.path.as_bytes()));
    let digest = base64url::encode(&Sha256::digest(TOKEN));
    is_identifier
        && text("htm") == Some(request.method)
        && is_target
        && text("ath") == Some(&digest)
        && (!request.asks_for_nonce || text("nonce") == Some(NONCE))
        && are_dates(claims)
}

fn are_dates(claims: &Tree<'_>) -> bool {
    let written = ["iat", "nbf", "exp"].map(|name| match claims.get(name) {
        None => Ok(None),
        Some(Tree { shape: Shape::Number, text }) => Ok(Some(Plain::read(text))),
        Some(_) => Err(()),
    });
    let [Ok(iat), Ok(nbf), Ok(exp)] = &written else { return false };
    let dates = [iat, nbf, exp].map(|plain| plain.as_ref().map(Plain::to_date));
    if dates.contains(&Some(None)) {
        return false;
    }
    let [Some(iat), nbf, exp] = dates.map(Option::flatten) else { return false };
    let is_after = |date: &Date<'_>, seconds: u64| date.cmp_instant(seconds, 0).is_gt();
    iat.cmp_instant(NOW - WINDOW, 0).is_ge()
        && !is_after(&iat, NOW + SKEW)
        && !nbf.is_some_and(|nbf| is_after(&nbf, NOW + SKEW))
        && exp.is_none_or(|exp| is_after(&exp, NOW))
}
