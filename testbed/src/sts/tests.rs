#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use ureq::Agent;

use super::signature::Signed;
use super::{Credentials, Flaw, Options, Sts};
use crate::clock;
use crate::faults::{Fault, Mode};
use crate::issuer::Options as IssuerOptions;
use crate::issuer::{Issuer, TokenRequest};
use crate::keys::Algorithm;

const ROLE: &str = "arn:aws:iam::111122223333:role/team/admin";

fn start() -> (Issuer, Sts) {
    let options = IssuerOptions { algorithms: vec![Algorithm::ES256], ..IssuerOptions::default() };
    let issuer = Issuer::start(options).unwrap();
    let (roles, trusted) = (vec![ROLE.to_owned()], issuer.issuer().to_owned());
    let sts = Sts::start(Options { port: 0, issuer: trusted, audience: "demo".into(), roles }).unwrap();
    (issuer, sts)
}

fn post(sts: &Sts, fields: &[(&str, &str)]) -> (u16, String) {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(format!("http://{}/", sts.address())).send_form(fields.iter().copied()).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn assume(sts: &Sts, token: &str, changes: &[(&str, &str)]) -> (u16, String) {
    let usual = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "alice@example.com"),
        ("WebIdentityToken", token),
        ("DurationSeconds", "900"),
    ];
    let is_kept = |(name, _): &&(&str, &str)| changes.iter().all(|(other, _)| other != name);
    let fields: Vec<_> = usual.iter().filter(is_kept).chain(changes).copied().collect();
    post(sts, &fields)
}

#[test]
fn a_good_token_gives_credentials_for_a_role() {
    let (issuer, sts) = start();
    let before = clock::now();
    let (status, answer) = assume(&sts, &issuer.token(&TokenRequest::default()).unwrap(), &[]);
    let after = clock::now();
    assert_eq!(status, 200, "{answer}");
    let credentials = &sts.issued()[0];
    assert_eq!(credentials.arn, "arn:aws:sts::111122223333:assumed-role/admin/alice@example.com");
    for value in [
        &credentials.access_key,
        &credentials.secret_key,
        &credentials.session_token,
        &clock::utc(credentials.expiration),
    ] {
        assert!(answer.contains(&format!(">{value}</")), "{value}: {answer}");
    }
    assert!((before..=after).contains(&(credentials.expiration - 900)));
    let secrets = sts.secrets();
    assert!(
        ["SecretAccessKey", "SessionToken", "WebIdentityToken"]
            .iter()
            .all(|name| secrets.iter().any(|(own, _)| own == name))
    );
}

#[test]
fn every_parameter_of_a_request_is_checked() {
    let (issuer, sts) = start();
    let good = issuer.token(&TokenRequest::default()).unwrap();
    let token = |request: TokenRequest| issuer.token(&request).unwrap();
    let expired = token(TokenRequest { lifetime: Some(-1), ..TokenRequest::default() });
    let foreign = token(TokenRequest { aud: Some(vec!["another".into()]), ..TokenRequest::default() });
    let forged = Issuer::start(IssuerOptions::default()).unwrap().token(&TokenRequest::default()).unwrap();
    let long = "a".repeat(65);
    for (changes, status, code) in [
        (("Action", "AssumeRole"), 400, "InvalidAction"),
        (("Version", "2010-05-08"), 400, "InvalidAction"),
        (("RoleArn", "admin"), 400, "ValidationError"),
        (("RoleArn", "arn:aws:iam::111122223333:role/other"), 403, "AccessDenied"),
        (("RoleSessionName", "a"), 400, "ValidationError"),
        (("RoleSessionName", "a b"), 400, "ValidationError"),
        (("RoleSessionName", long.as_str()), 400, "ValidationError"),
        (("DurationSeconds", "899"), 400, "ValidationError"),
        (("DurationSeconds", "43201"), 400, "ValidationError"),
        (("WebIdentityToken", "abc"), 400, "ValidationError"),
        (("WebIdentityToken", expired.as_str()), 400, "InvalidIdentityToken"),
        (("WebIdentityToken", foreign.as_str()), 400, "InvalidIdentityToken"),
        (("WebIdentityToken", forged.as_str()), 400, "InvalidIdentityToken"),
        (("Policy", "{}"), 400, "ValidationError"),
    ] {
        let (found, answer) = assume(&sts, &good, &[changes]);
        assert!(found == status && answer.contains(&format!("<Code>{code}</Code>")), "{changes:?}: {answer}");
    }
    assert!(sts.issued().is_empty());
}

#[test]
fn an_answer_has_flaws_and_fails_on_demand() {
    let (issuer, sts) = start();
    let token = issuer.token(&TokenRequest::default()).unwrap();
    for flaw in [
        Flaw::Cdata,
        Flaw::Comment,
        Flaw::Doctype,
        Flaw::DuplicateElement,
        Flaw::Entity,
        Flaw::Expired,
        Flaw::Forever,
        Flaw::MissingElement,
        Flaw::Nested,
        Flaw::OtherSecret,
        Flaw::Truncated,
    ] {
        sts.set_flaw(flaw);
        let before = sts.issued();
        let (status, answer) = assume(&sts, &token, &[]);
        let credentials = sts.issued().into_iter().find(|one| !before.contains(one)).unwrap();
        sts.set_flaw(Flaw::None);
        assert_eq!(status, 200);
        assert_ne!(answer, super::answers::assumed(&credentials, Flaw::None), "{flaw:?}");
    }
    sts.set_fault(Fault::times(Mode::Status { status: 503 }, 1)).unwrap();
    assert_eq!(assume(&sts, &token, &[]).0, 503);
    sts.set_fault(Fault::times(Mode::Truncated, 1)).unwrap();
    assert!(!assume(&sts, &token, &[]).1.contains("</SessionToken>"));
    assert_eq!(assume(&sts, &token, &[]).0, 200);
}

/// `botocore.auth.SigV4QueryAuth` of botocore 1.44.8 has made it of this request.
#[test]
fn a_signature_is_that_of_botocore() {
    let scope = "20261129/eu-west-1/sts/aws4_request";
    let query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20261129%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20261129T124500Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Security-Token=to%2Fke%2Bn%3D%3D";
    let signed = Signed {
        parameters: query.split('&').collect(),
        headers: vec![("host", "sts.eu-west-1.amazonaws.com"), ("x-k8s-aws-id", "prod")],
        date: "20261129T124500Z",
        scope,
    };
    assert_eq!(signed.signature("se/cr+et"), BOTOCORE);
}

const BOTOCORE: &str = "33320cffa856a327579df2ab716182043e24d848336e1d34a40f9cf6a5a8f658";

/// A token, made as `aws eks get-token` makes it.
struct Presigned {
    host: String,
    path: String,
    cluster: String,
    prefix: String,
    parameters: Vec<(String, String)>,
    /// Added after signing.
    more: String,
}

impl Presigned {
    fn new(credentials: &Credentials) -> Self {
        let date = clock::utc(clock::now()).replace(['-', ':'], "");
        let scope = format!("{}/eu-west-1/sts/aws4_request", date.get(..8).unwrap());
        let parameters = [
            ("Action", "GetCallerIdentity".into()),
            ("Version", "2011-06-15".into()),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".into()),
            ("X-Amz-Credential", format!("{}/{scope}", credentials.access_key)),
            ("X-Amz-Date", date.clone()),
            ("X-Amz-Expires", "60".into()),
            ("X-Amz-Security-Token", credentials.session_token.clone()),
            ("X-Amz-SignedHeaders", "host;x-k8s-aws-id".into()),
        ];
        Self {
            host: "sts.eu-west-1.amazonaws.com".into(),
            path: "/".into(),
            cluster: "prod".into(),
            prefix: "https://".into(),
            parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            more: String::new(),
        }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.parameters.iter_mut().filter(|(own, _)| own == name).for_each(|(_, own)| value.clone_into(own));
        self
    }

    fn token(&self, secret: &str) -> String {
        let query = serde_urlencoded::to_string(&self.parameters).unwrap();
        let get = |wanted: &str| self.parameters.iter().find(|(name, _)| name == wanted).unwrap().1.as_str();
        let names = get("X-Amz-SignedHeaders");
        let headers = [("host", self.host.as_str()), ("x-k8s-aws-id", &self.cluster)];
        let signed = Signed {
            parameters: query.split('&').collect(),
            headers: headers.into_iter().filter(|(name, _)| names.contains(name)).collect(),
            date: get("X-Amz-Date"),
            scope: get("X-Amz-Credential").split_once('/').unwrap().1,
        };
        let signature = signed.signature(secret);
        let Self { host, path, prefix, more, .. } = self;
        let url = format!("{prefix}{host}{path}?{query}&X-Amz-Signature={signature}{more}");
        format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
    }
}

#[test]
fn the_authenticator_knows_whose_token_it_is() {
    let (issuer, sts) = start();
    assume(&sts, &issuer.token(&TokenRequest::default()).unwrap(), &[]);
    let credentials = sts.issued()[0].clone();
    let token = Presigned::new(&credentials).token(&credentials.secret_key);
    let identity = sts.authenticate(&token, "prod").unwrap();
    assert_eq!((identity.account.as_str(), &identity.arn), ("111122223333", &credentials.arn));
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let ask = |cluster: &str| {
        let request = agent.get(format!("http://{}/authenticate?cluster={cluster}", sts.address()));
        let mut response = request.header("authorization", format!("Bearer {token}")).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    let (status, body) = ask("prod");
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()["arn"].clone()), (200, json!(credentials.arn)));
    assert_eq!(ask("another"), (401, "the signature is wrong\n".into()));
}

#[test]
fn each_rule_of_the_authenticator_refuses() {
    let (issuer, sts) = start();
    assume(&sts, &issuer.token(&TokenRequest::default()).unwrap(), &[]);
    let credentials = sts.issued()[0].clone();
    let good = || Presigned::new(&credentials);
    let ago = |seconds: i64| clock::utc(clock::now() - seconds).replace(['-', ':'], "");
    let named = |name: &str, value: &str| {
        let mut changed = good();
        changed.parameters.push((name.into(), value.into()));
        changed
    };
    let cases: BTreeMap<&str, Presigned> = BTreeMap::from([
        ("expected an https URL", Presigned { prefix: "http://".into(), ..good() }),
        ("the host is not of the service", Presigned { host: "sts.eu-west-1.amazonaws.com.evil.net".into(), ..good() }),
        ("expected the path `/`", Presigned { path: "/a".into(), ..good() }),
        ("`x-amz-date` is there twice", Presigned { more: "&x-amz-date=1".into(), ..good() }),
        ("`x-amz-user-agent` is not expected", named("X-Amz-User-Agent", "a")),
        ("expected GetCallerIdentity", good().set("Action", "GetSessionToken")),
        ("`x-k8s-aws-id` is not signed", good().set("X-Amz-SignedHeaders", "host")),
        ("`X-Amz-Expires` is not a number", good().set("X-Amz-Expires", "soon")),
        ("the token has expired, or is not good yet", good().set("X-Amz-Expires", "901")),
        ("`X-Amz-Date` is not a date", good().set("X-Amz-Date", "today")),
        ("the session has ended", good().set("X-Amz-Security-Token", "another")),
    ]);
    for (why, changed) in cases {
        assert_eq!(sts.authenticate(&changed.token(&credentials.secret_key), "prod"), Err(why.to_owned()));
    }
    let old = good().set("X-Amz-Date", &ago(901));
    assert!(sts.authenticate(&old.token(&credentials.secret_key), "prod").unwrap_err().contains("expired"));
    let token = good().token(&credentials.secret_key);
    for (token, why) in [
        (good().token("another"), "the signature is wrong"),
        (format!("{token}{}", "A".repeat(4096)), "the token is too long"),
        (format!("{token}="), "the token is not base64url without padding"),
        (token.replace("v1", "v2"), "the token has another prefix"),
    ] {
        assert_eq!(sts.authenticate(&token, "prod"), Err(why.to_owned()));
    }
}
