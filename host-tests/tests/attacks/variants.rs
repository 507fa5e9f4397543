//! What else the families of the catalogue stand for: variants of our own, each with its verdict.

use serde_json::{Value, json};
use testbed::mint::base64url;

use crate::catalogue::Catalogue;
use crate::exchange::Request;
use crate::mint::{Claims, own_key, sign};
use crate::run::{Host, Run};
use crate::setting::{STRANGER, Setting};

pub(crate) fn all<H: Host>(run: &mut Run<'_, H>) {
    good_tokens(run);
    headers(run);
    payloads(run);
    claims(run);
    grants(run);
    encodings(run);
    signatures(run);
    credentials(run);
    identities(run);
    options_need_a_token_where_a_rule_says_so(run);
    crate::key_sets::odd_keys(run);
    crate::canonical::all(run);
    crate::key_sets::crowds(run);
    run.expect_good("variants", &Setting::own());
    run.expect_good("variants", &Setting::baseline(run.catalogue));
}

/// Settings that only these variants need.
pub(crate) fn settings(catalogue: &Catalogue) -> Vec<Setting> {
    vec![
        with_options(catalogue),
        crate::key_sets::odd_setting(),
        crate::key_sets::crowd_setting(),
        crate::canonical::setting(),
    ]
}

fn with_options(catalogue: &Catalogue) -> Setting {
    let mut setting = Setting::baseline(catalogue);
    setting.name = "options".into();
    let rules = setting.config["rules"].as_array_mut().unwrap();
    rules.push(json!({"name": "others", "match": {"paths": ["/api/**"]}, "access": "authenticated"}));
    setting
}

/// What is good of each algorithm passes, whether or not its key names the algorithm.
fn good_tokens<H: Host>(run: &mut Run<'_, H>) {
    let good = run.catalogue.keys.good.clone();
    for setting in [Setting::baseline(run.catalogue), Setting::without_alg(run.catalogue)] {
        for (name, token) in good.iter().filter(|(name, _)| *name != "bad_signature") {
            run.expect(name, &setting, &Request::get("/api/x").bearer(token), "ok");
            run.expect(name, &setting, &Request::get("/optional/x").bearer(token), "ok");
        }
    }
}

/// Headers, and what becomes of a token whose signature is right.
const HEADERS: &[(&str, &str)] = &[
    // RFC 7515 §4.1.1: names of algorithms are case-sensitive.
    (r#"{"alg":"None"}"#, "unsupported_algorithm"),
    (r#"{"alg":"NONE"}"#, "unsupported_algorithm"),
    (r#"{"alg":"es256","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256 ","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256\u0000","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256K","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"HS256","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"HS512","kid":"RS256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"RS1","kid":"RS256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"dir","enc":"A256GCM"}"#, "unsupported_algorithm"),
    // Of the keys of that `kid` none is for the algorithm.
    (r#"{"alg":"RS256","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"EdDSA","kid":"ES256"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"EdDSA"}"#, "unsupported_algorithm"),
    (r#"{"alg":"EdDSA","kid":"EdDSA"}"#, "bad_signature"),
    (r#"{"alg":"ES256"}"#, "ok"),
    (r#"{"al\u0067":"ES256","k\u0069d":"ES256"}"#, "ok"),
    (r#"{"alg":"none","al\u0067":"ES256","kid":"ES256"}"#, "malformed_token"),
    (r#"{"alg":"ES256","kid":"ES256","alg":"none"}"#, "malformed_token"),
    (r#"{"alg":"ES256","kid":"ES256","x":{"a":1,"a":2}}"#, "malformed_token"),
    (r#"{"alg":1,"kid":"ES256"}"#, "malformed_token"),
    (r#"{"alg":null,"kid":"ES256"}"#, "malformed_token"),
    (r#"{"alg":["ES256"],"kid":"ES256"}"#, "malformed_token"),
    (r#"{"kid":"ES256"}"#, "malformed_token"),
    (r#"{"ALG":"ES256","kid":"ES256"}"#, "malformed_token"),
    (r#"{"alg":"ES256","kid":"ES256","typ":1}"#, "malformed_token"),
    (r#"{"alg":"ES256","kid":"ES256","typ":"anything"}"#, "ok"),
    // RFC 7515 §4.1.11: no extension is understood, so whatever `crit` lists is refused.
    (r#"{"alg":"ES256","kid":"ES256","crit":[]}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","crit":null}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","crit":"exp"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","crit":["alg"]}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","crit":["b64"],"b64":false}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","crit":["b64"],"b64":true}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","b64":false}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","b64":"false"}"#, "unsupported_algorithm"),
    (r#"{"alg":"ES256","kid":"ES256","Crit":["exp"]}"#, "ok"),
    // Nobody but the issuer names keys.
    (r#"{"alg":"ES256","kid":"ES256 "}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"es256"}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"ES256\u0000"}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"../../../../dev/null"}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"' UNION SELECT 'key"}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"https://evil.example/jwks"}"#, "unknown_key"),
    (r#"{"alg":"ES256","kid":"0"}"#, "unknown_key"),
    // Key material in the header is not looked at: these are signed with the issuer's key.
    (r#"{"alg":"ES256","kid":"ES256","jku":"https://evil.example/jwks","x5u":"https://evil.example/x"}"#, "ok"),
    (r#"{"alg":"ES256","kid":"ES256","x5c":["AAAA"],"x5t":"AAAA"}"#, "ok"),
    ("\u{feff}{\"alg\":\"ES256\",\"kid\":\"ES256\"}", "malformed_token"),
    ("{\"alg\":\"ES256\",\"kid\":\"ES256\"}\0", "malformed_token"),
    ("{'alg':'ES256','kid':'ES256'}", "malformed_token"),
    (r#"{"alg":"ES256","kid":"ES256",}"#, "malformed_token"),
    (r#"{"alg":"ES256","kid":"\ud800"}"#, "malformed_token"),
    (r#"[{"alg":"ES256","kid":"ES256"}]"#, "malformed_token"),
    (r#""{\"alg\":\"ES256\"}""#, "malformed_token"),
];

/// Headers of tokens that are signed all the same.
fn headers<H: Host>(run: &mut Run<'_, H>) {
    let payload = Claims::own(run.host.now()).text();
    let jwk = STRANGER.public_jwk();
    let nested = [
        (format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(5000)), "unknown_key"),
        (format!(r#"{{"alg":"ES256","kid":"ES256","x":{}1{}}}"#, "[".repeat(31), "]".repeat(31)), "ok"),
        (format!(r#"{{"alg":"ES256","kid":"ES256","x":{}1{}}}"#, "[".repeat(32), "]".repeat(32)), "malformed_token"),
    ];
    let written = HEADERS.iter().map(|(header, verdict)| ((*header).to_owned(), *verdict));
    for (header, verdict) in written.chain(nested) {
        expect(run, &header, &sign(own_key("ES256"), header.as_bytes(), payload.as_bytes()), verdict);
    }
    let strangers = [
        (json!({"alg": "ES256", "kid": "ES256", "jwk": jwk}), "bad_signature"),
        (json!({"alg": "ES256", "jwk": jwk}), "bad_signature"),
        (json!({"alg": "ES256", "kid": STRANGER.kid(), "jwk": jwk}), "unknown_key"),
        (json!({"alg": "ES256", "kid": "ES256", "jku": "https://evil.example/jwks"}), "bad_signature"),
        (json!({"alg": "ES256", "x5c": ["AAAA"]}), "bad_signature"),
    ];
    for (header, verdict) in strangers {
        let header = header.to_string();
        expect(run, &header, &sign(&STRANGER, header.as_bytes(), payload.as_bytes()), verdict);
    }
}

/// Payloads that are no claims set, all of them signed.
fn payloads<H: Host>(run: &mut Run<'_, H>) {
    let good = Claims::own(run.host.now()).text();
    let with = |more: &str| good.replacen('{', &format!("{{{more},"), 1).into_bytes();
    for (payload, verdict) in [
        (with(r#""x":1"#), "ok"),
        (with(r#""sub":"admin""#), "malformed_token"),
        (with(r#""s\u0075b":"admin""#), "malformed_token"),
        (with(r#""x":{"y":[{"a":1,"a":1}]}"#), "malformed_token"),
        (with(r#""x":01"#), "malformed_token"),
        (with(r#""x":NaN"#), "malformed_token"),
        (with(r#""x":"\ud83d""#), "malformed_token"),
        (with("\"x\":\"\t\""), "malformed_token"),
        (with(&format!(r#""x":{}{}"#, "[".repeat(31), "]".repeat(31))), "ok"),
        (with(&format!(r#""x":{}{}"#, "[".repeat(32), "]".repeat(32))), "malformed_token"),
        (
            with(r#""x":"§§""#).into_iter().map(|byte| if byte == 0xa7 { 0xff } else { byte }).collect(),
            "malformed_token",
        ),
        (format!("\u{feff}{good}").into_bytes(), "malformed_token"),
        (format!("{good}{good}").into_bytes(), "malformed_token"),
        (format!("{good},").into_bytes(), "malformed_token"),
        (format!("[{good}]").into_bytes(), "malformed_token"),
        (format!(" \r\n\t{good}\n").into_bytes(), "ok"),
        (format!("\u{a0}{good}").into_bytes(), "malformed_token"),
        (format!("//\n{good}").into_bytes(), "malformed_token"),
        (good.bytes().flat_map(|byte| [byte, 0]).collect(), "malformed_token"),
        (Value::String(good.clone()).to_string().into_bytes(), "malformed_token"),
        (good.replace('"', "'").into_bytes(), "malformed_token"),
    ] {
        let shown = String::from_utf8_lossy(&payload).into_owned();
        expect(run, &shown, &sign(own_key("ES256"), br#"{"alg":"ES256","kid":"ES256"}"#, &payload), verdict);
    }
}

/// A claim, its value in JSON, and what becomes of a token that is good otherwise.
const CLAIMS: &[(&str, &str, &str)] = &[
    ("iss", "null", "unknown_issuer"),
    ("iss", r#"["https://own.example"]"#, "bad_claim"),
    ("iss", "1", "bad_claim"),
    ("iss", r#"{"https://own.example":1}"#, "bad_claim"),
    ("iss", r#""https://own.example/""#, "unknown_issuer"),
    ("iss", r#""https://OWN.example""#, "unknown_issuer"),
    ("iss", r#""https://own.example ""#, "unknown_issuer"),
    ("iss", r#""https://own.example\u0000""#, "unknown_issuer"),
    ("iss", r#""own.example""#, "unknown_issuer"),
    ("iss", r#""own""#, "unknown_issuer"),
    ("iss", r#""https:\/\/own.ex\u0061mple""#, "ok"),
    ("aud", "1", "bad_claim"),
    ("aud", "null", "wrong_audience"),
    ("aud", r#"{"api":true}"#, "bad_claim"),
    ("aud", r#"["api",1]"#, "bad_claim"),
    ("aud", r#"["api",null]"#, "bad_claim"),
    ("aud", r#"[["api"]]"#, "bad_claim"),
    ("aud", r#""API""#, "wrong_audience"),
    ("aud", r#""api ""#, "wrong_audience"),
    ("aud", r#""api,other""#, "wrong_audience"),
    ("aud", r#""other api""#, "wrong_audience"),
    ("aud", r#""ap""#, "wrong_audience"),
    ("aud", r#""api.evil""#, "wrong_audience"),
    ("aud", r#""*""#, "wrong_audience"),
    ("aud", r#"["x","api","x"]"#, "ok"),
    ("exp", "-1", "bad_claim"),
    ("exp", "-0", "expired"),
    ("exp", "0", "expired"),
    ("exp", "1e3", "expired"),
    ("exp", "1e400", "bad_claim"),
    ("exp", "9007199254740993", "bad_claim"),
    ("exp", "18446744073709551616", "bad_claim"),
    ("exp", "4102444800000", "ok"),
    ("exp", "4.1024448e9", "ok"),
    ("exp", "4102444800.5", "ok"),
    ("exp", "1e-400", "expired"),
    ("exp", "false", "bad_claim"),
    ("exp", r#""+4102444800""#, "bad_claim"),
    ("nbf", r#""0""#, "bad_claim"),
    ("nbf", "null", "ok"),
    ("nbf", "true", "bad_claim"),
    ("nbf", "-1", "bad_claim"),
    ("nbf", "0", "ok"),
    ("nbf", "9007199254740992", "not_yet_valid"),
    ("iat", r#""now""#, "bad_claim"),
    ("iat", "[0]", "bad_claim"),
    ("iat", "4102444800", "not_yet_valid"),
    ("scope", "1", "bad_claim"),
    ("scope", "true", "bad_claim"),
    ("scope", r#"{"read":true}"#, "bad_claim"),
    ("scope", r#""READ""#, "insufficient_scope"),
    ("scope", r#""reader""#, "insufficient_scope"),
    ("scope", r#""read:x""#, "insufficient_scope"),
    ("scope", r#""xread""#, "insufficient_scope"),
    ("scope", r#""read,write""#, "insufficient_scope"),
    ("scope", r#""read\twrite""#, "insufficient_scope"),
    ("scope", r#""read\u00a0write""#, "insufficient_scope"),
    ("scope", r#""re\u0061d""#, "ok"),
    ("scope", r#""  write   read ""#, "ok"),
    ("scope", r#"["write","read"]"#, "ok"),
    ("scope", "[]", "insufficient_scope"),
    ("scp", r#""read""#, "ok"),
    ("scp", "1", "bad_claim"),
    ("groups", "1", "ok"),
    ("groups", r#"[["a"]]"#, "ok"),
    ("groups", r#"["a,b"]"#, "unrepresentable_claim"),
    ("groups", r#"["a","b"]"#, "ok"),
    ("email", r#""a@b\r\nx-auth-user: admin""#, "unrepresentable_claim"),
    ("email", r#""\u0000""#, "unrepresentable_claim"),
    ("email", r#"" a@b""#, "unrepresentable_claim"),
    ("email", r#""\u007f""#, "unrepresentable_claim"),
];

/// Claims of a wrong type, or with a value that somebody might take for the right one.
fn claims<H: Host>(run: &mut Run<'_, H>) {
    let now = run.host.now();
    for (claim, value, verdict) in CLAIMS {
        let claims = Claims::own(now).with(json!({*claim: null})).text();
        let payload = claims.replacen('{', &format!("{{\"{claim}\":{value},"), 1);
        let token = sign(own_key("ES256"), br#"{"alg":"ES256","kid":"ES256"}"#, payload.as_bytes());
        expect(run, &format!("{claim} is {value}"), &token, verdict);
    }
    let nested = Claims::own(now).with(json!({"scope": null, "claims": {"scope": "read"}})).token();
    expect(run, "a scope inside another claim", &nested, "insufficient_scope");
}

/// A partner's token gives no scope outside the partner's `grants`, however it is written.
fn grants<H: Host>(run: &mut Run<'_, H>) {
    let now = run.host.now();
    for claims in [
        json!({"scope": "read"}),
        json!({"scope": "partner:read read"}),
        json!({"scope": ["read", "partner:read"]}),
        json!({"scope": "partner:x\tread"}),
        json!({"scope": null, "scp": ["read"]}),
        json!({"scope": null, "groups": ["ops"]}),
        json!({"scope": null, "groups": ["partner-ops"]}),
    ] {
        let token = Claims::of("partner", now).with(claims.clone()).token();
        expect(run, &format!("a partner's {claims}"), &token, "insufficient_scope");
    }
    let claimed =
        Claims::of("partner", now).with(json!({"grants": {"scopes": ["*"]}, "iss": "https://partner.example"}));
    expect(run, "grants in a token", &claimed.token(), "insufficient_scope");
}

/// One token has one spelling.
fn encodings<H: Host>(run: &mut Run<'_, H>) {
    let now = run.host.now();
    let token = Claims::own(now).token();
    let parts: Vec<_> = token.split('.').collect();
    // Bytes whose encoding has both characters in which the alphabets differ.
    let odd = Claims::own(now).with(json!({"x": "\u{3ff}\u{3fe}~~~???"})).token();
    for (what, token) in [
        ("the other alphabet", odd.replace('-', "+").replace('_', "/")),
        ("padding that fits", format!("{}.{}.{}==", parts[0], parts[1], parts[2])),
        ("an escape", token.replacen('e', "%65", 1)),
        ("a quote in front", format!("\"{token}")),
        ("quotes around", format!("\"{token}\"")),
        ("a semicolon", format!("{token};")),
        ("a fourth part", format!("{token}.{}", parts[2])),
        ("a full stop in front", format!(".{token}")),
        ("other separators", token.replace('.', ":")),
        ("a part too few", format!("{}.{}", parts[0], parts[1])),
        ("not ASCII", format!("{}\u{e9}.{}.{}", parts[0], parts[1], parts[2])),
        ("a full-width full stop", token.replace('.', "\u{ff0e}")),
    ] {
        expect(run, what, &token, "malformed_token");
    }
}

/// Signatures of a wrong form.
fn signatures<H: Host>(run: &mut Run<'_, H>) {
    let payload = Claims::own(run.host.now()).text();
    for (algorithm, length) in [("ES256", 64), ("RS256", 256), ("EdDSA", 64)] {
        let header = format!(r#"{{"alg":"{algorithm}","kid":"{algorithm}"}}"#);
        let input = format!("{}.{}", base64url(&header), base64url(&payload));
        let good = own_key(algorithm).sign(input.as_bytes());
        expect(run, algorithm, &format!("{input}.{}", base64url(&good)), "ok");
        let halves_swapped = [&good[length / 2..], &good[..length / 2]].concat();
        for (what, signature) in [
            ("nothing", vec![]),
            ("zeros", vec![0; length]),
            ("ones", vec![0xff; length]),
            ("a one", [vec![0; length - 1], vec![1]].concat()),
            ("halves swapped", halves_swapped),
            ("a zero in front", [&[0], good.as_slice()].concat()),
            ("a zero behind", [good.as_slice(), &[0]].concat()),
            ("a byte less", good[1..].to_vec()),
            ("a byte less at the end", good[..length - 1].to_vec()),
            ("twice", [good.as_slice(), good.as_slice()].concat()),
            ("half", good[..length / 2].to_vec()),
            ("backwards", good.iter().rev().copied().collect()),
            ("of another text", own_key(algorithm).sign(format!("{input}.").as_bytes())),
            ("of the payload", own_key(algorithm).sign(payload.as_bytes())),
        ] {
            expect(run, &format!("{algorithm}: {what}"), &format!("{input}.{}", base64url(signature)), "bad_signature");
        }
    }
}

/// Where and how a credential stands.
fn credentials<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::own();
    let now = run.host.now();
    let good = Claims::own(now).token();
    let bearer = format!("Bearer {good}");
    for (value, verdict) in [
        (format!("Bearer  {good}"), "ok"),
        (format!("Bearer\t{good}"), "ok"),
        (format!("  {bearer}  "), "ok"),
        (format!("{bearer},"), "malformed_credentials"),
        (format!("{bearer}, {bearer}"), "malformed_credentials"),
        (format!("{bearer},Basic YTpi"), "malformed_credentials"),
        (format!("Basic YTpi, {bearer}"), "malformed_credentials"),
        (format!("Basic YTpi,{bearer}"), "malformed_credentials"),
        (format!("{bearer} x"), "malformed_credentials"),
        (format!("Bearer, {good}"), "malformed_credentials"),
        (format!("Bearer: {good}"), "malformed_credentials"),
        (format!("Bearer={good}"), "malformed_credentials"),
        (format!("Bearer \"{good}\""), "malformed_token"),
        (format!("Bearer token={good}"), "malformed_token"),
        // The other serialisations of RFC 7515 §7.2 are no bearer tokens.
        (r#"Bearer {"payload":"e30","protected":"e30","signature":""}"#.into(), "malformed_credentials"),
        (format!("Bearer{good}"), "missing_token"),
        (format!("Bearer_ {good}"), "missing_token"),
        (format!("X Bearer {good}"), "missing_token"),
        ("Bearer null".into(), "malformed_token"),
        ("Bearer undefined".into(), "malformed_token"),
    ] {
        let request = Request::get("/api/x").header("authorization", &value);
        let answer = run.expect(&value, &setting, &request, verdict);
        run.check(!answer.upstream_saw("Bearer"), &format!("`{value}` reached the upstream"));
    }
    for (name, place) in [
        ("proxy-authorization", bearer.as_str()),
        ("x-authorization", &bearer),
        ("authorization_", &bearer),
        ("x-token", &good),
        ("cookie", &format!("token={good}")),
        ("x-forwarded-authorization", &bearer),
        ("sec-websocket-protocol", &format!("bearer, {good}")),
    ] {
        run.expect(name, &setting, &Request::get("/api/x").header(name, place), "missing_token");
    }
    run.expect("?access_token", &setting, &Request::get(&format!("/api/x?access_token={good}")), "missing_token");
    // A bad credential is none that a public or optional route overlooks, or passes on.
    let bad = Claims::own(now).strangers_token();
    run.expect("optional, bad", &setting, &Request::get("/optional/x").bearer(&bad), "unknown_key");
    run.expect("optional, none", &setting, &Request::get("/optional/x"), "ok");
    for token in [&good, &bad] {
        let answer = run.expect("public", &setting, &Request::get("/public/x").bearer(token), "ok");
        run.check(!answer.upstream_saw(token), "a public route shows the token to the upstream");
    }
}

/// No spelling of an identity header gets through, on no route.
fn identities<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::own();
    let good = Claims::own(run.host.now()).token();
    let names = [
        "x-auth-user",
        "X-AUTH-USER",
        "x_auth_user",
        "X-Auth_User",
        "x.auth.user",
        "x-auth-scopes",
        "x-auth-email",
        "x-auth-groups",
        "x-auth-anything",
        "x-auth-",
        "x_auth_",
        "x~auth~user",
        "x-auth-user_",
        "x-auth-user-",
    ];
    for path in ["/public/x", "/optional/x", "/api/x"] {
        let plain = if path == "/public/x" { Request::get(path) } else { Request::get(path).bearer(&good) };
        for name in names {
            let answer = run.expect(name, &setting, &plain.clone().header(name, "admin"), "ok");
            run.check(!answer.upstream_saw("admin"), &format!("{name} on {path}: the upstream saw {answer:?}"));
        }
        let all = names.iter().fold(plain.clone(), |request, name| request.header(name, "admin").header(name, "root"));
        let answer = run.expect("all names", &setting, &all, "ok");
        run.check(!answer.upstream_saw("admin") && !answer.upstream_saw("root"), &format!("on {path}: {answer:?}"));
    }
}

/// `OPTIONS` is a method like others.
fn options_need_a_token_where_a_rule_says_so<H: Host>(run: &mut Run<'_, H>) {
    let setting = with_options(run.catalogue);
    let options = || Request::new("OPTIONS", "/api/x");
    for request in [
        options(),
        options().header("origin", "https://app.example"),
        options().header("access-control-request-method", "GET"),
        options().header("origin", "https://app.example").header("access-control-request-method", "GET"),
    ] {
        let answer = run.expect("OPTIONS", &setting, &request, "missing_token");
        run.check(answer.status == 401, &format!("expected 401, found {answer:?}"));
    }
    let good = run.catalogue.good("rs256").to_owned();
    run.expect("OPTIONS with a token", &setting, &options().bearer(&good), "ok");
}

fn expect<H: Host>(run: &mut Run<'_, H>, what: &str, token: &str, verdict: &str) {
    let what = if what.len() > 200 { &what[..what.floor_char_boundary(200)] } else { what };
    run.expect(what, &Setting::own(), &Request::get("/api/x").bearer(token), verdict);
}
