//! Tokens for a cluster of EKS: of a role that the browser's user may take.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use browsers::user_agent::UserAgent;
use real_envoy::verdict::{refused, verdict};
use serde_json::json;
use test_support::aws::{self, Credentials, Moto};
use testbed::issuer::{Fault, Issuer, Mode, Options as IssuerOptions};
use testbed::keys::Algorithm;
use testbed::sts::{Flaw, Options, Sts};

use crate::world::{World, issuer, with_login};

const ROLE: &str = "arn:aws:iam::111122223333:role/viewer";
const REGION: &str = "eu-west-1";

fn company() -> Issuer {
    let options =
        IssuerOptions { algorithms: vec![Algorithm::ES256], audience: "dashboard".into(), ..IssuerOptions::default() };
    Issuer::start(options).unwrap()
}

fn sts(company: &Issuer) -> Sts {
    let (issuer, audience) = (company.issuer().to_owned(), "dashboard".to_owned());
    Sts::start(Options { port: 0, issuer, audience, roles: vec![ROLE.into()] }).unwrap()
}

fn world(company: &Issuer, sts: SocketAddr) -> World {
    let config = json!({
        "issuers": [issuer("company", company.issuer(), "company", "dashboard")],
        "upstreamCredentials": [{
            "name": "prod",
            "eks": {
                "region": REGION, "clusterName": "prod", "sts": {"cluster": "sts"},
                "roles": [{"name": "viewer", "arn": ROLE}],
            },
        }],
        "upstream": "prod",
        "rules": [{"name": "rest", "access": "authenticated"}],
    });
    let start = |origin: &str| with_login(config, "company", origin, &["idToken"]);
    World::start(start, &[("company", company.address()), ("sts", sts)])
}

/// The token that the dashboard gets.
fn token(world: &World, browser: &mut UserAgent) -> String {
    let page = browser.open(&world.url("/pods"));
    let authorization = page.response.seen("authorization").concat();
    authorization.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{}", page.response.text())).to_owned()
}

/// The URL in a token: the address, and its parameters in their order.
fn presigned(token: &str) -> (String, Vec<(String, String)>) {
    let url = URL_SAFE_NO_PAD.decode(token.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
    let url = String::from_utf8(url).unwrap();
    let (address, query) = url.split_once('?').unwrap();
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    (address.to_owned(), query.split('&').map(pair).collect())
}

#[test]
fn a_cluster_knows_the_user_by_the_token_that_the_dashboard_gets() {
    let company = company();
    let sts = sts(&company);
    let world = world(&company, sts.address());
    let mut browser = UserAgent::new();
    let own = token(&world, &mut browser);
    let identity = sts.authenticate(&own, "prod").unwrap();
    assert_eq!(identity.arn, "arn:aws:sts::111122223333:assumed-role/viewer/alice");
    assert!(sts.authenticate(&own, "another").is_err());
    // What was asked once is good for all that follow.
    token(&world, &mut browser);
    assert!((1..=2).contains(&sts.requests().len()), "{}", sts.requests().len());
    let mut secrets = sts.secrets();
    secrets.push(("token for the cluster".into(), own));
    world.assert_silent(secrets, &[&browser], &[]);
}

/// The same address, parameters and headers, and for the same time the same signature.
#[test]
fn it_is_the_token_that_awss_own_command_line_makes() {
    if !aws::is_installed() {
        return;
    }
    let company = company();
    let sts = sts(&company);
    let world = world(&company, sts.address());
    let own = token(&world, &mut UserAgent::new());
    let issued = sts.issued().into_iter().find(|issued| own_key(&own).contains(&issued.access_key)).unwrap();
    let (access_key, secret_key) = (issued.access_key.as_str(), issued.secret_key.as_str());
    let session_token = issued.session_token.as_str();
    let theirs = aws::eks_token("prod", REGION, &Credentials { access_key, secret_key, session_token });
    assert_eq!(sts.authenticate(&theirs, "prod"), sts.authenticate(&own, "prod"));
    let ((address, pairs), (their_address, their_pairs)) = (presigned(&own), presigned(&theirs));
    let sorted = |mut pairs: Vec<(String, String)>| {
        pairs.retain(|(name, _)| !matches!(name.as_str(), "X-Amz-Date" | "X-Amz-Signature"));
        pairs.sort();
        pairs
    };
    assert_eq!((address, sorted(pairs)), (their_address, sorted(their_pairs)));
}

fn own_key(token: &str) -> String {
    let (_, pairs) = presigned(token);
    pairs.into_iter().find(|(name, _)| name == "X-Amz-Credential").unwrap().1
}

#[test]
fn another_security_token_service_works_as_well() {
    if !aws::is_installed() {
        return;
    }
    let (company, moto) = (company(), Moto::start());
    let world = world(&company, moto.address());
    let own = token(&world, &mut UserAgent::new());
    let (address, pairs) = presigned(&own);
    assert_eq!(address, format!("https://sts.{REGION}.amazonaws.com/"));
    assert!(pairs.iter().any(|(name, value)| name == "X-Amz-Credential" && value.starts_with("ASIA")), "{pairs:?}");
}

#[test]
fn a_service_that_refuses_is_403_and_one_that_fails_or_lies_503() {
    let company = company();
    let sts = sts(&company);
    let unavailable = refused(503, "upstream_credential_unavailable");
    let faults = [
        (Mode::Status { status: 403 }, refused(403, "upstream_credential_denied")),
        (Mode::Status { status: 500 }, unavailable.clone()),
        (Mode::Stall, unavailable.clone()),
        (Mode::Truncated, unavailable.clone()),
    ];
    for (mode, expected) in faults {
        let world = world(&company, sts.address());
        sts.set_fault(Fault::lasting(mode.clone())).unwrap();
        let page = UserAgent::new().open(&world.url("/pods"));
        assert_eq!(verdict(&page.response).0, expected.0, "{mode:?}: {}", page.response.text());
        assert!(world.upstream.seen().is_empty(), "{mode:?}");
    }
    sts.set_fault(Fault::lasting(Mode::Ok)).unwrap();
    for flaw in [
        Flaw::Cdata,
        Flaw::Comment,
        Flaw::Doctype,
        Flaw::DuplicateElement,
        Flaw::Expired,
        Flaw::MissingElement,
        Flaw::Nested,
    ] {
        let world = world(&company, sts.address());
        sts.set_flaw(flaw);
        let mut browser = UserAgent::new();
        let page = browser.open(&world.url("/pods"));
        assert_eq!(page.status(), 503, "{flaw:?}: {}", page.response.text());
        assert!(world.upstream.seen().is_empty(), "{flaw:?}");
        world.assert_silent(sts.secrets(), &[&browser], &[&page.response]);
    }
}
