//! What only the native module can do wrong, in a real Envoy. `make test-module` runs these, and what the plugin is
//! tested with, against the module.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use real_envoy::http::Request;
use real_envoy::verdict::verdict;
use real_envoy::{Bootstrap, Envoy, Gate, Port, with_gate};
use serde_json::{Value, json};
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};
use testbed::upstream::Upstream;

/// Long enough for anything that should happen soon.
const SOON: Duration = Duration::from_secs(20);

struct World {
    issuer: Issuer,
    _upstream: Upstream,
    envoy: Envoy,
}

impl World {
    fn start(workers: usize, fault: Option<Fault>) -> Self {
        let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
        if let Some(fault) = fault {
            issuer.set_jwks(fault).unwrap();
        }
        let bootstrap = bootstrap(&issuer, &upstream, "jotgate");
        let envoy = Envoy::builder(&bootstrap.text()).concurrency(workers).start();
        let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
        Self { issuer, _upstream: upstream, envoy }
    }

    fn good(&self) -> Request {
        Request::get("/x").bearer(&self.issuer.token(&TokenRequest::subject("alice")).unwrap())
    }

    fn verdict(&self, request: &Request) -> (u16, String) {
        verdict(&request.send(self.envoy.address("gateway")).unwrap())
    }
}

fn bootstrap(issuer: &Issuer, upstream: &Upstream, realm: &str) -> Bootstrap {
    let config = json!({
        "realm": realm,
        "limits": {"waitFor": "30s"},
        "issuers": [{
            "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
            "keys": {"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer"},
        }],
        "rules": [{"access": "authenticated"}],
    });
    Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config.to_string())
}

fn is_module() -> bool {
    Gate::under_test() == Gate::Module
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what}: not within {SOON:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_panic_is_one_answer_of_500_and_the_gate_goes_on() {
    if !is_module() {
        return;
    }
    let mut world = World::start(2, None);
    assert_eq!(world.verdict(&world.good()), (200, String::new()));
    for _ in 0..4 {
        let response = world.good().header("x-jotgate-panic", "1").send(world.envoy.address("gateway")).unwrap();
        assert_eq!(response.status, 500);
        assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(response.text(), "");
        let call = world.good().header("x-jotgate-panic", "1").header("content-type", "application/grpc");
        let response = call.send(world.envoy.address("gateway")).unwrap();
        // Not 0, which would be success.
        assert_eq!((response.status, response.header("grpc-status").as_deref()), (200, Some("13")));
    }
    for _ in 0..20 {
        assert_eq!(world.verdict(&world.good()), (200, String::new()));
        assert_eq!(world.verdict(&Request::get("/x")).0, 401);
    }
    assert!(world.envoy.is_running());
    assert!(world.envoy.log().contains("jotgate: the module panicked"), "{}", world.envoy.log());
    // The engine that began anew found the keys that the process has.
    assert_eq!(world.issuer.count("/jwks"), 1);
}

/// The engine forgets them with all that it knew: nobody else could ever let them go on.
#[test]
fn requests_that_wait_beside_a_panic_are_refused() {
    if !is_module() {
        return;
    }
    let world = World::start(1, Some(Fault::lasting(Mode::Stall)));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| world.verdict(&world.good()).0)).collect();
        thread::sleep(Duration::from_secs(1));
        assert!(waiting.iter().all(|request| !request.is_finished()));
        assert_eq!(world.verdict(&world.good().header("x-jotgate-panic", "1")).0, 500);
        for request in waiting {
            assert_eq!(request.join().unwrap(), 500);
        }
    });
}

#[test]
fn any_number_of_workers_fetches_once() {
    if !is_module() {
        return;
    }
    for workers in [1, 8] {
        let world = World::start(workers, None);
        // Each on a connection of its own, for any worker.
        for _ in 0..40 {
            assert_eq!(world.verdict(&world.good()), (200, String::new()));
        }
        assert_eq!(world.issuer.count("/jwks"), 1, "{workers} workers");
    }
}

/// Each configuration has a thread for its timers. It ends with the configuration, and requests pass all the while.
#[test]
fn updates_of_the_configuration_leave_no_thread_behind() {
    if !is_module() {
        return;
    }
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (listeners, port) = (directory.path().join("listeners.json"), Port::reserve().unwrap());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
    let config = |realm: &str| serde_json::from_str::<Value>(&bootstrap(&issuer, &upstream, realm).text()).unwrap();
    let publish = |realm: &str| {
        let mut listener = config(realm)["static_resources"]["listeners"][0].clone();
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        listener["name"] = json!("changing");
        listener["address"]["socket_address"]["port_value"] = json!(port.number());
        let text = with_gate(&json!({"resources": [listener]}).to_string()).unwrap();
        let text = text.replace("{{dir}}", directory.path().to_str().unwrap());
        fs::write(directory.path().join("new"), text).unwrap();
        // Envoy looks when a file is moved into place.
        fs::rename(directory.path().join("new"), &listeners).unwrap();
    };
    fs::write(&listeners, "{}").unwrap();
    let mut whole = config("static");
    whole["node"] = json!({"id": "test", "cluster": "test"});
    whole["dynamic_resources"]["lds_config"] =
        json!({"resource_api_version": "V3", "path_config_source": {"path": listeners}});
    let envoy = Envoy::builder(&whole.to_string()).drain_seconds(1).start();
    let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
    let good = Request::get("/x").bearer(&issuer.token(&TokenRequest::subject("alice")).unwrap());
    for update in 0..10 {
        let realm = format!("realm-{update}");
        publish(&realm);
        eventually("the new configuration is used", || {
            if let Ok(response) = good.send(address) {
                assert_eq!(verdict(&response), (200, String::new()), "{}", envoy.log());
            }
            let challenge = format!("Bearer realm=\"{realm}\"");
            let answer = Request::get("/x").send(address);
            answer.is_ok_and(|answer| answer.header("www-authenticate").as_deref() == Some(&challenge))
        });
    }
    // That of the static listener, and that of the last update.
    eventually("the threads of earlier configurations are gone", || alarms(envoy.pid()) == 2);
    assert_eq!(issuer.count("/jwks"), 1);
}

/// How many threads for timers a process has.
fn alarms(pid: u32) -> usize {
    let tasks = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")).unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "jotgate_alarm").count()
}
