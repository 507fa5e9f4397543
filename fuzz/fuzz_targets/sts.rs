//! What STS answers: a role is read only where the most simple-minded reader would read the same, and the token that is
//! made of it is one that the cluster's authenticator takes: its signature is computed anew.
//!
//! An input is an answer: the status, a line end, the body. Its first lines are also taken for the values of a good one.

#![no_main]

use std::time::Duration;

use aws::eks::{self, ClusterName};
use aws::region::Region;
use aws::sts::AssumedRole;
use hmac::{Hmac, KeyInit, Mac};
use jose::base64url;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const NOW: u64 = 1_800_000_000;
const DATE: &str = "20270115";
const HOST: &str = "sts.eu-west-1.amazonaws.com";
const CLUSTER: &str = "prod";
const MEMBERS: [&str; 4] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let status = str::from_utf8(&input[..end]).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let body = input.get(end + 1..).unwrap_or_default();
    if let Ok(role) = AssumedRole::read(status, body) {
        assert_eq!(status, 200);
        check_role(&role, str::from_utf8(body).expect("is text"));
        check_token(&role);
    }
    if let Ok(text) = str::from_utf8(input) {
        check_values(text);
    }
});

fn check_role(role: &AssumedRole, body: &str) {
    assert!(!body.contains("<!"), "{body}");
    let [id, secret, token, end] = MEMBERS.map(|name| value(body, name));
    let found = &role.credentials;
    assert_eq!(Some(found.access_key_id.as_str()), id);
    assert_eq!(Some(found.secret_access_key.reveal()), secret);
    assert_eq!(found.session_token.as_ref().map(oauth::Secret::reveal), token);
    assert_eq!(Some(role.expiration.as_secs()), end.and_then(seconds));
}

/// What stands between the tags of that name, if they are there once.
fn value<'b>(body: &'b str, name: &str) -> Option<&'b str> {
    let tag = format!("<{name}");
    let starts = body.match_indices(&tag).map(|(at, found)| at + found.len());
    let starts: Vec<_> = starts.filter(|at| !body[*at..].starts_with(|next: char| next.is_alphanumeric())).collect();
    let [start] = starts[..] else { panic!("{name} is there {} times", starts.len()) };
    let (_, behind) = body[start..].split_once('>')?;
    behind.split('<').next().filter(|value| !value.contains(['&', ' ']) && !value.is_empty())
}

/// The whole seconds of an instant since 1970, day by day.
fn seconds(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |year: u64, month: u64| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let days = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum::<u64>()
        + (1..month).map(|month| length(year, month)).sum::<u64>()
        + day
        - 1;
    let local = days * 86_400 + number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = || Some(zone.get(1..3)?.parse::<u64>().ok()? * 3600 + zone.get(4..6)?.parse::<u64>().ok()? * 60);
    match zone.get(..1)? {
        "Z" => Some(local),
        "+" => local.checked_sub(offset()?),
        _ => Some(local + offset()?),
    }
}

/// Any plain values are read as they were written, and no others are read at all.
fn check_values(text: &str) {
    let mut lines = text.split('\n');
    let [id, secret, token] = std::array::from_fn(|_| lines.next().unwrap_or("A"));
    let body = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
        <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
        <Expiration>2027-01-15T09:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
        </AssumeRoleWithWebIdentityResponse>"
    );
    let is_plain =
        |value: &str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && !b"&<>".contains(&byte));
    let is_id = id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match AssumedRole::read(200, body.as_bytes()) {
        Ok(role) => {
            check_role(&role, &body);
            check_token(&role);
        }
        Err(error) => assert!(!is_id || ![id, secret, token].into_iter().all(is_plain), "{error:?}"),
    }
}

/// The rules of the authenticator, and the signature as STS computes it.
fn check_token(role: &AssumedRole) {
    let region = Region::parse("eu-west-1").expect("is one");
    let cluster = ClusterName::parse(CLUSTER).expect("is one");
    let session_token = role.credentials.session_token.as_ref().expect("is there").reveal();
    let Ok(token) = eks::token(&role.credentials, &region, &cluster, Duration::from_secs(NOW)) else {
        return assert!(session_token.len() > 600, "a short one is too large");
    };
    assert!(token.reveal().len() <= 4096);
    let encoded = token.reveal().strip_prefix("k8s-aws-v1.").expect("is for a cluster");
    let url = String::from_utf8(base64url::decode(encoded.as_bytes()).expect("is base64url")).expect("is text");
    let query = url.strip_prefix(&format!("https://{HOST}/?")).expect("is for STS");
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{query}");
    let mut pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=').expect("is a pair")).collect();
    let scope = format!("{DATE}/eu-west-1/sts/aws4_request");
    let credential = format!("{}/{scope}", role.credentials.access_key_id);
    let amz_date = format!("{DATE}T080000Z");
    for (name, expected) in [
        ("Action", "GetCallerIdentity"),
        ("Version", "2011-06-15"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &amz_date),
        ("X-Amz-Expires", "60"),
        ("X-Amz-Security-Token", session_token),
        ("X-Amz-SignedHeaders", "host;x-k8s-aws-id"),
    ] {
        let found: Vec<_> = pairs.iter().filter(|(found, _)| *found == name).map(|(_, value)| decoded(value)).collect();
        assert_eq!(found, [expected], "{name}");
    }
    let index = pairs.iter().position(|(name, _)| *name == "X-Amz-Signature").expect("is signed");
    let (_, signature) = pairs.remove(index);
    assert_eq!(pairs.len(), 8, "there is nothing else");
    pairs.sort_unstable();
    let canonical: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(&decoded(value)))).collect();
    let request = format!(
        "GET\n/\n{}\nhost:{HOST}\nx-k8s-aws-id:{CLUSTER}\n\nhost;x-k8s-aws-id\n{}",
        canonical.join("&"),
        hex(&Sha256::digest(b""))
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{}", hex(&Sha256::digest(request)));
    let secret = format!("AWS4{}", role.credentials.secret_access_key.reveal());
    let key = [DATE, "eu-west-1", "sts", "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, text| code(&key, text.as_bytes()));
    assert_eq!(signature, hex(&code(&key, to_sign.as_bytes())));
}

fn code(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).expect("takes any key").chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        octets.push(u8::from_str_radix(&part[..2], 16).expect("is escaped"));
        octets.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(octets).expect("is text")
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
