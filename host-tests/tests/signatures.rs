//! Every signature that Wycheproof has, checked by the plugin's own code: in Wasm, and through the host's
//! `verify_signature`, in the test host and in Envoy.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use strict_host::{Plugin, Proxy, VmOptions};
use test_support::built_path;
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::base64url;
use testbed::upstream::Upstream;
use vectors::primitives::{Case, Group, groups};

/// Proxies check these.
const BY_HOST: [&str; 6] = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"];

fn signature_probe() -> PathBuf {
    built_path("JOTGATE_SIGNATURE_PROBE", "target/wasm32-wasip1/plugin/signature_probe.wasm", "make signature-probe")
}

/// Wycheproof's, and signatures of our own with all that is near them.
fn usable_groups() -> Vec<Group> {
    let own = Algorithm::ASYMMETRIC.into_iter().map(|algorithm| group_of(&SigningKey::generate(algorithm)));
    groups().into_iter().filter(|group| !group.has_small_key()).chain(own).collect()
}

/// A good signature, and each with one bit flipped, cut, or longer; and good ones of another text. Every octet has one or
/// two flipped bits, in turn each of the eight: all of them cost a minute and a half.
fn group_of(key: &SigningKey) -> Group {
    let message = b"header.payload".to_vec();
    let signature = key.sign(&message);
    let case = |name: String, message: &[u8], signature: Vec<u8>, is_good| Case {
        name,
        message: message.to_vec(),
        signature,
        is_good,
    };
    let mut cases = vec![case("good".into(), &message, signature.clone(), true)];
    for bit in (0..signature.len() * 8).step_by(7) {
        let mut flipped = signature.clone();
        if let Some(octet) = flipped.get_mut(bit / 8) {
            *octet ^= 1 << (bit % 8);
        }
        cases.push(case(format!("bit {bit}"), &message, flipped, false));
    }
    for length in 0..signature.len() {
        cases.push(case(format!("{length} octets"), &message, signature.iter().copied().take(length).collect(), false));
    }
    cases.push(case("longer".into(), &message, [signature.as_slice(), &[0]].concat(), false));
    cases.push(case("zeros in front".into(), &message, [&[0], signature.as_slice()].concat(), false));
    cases.push(case("another text".into(), b"header.payloae", signature, false));
    Group { name: format!("own {}", key.algorithm()), algorithm: key.algorithm().name(), jwk: key.public_jwk(), cases }
}

/// What the probe is asked; the software checks every `every`-th case.
fn configuration(groups: &[Group], every: usize) -> String {
    let group = |group: &Group| {
        let case = |case: &Case| json!([base64url(&case.message), base64url(&case.signature)]);
        let cases: Vec<Value> = group.cases.iter().map(case).collect();
        json!({"algorithm": group.algorithm, "jwk": group.jwk, "cases": cases})
    };
    json!({"every": every, "groups": groups.iter().map(group).collect::<Vec<_>>()}).to_string()
}

/// Compares the lines of the log with what is right, and gives how many verdicts there were of software and host.
fn compare(groups: &[Group], log: &str) -> [usize; 2] {
    let lines: Vec<&str> =
        log.lines().filter_map(|line| line.split_once("checked software=")).map(|(_, line)| line).collect();
    assert!(lines.len() >= groups.len(), "{} lines for {} groups: {log}", lines.len(), groups.len());
    let mut counts = [0, 0];
    for (group, line) in groups.iter().zip(lines) {
        let (software, host) = line.trim_end().split_once(" host=").unwrap();
        assert_eq!((software.len(), host.len()), (group.cases.len(), group.cases.len()), "{}", group.name);
        for ((case, software), host) in group.cases.iter().zip(software.chars()).zip(host.chars()) {
            let right = if case.is_good { '1' } else { '0' };
            for (count, verdict) in counts.iter_mut().zip([software, host]).filter(|(_, verdict)| *verdict != '-') {
                assert_eq!(verdict, right, "{} {}", group.name, case.name);
                *count += 1;
            }
            assert_eq!(host != '-', BY_HOST.contains(&group.algorithm), "{} {}", group.name, case.name);
        }
    }
    counts
}

#[test]
fn wasm_and_the_test_host_agree_with_wycheproof() {
    let groups = usable_groups();
    let probe = Plugin::load(signature_probe()).unwrap_or_else(|error| panic!("{error}"));
    let vm = Proxy::new().vm(&probe, VmOptions::new().fuel_per_call(u64::MAX));
    vm.start(configuration(&groups, 1)).unwrap();
    let lines: Vec<String> = vm.log().iter().map(|line| line.message.clone()).collect();
    let [software, host] = compare(&groups, &lines.join("\n"));
    assert!(software > 6000 && host > 3500, "{software} {host}");
}

/// Envoy's own cryptography checks all that it can; V8 runs a part of the rest, since several VMs do it again.
#[test]
fn wasm_and_envoy_agree_with_wycheproof() {
    let groups = usable_groups();
    let upstream = Upstream::start(0).unwrap();
    let bootstrap = Bootstrap::new(upstream.address())
        .plugin(&configuration(&groups, 10))
        .plugin_option("vm_config/code/local/filename", &json!(signature_probe()));
    let envoy = Envoy::builder(&bootstrap.text()).concurrency(1).log_levels("warn", "wasm:info");
    let envoy = envoy.start().unwrap_or_else(|error| panic!("{error}"));
    let start = Instant::now();
    while !envoy.log().contains("checked all") {
        assert!(start.elapsed() < Duration::from_mins(5), "{}", envoy.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = envoy.log();
    assert!(log.contains("verify_signature is used for: ES256, ES384, ES512, RS256, RS384, RS512"), "{log}");
    let [software, host] = compare(&groups, &log);
    assert!(software > 600 && host > 3500, "{software} {host}");
}
