//! The smallest host: it makes a gate, hands it requests, and carries out what the gate asks for.
//!
//! `cargo run -p gate --example host`. The contract is the first comment of the crate.

#![expect(clippy::disallowed_macros, clippy::disallowed_types, reason = "a host has a clock and an output")]

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use gate::{
    Capabilities, Decision, Effect, Gate, HeaderEdit, HeaderLine, NoRandomness, Policy, Randomness, Report, Request,
    RequestId, Timestamp,
};
use jose::signature::Software;

/// Its keys are inline, so that no callout is needed.
const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["orders"], "algorithms": ["HS256"],
        "keys": {"inline": {"keys": [{"kty": "oct", "k": "YSBzZWNyZXQgb2YgMzIgb2N0ZXRzIG9yIGxvbmdlciE"}]}}
    }],
    "rules": [{"match": {"paths": ["/orders/**"]}, "access": "authenticated"}]
}"#;

/// The token of `alice`, good until 2100.
const CREDENTIAL: &[u8] = b"Bearer eyJhbGciOiJIUzI1NiJ9.\
    eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbSIsInN1YiI6ImFsaWNlIiwiYXVkIjoib3JkZXJzIiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
    fGoSzRJWcKNHKAOajxfEVWyAzmnA6WFRmFrxmPSYlI4";

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::parse(CONFIGURATION.as_bytes(), &|name| std::env::var_os(name)?.into_string().ok())?;
    let mut gate = Gate::new(policy, now()?, 0);
    carry_out(&mut gate);
    let get: [HeaderLine<'_>; 2] = [(b":method", b"GET"), (b":authority", b"api.example.com")];
    let with_token = [&get[..], &[(b":path", b"/orders/7"), (b"authorization", CREDENTIAL)]].concat();
    let forged = [&get[..], &[(b":path", b"/orders/7"), (b"x-auth-request-user", b"admin")]].concat();
    let elsewhere = [&get[..], &[(b":path", b"/admin"), (b"authorization", CREDENTIAL)]].concat();
    let mut statuses = Vec::new();
    for (number, lines) in (1..).zip([with_token, forged, elsewhere]) {
        let capabilities = Capabilities { now: now()?, signatures: &Software, signer: &Software, random: &Random };
        let decision = gate.handle_request(RequestId(number), &Request::new(&lines), capabilities);
        carry_out(&mut gate);
        statuses.push(match &decision {
            Decision::Forward(edits, report) => {
                record(&gate, report);
                println!("forward: {}", shown(&HeaderEdit::apply(edits, &lines)));
                200
            }
            Decision::Reply(reply, report) => {
                record(&gate, report);
                println!("reply {}: {}", reply.status, reply.body);
                reply.status
            }
            // A host with callouts keeps the request, and hands it in again when `Effect::Resume` names it.
            Decision::Wait => 0,
        });
    }
    assert_eq!(statuses, [200, 401, 403]);
    Ok(())
}

/// The time is an argument: the gate has no clock.
fn now() -> Result<Timestamp, Box<dyn Error>> {
    Ok(Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()))
}

/// The generator of this host: the operating system's.
struct Random;

impl Randomness for Random {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        File::open("/dev/urandom").and_then(|mut file| file.read_exact(octets)).map_err(|_| NoRandomness)
    }
}

/// After each call the host takes effects until there are none.
fn carry_out(gate: &mut Gate) {
    while let Some(effect) = gate.poll_effect() {
        match effect {
            Effect::Count(metric) => println!("count {}", gate.metric_name(metric)),
            Effect::Log(level, text) => println!("log {level:?}: {text}"),
            other => println!("this host cannot do {other:?}"),
        }
    }
}

/// Each decision has a report: a counter, and for refusals a line for the log.
fn record(gate: &Gate, report: &Report) {
    report.metric.iter().for_each(|&metric| println!("count {}", gate.metric_name(metric)));
    report.log.iter().for_each(|line| println!("log: {line}"));
}

/// The headers that the upstream gets.
fn shown(lines: &[(Vec<u8>, Vec<u8>)]) -> String {
    let line = |(name, value): &(Vec<u8>, Vec<u8>)| {
        format!("\n    {}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    };
    lines.iter().map(line).collect()
}
