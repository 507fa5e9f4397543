//! Images, pushed and fetched.

use serde_json::json;

use crate::fetcher::fetch;
use crate::files::{json as read_json, read};
use crate::registry::{CREDENTIALS, Registry, is_installed, push};

/// The digest that a layout announces.
fn announced(layout: &str) -> String {
    let index = read_json(&format!("{layout}/index.json"));
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1), "one manifest, so that nothing is to choose");
    index["manifests"][0]["digest"].as_str().expect("has one").to_owned()
}

#[test]
fn both_variants_come_back_from_a_registry_as_the_module_that_ships() {
    if !is_installed() {
        return;
    }
    let registry = Registry::start();
    for layout in ["image", "artifact"] {
        let pushed = push(layout, &registry.image(&format!("team/jotgate:{layout}")), None);
        assert!(pushed.is_done, "{}", pushed.text);
        let fetched = fetch(&registry, "team/jotgate", layout);
        assert_eq!(fetched.module.as_deref(), Ok(read("jotgate.wasm").as_slice()), "{layout}");
        assert_eq!(format!("sha256:{}", fetched.digest), announced(layout), "the digest was known before");
        assert!(pushed.text.contains(&format!("@sha256:{}", fetched.digest)), "{}", pushed.text);
        let variant = &fetched.manifest["annotations"]["module.wasm.image/variant"];
        assert_eq!(*variant == "compat", layout == "image");
        // By digest, too.
        assert_eq!(fetch(&registry, "team/jotgate", &announced(layout)).digest, fetched.digest);
    }
    let compat = fetch(&registry, "team/jotgate", "image");
    assert_eq!(compat.manifest["layers"].as_array().map(Vec::len), Some(1));
    // A second push of the same changes nothing.
    assert!(push("image", &registry.image("team/jotgate:image"), None).is_done);
    assert_eq!(fetch(&registry, "team/jotgate", "image").digest, compat.digest);
}

#[test]
fn pushing_uses_the_credentials_of_docker_login() {
    if !is_installed() {
        return;
    }
    let registry = Registry::with_login(true);
    let image = registry.image("jotgate:1");
    assert!(!push("image", &image, None).is_done);
    let config = |auth: &str| json!({"auths": {format!("127.0.0.1:{}", registry.port()): {"auth": auth}}}).to_string();
    // pusher:wrong
    assert!(!push("image", &image, Some(&config("cHVzaGVyOndyb25n"))).is_done);
    let pushed = push("image", &image, Some(&config(CREDENTIALS)));
    assert!(pushed.is_done, "{}", pushed.text);
    assert!(fetch(&registry, "jotgate", "1").module.is_ok());
}

#[test]
fn only_loopback_is_spoken_to_without_tls() {
    if !is_installed() {
        return;
    }
    let registry = Registry::start();
    // It reaches the same registry, and is not loopback by its name.
    let pushed = push("image", &format!("0.0.0.0:{}/jotgate:1", registry.port()), None);
    assert!(!pushed.is_done);
    assert!(pushed.text.contains("HTTP response to HTTPS client"), "{}", pushed.text);
    assert!(push("image", &format!("localhost:{}/jotgate:1", registry.port()), None).is_done);
}

#[test]
fn a_push_to_nowhere_says_what_to_give() {
    for image in ["", "jotgate", "jotgate:1", "registry.example.com/jotgate", "registry.example.com/jotgate@sha256:00"]
    {
        let pushed = push("image", image, None);
        assert!(!pushed.is_done, "{image}");
        assert!(pushed.text.contains("make push IMAGE=registry.example.com/jotgate:0.1.0"), "{}", pushed.text);
    }
}
