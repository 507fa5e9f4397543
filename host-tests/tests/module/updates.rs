//! Configurations that come and go: nothing of one stays behind.

use std::fs;
use std::path::Path;

use real_envoy::http::Request;
use real_envoy::{Bootstrap, ChangingEnvoy};
use serde_json::json;
use test_support::eventually;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::upstream::Upstream;

use crate::world::is_module;

/// How many updates there are, unless `JOTGATE_UPDATES` says so.
const UPDATES: usize = 60;
/// By so much memory may grow after the first third of the updates. What one configuration takes ([`RULES`]) is more
/// than a hundredth of it.
const GROWTH: u64 = 4 << 20;
/// Each configuration has so many rules, so that one that stays weighs something.
const RULES: usize = 400;

/// Each configuration has an engine for each worker and one more, and a thread for its timers. With `do_not_close`, only
/// the library stays.
#[test]
fn configurations_that_are_gone_leave_neither_memory_nor_threads() {
    if !is_module() {
        return;
    }
    let updates = std::env::var("JOTGATE_UPDATES").ok().map_or(UPDATES, |count| count.parse().unwrap());
    let (issuer, upstream) = (Issuer::start(Options::default()).unwrap(), Upstream::start(0).unwrap());
    let bootstrap = |realm: &str| {
        let rule = |number: usize| json!({"match": {"paths": [format!("/{number}/**")]}, "access": "authenticated"});
        let config = json!({
            "realm": realm,
            "issuers": [{
                "name": "main", "issuer": issuer.issuer(), "audiences": ["demo"],
                "keys": {"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer"},
            }],
            "rules": (0..RULES).map(rule).collect::<Vec<_>>(),
            "default": "deny",
        });
        Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).plugin(&config.to_string())
    };
    let changing = ChangingEnvoy::start(&bootstrap("static"), |builder| builder.drain_seconds(1));
    let changing = changing.unwrap_or_else(|error| panic!("{error}"));
    let process = Path::new("/proc").join(changing.envoy().pid().to_string());
    let good = Request::get("/1/x").bearer(&issuer.token(&TokenRequest::subject("alice")).unwrap());
    // Envoy's own threads come with the first requests.
    let (mut early, mut threads_early) = (0, 0);
    for update in 0..updates {
        let realm = format!("realm-{update}");
        changing.update(&bootstrap(&realm)).unwrap();
        let challenge = format!("Bearer realm=\"{realm}\"");
        eventually("the new configuration is used", || {
            let answer = Request::get("/1/x").send(changing.address());
            answer.is_ok_and(|answer| answer.header("www-authenticate").as_deref() == Some(&challenge))
        });
        assert_eq!(good.send(changing.address()).unwrap().status, 200);
        // Now and then the listener goes altogether.
        if update % 10 == 9 {
            changing.remove().unwrap();
            eventually("the listener is gone", || good.send(changing.address()).is_err());
            eventually("its alarm is gone", || alarms(&process) == 1);
        }
        if update == updates / 3 {
            (early, threads_early) = (changing.envoy().resident().unwrap(), threads(&process).len());
        }
    }
    changing.remove().unwrap();
    eventually("the alarms of all configurations are gone", || alarms(&process) == 1);
    let (late, threads_late) = (changing.envoy().resident().unwrap(), threads(&process).len());
    assert!(threads_late < threads_early, "{threads_early} threads after a third, {threads_late} in the end");
    println!("{updates} updates: {early} bytes after a third, {late} in the end");
    assert!(late < early + GROWTH, "{early} bytes after a third of {updates} updates, {late} in the end");
    // The static listener goes on, and all of them have shared its keys.
    assert_eq!(good.send(changing.envoy().address("gateway")).unwrap().status, 200);
    assert_eq!(issuer.count("/jwks"), 1);
}

/// The names of a process's threads.
fn threads(process: &Path) -> Vec<String> {
    let tasks = fs::read_dir(process.join("task")).unwrap();
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect()
}

/// How many of them are for timers.
fn alarms(process: &Path) -> usize {
    threads(process).iter().filter(|name| name.trim() == "jotgate_alarm").count()
}
