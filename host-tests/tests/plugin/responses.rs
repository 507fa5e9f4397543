//! Responses, as the plugin sees them.

use serde_json::json;

use crate::world::{get, inline, proxy, start, summary, with_token};

#[test]
fn a_response_that_no_session_has_a_part_in_costs_no_host_call() {
    let proxy = proxy();
    let root = start(&proxy, &inline(&json!({})));
    for stream in [get(&root, "/public/x", &[]), with_token(&root, &proxy, &json!({}))] {
        assert_eq!(summary(&stream), "ok");
        let (calls, fuel) = (root.vm().all_calls(), root.vm().fuel());
        stream.respond([(":status", "200"), ("set-cookie", "a=1")], true);
        assert_eq!(root.vm().all_calls(), calls);
        assert!(root.vm().fuel() - fuel < 500, "{} instructions", root.vm().fuel() - fuel);
        assert_eq!(stream.downstream().headers.unwrap().all("set-cookie"), [b"a=1"]);
        stream.end();
    }
}

#[test]
fn a_response_to_a_request_without_a_configuration_goes_on() {
    let proxy = proxy();
    let root = start(&proxy, &inline(&json!({})));
    let stream = get(&root, "/public/x", &[]);
    let vm = root.vm().clone();
    assert!(root.shut_down());
    stream.respond([(":status", "200")], true);
    assert!(stream.downstream().headers.is_some());
    vm.finish();
}
