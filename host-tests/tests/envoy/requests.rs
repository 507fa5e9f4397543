//! Who passes, who does not, and what the upstream is told.

use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::flaws::Flaw;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;

use crate::world::{World, config, refused, verdict};

fn with_claims(claims: Value) -> TokenRequest {
    let Value::Object(claims) = claims else { panic!("not an object") };
    TokenRequest { claims, ..TokenRequest::subject("alice") }
}

#[test]
fn each_token_gets_its_verdict_and_good_ones_pass_after_it() {
    let issuer = Issuer::start(Options { algorithms: Algorithm::ASYMMETRIC.to_vec(), ..Options::default() }).unwrap();
    let config = config(&issuer, &json!({}));
    let world = World::add(issuer, |bootstrap| bootstrap.plugin(&config.to_string()));
    let flawed = |flaw| TokenRequest { flaw, ..TokenRequest::subject("alice") };
    for algorithm in Algorithm::ASYMMETRIC {
        let verdict =
            |request| world.verdict(&world.token(&TokenRequest { alg: Some(algorithm.name().into()), ..request }));
        assert_eq!(verdict(TokenRequest::subject("alice")), refused(200, ""), "{algorithm}");
        assert_eq!(verdict(flawed(Flaw::BadSignature)), refused(401, "bad_signature"), "{algorithm}");
        assert_eq!(verdict(flawed(Flaw::Tampered)), refused(401, "bad_signature"), "{algorithm}");
    }
    let far = 4_102_444_800_u64;
    for (request, reason) in [
        (TokenRequest { lifetime: Some(-61), ..TokenRequest::subject("alice") }, "expired"),
        (with_claims(json!({"nbf": far})), "not_yet_valid"),
        (with_claims(json!({"aud": "other"})), "wrong_audience"),
        (with_claims(json!({"iss": "https://other"})), "unknown_issuer"),
        (with_claims(json!({"iss": null})), "unknown_issuer"),
        (with_claims(json!({"exp": "4102444800"})), "bad_claim"),
        (with_claims(json!({"exp": null})), "bad_claim"),
        (with_claims(json!({"sub": "a\r\nx: y"})), "unrepresentable_claim"),
        (flawed(Flaw::AlgNone), "unsupported_algorithm"),
        (flawed(Flaw::Hs256PublicKey), "unsupported_algorithm"),
        (flawed(Flaw::Hs256PublicJwk), "unsupported_algorithm"),
        (flawed(Flaw::BadSignature), "bad_signature"),
        (flawed(Flaw::EmptySignature), "bad_signature"),
        (flawed(Flaw::ForeignKey), "bad_signature"),
        (flawed(Flaw::EmbeddedJwk), "bad_signature"),
        (flawed(Flaw::Tampered), "bad_signature"),
        (flawed(Flaw::DuplicateMember), "malformed_token"),
        (flawed(Flaw::Padded), "malformed_token"),
        (flawed(Flaw::UnknownKid), "unknown_key"),
        (flawed(Flaw::UnpublishedKey), "unknown_key"),
    ] {
        for alg in ["RS256", "ES256", "EdDSA"] {
            let token = world.token(&TokenRequest { alg: Some(alg.into()), ..request.clone() });
            assert_eq!(world.verdict(&token), refused(401, reason), "{reason} {alg} {:?}", request.flaw);
            world.assert_good_passes();
        }
    }
    let der = TokenRequest { alg: Some("ES256".into()), ..flawed(Flaw::DerSignature) };
    assert_eq!(world.verdict(&world.token(&der)), refused(401, "bad_signature"));
    for text in ["a", "a.b.c", "....", &"x".repeat(16_385)] {
        let reason = if text.len() > 16_384 { "token_too_large" } else { "malformed_token" };
        assert_eq!(world.verdict(text), refused(401, reason));
    }
    world.assert_good_passes();
}

#[test]
fn answers_are_those_of_the_contract() {
    let world = World::shared(&json!({"realm": "orders"}));
    let none = world.send(&Request::get("/x"));
    assert_eq!(verdict(&none), refused(401, "missing_token"));
    assert_eq!(none.header("www-authenticate").unwrap(), r#"Bearer realm="orders""#);
    assert_eq!(none.header("cache-control").unwrap(), "no-store");
    assert_eq!(none.json()["status"], 401);

    let scope = world.send(&Request::new("POST", "/x").bearer(&world.alice()));
    assert_eq!(verdict(&scope), refused(403, "insufficient_scope"));
    assert_eq!(
        scope.header("www-authenticate").unwrap(),
        r#"Bearer realm="orders", error="insufficient_scope", scope="write""#
    );
    let writer = world.token(&TokenRequest { scope: Some("read write".into()), ..TokenRequest::subject("bob") });
    assert_eq!(world.send(&Request::new("POST", "/x").bearer(&writer)).status, 200);

    let head = world.send(&Request::new("HEAD", "/x"));
    assert_eq!((head.status, head.body.len()), (401, 0));

    let grpc = world.send(
        &Request::new("POST", "/pkg.Service/Method")
            .header("content-type", "application/grpc")
            .header("te", "trailers"),
    );
    assert_eq!((grpc.status, grpc.header("grpc-status").as_deref()), (200, Some("16")));
    assert_eq!(grpc.header("grpc-message").as_deref(), Some("the request needs a token"));
    assert!(grpc.body.is_empty());
    let grpc = world.send(&Request::new("POST", "/a//b").header("content-type", "application/grpc+proto"));
    assert_eq!(grpc.header("grpc-status").as_deref(), Some("3"), "400 is INVALID_ARGUMENT");
    assert_eq!(world.upstream.count(), 1);
}

#[test]
fn credentials_are_one_or_refused() {
    let world = World::shared(&json!({}));
    let (token, gateway) = (world.alice(), "/x");
    let with = |value: &str| verdict(&world.send(&Request::get(gateway).header("authorization", value)));
    let bearer = format!("Bearer {token}");
    assert_eq!(with(&format!("bEaReR {token}")), refused(200, ""));
    for value in ["", "Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", &format!("Basic a, {bearer}")] {
        assert_eq!(with(value), refused(400, "malformed_credentials"), "{value}");
    }
    for value in ["Basic abc", &token, "Token abc"] {
        assert_eq!(with(value), refused(401, "missing_token"), "{value}");
    }
    for (first, second) in
        [(&bearer, &bearer), (&bearer, &String::from("Basic abc")), (&String::from("Basic abc"), &bearer)]
    {
        let request = Request::get(gateway).header("authorization", first).header("authorization", second);
        assert_eq!(world.send(&request).status, 400);
        let request = Request::get(gateway).header("Authorization", first).header("AUTHORIZATION", second);
        assert_eq!(world.send(&request).status, 400);
    }
    assert_eq!(world.upstream.count(), 1);
    world.assert_good_passes();
}

#[test]
fn no_client_can_forge_an_identity() {
    let world = World::shared(&json!({}));
    let forged = |mut request: Request| {
        for name in [
            "X-Auth-Request-User",
            "X_Auth_Request_User",
            "X.Auth.Request.User",
            "x-auth-request-user",
            "X-Auth-Request-Email",
            "X-Auth-Request-Whatever",
        ] {
            request = request.header(name, "admin");
        }
        request
    };
    for (path, token) in [("/public/a", None), ("/public/a", Some(world.alice())), ("/x", Some(world.alice()))] {
        let request = forged(Request::get(path));
        let request = if let Some(token) = &token { request.bearer(token) } else { request };
        let response = world.send(&request);
        assert_eq!(response.status, 200);
        assert!(!response.text().contains("admin"), "{}", response.text());
        let is_known = path == "/x";
        assert_eq!(response.seen("x-auth-request-user"), if is_known { vec!["alice"] } else { vec![] });
        assert_eq!(response.seen("x-auth-request-issuer"), if is_known { vec![world.issuer.issuer()] } else { vec![] });
        assert_eq!(response.seen("x-auth-request-token-scopes"), if is_known { vec!["read"] } else { vec![] });
        assert!(response.seen("authorization").is_empty());
    }
}

#[test]
fn a_forged_identity_cannot_choose_the_route() {
    let route = |prefix: &str, body: &str, headers: Value| json!({"match": {"prefix": prefix, "headers": headers}, "direct_response": {"status": 200, "body": {"inline_string": body}}});
    let admins = json!([{"name": "x-auth-request-user", "string_match": {"exact": "admin"}}]);
    let routes = json!([route("/", "for admins", admins), route("/", "for all", json!([]))]);
    let world = World::shared_with(&json!({}), |bootstrap| bootstrap.routes(&routes));
    let forged = Request::get("/public/a").header("x-auth-request-user", "admin");
    assert_eq!(world.send(&forged).text(), "for all");
    let admin = world.token(&TokenRequest::subject("admin"));
    assert_eq!(world.send(&Request::get("/x").bearer(&admin)).text(), "for admins");
}

#[test]
fn odd_bytes_harm_nobody() {
    let world = World::shared(&json!({}));
    let odd = Request::get("/public/a").header("x-odd", b"\xff\xfe").header("authorization", b"Bearer \xff");
    assert_eq!(world.send(&odd).seen("x-odd"), ["\\xFF\\xFE"]);
    let odd = Request::get("/x").header("authorization", b"Bearer \xff.\xff.\xff");
    assert_eq!(verdict(&world.send(&odd)), refused(401, "malformed_token"));
    let odd = Request::get("/x").header("x-auth-request-user", b"\xff").header("authorization", b"\xff");
    assert_eq!(verdict(&world.send(&odd)), refused(401, "missing_token"));
    for path in
        ["/public/../x", "/public/%2e%2e/x", "/public//x", "/public/a;x", "/public/%2fx", "/public/a%00", "/public\\x"]
    {
        let response = world.send(&Request::get(path));
        assert_eq!(verdict(&response), refused(400, "ambiguous_path"), "{path}");
    }
    assert_eq!(verdict(&world.send(&Request::get("/x?/public/a"))), refused(401, "missing_token"));
    assert_eq!(verdict(&world.send(&Request::get("/%70ublic/a"))), refused(200, ""));
    assert_eq!(world.upstream.count(), 2);
    world.assert_good_passes();
}

#[test]
fn a_header_of_many_claims_is_told_faithfully() {
    let identity = json!({"X-Name": "name", "X-Number": "number", "X-Roles": "realm_access.roles", "X-Rule": "$rule", "X-Gone": "gone"});
    let world = World::shared(&json!({"identityHeaders": identity}));
    let claims = json!({"name": "Jos\u{e9}", "number": 9_007_199_254_740_993_u64, "realm_access": {"roles": ["a", "b"]}, "gone": null});
    let response = world.send(&Request::get("/x").bearer(&world.token(&with_claims(claims))));
    let seen = |name| response.seen(name).join("|");
    assert_eq!(
        (seen("x-number"), seen("x-roles"), seen("x-rule"), seen("x-gone")),
        ("9007199254740993".into(), "a,b".into(), "rest".into(), String::new())
    );
    assert!(seen("x-name").starts_with("Jos"), "{}", seen("x-name"));
}
