//! Responses, which are edited or go on as they are; connections, which are ended.

use std::time::Duration;

use gate::{Effect, HeaderEdit, HeaderLine, RequestId, ResponseDecision};

use super::support::{driver_on, get, host, proxy, summary, with_token};
use crate::driver::edit_response;
use crate::host::{Host as _, LogLevel};
use crate::memory::{Call, Exchange, HeaderLines, Memory, Outcome};

const UPGRADED: RequestId = RequestId(7);

/// A host whose current request went on, and was answered with this.
fn answered(lines: &[(&str, &str)]) -> Memory {
    let mut host = host();
    let response = lines.iter().copied().collect();
    let exchange = Exchange { response, outcome: Outcome::Forwarded, ..get("/public") };
    host.requests.insert(UPGRADED, exchange);
    host.select_request(UPGRADED).expect("is there");
    host
}

fn response(host: &Memory) -> HeaderLines {
    host.requests.get(&UPGRADED).expect("is there").response.clone()
}

fn cookie(_: &[HeaderLine<'_>]) -> ResponseDecision {
    let edits =
        [HeaderEdit::Set("cache-control", b"private".to_vec()), HeaderEdit::Add("set-cookie".into(), "b=2".into())];
    ResponseDecision::Continue(edits.to_vec())
}

fn errors(host: &Memory) -> Vec<&str> {
    host.log.iter().filter(|(level, _)| *level == LogLevel::Error).map(|(_, line)| line.as_str()).collect()
}

#[test]
fn a_response_that_the_engine_has_nothing_to_add_to_costs_no_call() {
    let mut proxy = proxy();
    let id = proxy.send(get("/public"));
    for call in [Call::Now, Call::ReadHeaders, Call::EditHeaders, Call::SetTimer, Call::Random] {
        proxy.host.fail(call);
    }
    let before = proxy.host.log.clone();
    let lines: HeaderLines = [(":status", "200"), ("set-cookie", "a=1")].into_iter().collect();
    assert_eq!(proxy.respond(id, lines.lines()), lines);
    assert_eq!(proxy.host.log, before);
}

#[test]
fn what_is_added_stands_behind_what_the_upstream_sent() {
    let mut host = answered(&[(":status", "200"), ("set-cookie", "a=1"), ("cache-control", "max-age=60")]);
    edit_response(&mut host, |lines| {
        assert_eq!(lines.len(), 3);
        cookie(lines)
    });
    let expected = [(":status", "200"), ("set-cookie", "a=1"), ("cache-control", "private"), ("set-cookie", "b=2")];
    assert_eq!(response(&host), expected.into_iter().collect());
    assert_eq!(errors(&host), [""; 0]);
}

#[test]
fn a_response_that_cannot_be_read_or_edited_goes_on() {
    for call in [Call::ReadHeaders, Call::EditHeaders] {
        let mut host = answered(&[(":status", "200")]);
        host.fail(call);
        edit_response(&mut host, cookie);
        assert_eq!(response(&host), [(":status", "200")].into_iter().collect(), "{call:?}");
        let line = "jotgate: a call to the host failed, the response goes on as it is";
        assert_eq!(errors(&host), [line], "{call:?}");
    }
}

#[test]
fn an_answer_of_the_gate_passes_as_a_response_once() {
    let mut proxy = proxy();
    let id = proxy.send(get("/x"));
    let exchange = proxy.take(id).expect("is there");
    let Outcome::Replied { reply, .. } = &exchange.outcome else { panic!("{:?}", exchange.outcome) };
    let sent: HeaderLines = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(exchange.response.0.split_first(), Some((&(b":status".to_vec(), b"401".to_vec()), sent.0.as_slice())));
}

#[test]
fn a_connection_whose_session_is_over_is_ended() {
    let mut host = answered(&[(":status", "101")]);
    let mut driver = driver_on(&mut host);
    let now = host.now;
    driver.carry_out(&mut host, Effect::Close(UPGRADED), now);
    assert!(host.requests.get(&UPGRADED).expect("is there").is_closed);
    assert_eq!(errors(&host), [""; 0]);
    host.log(LogLevel::Info, "of no request");
    assert_eq!(host.requests.get(&UPGRADED).expect("is there").log, [""; 0], "it is no longer the current one");
}

#[test]
fn a_connection_that_the_host_does_not_end_is_reported() {
    let mut host = answered(&[(":status", "101")]);
    let mut driver = driver_on(&mut host);
    let now = host.now;
    host.fail(Call::CloseRequest);
    driver.carry_out(&mut host, Effect::Close(UPGRADED), now);
    assert!(!host.requests.get(&UPGRADED).expect("is there").is_closed);
    assert_eq!(errors(&host), ["jotgate: a call to the host failed, a connection outlives its session"]);
}

#[test]
fn a_connection_that_the_host_no_longer_knows_is_forgotten() {
    let mut host = host();
    let mut driver = driver_on(&mut host);
    let (now, id) = (host.now, RequestId(1));
    // So that there is something to forget: a request that waits.
    host.requests.insert(id, with_token());
    host.select_request(id).expect("is there");
    driver.request_headers(&mut host, id, false);
    host.fail(Call::SelectRequest);
    driver.carry_out(&mut host, Effect::Close(id), now);
    host.recover();
    // Otherwise its time would be over now.
    host.now = host.now.after(Duration::from_secs(6));
    driver.tick(&mut host);
    assert_eq!(host.requests.get(&id).map(|exchange| &exchange.outcome), Some(&Outcome::Waiting));
    assert_eq!(errors(&host), [""; 0]);
}

#[test]
fn a_request_that_was_never_forwarded_has_no_connection_to_end() {
    let mut proxy = proxy();
    let id = proxy.send(get("/x"));
    assert_eq!(summary(&proxy, id), "401 jotgate_missing_token");
    proxy.host.select_request(id).expect("is there");
    assert!(proxy.host.close_request().is_err());
}
