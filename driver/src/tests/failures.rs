//! Where the host fails, the request does; what only operators get to see is no reason to refuse anyone.

use std::time::Duration;

use super::support::{get, host, keys, proxy, proxy_on, summary, user, with_token};
use crate::driver::Action;
use crate::host::LogLevel;
use crate::memory::{Call, Proxy, Store};

const REFUSED: &str = "500 jotgate_host_failure";

#[test]
fn a_request_is_refused_if_time_or_its_headers_cannot_be_had_or_edited() {
    for call in [Call::Now, Call::ReadHeaders, Call::EditHeaders] {
        let mut proxy = proxy();
        proxy.answer_next(keys());
        proxy.host.fail(call);
        let id = proxy.send(with_token());
        assert_eq!(summary(&proxy, id), REFUSED, "{call:?}");
        let line = "jotgate: a call to the host failed, the request is refused";
        assert!(proxy.host.log.contains(&(LogLevel::Error, line.into())), "{call:?}");
        let fine = {
            proxy.host.recover();
            proxy.send(with_token())
        };
        assert_eq!(summary(&proxy, fine), "forwarded", "{call:?}");
    }
}

#[test]
fn a_request_that_cannot_even_be_answered_is_held() {
    let mut proxy = proxy();
    proxy.host.fail(Call::SendReply);
    let id = proxy.send(get("/x"));
    assert_eq!(summary(&proxy, id), "waiting");
    proxy.host.recover();
    let id = proxy.send(get("/x"));
    assert_eq!(summary(&proxy, id), "401 jotgate_missing_token");
}

#[test]
fn a_request_that_waited_and_cannot_be_edited_or_continued_is_refused() {
    for call in [Call::ReadHeaders, Call::EditHeaders, Call::ContinueRequest] {
        let mut proxy = proxy();
        let id = proxy.send(with_token());
        assert_eq!(summary(&proxy, id), "waiting", "{call:?}");
        proxy.host.fail(call);
        proxy.answer_next(keys());
        assert_eq!(summary(&proxy, id), REFUSED, "{call:?}");
    }
}

#[test]
fn a_request_that_the_host_no_longer_knows_is_forgotten() {
    let mut proxy = proxy();
    let id = proxy.send(with_token());
    proxy.host.fail(Call::SelectRequest);
    proxy.answer_next(keys());
    assert_eq!(summary(&proxy, id), "waiting");
    proxy.host.recover();
    proxy.pass(Duration::from_mins(1));
    assert_eq!(summary(&proxy, id), "waiting", "nothing asks for it again");
    assert_eq!(proxy.host.metrics.get("jotgate_requests_allowed"), None);
}

#[test]
fn access_log_and_metrics_and_peer_may_fail() {
    for call in [
        Call::SetProperty,
        Call::DefineMetric,
        Call::IncrementMetric,
        Call::RecordMetric,
        Call::PeerAddress,
        Call::PeerCertificate,
        Call::SelectRoot,
    ] {
        let mut host = host();
        host.fail(call);
        let mut proxy = proxy_on(host);
        let waits = proxy.send(with_token());
        proxy.answer_next(keys());
        let warm = proxy.send(with_token());
        assert_eq!([summary(&proxy, waits), summary(&proxy, warm)], ["forwarded"; 2], "{call:?}");
    }
}

#[test]
fn trailers_are_cleaned_or_their_request_is_refused() {
    let mut proxy = proxy();
    let trailers = [("grpc-status", "0"), ("x-auth-request-user", "root")];
    let mut request = get("/public");
    request.trailers = trailers.into_iter().collect();
    let id = proxy.send(request);
    for call in [Call::ReadHeaders, Call::EditHeaders] {
        proxy.host.fail(call);
        assert_eq!(proxy.send_trailers(id), Action::Pause, "{call:?}");
        proxy.host.recover();
    }
    assert_eq!(proxy.send_trailers(id), Action::Continue);
    let left = proxy.host.requests.get(&id).map(|exchange| exchange.trailers.clone());
    assert_eq!(left, Some([("grpc-status", "0")].into_iter().collect()));
}

#[test]
fn a_callout_that_cannot_be_sent_is_a_failed_fetch() {
    let mut host = host();
    host.fail(Call::SendCallout);
    let mut proxy = proxy_on(host);
    let id = proxy.send(with_token());
    let failed = |proxy: &Proxy<_>| proxy.host.metrics.get("jotgate_keys_failed_main").copied();
    assert_eq!(failed(&proxy), Some(1));
    assert!(proxy.host.log.iter().any(|(level, line)| *level == LogLevel::Warn && line.contains("10")));
    // Another try is due in time.
    assert_eq!(summary(&proxy, id), "waiting");
    proxy.host.recover();
    proxy.pass(Duration::from_secs(2));
    assert!(proxy.answer_next(keys()));
    assert_eq!((summary(&proxy, id).as_str(), user(&proxy, id).as_deref()), ("forwarded", Some("alice")));
}

/// A host that answers another request in the call of one holds that one, whatever was decided on it.
#[test]
fn a_callout_that_cannot_be_sent_resumes_nobody_in_the_call_of_another() {
    let mut host = host();
    host.fail(Call::SendCallout);
    let mut proxy = proxy_on(host);
    let waiting = proxy.send(with_token());
    proxy.pass(Duration::from_secs(2));
    // The third try is due, and the timer is late: it comes with the next request, and is the last in time for the other.
    proxy.host.now = proxy.host.now.after(Duration::from_millis(1500));
    proxy.send(get("/x"));
    assert_eq!(summary(&proxy, waiting), "waiting");
    proxy.pass(Duration::from_millis(10));
    assert_eq!(summary(&proxy, waiting), "503 jotgate_keys_unavailable");
}

#[test]
fn what_an_answer_lacks_is_a_failed_fetch() {
    for call in [Call::ReadCalloutHeaders, Call::CalloutBody] {
        let mut proxy = proxy();
        proxy.host.fail(call);
        proxy.answer_next(keys());
        assert_eq!(proxy.host.metrics.get("jotgate_keys_failed_main"), Some(&1), "{call:?}");
        assert_eq!(proxy.host.metrics.get("jotgate_keys_fetched_main"), None, "{call:?}");
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let mut proxy = proxy();
    proxy.answer(99, keys());
    assert_eq!(proxy.host.metrics.get("jotgate_keys_fetched_main"), None);
    proxy.answer_next(keys());
    assert_eq!(proxy.host.metrics.get("jotgate_keys_fetched_main"), Some(&1));
}

#[test]
fn a_host_without_shared_data_has_its_keys_fetched_by_each_vm() {
    let mut host = host();
    host.store = Store::missing();
    let mut proxy = proxy_on(host);
    assert!(proxy.answer_next(keys()));
    let id = proxy.send(with_token());
    assert_eq!(summary(&proxy, id), "forwarded");
}
