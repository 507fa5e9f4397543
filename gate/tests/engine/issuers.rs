//! What real issuers are like: tenants, trust domains, audiences elsewhere than in `aud`, groups that are objects.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{ISSUER, Key, NOW, Outcome, World, fetched, inline, merge};

/// What becomes of a token with these changes to its claims, given these to its issuer.
fn verdict(issuer: &Value, changes: &Value) -> String {
    outcome(issuer, &json!({}), changes).summary()
}

fn outcome(issuer: &Value, config: &Value, changes: &Value) -> Outcome {
    World::new(&configured(issuer, config)).with_token(&Key::new("a").token(changes))
}

fn configured(issuer: &Value, config: &Value) -> Value {
    let mut config = inline(config);
    merge(&mut config["issuers"][0], issuer);
    config
}

/// With claims that are null, which [`Key::token`] leaves out.
fn with_nulls(claims: &[&str]) -> String {
    let mut all = json!({"iss": ISSUER, "aud": "api", "sub": "alice", "iat": NOW - 10, "exp": NOW + 3600});
    for claim in claims {
        all[claim] = Value::Null;
    }
    Key::new("a").sign(&json!({"alg": "ES256", "kid": "a"}), &all)
}

#[test]
fn null_is_absent_for_every_claim() {
    let verdict = |issuer: &Value, claims: &[&str]| {
        World::new(&configured(issuer, &json!({}))).with_token(&with_nulls(claims)).summary()
    };
    let optional = ["nbf", "iat", "sub", "scope", "scp", "groups", "email", "email_verified"];
    assert_eq!(verdict(&json!({}), &optional), "ok");
    assert_eq!(verdict(&json!({}), &["iss"]), "401 unknown_issuer");
    assert_eq!(verdict(&json!({}), &["aud"]), "401 wrong_audience");
    assert_eq!(verdict(&json!({"audiences": "any"}), &["aud"]), "ok");
    assert_eq!(verdict(&json!({}), &["exp"]), "401 bad_claim");
    assert_eq!(verdict(&json!({"requireExpiration": false}), &["exp"]), "ok");
    assert_eq!(verdict(&json!({"maxLifetime": "2h"}), &["iat"]), "401 bad_claim");
}

#[test]
fn audiences_are_in_the_claims_that_are_configured() {
    let cognito = json!({"audienceClaims": ["aud", "client_id"], "audiences": ["app", "api"]});
    for (claims, expected) in [
        (json!({"aud": null, "client_id": "app"}), "ok"),
        (json!({"aud": "api", "client_id": "other"}), "ok"),
        (json!({"aud": ["other"], "client_id": ["x", "app"]}), "ok"),
        (json!({"aud": "other", "client_id": "other"}), "401 wrong_audience"),
        (json!({"aud": null}), "401 wrong_audience"),
        (json!({"aud": "api", "client_id": 1}), "401 bad_claim"),
        (json!({"aud": {}, "client_id": "app"}), "401 bad_claim"),
        (json!({"aud": "api", "client_id": ["app", {}]}), "401 bad_claim"),
    ] {
        assert_eq!(verdict(&cognito, &claims), expected, "{claims}");
    }
    let alone = json!({"audienceClaims": ["client_id"]});
    assert_eq!(verdict(&alone, &json!({"aud": "api"})), "401 wrong_audience", "`aud` is not one of them");
    assert_eq!(verdict(&alone, &json!({"aud": 1, "client_id": "api"})), "ok", "`aud` is not looked at");
    let nested = json!({"audienceClaims": [["https://example.com/aud"], "act.aud"]});
    assert_eq!(verdict(&nested, &json!({"aud": null, "act": {"aud": "api"}})), "ok");
    let rule = json!({"default": "deny", "rules": [{"access": {"audiences": {"any": ["app"]}}}]});
    assert_eq!(outcome(&cognito, &rule, &json!({"client_id": "app"})).summary(), "ok", "rules see all of them");
}

fn detail(outcome: &Outcome) -> String {
    let Outcome::Replied(reply) = outcome else { panic!("not replied: {outcome:?}") };
    let body: Value = serde_json::from_str(&reply.body).expect("is JSON");
    body["detail"].as_str().expect("is text").to_string()
}

#[test]
fn answers_say_which_claim_is_at_fault_and_of_what_type_it_is() {
    for (claims, expected) in [
        (json!({"exp": null}), "the claim `exp` is missing"),
        (json!({"exp": "soon"}), "the claim `exp` is a string, expected seconds since 1970 from 0 to 2^53"),
        (
            json!({"scope": [1]}),
            "the claim `scope` is a list with a number in it, expected a string or an array of strings",
        ),
        (json!({"aud": null}), "the token names no audience: `aud` is missing or empty"),
        (json!({"aud": "secret"}), "the token is meant for another audience"),
    ] {
        assert_eq!(detail(&outcome(&json!({}), &json!({}), &claims)), expected, "{claims}");
    }
    let odd = outcome(&json!({"scopeClaims": [["a\"b\\\u{e9}"]]}), &json!({}), &json!({"a\"b\\\u{e9}": {}}));
    let challenge = odd.header("www-authenticate").expect("is a challenge");
    assert!(
        challenge.ends_with(
            "error_description=\"the claim `a?b??` is an object, expected a string or an array of strings\""
        ),
        "{challenge}"
    );
}

#[test]
fn groups_that_are_objects_go_by_a_member() {
    let issuer = json!({"groupsClaim": {"claim": "isMemberOf", "member": "name"}});
    let rule = json!({"default": "deny", "rules": [{"access": {"groups": {"any": ["ops"]}}}]});
    let verdict = |groups: Value| outcome(&issuer, &rule, &json!({"isMemberOf": groups})).summary();
    assert_eq!(verdict(json!([{"name": "dev"}, {"name": "ops", "id": 1}])), "ok");
    assert_eq!(verdict(json!({"name": "ops"})), "ok", "one group");
    assert_eq!(verdict(json!([])), "403 access_denied");
    assert_eq!(verdict(json!(null)), "403 access_denied");
    for odd in [
        json!([{"id": 1}]),
        json!([{"name": "ops"}, {"name": 1}]),
        json!(["ops"]),
        json!("ops"),
        json!([{"name": null}]),
    ] {
        assert_eq!(verdict(odd.clone()), "401 bad_claim", "{odd}");
    }
}

#[test]
fn groups_of_an_odd_form_matter_only_where_groups_are_asked_for() {
    let claims = json!({"groups": [{"name": "ops"}]});
    let passed = outcome(&json!({}), &json!({}), &claims);
    assert_eq!((passed.summary().as_str(), passed.seen("x-auth-request-groups")), ("ok", vec![]));
    let rules = |access: Value| json!({"rules": [{"match": {"paths": ["/other"]}, "access": {"groups": {"any": ["ops"]}}}, {"access": access}]});
    assert_eq!(outcome(&json!({}), &rules(json!("authenticated")), &claims).summary(), "ok", "another rule asks");
    for access in [
        json!({"groups": {"any": ["ops"]}}),
        json!({"not": {"groups": {"any": ["ops"]}}}),
        json!({"anyOf": [{"claims": {"sub": "alice"}}, {"groups": {"all": ["ops"]}}]}),
    ] {
        let refused = outcome(&json!({}), &rules(access.clone()), &claims);
        assert_eq!(refused.summary(), "401 bad_claim", "{access}");
        assert_eq!(
            detail(&refused),
            "the claim `groups` is a list with an object in it, expected a string or an array of strings"
        );
    }
    let scopes = json!({"groupScopes": {"exec": ["ops"]}});
    assert_eq!(outcome(&scopes, &json!({}), &claims).summary(), "401 bad_claim");
    let header = outcome(&json!({}), &json!({"identityHeaders": {"x-groups": "$groups"}}), &claims);
    assert!(header.seen("x-groups").is_empty(), "none could be read");
}

#[test]
fn a_known_token_with_odd_groups_is_rejected_as_a_new_one_is() {
    let rules = json!({"rules": [{"match": {"paths": ["/ops"]}, "access": {"groups": {"any": ["ops"]}}}]});
    let mut world = World::new(&inline(&rules));
    let token = Key::new("a").token(&json!({"groups": {"ops": {}}}));
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        assert_eq!(world.get("/x", &headers).summary(), "ok");
        assert_eq!(world.get("/ops", &headers).summary(), "401 bad_claim");
    }
}

const TENANTS: &str = "https://login.example.com/{tid}/v2.0";

fn tenants(tenants: &Value) -> Value {
    json!({"issuer": TENANTS, "tenants": tenants})
}

fn of_tenant(iss: &str, tid: &Value) -> Value {
    json!({"iss": format!("https://login.example.com/{iss}/v2.0"), "tid": tid})
}

#[test]
fn the_tenant_in_the_issuer_is_the_one_that_the_token_names() {
    let any = tenants(&json!("any"));
    for (claims, expected) in [
        (of_tenant("t1", &json!("t1")), "ok"),
        (of_tenant("t1", &json!("t2")), "401 bad_claim"),
        (of_tenant("t1", &json!("T1")), "401 bad_claim"),
        (of_tenant("t1", &json!(["t1"])), "401 bad_claim"),
        (of_tenant("t1", &json!(null)), "401 bad_claim"),
        (of_tenant("1", &json!(1)), "401 bad_claim"),
        (of_tenant("", &json!("")), "401 unknown_issuer"),
        (of_tenant("a/b", &json!("a/b")), "401 unknown_issuer"),
        (of_tenant("{tid}", &json!("{tid}")), "401 unknown_issuer"),
        (json!({"iss": "https://login.example.com/t1/v2.0/", "tid": "t1"}), "401 unknown_issuer"),
        (json!({"iss": ["https://login.example.com/t1/v2.0"], "tid": "t1"}), "401 bad_claim"),
        (json!({"iss": null, "tid": "t1"}), "401 unknown_issuer"),
    ] {
        assert_eq!(verdict(&any, &claims), expected, "{claims}");
    }
    let listed = tenants(&json!(["t1", "t2"]));
    assert_eq!(verdict(&listed, &of_tenant("t2", &json!("t2"))), "ok");
    assert_eq!(verdict(&listed, &of_tenant("t3", &json!("t3"))), "401 unknown_issuer");
    assert_eq!(verdict(&listed, &of_tenant("t3", &json!("t1"))), "401 unknown_issuer");
    let seen = outcome(&listed, &json!({}), &of_tenant("t2", &json!("t2"))).seen("x-auth-request-issuer");
    assert_eq!(seen, ["https://login.example.com/t2/v2.0"]);
}

#[test]
fn a_key_that_names_an_issuer_serves_only_its_tokens() {
    let with_key = |key_issuer: &str, issuer: Value| {
        let mut config = configured(&issuer, &json!({}));
        config["issuers"][0]["keys"]["inline"]["keys"][0]["issuer"] = json!(key_issuer);
        World::new(&config)
    };
    let verdict = |key_issuer: &str, tenant: &str| {
        let token = Key::new("a").token(&of_tenant(tenant, &json!(tenant)));
        with_key(key_issuer, tenants(&json!("any"))).with_token(&token).summary()
    };
    assert_eq!(verdict("https://login.example.com/{tenantid}/v2.0", "t1"), "ok");
    assert_eq!(verdict("https://login.example.com/t1/v2.0", "t1"), "ok");
    assert_eq!(verdict("https://login.example.com/t2/v2.0", "t1"), "401 unknown_key");
    assert_eq!(verdict("https://login.example.org/{tenantid}/v2.0", "t1"), "401 unknown_key");
    let token = Key::new("a").token(&json!({}));
    assert_eq!(with_key(ISSUER, json!({})).with_token(&token).summary(), "ok", "of one tenant as well");
    assert_eq!(with_key("https://other.example.com", json!({})).with_token(&token).summary(), "401 unknown_key");
}

#[test]
fn the_discovery_document_of_tenants_has_a_placeholder_of_its_own() {
    let found = |issuer: &str| {
        let uri = "https://login.example.com/common/.well-known/openid-configuration";
        let mut config = fetched(&json!({"jwksUri": null, "discovery": {"uri": uri}}), &json!({}));
        merge(&mut config["issuers"][0], &tenants(&json!(["t1"])));
        let mut world = World::new(&config);
        let document = json!({"issuer": issuer, "jwks_uri": "https://login.example.com/keys"});
        world.answer("200", &document.to_string());
        world.fetches.first().map(|fetch| fetch.path.clone())
    };
    let keys = Some(String::from("/keys"));
    assert_eq!(found("https://login.example.com/{tenantid}/v2.0"), keys);
    assert_eq!(found("https://login.example.com/t1/v2.0"), keys);
    assert_eq!(found(TENANTS), keys);
    assert_eq!(found("https://login.example.com/t2/v2.0"), None);
    assert_eq!(found("https://login.example.org/{tenantid}/v2.0"), None);
}

fn svid(changes: &Value) -> Value {
    let mut claims = json!({"iss": null, "sub": "spiffe://example.org/ns/shop/web"});
    for (name, value) in changes.as_object().expect("is an object") {
        claims[name] = value.clone();
    }
    claims
}

fn trust_domain() -> Value {
    json!({"issuer": null, "trustDomain": "example.org"})
}

#[test]
fn a_trust_domain_takes_the_tokens_of_its_workloads() {
    for (claims, expected) in [
        (json!({}), "ok"),
        (json!({"iss": "https://oidc.example.org"}), "ok"),
        (json!({"iss": 1}), "401 bad_claim"),
        (json!({"sub": null}), "401 unknown_issuer"),
        (json!({"sub": 1}), "401 unknown_issuer"),
        (json!({"sub": "alice"}), "401 unknown_issuer"),
        (json!({"sub": "spiffe://example.com/web"}), "401 unknown_issuer"),
        (json!({"sub": "spiffe://example.org.evil.com/web"}), "401 unknown_issuer"),
        (json!({"sub": "spiffe://Example.org/web"}), "401 unknown_issuer"),
        (json!({"sub": "spiffe://example.org"}), "401 bad_claim"),
        (json!({"sub": "spiffe://example.org/"}), "401 bad_claim"),
        (json!({"sub": "spiffe://example.org//web"}), "401 bad_claim"),
        (json!({"sub": "spiffe://example.org/a/../web"}), "401 bad_claim"),
        (json!({"sub": "spiffe://example.org/web?x"}), "401 bad_claim"),
        (json!({"exp": null}), "401 bad_claim"),
        (json!({"aud": null}), "401 wrong_audience"),
    ] {
        assert_eq!(verdict(&trust_domain(), &svid(&claims)), expected, "{claims}");
    }
    let seen = outcome(&trust_domain(), &json!({}), &svid(&json!({})));
    assert_eq!(seen.seen("x-auth-request-issuer"), ["spiffe://example.org"]);
    assert_eq!(seen.seen("x-auth-request-user"), ["spiffe://example.org/ns/shop/web"]);
    let mut any = trust_domain();
    any["audiences"] = json!("any");
    assert_eq!(verdict(&any, &svid(&json!({"aud": "x"}))), "ok");
    assert_eq!(verdict(&any, &svid(&json!({"aud": null}))), "401 wrong_audience", "each JWT-SVID has one");
}

#[test]
fn the_type_of_a_jwt_svid_is_jwt_or_jose() {
    let verdict = |header: Value| {
        let claims = json!({"sub": "spiffe://example.org/a", "aud": "api", "exp": NOW + 60});
        let mut all = json!({"alg": "ES256", "kid": "a"});
        merge(&mut all, &header);
        World::new(&configured(&trust_domain(), &json!({}))).with_token(&Key::new("a").sign(&all, &claims)).summary()
    };
    for (header, expected) in [
        (json!({}), "ok"),
        (json!({"typ": "JWT"}), "ok"),
        (json!({"typ": "JOSE"}), "ok"),
        (json!({"typ": "at+jwt"}), "401 wrong_type"),
    ] {
        assert_eq!(verdict(header.clone()), expected, "{header}");
    }
}

#[test]
fn a_bundle_has_keys_for_svids_and_a_key_set_has_none() {
    let mut bundle: Value = serde_json::from_str(&crate::support::key_set(&[&Key::new("a")])).expect("is JSON");
    bundle["keys"][0]["use"] = json!("jwt-svid");
    let verdict = |issuer: Value, claims: Value| {
        let mut config = fetched(&json!({}), &json!({}));
        merge(&mut config["issuers"][0], &issuer);
        let mut world = World::new(&config);
        world.answer("200", &bundle.to_string());
        world.with_token(&Key::new("a").token(&claims)).summary()
    };
    assert_eq!(verdict(trust_domain(), svid(&json!({}))), "ok");
    assert_eq!(verdict(json!({}), json!({})), "waiting", "there is no usable key, and the next fetch is near");
}

#[test]
fn an_issuer_that_is_configured_comes_before_a_trust_domain() {
    let mut config = inline(&json!({}));
    let issuers = config["issuers"].as_array_mut().expect("is a list");
    issuers.push(json!({"name": "spiffe", "trustDomain": "example.org", "audiences": ["api"],
        "keys": {"inline": {"keys": [Key::new("b").jwk()]}}}));
    let mut world = World::new(&config);
    let claims = json!({"sub": "spiffe://example.org/web"});
    assert_eq!(world.with_token(&Key::new("a").token(&claims)).seen("x-auth-request-issuer"), [ISSUER]);
    assert_eq!(world.with_token(&Key::new("b").token(&claims)).summary(), "401 unknown_key");
    let nameless = Key::new("b").token(&svid(&json!({})));
    assert_eq!(world.with_token(&nameless).seen("x-auth-request-issuer"), ["spiffe://example.org"]);
    let unknown = Key::new("b").token(&svid(&json!({"iss": "https://other.example.com", "sub": 1})));
    assert_eq!(world.with_token(&unknown).summary(), "401 unknown_issuer");
}

#[test]
fn a_key_without_kid_serves_a_token_whose_kid_no_key_has() {
    let mut set: Value =
        serde_json::from_str(&crate::support::key_set(&[&Key::new("a"), &Key::new("b")])).expect("is JSON");
    set["keys"][0]["kid"] = json!("");
    let mut world = World::new(&fetched(&json!({}), &json!({})));
    world.answer("200", &set.to_string());
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "ok");
    assert_eq!(world.with_token(&Key::new("b").token(&json!({}))).summary(), "ok");
    assert!(world.fetches.is_empty(), "nothing is unknown");
    // Signed with a key that is not published yet: one fetch, then none within the cooldown.
    assert_eq!(world.with_token(&Key::new("c").token(&json!({}))).summary(), "waiting");
    world.answer("200", &set.to_string());
    let (id, outcome) = world.resumed.pop_first().expect("was resumed");
    assert_eq!((id, outcome.summary().as_str()), (world.last(), "401 unknown_key"));
    assert_eq!(world.with_token(&Key::new("c").token(&json!({}))).summary(), "401 unknown_key");
    assert!(world.fetches.is_empty(), "in cooldown");
}

#[test]
fn key_requests_have_a_user_agent_and_the_configured_headers() {
    let headers = |keys: Value| {
        let world = World::new(&fetched(&keys, &json!({})));
        let fetch = world.fetches.first().expect("is fetched").clone();
        assert!(!format!("{fetch:?}").contains("secret"), "values are not shown");
        let headers = fetch.headers.iter().map(|header| (header.name.clone(), header.value.clone()));
        headers.collect::<std::collections::BTreeMap<_, _>>()
    };
    let agent = format!("jotgate/{}", env!("CARGO_PKG_VERSION"));
    let plain = headers(json!({}));
    assert_eq!(plain.get("user-agent"), Some(&agent));
    assert_eq!(plain.get("accept").map(String::as_str), Some("application/jwk-set+json, application/json"));
    let own = headers(json!({"headers": {"X-Api-Key": "secret", "User-Agent": "other/1", "accept": "*/*"}}));
    let expected = [("accept", "*/*"), ("user-agent", "other/1"), ("x-api-key", "secret")];
    assert_eq!(own, expected.map(|(name, value)| (name.to_string(), value.to_string())).into());
}

#[test]
fn configured_headers_go_to_the_configured_cluster_alone() {
    let keys = json!({"jwksUri": null, "discovery": {}, "jwksCluster": "certs", "headers": {"x-api-key": "secret"}});
    let mut world = World::new(&fetched(&keys, &json!({})));
    let carries = |world: &World| {
        let headers = &world.fetches.first().expect("is fetched").headers;
        assert!(headers.iter().any(|header| header.name == "user-agent"));
        headers.iter().any(|header| header.value == "secret")
    };
    assert!(carries(&world), "the document");
    world.answer("200", &json!({"issuer": ISSUER, "jwks_uri": "https://certs.example.com/keys"}).to_string());
    assert_eq!(world.fetches[0].cluster, "certs");
    assert!(!carries(&world), "a key set on another host");
    let mut world = World::new(&fetched(&keys, &json!({})));
    world.answer("200", &json!({"issuer": ISSUER, "jwks_uri": "https://idp.example.com/keys"}).to_string());
    assert!(carries(&world), "a key set on the same host");
}

#[test]
#[cfg(not(target_family = "wasm"))] // snapshots are files
fn configurations_of_issuers_are_checked() {
    let keys = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
    let with = |changes: Value| {
        let mut issuer = json!({"name": "main", "audiences": ["api"], "keys": keys});
        merge(&mut issuer, &changes);
        issuer
    };
    let tenants = |issuer: &str, tenants: Value| with(json!({"issuer": issuer, "tenants": tenants}));
    let two = |one: Value, mut other: Value| {
        other["name"] = json!("other");
        vec![one, other]
    };
    let headers = |headers: Value| {
        let mut issuer = with(json!({"issuer": ISSUER}));
        issuer["keys"]["headers"] = headers;
        issuer
    };
    let discovered = |changes: Value| {
        let mut issuer = with(changes);
        issuer["keys"] = json!({"discovery": {}, "cluster": "idp"});
        issuer
    };
    let cases = [
        vec![with(json!({}))],
        vec![with(json!({"issuer": ISSUER, "trustDomain": "example.org"}))],
        vec![with(json!({"trustDomain": "example.org", "tenants": "any"}))],
        vec![with(json!({"trustDomain": "spiffe://example.org"}))],
        vec![with(json!({"trustDomain": "Example.org"}))],
        vec![with(json!({"trustDomain": "example.org", "requireExpiration": false}))],
        vec![discovered(json!({"trustDomain": "example.org"}))],
        vec![with(json!({"issuer": TENANTS}))],
        vec![tenants(ISSUER, json!("any"))],
        vec![tenants(TENANTS, json!([]))],
        vec![tenants(TENANTS, json!("all"))],
        vec![tenants(TENANTS, json!(["", "a/b", "*", 1]))],
        vec![discovered(json!({"issuer": TENANTS, "tenants": "any"}))],
        vec![with(json!({"issuer": "https://*.example.com"}))],
        vec![tenants("https://{a}.example.com/{b}", json!("any"))],
        vec![tenants("https://{}.example.com", json!("any"))],
        vec![tenants("https://{tid.example.com", json!("any"))],
        two(tenants(TENANTS, json!(["a"])), tenants(TENANTS, json!(["b"]))),
        two(tenants(TENANTS, json!("any")), with(json!({"issuer": "https://login.example.com/a/v2.0"}))),
        two(tenants(TENANTS, json!(["a"])), tenants("https://login.example.com/{org}/v2.0", json!("any"))),
        two(with(json!({"trustDomain": "example.org"})), with(json!({"trustDomain": "example.org"}))),
        vec![with(json!({"issuer": ISSUER, "clockSkew": "601s"}))],
        vec![with(json!({"issuer": ISSUER, "audienceClaims": []}))],
        vec![with(json!({"issuer": ISSUER, "audienceClaims": "aud"}))],
        vec![with(json!({"issuer": ISSUER, "groupsClaim": {"claim": "a"}}))],
        vec![with(json!({"issuer": ISSUER, "groupsClaim": {"claim": "a", "member": "", "x": 1}}))],
        vec![headers(json!([]))],
        vec![headers(json!({":path": "/", "host": "a", "Content-Length": "1", "a b": "c", "Connection": "close"}))],
        vec![headers(
            json!({"a": "secret\n", "b": " secret", "c": "", "d": 1, "e": ["secret"], "f": {"env": "SECRET", "x": 1}}),
        )],
        vec![headers(json!({"X-A": "secret", "x-a": "secret", "b": {"env": "NONE"}, "c": {"env": "ODD"}}))],
    ];
    let all: Vec<_> = cases
        .iter()
        .map(|issuers| {
            let env = |name: &str| match name {
                "SECRET" => Some(String::from("secret")),
                "ODD" => Some(String::from("secret\r\nx: y")),
                _ => None,
            };
            let errors = gate::Policy::parse(json!({"issuers": issuers}).to_string().as_bytes(), &env);
            errors.expect_err(&format!("{issuers:?}")).to_string()
        })
        .collect();
    let all = all.join("\n--\n");
    assert!(!all.contains("secret"), "values are not shown: {all}");
    insta::assert_snapshot!(all);
}

#[test]
fn configurations_of_issuers_that_fit_together_are_taken() {
    let keys = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp", "headers": {"a": {"env": "A"}}});
    let issuers: Vec<_> = [
        json!({"issuer": TENANTS, "tenants": ["a"], "clockSkew": "10m"}),
        json!({"issuer": "https://login.example.com/{org}/v2.0", "tenants": ["b"]}),
        json!({"issuer": "https://login.example.com/c/v2.0", "audienceClaims": ["client_id"]}),
        json!({"trustDomain": "example.org"}),
        json!({"issuer": "spiffe://example.org"}),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, mut issuer)| {
        merge(&mut issuer, &json!({"name": index.to_string(), "audiences": ["api"], "keys": keys}));
        issuer
    })
    .collect();
    let config = json!({"issuers": issuers, "resourceMetadata": {"resource": "https://api.example.com"}});
    let policy = gate::Policy::parse(config.to_string().as_bytes(), &|_| Some(String::from("value")));
    assert!(!format!("{:?}", policy.expect("is a policy")).contains("value: \"value\""));
}
