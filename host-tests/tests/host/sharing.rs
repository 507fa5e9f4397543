//! What VMs share: data, queues and metrics.

use crate::{get, guest, result, results, start, violations};
use strict_host::{Clock, Metrics, Proxy, SharedData, Status, VmOptions};

#[test]
fn a_write_without_a_number_always_overwrites() {
    let data = SharedData::new();
    assert_eq!(data.get("key"), None);
    data.set("key", "one", 0).unwrap();
    data.set("key", "two", 0).unwrap();
    assert_eq!(data.get("key"), Some((b"two".to_vec(), 2)));
}

#[test]
fn a_write_with_a_number_creates_an_absent_key_once() {
    let data = SharedData::new();
    data.set("lease", "mine", u32::MAX).unwrap();
    assert_eq!(data.set("lease", "also mine", u32::MAX), Err(Status::CAS_MISMATCH));
    assert_eq!(data.get("lease"), Some((b"mine".to_vec(), 1)));
}

#[test]
fn a_write_with_the_current_number_replaces() {
    let data = SharedData::new();
    data.set("key", "one", 0).unwrap();
    let (_, cas) = data.get("key").unwrap();
    data.set("key", "two", cas).unwrap();
    assert_eq!(data.set("key", "three", cas), Err(Status::CAS_MISMATCH));
    data.remove("key");
    assert!(data.keys().is_empty());
}

#[test]
fn plugins_compare_and_swap_as_in_envoy() {
    let (proxy, root) = start(
        "configure shared lease\nconfigure share lease mine 4294967295\nconfigure share lease yours 4294967295\n\
         configure share lease next 1\nconfigure share lease any 0\nrequest_headers shared lease",
    );
    let vm = root.vm();
    assert_eq!(result(vm, "shared lease"), "None None");
    assert_eq!(result(vm, "share lease mine 4294967295"), "Ok(())");
    assert_eq!(result(vm, "share lease yours 4294967295"), "Err(CasMismatch)");
    assert_eq!(result(vm, "share lease next 1"), "Ok(())");
    assert_eq!(result(vm, "share lease any 0"), "Ok(())");
    get(&root);
    assert_eq!(results(vm, "shared lease")[1], "Some(\"any\") Some(3)");
    assert_eq!(proxy.shared_data().keys(), [b"lease".to_vec()]);
}

#[test]
fn vms_of_a_proxy_share_data_unless_they_bring_their_own() {
    let proxy = Proxy::new();
    let start = |options, script: &str| {
        let vm = proxy.vm(guest(), options);
        vm.start(script).unwrap();
        vm
    };
    start(VmOptions::new(), "configure share key value 0");
    let same = start(VmOptions::new(), "configure shared key");
    let other = start(VmOptions::new().shared_data(SharedData::new()), "configure shared key");
    assert_eq!(result(&same, "shared key"), "Some(\"value\") Some(1)");
    assert_eq!(result(&other, "shared key"), "None None");
}

#[test]
fn proxies_can_be_built_around_the_same_values() {
    let (data, metrics) = (SharedData::new(), Metrics::new());
    data.set("key", "from the test", 0).unwrap();
    let proxy = Proxy::with(Clock::new(), data, metrics.clone());
    let vm = proxy.vm(guest(), VmOptions::new());
    vm.start("configure shared key\nconfigure define counter hits\nconfigure increment 4 2").unwrap();
    assert_eq!(result(&vm, "shared key"), "Some(\"from the test\") Some(1)");
    assert_eq!(metrics.counter("hits"), Some(2));
}

#[test]
fn a_host_without_shared_data_can_be_played() {
    let vm = Proxy::new().vm(guest(), VmOptions::new());
    vm.fail_call("proxy_set_shared_data", Status(4711));
    let script =
        "configure raw proxy_set_shared_data 'key 'value 0\nrequest_headers raw proxy_set_shared_data 'key 'value 0";
    let root = vm.start(script).unwrap();
    vm.restore_call("proxy_set_shared_data");
    get(&root);
    assert_eq!(results(&vm, "raw proxy_set_shared_data 'key 'value 0"), ["4711 []", "0 []"]);
    assert_eq!(vm.calls("proxy_set_shared_data"), 2);
}

#[test]
fn queues_wake_the_root_that_registered_them() {
    let proxy = Proxy::new();
    let reader = proxy.vm(guest(), VmOptions::new());
    let script = "configure register-queue jobs\nqueue dequeue 1\nrequest_headers dequeue 1\nrequest_headers dequeue 9";
    let root = reader.start(script).unwrap();
    let writer = proxy.vm(guest(), VmOptions::new());
    writer.start("configure resolve-queue none\nconfigure resolve-queue jobs\nconfigure enqueue 1 work").unwrap();
    assert_eq!(result(&writer, "resolve-queue jobs"), "Ok(Some(1))");
    assert_eq!(result(&writer, "resolve-queue none"), "Ok(None)");
    assert_eq!(results(&reader, "dequeue 1"), [""; 0]);
    proxy.settle();
    assert_eq!(results(&reader, "dequeue 1"), ["work"]);
    get(&root);
    assert_eq!(results(&reader, "dequeue 1")[1], "Ok(None)");
    assert_eq!(result(&reader, "dequeue 9"), "Err(NotFound)");
    assert_eq!(violations(&reader), ["there is no queue 9"]);
}

#[test]
fn metrics_are_one_registry_with_ids_per_definition() {
    let proxy = Proxy::new();
    let script = "configure define counter hits\nconfigure define gauge level\nconfigure define histogram times\n\
                  configure increment 4 2\nconfigure record 5 7\nconfigure increment 5 -3\nconfigure record 6 20\n\
                  configure metric 4\nconfigure metric 5";
    let [one, two] = [(); 2].map(|()| {
        let vm = proxy.vm(guest(), VmOptions::new());
        vm.start(script).unwrap();
        vm
    });
    assert_eq!((result(&one, "metric 4"), result(&one, "metric 5")), ("Ok(2)".to_owned(), "Ok(4)".to_owned()));
    assert_eq!((result(&two, "metric 4"), result(&two, "metric 5")), ("Ok(4)".to_owned(), "Ok(4)".to_owned()));
    let metrics = proxy.metrics();
    assert_eq!((metrics.counter("hits"), metrics.gauge("level")), (Some(4), Some(4)));
    assert_eq!(metrics.histogram("times"), Some(vec![20, 20]));
    assert_eq!((metrics.counter("level"), metrics.counters().len()), (None, 1));
}

#[test]
fn a_name_defined_twice_is_one_metric_with_two_ids() {
    let (proxy, root) = start(
        "configure define counter hits\nconfigure define counter hits\nconfigure increment 4 1\nconfigure increment 8 1",
    );
    assert_eq!(results(root.vm(), "define counter hits"), ["Ok(4)", "Ok(8)"]);
    assert_eq!(proxy.metrics().counter("hits"), Some(2));
}
