//! What a hostile token costs, in instructions: the same number in every run, on any machine.

use serde_json::json;
use strict_host::{Proxy, Root, Vm, VmOptions};
use testbed::mint::{base64url, mint_text};

use crate::world::{ISSUER, inline, key, plugin, summary};

/// `limits.tokenBytes`.
const TOKEN: usize = 16_384;
/// How many times as much as a good token of the same size a hostile one may cost, which anybody can send.
const MOST: u64 = 4;
/// The same for one that only an issuer can sign: sorting its thousands of scopes is dear.
const MOST_SIGNED: u64 = 7;
const HEADER: &str = r#"{"alg":"ES256","kid":"ES256"}"#;
/// Base64url of 64 bytes.
const SIGNATURE: usize = 86;

/// A token: what it is, its text, and what becomes of it.
struct Sample {
    name: String,
    token: String,
    verdict: &'static str,
}

/// The claims of a good token, and more members behind them.
fn claims(proxy: &Proxy, more: &str) -> String {
    let now = proxy.clock().now().as_secs();
    format!(r#"{{"iss":"{ISSUER}","aud":"api","sub":"alice","iat":{now},"exp":{}{more}}}"#, now + 600)
}

/// So many bytes of JSON make a token full, beside a header or payload of `other` bytes.
fn room(other: usize) -> usize {
    (TOKEN - SIGNATURE - 2 - (other * 4).div_ceil(3)) * 3 / 4
}

/// `open`, then `unit` as often as it fits with `close` into `room` bytes; `~` in a unit is a number of its own.
fn fill(room: usize, open: &str, unit: &str, close: &str) -> String {
    let mut text = open.to_owned();
    for number in 0.. {
        let next = unit.replace('~', &format!("{number:04}"));
        if text.len() + next.len() + close.len() > room {
            break;
        }
        text += &next;
    }
    text + close
}

fn signed(header: &str, payload: &str) -> String {
    mint_text(key("ES256"), header, payload)
}

fn unsigned(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", base64url(header), base64url(payload), base64url([1; 64]))
}

/// Shapes of JSON that cost parsers dearly: what a member `x` holds, and whether it is JSON as the gate takes it.
fn shapes(room: usize) -> Vec<(&'static str, String, bool)> {
    let (deep_arrays, deep_objects) =
        (["[".repeat(30), "]".repeat(30)].concat(), [r#"{"":"#.repeat(29), "1".into(), "}".repeat(29)].concat());
    vec![
        ("nesting at the limit, arrays", fill(room, "[1", &format!(",{deep_arrays}"), "]"), true),
        ("nesting at the limit, objects", fill(room, "[1", &format!(",{deep_objects}"), "]"), true),
        ("nesting beyond the limit, arrays", fill(room, "", "[", ""), false),
        ("nesting beyond the limit, objects", fill(room, "", r#"{"a":"#, ""), false),
        (r"escapes \u0041", fill(room, "\"", r"\u0041", "\""), true),
        (r"escapes \\", fill(room, "\"", r"\\", "\""), true),
        ("surrogate pairs", fill(room, "\"", r"\ud83d\ude00", "\""), true),
        ("a lone surrogate at the end", fill(room, "\"", r"\u0041", r#"\ud83d""#), false),
        ("one long number", fill(room, "1", "1", ""), true),
        ("a long fraction", fill(room, "1.", "0", "1"), true),
        ("a long exponent", fill(room, "1e", "9", ""), true),
        ("many numbers", fill(room, "[1", ",1", "]"), true),
        ("many small members", fill(room, r#"{"":1"#, r#","~":1"#, "}"), true),
        ("many members in reverse", reversed(room), true),
        (
            "members with a long name in common",
            fill(room, r#"{"":1"#, &format!(r#","{}~":1"#, "n".repeat(40)), "}"),
            true,
        ),
        ("names in escapes", fill(room, r#"{"":1"#, r#","\u0061\u0062~":1"#, "}"), true),
        ("one name many times", fill(room, r#"{"":1"#, r#","a":1"#, "}"), false),
        ("many empty objects", fill(room, "[1", ",{}", "]"), true),
        ("many empty strings", fill(room, "[1", ",\"\"", "]"), true),
        ("white space", fill(room, "", " ", "1"), true),
        ("letters beyond ASCII", fill(room, "\"", "\u{1f600}", "\""), true),
    ]
}

fn reversed(room: usize) -> String {
    let members: Vec<_> = (0..room / 9).rev().map(|number| format!(r#""{number:04}":1"#)).collect();
    format!("{{{}}}", members.join(","))
}

fn hostile(proxy: &Proxy) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name: String, token: String, verdict| {
        assert!(token.len() <= TOKEN && token.len() > TOKEN - 200, "{name}: {} bytes", token.len());
        samples.push(Sample { name, token, verdict });
    };
    let good = claims(proxy, "");
    let more = room(HEADER.len()) - good.len() - 10;
    for (name, shape, is_json) in shapes(more) {
        let payload = claims(proxy, &format!(r#","x":{shape}"#));
        let verdict = |good| if is_json { good } else { "401 malformed_token" };
        add(format!("payload, signed: {name}"), signed(HEADER, &payload), verdict("ok"));
        add(format!("payload, unsigned: {name}"), unsigned(HEADER, &payload), verdict("401 bad_signature"));
    }
    let more = room(good.len()) - HEADER.len() - 10;
    for (name, shape, is_json) in shapes(more) {
        let header = HEADER.replace('}', &format!(r#","x":{shape}}}"#));
        let verdict = |good| if is_json { good } else { "401 malformed_token" };
        add(format!("header, signed: {name}"), signed(&header, &good), verdict("ok"));
        add(format!("header, unsigned: {name}"), unsigned(&header, &good), verdict("401 bad_signature"));
    }
    let more = room(HEADER.len()) - good.len() - 20;
    for (name, claim, verdict) in [
        ("nbf of many digits", fill(more, r#""nbf":1"#, "1", ""), "401 bad_claim"),
        ("nbf with a long fraction", fill(more, r#""nbf":1."#, "0", "1"), "ok"),
        ("nbf with a long exponent", fill(more, r#""nbf":1e"#, "9", ""), "401 bad_claim"),
        ("nbf with zeros and an exponent", fill(more, r#""nbf":0."#, "0", "1e9000"), "ok"),
        ("thousands of scopes, one text", fill(more, r#""scope":"a"#, " ~", "\""), "401 unrepresentable_claim"),
        ("thousands of scopes, a list", fill(more, r#""scope":["a""#, ",\"~\"", "]"), "401 unrepresentable_claim"),
        ("one scope thousands of times", fill(more, r#""scope":"a"#, " a", "\""), "ok"),
        ("nothing but blanks in scope", fill(more, r#""scope":""#, " ", "\""), "ok"),
        ("thousands of groups", fill(more, r#""groups":["a""#, ",\"~\"", "]"), "401 unrepresentable_claim"),
        ("one group thousands of times", fill(more, r#""groups":["a""#, ",\"a\"", "]"), "ok"),
        (
            "a long e-mail address",
            fill(more, r#""email_verified":true,"email":"a@"#, "b", "\""),
            "401 unrepresentable_claim",
        ),
    ] {
        add(format!("claims, signed: {name}"), signed(HEADER, &claims(proxy, &format!(",{claim}"))), verdict);
    }
    for (name, audience, verdict) in [
        ("thousands of audiences", fill(more, "[\"api\"", ",\"~\"", "]"), "ok"),
        ("thousands of wrong audiences", fill(more, "[\"a\"", ",\"~\"", "]"), "401 wrong_audience"),
        ("one wrong audience thousands of times", fill(more, "[\"a\"", ",\"a\"", "]"), "401 wrong_audience"),
    ] {
        let payload = good.replace("\"api\"", &audience);
        add(format!("claims, signed: {name}"), signed(HEADER, &payload), verdict);
    }
    for (name, unit) in [
        ("dots", "."),
        ("letters", "A"),
        ("letters and dots", "AAA."),
        ("foreign characters", "!"),
        ("padding", "="),
        ("bytes that are not ASCII", "\u{e9}"),
    ] {
        add(format!("junk: {name}"), fill(TOKEN, "", unit, ""), "401 malformed_token");
    }
    let third = "A".repeat((TOKEN - 2) / 3 - 2);
    add("junk: three parts of letters".into(), [third.as_str(), &third, &third].join("."), "401 malformed_token");
    add(
        "junk: a long signature".into(),
        fill(TOKEN, &format!("{}.{}.", base64url(HEADER), base64url(&good)), "AAAA", ""),
        "401 bad_signature",
    );
    samples
}

struct Meter<'p> {
    proxy: &'p Proxy,
    vm: Vm,
    root: Root,
}

impl Meter<'_> {
    fn cost(&self, sample: &Sample) -> u64 {
        let value = format!("Bearer {}", sample.token);
        let lines = [(":method", "GET"), (":path", "/x"), (":authority", "h"), ("authorization", value.as_str())];
        let before = self.vm.fuel();
        let stream = self.root.request(lines.as_slice(), true);
        assert_eq!(summary(&stream), sample.verdict, "{}", sample.name);
        stream.end();
        self.vm.fuel() - before
    }

    /// Good, and sent for the first time.
    fn good(&self, name: &str, more: &str) -> Sample {
        Sample { name: name.into(), token: signed(HEADER, &claims(self.proxy, more)), verdict: "ok" }
    }
}

#[test]
fn a_hostile_token_costs_no_more_than_a_few_good_ones_of_its_size() {
    let proxy = Proxy::new();
    let vm = proxy.vm(plugin(), VmOptions::new());
    let root = vm.start(inline(&json!({}))).unwrap();
    let meter = Meter { proxy: &proxy, vm, root };
    // What is made once, metrics for example, is made now.
    meter.cost(&meter.good("warm", ",\"jti\":0"));
    let ordinary = meter.cost(&meter.good("an ordinary token", ",\"jti\":1"));
    let text = "plain text of some length, as claims have it ".repeat(2);
    let plain = fill(room(HEADER.len()) - claims(&proxy, "").len(), "", &format!(r#","claim_~":"{text}""#), "");
    let full = meter.good("a good token of the same size", &plain);
    assert!(full.token.len() > TOKEN - 200, "{}", full.token.len());
    let full = meter.cost(&full);
    println!("{ordinary:>9} instructions: an ordinary token\n{full:>9} instructions: a good token of {TOKEN} bytes");
    let mut costs: Vec<_> = hostile(&proxy).iter().map(|sample| (meter.cost(sample), sample.name.clone())).collect();
    costs.sort_unstable_by(|one, other| other.cmp(one));
    for (cost, name) in &costs {
        println!("{cost:>9} {:>3}.{:02} {name}", cost / full, cost * 100 / full % 100);
    }
    let most = |name: &str| if name.contains(", signed") { MOST_SIGNED } else { MOST };
    let dear: Vec<_> = costs.iter().filter(|(cost, name)| *cost > full * most(name)).collect();
    assert!(dear.is_empty(), "too many times what a good token of the same size costs ({full}): {dear:#?}");
}
