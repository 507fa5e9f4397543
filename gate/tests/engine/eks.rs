//! Tokens for clusters of Amazon EKS, from the ID token of a session.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, Provider, form, login, status};
use crate::support::{Fetch, Key, NOW, Outcome, World, merge};

const ADMIN: &str = "arn:aws:iam::111122223333:role/admin";
const VIEWER: &str = "arn:aws:iam::111122223333:role/viewer";

/// A configuration with a cluster, with `changes` to its `eks`.
fn config(changes: &Value) -> Value {
    let mut eks = json!({
        "region": "eu-west-1", "clusterName": "prod", "sts": {"cluster": "sts", "endpoint": null},
        "roles": [
            {"name": "admin", "arn": ADMIN, "access": {"groups": {"any": ["ops"]}}},
            {"name": "viewer", "arn": VIEWER},
        ],
    });
    merge(&mut eks, changes);
    let mut config = login(&json!({"upstreamCredentials": [{"name": "prod", "eks": eks}], "upstream": "prod"}));
    config["session"]["keep"] = json!(["idToken"]);
    config
}

/// A browser of somebody in `groups`, who has logged in.
fn logged_in(config: &Value, groups: &[&str]) -> (World, Provider, Browser) {
    let mut provider = Provider::new();
    provider.changes = json!({"groups": groups});
    let (mut world, mut browser) = (crate::browser::world(config, &mut provider), Browser::default());
    browser.log_in(&mut world, &mut provider, "/app");
    (world, provider, browser)
}

/// What STS answers: credentials that end after so many seconds.
fn assumed(world: &World, key: &str, seconds: u64) -> String {
    let end = world.now.since_epoch().as_secs() + seconds;
    let (day, second) = (end / 86_400, end % 86_400);
    // NOW is on 2027-01-15.
    let date = format!("2027-01-{:02}", 15 + day - NOW / 86_400);
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
        <SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey><SessionToken>FwoGZXIvYXdz</SessionToken>\
        <Expiration>{date}T{time}Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
        </AssumeRoleWithWebIdentityResponse>"
    )
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
        <Code>{code}</Code><Message>secret words</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

/// The URL that a token is made of.
fn url(outcome: &Outcome) -> String {
    let lines = outcome.seen("authorization");
    assert_eq!(lines.len(), 1, "{outcome:?}");
    let encoded = lines[0].strip_prefix("Bearer k8s-aws-v1.").expect("is for a cluster");
    String::from_utf8(jose::base64url::decode(encoded.as_bytes()).expect("is base64url")).expect("is text")
}

/// Sends a request that has a role assumed, which STS answers so.
fn answered(world: &mut World, browser: &mut Browser, status: &str, body: &str) -> Outcome {
    let outcome = browser.fetch(world, "/app");
    assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
    let id = world.last();
    let fetch = of_sts(world);
    world.answer_to(&fetch, [(":status", status)], body);
    world.resumed.remove(&id).expect("is decided")
}

/// The question to STS, among those to the provider.
fn of_sts(world: &mut World) -> Fetch {
    let index = world.fetches.iter().position(|fetch| fetch.cluster == "sts").expect("STS is asked");
    world.fetches.remove(index)
}

fn count(world: &World, name: &str) -> u64 {
    world.metrics.get(&format!("jotgate_upstream_{name}_prod")).copied().unwrap_or_default()
}

fn choose(browser: &mut Browser, world: &mut World, path: &str, headers: &[(&str, &str)]) -> Outcome {
    browser.request(world, "POST", path, headers)
}

const SAME_ORIGIN: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "same-origin")];
const CROSS_SITE: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")];

#[test]
fn sts_that_is_slower_than_wait_for_gives_its_role_to_who_comes_later() {
    let mut config = config(&json!({}));
    merge(&mut config, &json!({"limits": {"waitFor": "2s"}}));
    let (mut world, _, mut browser) = logged_in(&config, &["staff"]);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        assert!(matches!(browser.fetch(&mut world, "/app"), Outcome::Waiting));
        waiting.push(world.last());
        world.pass(Duration::from_secs(1));
    }
    assert_eq!(world.resumed[&waiting[0]].summary(), "503 upstream_credential_unavailable");
    let fetch = of_sts(&mut world);
    let body = assumed(&world, "ASIA1", 3600);
    world.answer_to(&fetch, [(":status", "200")], &body);
    url(&world.resumed[&waiting[1]]);
}

#[test]
fn the_one_role_of_a_caller_is_assumed_with_its_id_token() {
    let (mut world, provider, mut browser) = logged_in(&config(&json!({"duration": "2h"})), &["staff"]);
    let outcome = browser.fetch(&mut world, "/app");
    assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
    let id = world.last();
    let fetch = &world.fetches[0];
    assert_eq!(
        (fetch.cluster.as_str(), fetch.method, fetch.scheme, fetch.authority.as_str(), fetch.path.as_str()),
        ("sts", "POST", "https", "sts.eu-west-1.amazonaws.com", "/")
    );
    assert!(!fetch.headers.iter().any(|header| header.name == "authorization" || header.value.contains("json")));
    let asked = form(&fetch.body);
    assert_eq!((&*asked["Action"], &*asked["Version"]), ("AssumeRoleWithWebIdentity", "2011-06-15"));
    assert_eq!((&*asked["RoleArn"], &*asked["RoleSessionName"]), (VIEWER, "alice"));
    assert_eq!((&asked["WebIdentityToken"], &*asked["DurationSeconds"]), (&provider.id_token(NOW), "7200"));
    let body = assumed(&world, "ASIA1", 7200);
    world.answer("200", &body);
    let url = url(&world.resumed.remove(&id).expect("is decided"));
    let start = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&\
        X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA1%2F20270115%2Feu-west-1%2Fsts%2Faws4_request&";
    assert!(url.starts_with(start), "{url}");
    assert!(url.contains("&X-Amz-Expires=60&") && url.contains("&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&"), "{url}");
    assert_eq!((count(&world, "minted"), count(&world, "failed")), (1, 0));
}

#[test]
fn china_has_a_domain_of_its_own_and_an_endpoint_may_be_another() {
    for (changes, authority) in [
        (json!({"region": "cn-north-1"}), "sts.cn-north-1.amazonaws.com.cn"),
        (json!({"region": "us-gov-west-1"}), "sts.us-gov-west-1.amazonaws.com"),
        (json!({"sts": {"cluster": "sts", "endpoint": "http://127.0.0.1:5000/sts"}}), "127.0.0.1:5000"),
    ] {
        let (mut world, _, mut browser) = logged_in(&config(&changes), &[]);
        browser.fetch(&mut world, "/app");
        assert_eq!(world.fetches[0].authority, authority);
    }
}

#[test]
fn a_token_is_used_for_ten_minutes_and_a_role_until_a_minute_before_it_ends() {
    let mut config = config(&json!({}));
    config["session"]["refreshAfter"] = json!("2h");
    let (mut world, _, mut browser) = logged_in(&config, &[]);
    let body = assumed(&world, "ASIA1", 1500);
    let first = url(&answered(&mut world, &mut browser, "200", &body));
    world.pass(Duration::from_secs(599));
    assert_eq!(url(&browser.fetch(&mut world, "/app")), first);
    world.pass(Duration::from_secs(1));
    let second = url(&browser.fetch(&mut world, "/app"));
    assert!(second != first && second.contains("ASIA1"), "{second}");
    // 24 minutes after it began, the role is assumed anew; no token outlasts it.
    world.pass(Duration::from_secs(599));
    assert_eq!(url(&browser.fetch(&mut world, "/app")), second);
    world.pass(Duration::from_secs(241));
    let body = assumed(&world, "ASIA2", 1500);
    assert!(url(&answered(&mut world, &mut browser, "200", &body)).contains("ASIA2"));
}

#[test]
fn whoever_may_take_several_roles_chooses_one() {
    let (mut world, _, mut browser) = logged_in(&config(&json!({})), &["ops"]);
    let outcome = browser.navigate(&mut world, "/app?a=b");
    assert_eq!(status(&outcome), 303);
    let page = outcome.header("location").expect("leads on").to_string();
    assert_eq!(page, "/.jotgate/login?choose=role&returnTo=%2Fapp%3Fa%3Db");
    let outcome = browser.navigate(&mut world, &page);
    let Outcome::Replied(reply) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.status, 200);
    for action in ["login?role=admin&amp;returnTo=%2Fapp%3Fa%3Db", "login?role=viewer&amp;returnTo=%2Fapp%3Fa%3Db"] {
        assert!(reply.body.contains(action), "{}", reply.body);
    }
    let refused = browser.fetch(&mut world, "/app");
    assert_eq!(refused.summary(), "403 upstream_credential_denied");
    let Outcome::Replied(reply) = &refused else { panic!("{refused:?}") };
    assert!(reply.body.contains("/.jotgate/login?choose=role"), "{}", reply.body);
    assert!(world.fetches.is_empty(), "STS is not asked");

    let chosen = choose(&mut browser, &mut world, "/.jotgate/login?role=viewer&returnTo=%2Fapp%3Fa%3Db", &SAME_ORIGIN);
    assert_eq!((status(&chosen), chosen.header("location")), (303, Some("/app?a=b")));
    assert!(matches!(browser.fetch(&mut world, "/app"), Outcome::Waiting));
    let (id, fetch) = (world.last(), of_sts(&mut world));
    assert_eq!(form(&fetch.body)["RoleArn"], VIEWER);
    let body = assumed(&world, "ASIAVIEWER", 3600);
    world.answer_to(&fetch, [(":status", "200")], &body);
    assert!(url(&world.resumed.remove(&id).expect("is decided")).contains("ASIAVIEWER"));
    // A link of one's own does as well, and each role has credentials of its own.
    let chosen = browser.navigate(&mut world, "/.jotgate/login?role=admin");
    assert_eq!((status(&chosen), chosen.header("location")), (303, Some("/")));
    assert!(matches!(browser.fetch(&mut world, "/app"), Outcome::Waiting));
    assert_eq!(form(&of_sts(&mut world).body)["RoleArn"], ADMIN);
}

#[test]
fn no_other_site_chooses_a_role() {
    let (mut world, _, mut browser) = logged_in(&config(&json!({})), &["ops"]);
    let path = "/.jotgate/login?role=admin&returnTo=%2Fapp";
    assert_eq!(choose(&mut browser, &mut world, path, &CROSS_SITE).summary(), "403 cross_site_request");
    let outcome = browser.request(&mut world, "GET", path, &CROSS_SITE);
    assert_eq!(status(&outcome), 200, "it asks");
    // Nor does it begin a login by such a form, where there is no session, or the browser keeps its cookie.
    let mut stranger = Browser::default();
    assert_eq!(choose(&mut stranger, &mut world, path, &CROSS_SITE).summary(), "403 cross_site_request");
    assert!(stranger.cookies.is_empty());
    assert_eq!(status(&choose(&mut stranger, &mut world, path, &SAME_ORIGIN)), 303, "whose session is over logs in");
    assert_eq!(browser.fetch(&mut world, "/app").summary(), "403 upstream_credential_denied");
}

#[test]
fn a_role_that_is_not_the_callers_is_not_taken_by_hand() {
    let (mut world, _, mut browser) = logged_in(&config(&json!({})), &["staff"]);
    for role in ["admin", "other", "viewer%26x"] {
        let path = format!("/.jotgate/login?role={role}");
        let outcome = choose(&mut browser, &mut world, &path, &SAME_ORIGIN);
        assert_eq!(outcome.summary(), "403 upstream_credential_denied", "{role}");
        assert_eq!(browser.navigate(&mut world, &path).summary(), "403 upstream_credential_denied", "{role}");
    }
    browser.fetch(&mut world, "/app");
    assert_eq!(form(&world.fetches[0].body)["RoleArn"], VIEWER);
    // Without a session, people log in first.
    let outcome = Browser::default().navigate(&mut world, "/.jotgate/login?role=viewer");
    assert_eq!(status(&outcome), 303);
    assert_eq!(status(&Browser::default().request(&mut world, "POST", "/.jotgate/login", &SAME_ORIGIN)), 405);
}

#[test]
fn a_chosen_role_is_gone_when_a_refresh_says_so() {
    let (mut world, mut provider, mut browser) = logged_in(&config(&json!({})), &["ops"]);
    choose(&mut browser, &mut world, "/.jotgate/login?role=admin", &SAME_ORIGIN);
    let body = assumed(&world, "ASIA1", 3600);
    assert!(url(&answered(&mut world, &mut browser, "200", &body)).contains("ASIA1"));
    provider.changes = json!({"groups": ["staff"]});
    world.pass(Duration::from_secs(601));
    let outcome = browser.fetch(&mut world, "/app");
    assert!(matches!(outcome, Outcome::Waiting), "{outcome:?}");
    provider.serve_those(&mut world, |fetch| fetch.cluster != "sts");
    assert_eq!(form(&world.fetches[0].body)["RoleArn"], VIEWER, "the only one that is left");
}

#[test]
fn a_chosen_role_outlasts_refreshes() {
    let (mut world, mut provider, mut browser) = logged_in(&config(&json!({})), &["ops"]);
    // The VM knows the session already when its user chooses.
    world.pass(Duration::from_secs(601));
    let outcome = browser.fetch(&mut world, "/app");
    browser.finish(&mut world, &mut provider, outcome);
    choose(&mut browser, &mut world, "/.jotgate/login?role=admin", &SAME_ORIGIN);
    world.pass(Duration::from_secs(601));
    browser.fetch(&mut world, "/app");
    provider.serve_those(&mut world, |fetch| fetch.cluster != "sts");
    assert_eq!(form(&world.fetches[0].body)["RoleArn"], ADMIN);
    // The renewed ID token is used.
    assert_eq!(form(&world.fetches[0].body)["WebIdentityToken"], provider.id_token(world.now.since_epoch().as_secs()));
}

#[test]
fn a_role_that_is_chosen_while_the_session_is_refreshed_stays() {
    for is_under_way in [false, true] {
        let (mut world, mut provider, mut browser) = logged_in(&config(&json!({})), &["ops"]);
        world.pass(Duration::from_secs(301));
        if is_under_way {
            browser.fetch(&mut world, "/app");
        }
        choose(&mut browser, &mut world, "/.jotgate/login?role=admin", &SAME_ORIGIN);
        provider.serve_those(&mut world, |fetch| fetch.cluster != "sts");
        assert_eq!(world.metrics.get("jotgate_sessions_refreshed"), Some(&1), "{is_under_way}");
        world.fetches.clear();
        browser.fetch(&mut world, "/app");
        assert_eq!(form(&world.fetches[0].body)["RoleArn"], ADMIN, "{is_under_way}");
    }
}

#[test]
fn whoever_has_no_role_or_no_session_is_refused() {
    let roles = json!([{"name": "admin", "arn": ADMIN, "access": {"groups": {"any": ["ops"]}}}]);
    let (mut world, _, mut browser) = logged_in(&config(&json!({"roles": roles})), &["staff"]);
    assert_eq!(browser.fetch(&mut world, "/app").summary(), "403 upstream_credential_denied");
    assert_eq!(browser.navigate(&mut world, "/.jotgate/login?choose=role").summary(), "403 upstream_credential_denied");
    let token = Key::new("a").token(&json!({"groups": ["ops"]}));
    assert_eq!(world.with_token(&token).summary(), "403 upstream_credential_denied");
    assert!(world.fetches.is_empty());
}

#[test]
fn two_sessions_never_share_a_role() {
    let (mut world, mut provider, mut alice) = logged_in(&config(&json!({})), &[]);
    provider.changes = json!({"sub": "bob"});
    let mut bob = Browser::default();
    bob.log_in(&mut world, &mut provider, "/app");
    alice.fetch(&mut world, "/app");
    let first = world.last();
    bob.fetch(&mut world, "/app");
    let second = world.last();
    let names: Vec<_> = world.fetches.iter().map(|fetch| form(&fetch.body)["RoleSessionName"].clone()).collect();
    assert_eq!(names, ["alice", "bob"]);
    let bodies = ["ASIAALICE", "ASIABOB"].map(|key| assumed(&world, key, 3600));
    let fetches = std::mem::take(&mut world.fetches);
    for (fetch, body) in fetches.iter().zip(&bodies).rev() {
        world.answer_to(fetch, [(":status", "200")], body);
    }
    for (id, key) in [(first, "ASIAALICE"), (second, "ASIABOB")] {
        let outcome = world.resumed.remove(&id).expect("is decided");
        assert!(url(&outcome).contains(key), "{outcome:?}");
    }
    assert!(url(&alice.fetch(&mut world, "/app")).contains("ASIAALICE"));
    assert!(url(&bob.fetch(&mut world, "/app")).contains("ASIABOB"));
}

/// What STS answers.
type StsBody = fn(&World) -> String;

#[test]
fn what_sts_says_is_the_callers_refusal_or_an_outage() {
    let good = |world: &World| assumed(world, "ASIA1", 3600);
    let unavailable = "503 upstream_credential_unavailable";
    let denied = "403 upstream_credential_denied";
    let cases: [(&str, StsBody, &str, &str); 14] = [
        ("403", |_| error("AccessDenied"), denied, "answered 403 AccessDenied: the role's trust policy"),
        ("400", |_| error("InvalidIdentityToken"), denied, "answered 400 InvalidIdentityToken"),
        ("400", |_| error("Evil"), denied, "answered 400, without an error code"),
        ("400", |_| error("IDPCommunicationError"), unavailable, "answered 400 IDPCommunicationError"),
        ("400", |_| error("Throttling"), unavailable, "answered 400 Throttling"),
        ("503", |_| String::new(), unavailable, "answered 503"),
        ("302", |_| String::new(), unavailable, "answered 302"),
        ("200", |_| String::from("{}"), unavailable, "answered with other XML"),
        ("200", |_| error("AccessDenied"), unavailable, "answered with other XML"),
        ("200", |world| assumed(world, "ASIA1", 60), unavailable, "end within a minute"),
        ("200", |world| assumed(world, "<![CDATA[ASIA1]]>", 3600), unavailable, "answered with other XML"),
        ("200", |world| assumed(world, "ASIA1<!-- x -->", 3600), unavailable, "answered with other XML"),
        ("200", |world| assumed(world, "&#65;SIA1", 3600), unavailable, "answered with other XML"),
        ("200", |world| assumed(world, "A</AccessKeyId><AccessKeyId>B", 3600), unavailable, "answered with other XML"),
    ];
    for (code, body, summary, words) in cases {
        let (mut world, _, mut browser) = logged_in(&config(&json!({})), &[]);
        let body = body(&world);
        let outcome = answered(&mut world, &mut browser, code, &body);
        assert_eq!(outcome.summary(), summary, "{code} {body}");
        let log = world.log.join("\n");
        assert!(log.contains("upstream credential `prod` failed: STS ") && log.contains(words), "{words}: {log}");
        assert!(!log.contains("secret words") && !log.contains("Evil") && !log.contains("ASIA"), "{log}");
        world.pass(Duration::from_millis(999));
        assert_eq!(browser.fetch(&mut world, "/app").summary(), summary);
        world.pass(Duration::from_millis(1));
        let body = good(&world);
        assert!(url(&answered(&mut world, &mut browser, "200", &body)).contains("ASIA1"), "it recovers");
    }
}

#[test]
fn a_token_that_is_too_long_is_none() {
    let (mut world, _, mut browser) = logged_in(&config(&json!({})), &[]);
    let body = assumed(&world, "ASIA1", 3600).replace("FwoGZXIvYXdz", &"F".repeat(3000));
    let outcome = answered(&mut world, &mut browser, "200", &body);
    assert_eq!(outcome.summary(), "403 upstream_credential_denied");
    assert!(world.log.iter().any(|line| line.contains("Kubernetes takes 4096")), "{:?}", world.log);
}

/// The ID token is over, and so are the credentials: people log in again.
#[test]
fn a_session_ends_with_its_credentials_where_nothing_renews_its_id_token() {
    let (mut world, mut provider, mut browser) = logged_in(&config(&json!({})), &[]);
    provider.renews_id_token = false;
    let body = assumed(&world, "ASIA1", 4000);
    answered(&mut world, &mut browser, "200", &body);
    let refresh = |world: &mut World, provider: &mut Provider, browser: &mut Browser| {
        let outcome = browser.fetch(world, "/app");
        browser.finish(world, provider, outcome)
    };
    // The ID token is good for an hour, the credentials for a little longer.
    world.pass(Duration::from_secs(3700));
    let outcome = refresh(&mut world, &mut provider, &mut browser);
    assert!(url(&outcome).contains("ASIA1"), "{outcome:?}");
    world.pass(Duration::from_secs(241));
    let outcome = refresh(&mut world, &mut provider, &mut browser);
    assert_eq!(outcome.summary(), "401 missing_token");
    let outcome = browser.navigate(&mut world, "/app");
    assert!(outcome.header("location").is_some_and(|location| location.contains("/authorize?")), "{outcome:?}");
    let outcome = browser.navigate(&mut world, "/.jotgate/login?returnTo=%2Fapp");
    assert!(outcome.header("location").is_some_and(|location| location.contains("/authorize?")), "{outcome:?}");
    assert!(world.fetches.iter().all(|fetch| fetch.cluster != "sts"), "STS is not asked in vain");
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[test]
fn wrong_clusters_are_errors_with_their_path() {
    let mut without = config(&json!({}));
    without["session"]["keep"] = json!([]);
    let configs = [
        config(
            &json!({"region": "Europe", "clusterName": "", "sts": {"endpoint": "sts"}, "roles": [], "duration": "1m"}),
        ),
        config(&json!({"region": null, "clusterName": null, "sts": null, "roles": null, "else": 1})),
        config(&json!({"roles": [
            {"name": "a", "arn": "viewer"}, {"name": "a b", "arn": VIEWER}, {"name": "c", "arn": VIEWER, "access": "public"},
            {"name": "d", "arn": VIEWER}, {"name": "d", "arn": VIEWER, "access": "authenticated"},
            {"name": "e", "arn": VIEWER, "access": {"claims": {"team": {"header": "x-team"}}}},
            {"name": "f", "arn": VIEWER, "access": {"issuers": ["other"]}},
        ]})),
        without,
    ];
    let errors: Vec<_> = configs.iter().map(crate::config::errors).collect();
    insta::assert_snapshot!(errors.join("\n--\n"));
}
