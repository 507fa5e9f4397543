//! Running cases.

use super::format::{Answer, Case, Expect, Forward, Reply, Request, Text};
use super::placeholders::{Mint, fill};
use crate::{
    CalloutAnswer, Clock, HeaderMap, LocalReply, LogLevel, Outcome, Plugin, Proxy, Refused, Response, Root, Status,
    Stream, Vm, VmOptions,
};
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where requests come from.
const PEER: &str = "192.0.2.1:4711";
/// How long plugins may count by themselves.
const REPORTED_WITHIN: Duration = Duration::from_millis(1100);

/// Runs every `*.yaml`, `*.yml` and `*.json` below a directory; panics with all failures at the end.
pub fn run_all(directory: impl AsRef<Path>, plugin: &Plugin, mint: &Mint<'_>) {
    let directory = directory.as_ref();
    let mut files = Vec::new();
    collect(directory, &mut files);
    assert!(!files.is_empty(), "there are no cases below `{}`", directory.display());
    files.sort();
    let failures: Vec<String> = files.iter().filter_map(|file| run_file(file, plugin, mint).err()).collect();
    let (failed, all) = (failures.len(), files.len());
    assert!(failures.is_empty(), "{failed} of {all} cases failed:\n\n{}", failures.join("\n\n"));
}

/// Runs one case. The error says which file, which sentence and what went differently; a trap or a violation is one.
pub fn run_file(file: impl AsRef<Path>, plugin: &Plugin, mint: &Mint<'_>) -> Result<(), String> {
    let file = file.as_ref();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let case = parse(&text, mint).map_err(|error| format!("{}: {error}", file.display()))?;
    let failures =
        catch_unwind(AssertUnwindSafe(|| run(&case, plugin))).unwrap_or_else(|panic| vec![panic_text(panic.as_ref())]);
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("{}: {}\n- {}", file.display(), case.name, failures.join("\n- ")))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory);
    let entries = entries.unwrap_or_else(|error| panic!("cannot read the cases in `{}`: {error}", directory.display()));
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            collect(&path, files);
        } else if matches!(extension, Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
}

fn parse(text: &str, mint: &Mint<'_>) -> Result<Case, String> {
    // The text is read as a case first, since only so do errors have their line.
    let case: Case = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    let mut document: Value = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    fill(&mut document, mint, now(&case))?;
    let case: Case = serde_json::from_value(document).map_err(|error| error.to_string())?;
    if case.requests.is_empty() == case.config_errors.is_none() {
        return Err("expected either `requests` or `config_errors`".to_owned());
    }
    for (index, Request { expect, .. }) in case.requests.iter().enumerate() {
        let given = [expect.forward.is_some(), expect.reply.is_some(), expect.waiting];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(format!("requests[{index}].expect: expected one of `forward`, `reply` and `waiting: true`"));
        }
    }
    Ok(case)
}

fn now(case: &Case) -> Duration {
    case.now.map_or(Clock::START, Duration::from_secs)
}

/// Answers what went differently.
fn run(case: &Case, plugin: &Plugin) -> Vec<String> {
    let proxy = Proxy::new();
    proxy.clock().set_wall(now(case));
    answer_callouts(&proxy, case.clusters.clone());
    let base = VmOptions::new().keep_duplicate_lines(case.keep_duplicate_lines).property("source.address", PEER);
    let options = case.env.iter().fold(base, |options, (name, value)| options.env(name, value));
    let vm = proxy.vm(plugin, options);
    let mut failures = match (vm.start(configuration(&case.config)), &case.config_errors) {
        (Err(_), Some(expected)) => compare_errors(&vm, expected),
        (Err(refused), None) => vec![refusal(&refused)],
        (Ok(_), Some(_)) => vec!["expected the configuration to be refused, but it was accepted".to_owned()],
        (Ok(root), None) => send_all(&proxy, &root, &case.requests),
    };
    if !case.counters.is_empty() {
        proxy.advance(REPORTED_WITHIN);
    }
    for (name, expected) in &case.counters {
        let found = proxy.metrics().counter(name);
        check(&mut failures, &format!("counter {name}"), &Some(*expected), &found);
    }
    vm.finish();
    failures
}

fn configuration(config: &Value) -> String {
    config.as_str().map_or_else(|| config.to_string(), str::to_owned)
}

fn answer_callouts(proxy: &Proxy, clusters: BTreeMap<String, BTreeMap<String, Answer>>) {
    proxy.on_callout(move |callout| {
        let Some(paths) = clusters.get(&callout.cluster) else { return CalloutAnswer::refuse(Status::BAD_ARGUMENT) };
        match paths.get(&callout.path()).or_else(|| paths.get("*")) {
            Some(answer) => answer_of(answer),
            None => CalloutAnswer::respond(Response::new(404)),
        }
    });
}

fn answer_of(answer: &Answer) -> CalloutAnswer {
    if answer.hang {
        return CalloutAnswer::hang();
    }
    if answer.fail {
        return CalloutAnswer::fail().after(answer.after.0);
    }
    let mut response = Response::new(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, &value.0);
    }
    if let Some(json) = &answer.json {
        response = response.body(json.to_string());
    }
    if let Some(body) = &answer.body {
        response = response.body(body.0.clone());
    }
    CalloutAnswer::respond(response).after(answer.after.0)
}

fn refusal(refused: &Refused) -> String {
    format!("the configuration was refused: {refused}")
}

fn compare_errors(vm: &Vm, expected: &[String]) -> Vec<String> {
    let mut failures = Vec::new();
    check(&mut failures, "configuration errors", expected, vm.log_at_least(LogLevel::Error).as_slice());
    failures
}

fn send_all(proxy: &Proxy, root: &Root, requests: &[Request]) -> Vec<String> {
    proxy.settle();
    let mut failures = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        proxy.advance(request.advance.0);
        let stream = root.request(request_headers(request), true);
        proxy.settle();
        let found = compare(&stream, &request.expect).into_iter();
        failures.extend(found.map(|failure| format!("requests[{index}]: {failure}")));
        stream.end();
    }
    failures
}

fn request_headers(request: &Request) -> HeaderMap {
    let send = &request.send;
    let pseudo = [
        (":method", send.method.0.as_slice()),
        (":path", &send.path.0),
        (":scheme", b"https"),
        (":authority", &send.host.0),
    ];
    let mut headers = HeaderMap::from(pseudo);
    for (name, value) in &send.headers {
        headers.add(name, &value.0);
    }
    headers
}

fn compare(stream: &Stream, expect: &Expect) -> Vec<String> {
    let mut failures = Vec::new();
    match (stream.outcome(), expect) {
        (Outcome::Continued(found), Expect { forward: Some(expected), .. }) => {
            compare_forward(&mut failures, expected, &found);
        }
        (Outcome::Replied(found), Expect { reply: Some(expected), .. }) => {
            compare_reply(&mut failures, expected, &found);
        }
        (Outcome::Paused(_), Expect { waiting: true, .. }) => {}
        (other, expect) => {
            let expected = match (&expect.forward, &expect.reply) {
                (Some(_), _) => "forwarded",
                (_, Some(_)) => "answered",
                (None, None) => "waiting",
            };
            return vec![format!("expected it to be {expected}, found {other:?}")];
        }
    }
    for (name, expected) in &expect.properties {
        let found = stream.property(name).map(shown);
        check(&mut failures, &format!("property {name}"), &Some(shown(&expected.0)), &found);
    }
    failures
}

fn compare_forward(failures: &mut Vec<String>, expected: &Forward, found: &HeaderMap) {
    compare_headers(failures, &expected.headers, &expected.absent, found);
}

fn compare_reply(failures: &mut Vec<String>, expected: &Reply, found: &LocalReply) {
    check(failures, "status", &expected.status, &found.status);
    compare_headers(failures, &expected.headers, &expected.absent, &found.headers);
    if let Some(reason) = &expected.reason {
        let body: Option<Value> = serde_json::from_slice(&found.body).ok();
        let found = body.as_ref().and_then(|body| body.get("reason")?.as_str());
        check(failures, "member `reason` of the body", &Some(reason.as_str()), &found);
    }
    if let Some(part) = &expected.body_contains {
        let body = String::from_utf8_lossy(&found.body);
        if !body.contains(part) {
            failures.push(format!("expected a body with `{part}` in it, found `{body}`"));
        }
    }
    if let Some(details) = &expected.details {
        check(failures, "details", details, &found.details);
    }
    if expected.grpc_status.is_some() {
        check(failures, "gRPC status", &expected.grpc_status, &found.grpc_status);
    }
}

fn compare_headers(
    failures: &mut Vec<String>,
    expected: &BTreeMap<String, Text>,
    absent: &[String],
    found: &HeaderMap,
) {
    let lines = |name: &String| found.all(name).into_iter().map(shown).collect::<Vec<_>>();
    for (name, value) in expected {
        check(failures, &format!("header {name}"), &vec![shown(&value.0)], &lines(name));
    }
    for name in absent {
        check(failures, &format!("header {name}"), &Vec::new(), &lines(name));
    }
}

fn check<T: PartialEq + Debug + ?Sized>(failures: &mut Vec<String>, what: &str, expected: &T, found: &T) {
    if expected != found {
        failures.push(format!("{what}: expected {expected:?}, found {found:?}"));
    }
}

fn shown(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().escape_ascii().to_string()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned())).unwrap_or_else(|| "it panicked".to_owned())
}
