//! The host answers as Envoy does: the guest runs the same script in both, and logs the same.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use real_envoy::Envoy;
use real_envoy::http::Request;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use strict_host::{CalloutAnswer, HeaderMap, Plugin, Proxy, Status, VmOptions};

/// What the client sends; Envoy adds `x-request-id`, which no two runs share, and `x-forwarded-proto`.
const LINES: [(&str, &str); 7] = [
    ("authorization", "a"),
    ("authorization", "b"),
    ("x-many", "1"),
    ("x-many", "2"),
    ("cookie", "a=1"),
    ("cookie", "b=2"),
    ("x-odd", "\u{ff}"),
];

#[test]
fn header_maps() {
    compare(&[
        "request_headers pairs 0",
        "request_headers get 0 authorization",
        "request_headers get 0 x-many",
        "request_headers get 0 X-ODD",
        "request_headers get 0 x-none",
        "request_headers replace 0 x-many new",
        "request_headers replace 0 :path /other",
        "request_headers add 0 authorization c",
        "request_headers add 0 X-Upper 1",
        "request_headers remove 0 Cookie",
        "request_headers pairs 0",
        "request_headers raw proxy_get_header_map_pairs 2 @ @",
        "request_headers raw proxy_get_header_map_value 2 ':status @ @",
        "request_headers raw proxy_get_header_map_size 3 @",
        "request_headers raw proxy_get_header_map_pairs 6 @ @",
        "request_headers raw proxy_get_header_map_pairs 8 @ @",
        "request_headers raw proxy_get_header_map_pairs 0 4294967290 @",
    ]);
}

#[test]
fn responses_and_the_end_of_a_stream() {
    compare(&[
        "response_headers pairs 2",
        "response_headers pairs 0",
        "response_headers raw proxy_add_header_map_value 0 'x-a 'b",
        "response_body buffer 1 0 100",
        "done get-nothing",
        "log get 0 :path",
        "log get 2 :status",
        "log raw proxy_add_header_map_value 0 'x-late 'b",
        "delete get-nothing",
    ]);
}

#[test]
fn local_replies() {
    compare(&[
        "request_headers raw proxy_send_local_response 403 'some_details 'body 0 0 4294967295",
        "request_headers reply 500 again",
        "request_headers add 0 x-after yes",
        "request_headers get 0 x-after",
        "response_headers pairs 2",
        "response_headers add 2 x-seen yes",
        "response_body buffer 1 0 100",
        "log get 2 x-seen",
    ]);
}

#[test]
fn a_stream_that_the_plugin_closes() {
    compare(&[
        "response_headers get 2 :status",
        "response_headers reset request",
        "response_headers get 2 :status",
        "response_body buffer 1 0 100",
        "log get 0 :path",
        "log get 2 :status",
        "done get-nothing",
        "delete get-nothing",
    ]);
}

#[test]
fn buffers_properties_and_contexts() {
    compare(&[
        "configure raw proxy_set_property 'name 'value",
        "configure raw proxy_get_header_map_pairs 0 @ @",
        "configure raw proxy_get_header_map_value 0 ':path @ @",
        "configure raw proxy_set_effective_context 999",
        "configure env",
        "request_headers raw proxy_get_buffer_bytes 7 0 10 @ @",
        "request_headers raw proxy_get_buffer_bytes 4 0 10 @ @",
        "request_headers raw proxy_get_buffer_bytes 0 0 10 @ @",
        "request_headers raw proxy_get_buffer_bytes 5 0 10 @ @",
        "request_headers raw proxy_get_buffer_bytes 99 0 10 @ @",
        "request_headers raw proxy_get_buffer_status 0 @ @",
        "request_headers property plugin_name",
        "request_headers property plugin_root_id",
        "request_headers property nonsense",
        "request_headers set-property a.b c",
        "request_headers set-property jotgate_x alice",
        "request_headers set-property empty hex:",
        "request_headers property jotgate_x",
        "request_headers property empty",
        "request_headers raw proxy_done",
        "request_headers raw proxy_get_status @ @ @",
        "request_headers raw proxy_log 6 'text",
        "request_headers raw proxy_log 2 4294967295 10",
        "request_headers raw proxy_close_stream 9",
        "request_headers raw proxy_continue_stream 9",
    ]);
}

#[test]
fn shared_things_and_calls_out() {
    compare(&[
        "request_headers shared lease",
        "request_headers share lease mine 4294967295",
        "request_headers share lease yours 4294967295",
        "request_headers shared lease",
        "request_headers share lease any 0",
        "request_headers register-queue jobs",
        "request_headers resolve-queue jobs",
        "request_headers resolve-queue none",
        "request_headers enqueue 1 work",
        "request_headers dequeue 99",
        "queue dequeue 1",
        "request_headers define counter c",
        "request_headers define counter c",
        "request_headers define gauge g",
        "request_headers define histogram h",
        "request_headers increment 8 3",
        "request_headers increment 4 -1",
        "request_headers increment 5 -1",
        "request_headers increment 0 1",
        "request_headers metric 4",
        "request_headers metric 6",
        "request_headers record 999 1",
        "request_headers raw proxy_define_metric 3 'x @",
        "request_headers call unknown / 100",
        "request_headers raw proxy_http_call 'c 0 0 0 0 0 0 10 @",
        "request_headers foreign verify_signature hex:ff",
        "request_headers foreign verify_signature hex:0a06736861323536",
        "request_headers foreign verify_signature hex:0a067368613235361201ff",
        "request_headers foreign verify_signature hex:0a036d64351201ff",
        "request_headers foreign no_such_function x",
    ]);
}

fn compare(script: &[&str]) {
    let script = script.join("\n");
    let here = run_in_host(&script);
    let there = run_in_envoy(&script, here.len());
    assert_eq!(here, there, "the host, then Envoy");
}

fn run_in_host(script: &str) -> Vec<String> {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::refuse(Status::BAD_ARGUMENT));
    let plugin = Plugin::load(module()).unwrap();
    let vm = proxy.vm(&plugin, VmOptions::new());
    let root = vm.start(script).unwrap();
    let mut headers =
        HeaderMap::from([(":authority", "example.com"), (":path", "/"), (":method", "GET"), (":scheme", "http")]);
    for (name, value) in LINES {
        headers.add(name, value);
    }
    headers.add("x-forwarded-proto", "http");
    headers.add("x-request-id", "1");
    let stream = root.request(headers, true);
    if stream.upstream().headers.is_some() {
        stream.respond([(":status", "200"), ("content-length", "2"), ("content-type", "text/plain")], false);
        if !stream.has_ended() {
            stream.respond_body("hi", true);
        }
    }
    if !stream.has_ended() {
        stream.end();
    }
    proxy.settle();
    // Many of these operations are violations on purpose.
    vm.take_violations();
    vm.log().into_iter().map(|line| normal(&line.message)).collect()
}

fn run_in_envoy(script: &str, lines: usize) -> Vec<String> {
    let envoy = Envoy::builder(&bootstrap(script)).concurrency(1).start().unwrap();
    let request = LINES.iter().fold(Request::get("/").header("host", "example.com"), |request, (name, value)| {
        request.header(name, value.as_bytes())
    });
    // There is no response where the plugin closes the stream: what it logged is what counts.
    let _ = request.send(envoy.address("gateway"));
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let logged = logged(&envoy.log());
        if logged.len() >= lines || Instant::now() > deadline {
            return logged;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The guest's lines. Envoy configures several VMs: of what `configure` logged, the first copy counts.
fn logged(log: &str) -> Vec<String> {
    let messages = log.lines().filter_map(|line| line.split_once("wasm log")?.1.split_once(": "));
    let mut lines: Vec<String> = Vec::new();
    for message in messages.map(|(_, message)| normal(message)) {
        if !(CONFIGURING.iter().any(|operation| message.starts_with(operation)) && lines.contains(&message)) {
            lines.push(message);
        }
    }
    lines
}

const CONFIGURING: [&str; 5] = [
    "raw proxy_set_property",
    "raw proxy_get_header_map_pairs 0 @ @",
    "raw proxy_get_header_map_value 0",
    "raw proxy_set_effective_context",
    "env",
];

/// A line without what differs from run to run.
fn normal(message: &str) -> String {
    let words = message.split(' ').filter(|word| !word.starts_with("x-request-id="));
    words.collect::<Vec<_>>().join(" ")
}

fn module() -> PathBuf {
    test_support::built_path("JOTGATE_GUEST", "target/wasm32-wasip1/release/guest.wasm", "make guest")
}

fn bootstrap(script: &str) -> String {
    let http = "type.googleapis.com/envoy.extensions.filters.http";
    let plugin = json!({
        "@type": format!("{http}.wasm.v3.Wasm"),
        "config": {
            "name": "plugin",
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": script},
            "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module()}}},
        },
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "guest",
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hi"}}}],
        }]},
        "http_filters": [
            {"name": "guest", "typed_config": plugin},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": format!("{http}.router.v3.Router")}},
        ],
    });
    let bootstrap = json!({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": "{{port:admin}}"}}},
        "static_resources": {"listeners": [{
            "name": "gateway",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": "{{port:gateway}}"}},
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }]},
    });
    // Port numbers are no strings.
    bootstrap.to_string().replace("\"{{port:", "{{port:").replace("}}\"}", "}}}")
}
