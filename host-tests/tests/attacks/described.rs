//! Cases that are described only: what they ask is the same in every host.

use serde_json::{Value, json};
use testbed::mint::base64url;

use crate::exchange::Request;
use crate::mint::{Claims, own_key, sign};
use crate::run::{Host, Run};
use crate::setting::Setting;

pub(crate) fn all<H: Host>(run: &mut Run<'_, H>) {
    run.case("ENC-018", sizes);
    run.case("TIM-011", skew);
    run.case("SCP-016", forbidden_and_unauthorized);
    run.case("HTP-020", answers_tell_nothing);
    run.case("RUN-003", tokens_that_resemble_a_cached_one);
    crate::key_sets::all(run);
    run.case("RUN-001", anything);
}

/// ENC-018: good tokens pass up to `limits.tokenBytes`, and longer ones are not looked at.
fn sizes<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::own();
    let claims = Claims::own(run.host.now());
    for (length, verdict) in [
        (8191, "ok"),
        (8192, "ok"),
        (8193, "ok"),
        (16_383, "ok"),
        (16_384, "ok"),
        (16_385, "token_too_large"),
        (49_152, "token_too_large"),
    ] {
        let token = claims.sized_token(length);
        assert_eq!(token.len(), length);
        run.expect(&format!("{length} bytes"), &setting, &Request::get("/api/x").bearer(&token), verdict);
    }
    if run.host.is_real() {
        let answer = run.host.send(&setting, &Request::get("/api/x").bearer(&claims.sized_token(65_000)));
        run.check(answer.status == 431 && answer.upstream.is_none(), "65,000 bytes are refused by Envoy");
    }
    run.expect_good("long tokens", &setting);
}

/// TIM-011: `now >= exp + skew` has expired, `nbf > now + skew` is not valid yet.
fn skew<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::own();
    for (issuer, skew) in [("own", 60), ("punctual", 0)] {
        // A clock that goes on by itself does so between minting and checking.
        let (now, slack) = (run.host.now(), if run.host.is_real() { 8 } else { 0 });
        for (claim, at, verdict) in [
            ("exp", now - skew + 1 + slack, "ok"),
            ("exp", now - skew, "expired"),
            ("exp", now - skew - 2, "expired"),
            ("nbf", now + skew, "ok"),
            ("nbf", now + skew + 1 + slack, "not_yet_valid"),
            ("iat", now + skew, "ok"),
            ("iat", now + skew + 1 + slack, "not_yet_valid"),
        ] {
            let token = Claims::of(issuer, now).with(json!({claim: at})).token();
            let what = format!("{issuer}: {claim} is {at} at {now}");
            run.expect(&what, &setting, &Request::get("/api/x").bearer(&token), verdict);
        }
        if !run.host.is_real() {
            let token = |text: &str| {
                let payload = Claims::of(issuer, now)
                    .text()
                    .replace(&format!("\"exp\":{}", now + 3600), &format!("\"exp\":{text}"));
                sign(own_key("ES256"), br#"{"alg":"ES256","kid":"ES256"}"#, payload.as_bytes())
            };
            for (exp, verdict) in [
                (format!("{}.000000001", now - skew), "ok"),
                (format!("{}.0", now - skew), "expired"),
                (format!("{}.999999999999999999999", now - skew - 1), "expired"),
                (format!("{}e-1", (now - skew + 1) * 10), "ok"),
            ] {
                run.expect(&format!("exp {exp}"), &setting, &Request::get("/api/x").bearer(&token(&exp)), verdict);
            }
        }
    }
    run.expect_good("dates at the edge", &setting);
}

/// SCP-016: 401 without a good token, 403 with one that does not do; never the other way round.
fn forbidden_and_unauthorized<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::baseline(run.catalogue);
    let admin = || Request::get("/admin/x");
    let (good, bad) = (run.catalogue.good("rs256").to_owned(), run.catalogue.good("bad_signature").to_owned());
    for (request, verdict, status) in [
        (admin(), "missing_token", 401),
        (admin().bearer(&bad), "bad_signature", 401),
        (admin().bearer(&good), "insufficient_scope", 403),
    ] {
        let answer = run.expect("/admin/x", &setting, &request, verdict);
        run.check(answer.status == status, &format!("expected {status}, found {answer:?}"));
    }
    run.expect("/admin/x", &setting, &admin().bearer(run.catalogue.good("admin")), "ok");
}

/// HTP-020: answers depend on the reason alone, whatever the client sent; the rest is checked for every answer.
fn answers_tell_nothing<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::baseline(run.catalogue);
    let good = run.catalogue.good("rs256").to_owned();
    let stem = good.rsplit_once('.').unwrap().0.to_owned();
    let odd = |request: Request| {
        request.header("origin", "https://evil.example").header("x-evil", "<script>").header("accept", "text/html")
    };
    for (one, other, verdict, challenge) in [
        (
            Request::get("/api/x"),
            odd(Request::get("/api/%3Cscript%3E?evil")),
            "missing_token",
            r#"Bearer realm="jotgate""#,
        ),
        (
            Request::get("/api/x").bearer(&format!("{stem}.AAAA")),
            odd(Request::new("PUT", "/api/evil")).bearer(&format!("{stem}.evil")),
            "bad_signature",
            r#"Bearer realm="jotgate", error="invalid_token", error_description="the signature of the token is not valid""#,
        ),
        (
            Request::get("/admin/x").bearer(&good),
            odd(Request::get("/admin/evil")).bearer(&good),
            "insufficient_scope",
            r#"Bearer realm="jotgate", error="insufficient_scope", scope="admin""#,
        ),
    ] {
        let (one, other) = (run.expect("one", &setting, &one, verdict), run.expect("other", &setting, &other, verdict));
        run.check(one.body == other.body, &format!("expected one body, found {} and {}", one.body, other.body));
        for answer in [&one, &other] {
            run.check(
                answer.header("www-authenticate") == Some(challenge),
                &format!("expected {challenge}, found {answer:?}"),
            );
        }
        let whole = format!("{:?}{}", other.headers, other.body);
        run.check(
            !whole.contains("evil") && !whole.contains("<script") && !whole.contains("%3C"),
            &format!("the client's text is in {whole}"),
        );
    }
    run.expect_good("bad requests", &setting);
}

/// RUN-003: a token that passed lends nothing to others, nor to other requests.
fn tokens_that_resemble_a_cached_one<H: Host>(run: &mut Run<'_, H>) {
    let setting = Setting::baseline(run.catalogue);
    let [alice, bob] = ["rs256", "bob"].map(|name| run.catalogue.good(name).to_owned());
    let get = |token: &str| Request::get("/api/x").bearer(token);
    for _ in 0..3 {
        run.expect("alice", &setting, &get(&alice), "ok");
        run.expect("bob", &setting, &get(&bob), "ok");
    }
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (of_alice, of_bob) = (parts(&alice), parts(&bob));
    for mixed in [
        [&of_alice[0], &of_alice[1], &of_bob[2]],
        [&of_alice[0], &of_bob[1], &of_alice[2]],
        [&of_bob[0], &of_bob[1], &of_alice[2]],
    ] {
        let token = mixed.map(String::as_str).join(".");
        run.expect("parts of two tokens", &setting, &get(&token), "bad_signature");
    }
    for token in [
        format!("{alice}A"),
        format!("{alice}="),
        format!("{alice}."),
        format!("{alice}.{alice}"),
        alice[..alice.len() - 1].into(),
        alice[1..].into(),
    ] {
        run.expect_refusal("a longer or shorter token", &setting, &get(&token));
    }
    // Every character at the ends of each part, by one bit.
    let mut offset = 0;
    for part in &of_alice {
        for at in [offset, offset + 1, offset + part.len() / 2, offset + part.len() - 2, offset + part.len() - 1] {
            for bit in 0..6 {
                let mut changed = alice.clone().into_bytes();
                changed[at] = flipped(changed[at], bit);
                let changed = String::from_utf8(changed).unwrap();
                run.expect_refusal(&format!("bit {bit} of character {at}"), &setting, &get(&changed));
            }
        }
        offset += part.len() + 1;
    }
    for (request, verdict) in [
        (Request::get("/admin/x"), "insufficient_scope"),
        (Request::new("POST", "/api/x"), "insufficient_scope"),
        (Request::get("/elsewhere"), "no_rule"),
        (Request::get("/api/x"), "ok"),
    ] {
        run.expect("alice, elsewhere", &setting, &request.bearer(&alice), verdict);
    }
    // Another issuer does not know her token.
    run.expect("at another gate", &Setting::own(), &get(&alice), "unknown_issuer");
    let mallory = Request::get("/api/x").header("authorization", &format!("Bearer {}", alice.to_ascii_lowercase()));
    run.expect_refusal("in lower case", &setting, &mallory);
    run.expect_good("tokens like it", &setting);
}

/// A character of base64url whose value differs in that bit.
fn flipped(character: u8, bit: u32) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = ALPHABET.iter().position(|letter| *letter == character).unwrap();
    ALPHABET[value ^ (1 << bit)]
}

/// RUN-001: whatever there is in the vectors, the gate answers and goes on.
fn anything<H: Host>(run: &mut Run<'_, H>) {
    let (setting, own) = (Setting::baseline(run.catalogue), Setting::own());
    let header = br#"{"alg":"ES256","kid":"ES256"}"#;
    for (name, text) in json_texts() {
        let unsigned = |header: &[u8], payload: &[u8]| format!("{}.{}.AAAA", base64url(header), base64url(payload));
        for token in [unsigned(&text, &text), unsigned(header, &text), sign(own_key("ES256"), header, &text)] {
            run.expect_refusal(&name, &own, &Request::get("/api/x").bearer(&token));
        }
    }
    for token in wycheproof_tokens() {
        run.expect_refusal("a token of Wycheproof", &setting, &Request::get("/api/x").bearer(&token));
    }
    let variants: Vec<_> = run.catalogue.cases.iter().flat_map(|case| run.catalogue.variants(case)).collect();
    for variant in variants {
        let path = variant.request.path.clone();
        for request in [variant.request, Request::get(&path), Request::new("POST", &path).header("cookie", "token=x")] {
            // What each of them gets is tested elsewhere.
            run.host.send(&setting, &request);
        }
    }
    run.expect_good("all of it", &setting);
    run.expect_good("all of it", &own);
}

fn json_texts() -> Vec<(String, Vec<u8>)> {
    let names = vectors::list("json-test-suite/test_parsing").into_iter();
    let texts = names.map(|name| (name.clone(), vectors::read(&format!("json-test-suite/test_parsing/{name}"))));
    // A hundred thousand brackets are no header that a proxy takes.
    let texts: Vec<_> = texts.filter(|(_, text)| text.len() < 10_000).collect();
    assert!(texts.len() > 300, "the suite is not whole");
    texts
}

fn wycheproof_tokens() -> Vec<String> {
    let suite: Value = vectors::read_json("wycheproof/json_web_signature_test.json");
    let groups = suite["testGroups"].as_array().unwrap().iter();
    let tests = groups.flat_map(|group| group["tests"].as_array().unwrap());
    // Header values end at the line.
    let tokens = tests.filter_map(|test| test["jws"].as_str()).filter(|token| !token.contains(['\r', '\n', '\0']));
    let tokens: Vec<_> = tokens.map(str::to_owned).collect();
    assert!(tokens.len() > 300, "the suite is not whole");
    tokens
}
