//! Nothing that is entered leaves the page, and nothing is kept.

use serde_json::{Value, json};

use crate::page::Page;
use browsers::chromium::wait;

/// The addresses that the page asked for, as `DevTools` saw it.
fn requested(page: &Page) -> Vec<String> {
    let events = page.log("performance").into_iter().filter_map(|entry| {
        let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
        let message = &event["message"];
        let is_request = message["method"] == "Network.requestWillBeSent";
        is_request.then(|| message["params"]["request"]["url"].as_str().unwrap_or_default().to_string())
    });
    // Data is in the page itself.
    events.filter(|url| !url.starts_with("data:")).collect()
}

#[test]
fn no_request_is_made() {
    let Some(page) = Page::open() else { return };
    for example in ["Expired token", "Missing scope", "Admitted"] {
        page.choose(example);
    }
    page.press("#url", "8");
    page.press("#token", "x");
    page.wait_for("#decision .what", "401");
    assert_eq!(requested(&page), [page.url()], "the page itself, which shows that requests are seen, and nothing else");
    assert_eq!(page.asked(), [""; 0]);
    assert_eq!(page.log("browser"), [Value::Null; 0], "the console is empty");
}

/// What the other tests do not find is found where it exists. It comes last: while the browser waits for an answer,
/// its driver gives none.
#[test]
fn what_is_asked_is_seen() {
    let Some(page) = Page::open() else { return };
    page.run("setTimeout(() => { location.href = 'http://127.0.0.1:8081/elsewhere' })");
    wait("a connection", || page.asked().iter().any(|line| line.contains("/elsewhere")).then_some(()));
}

#[test]
fn the_policy_lets_nothing_out() {
    let Some(page) = Page::open() else { return };
    for attempt in [
        "fetch('http://127.0.0.1:8081/').catch(() => {})",
        "new Image().src = 'http://127.0.0.1:8081/'",
        "navigator.sendBeacon('http://127.0.0.1:8081/', 'x')",
        "try { new WebSocket('ws://127.0.0.1:8081/') } catch {}",
        "document.head.append(Object.assign(document.createElement('link'), {rel: 'stylesheet', href: 'http://127.0.0.1:8081/'}))",
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))",
        "document.body.append(Object.assign(document.createElement('iframe'), {src: 'http://127.0.0.1:8081/'}))",
    ] {
        page.run(&format!(
            "window.refused = []; document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
            try {{ {attempt} }} catch (error) {{ refused.push(error.name) }}"
        ));
        page.wait_for_script(attempt, "return window.refused.length > 0 && window.ran !== true");
    }
    assert_eq!(page.asked(), [""; 0]);
}

#[test]
fn nothing_is_kept() {
    let Some(page) = Page::open() else { return };
    let history = page.run("return history.length");
    page.choose("Expired token");
    page.press("#headers", "x-secret: abc");
    page.wait_for("#decision .what", "401");
    let kept = "return [localStorage.length, sessionStorage.length, document.cookie, location.href, history.length]";
    assert_eq!(page.run(kept), json!([0, 0, "", page.url(), history]));
    let databases = page.run("return indexedDB.databases().then((all) => all.length)");
    assert_eq!(databases, json!(0));
    // What is looked for can be found.
    page.run("localStorage.setItem('a', 'b'); location.hash = 'c'");
    assert_ne!(page.run(kept), json!([0, 0, "", page.url(), history]));
}
