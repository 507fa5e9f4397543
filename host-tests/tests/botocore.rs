//! Tokens for EKS, compared with what botocore signs.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws::eks::{self, ClusterName};
use aws::region::Region;
use aws::sigv4::Credentials;
use oauth::Secret;
use serde_json::{Value, json};
use test_support::random::Random;
use test_support::{tool, workspace};

const CASES: usize = 300;

/// Python with botocore, where there is one.
fn python() -> Option<Command> {
    let path = tool("venv-aws/bin/python3");
    let has_botocore = Command::new(&path).args(["-c", "import botocore"]).stderr(Stdio::null()).status();
    if has_botocore.is_ok_and(|status| status.success()) {
        return Some(Command::new(path));
    }
    eprintln!("SKIPPED: botocore is not installed: run `make aws`");
    None
}

struct Case {
    credentials: Credentials,
    region: Region,
    cluster: ClusterName,
    at: Duration,
}

fn text(random: &mut Random, alphabet: &str, least: usize, most: usize) -> String {
    let characters: Vec<char> = alphabet.chars().collect();
    let length = least + random.below(most - least);
    (0..length).map(|_| random.pick(&characters)).collect()
}

fn case(random: &mut Random) -> Case {
    const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    const REGIONS: [&str; 5] = ["eu-west-1", "us-gov-east-1", "cn-northwest-1", "ap-southeast-2", "us-iso-east-1"];
    let secret_access_key = Secret::new(text(random, BASE64, 16, 60));
    Case {
        credentials: Credentials {
            access_key_id: text(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16, 32),
            secret_access_key,
            session_token: Some(Secret::new(text(random, BASE64, 1, 900))),
        },
        region: Region::parse(random.pick(&REGIONS)).expect("is a region"),
        cluster: ClusterName::parse(&text(random, "abcXYZ019._~-:/@+=%&?#", 1, 100)).expect("is a name"),
        at: Duration::from_secs(random.number() % 4_102_444_800),
    }
}

impl Case {
    fn question(&self) -> Value {
        let host = self.region.sts_host();
        json!({
            "url": format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15"),
            "region": self.region.as_str(),
            "cluster": self.cluster.as_str(),
            "at": self.at.as_secs(),
            "id": self.credentials.access_key_id,
            "secret": self.credentials.secret_access_key.reveal(),
            "token": self.credentials.session_token.as_ref().map(Secret::reveal),
        })
    }

    fn url(&self) -> String {
        let token = eks::token(&self.credentials, &self.region, &self.cluster, self.at).expect("is made");
        let encoded = token.reveal().strip_prefix("k8s-aws-v1.").expect("has the prefix");
        String::from_utf8(jose::base64url::decode(encoded.as_bytes()).expect("is base64url")).expect("is text")
    }
}

/// Parameters may come in any order.
fn parts(url: &str) -> (&str, BTreeSet<&str>) {
    let (address, query) = url.split_once('?').expect("has a query");
    (address, query.split('&').collect())
}

#[test]
fn tokens_for_eks_are_signed_as_botocore_signs() {
    let Some(mut python) = python() else { return };
    let mut random = Random::new(20_261_129);
    let cases: Vec<_> = (0..CASES).map(|_| case(&mut random)).collect();
    let questions: String = cases.iter().map(|case| case.question().to_string() + "\n").collect();
    let script = workspace().join("host-tests/providers/presign.py");
    let mut oracle = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
    let mut input = oracle.stdin.take().expect("has an input");
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = oracle.wait_with_output().expect("python ends");
    writer.join().expect("writes").expect("is read");
    let answers = String::from_utf8(output.stdout).expect("is text");
    assert_eq!(answers.lines().count(), CASES);
    for (case, answer) in cases.iter().zip(answers.lines()) {
        let expected: String = serde_json::from_str(answer).expect("is JSON");
        assert_eq!(parts(&case.url()), parts(&expected));
    }
}
