//! A person's browser: it keeps cookies, follows redirects and runs scripts as only a real one does.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use browsers::chromium::{Chromium, is_installed, wait};
use serde_json::{Value, json};
use test_support::target;
use testbed::issuer::{Behaviour, Fault, Flaws, Mode};
use testbed::mint::object;

use crate::setup::Setup;
use crate::world::World;

/// Everything is on this machine, and nothing else is asked for.
const ALONE: &str = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";

/// With cookies that are bound to their host, which browsers take from this machine without TLS, and send for all sites.
fn bound(session: &Value) -> Setup {
    let cookie = json!({"name": "__Host-jotgate", "sameSite": "none"});
    Setup { session: crate::setup::merged(json!({ "cookie": cookie }), session), ..Setup::default() }
}

fn browser() -> Option<Chromium> {
    is_installed().then(|| Chromium::start(&[ALONE]))
}

/// The upstream says who somebody is.
fn is_user(browser: &Chromium, name: &str) {
    browser.wait_for(&format!("[\"x-auth-request-user\",\"{name}\"]"));
}

fn wait_for_element(browser: &Chromium, selector: &str) {
    let script = format!("return !!document.querySelector({})", json!(selector));
    wait(selector, || (browser.run(&script) == true).then_some(()));
}

/// Goes through the forms of oidc-provider: who somebody is, and whether they agree, unless they did.
fn log_in(browser: &Chromium, name: &str) {
    wait_for_element(browser, "input[name=login]");
    browser.enter("input[name=login]", name);
    browser.enter("input[name=password]", "anything");
    browser.click("button");
    let next = "if (document.readyState !== 'complete' || document.querySelector('input[name=login]')) return '';
        return document.querySelector('button') ? 'consent' : document.body.innerText";
    let page = wait("the next page", || browser.run(next).as_str().filter(|page| !page.is_empty()).map(str::to_owned));
    if page == "consent" {
        browser.click("button");
    }
}

/// The URLs that were asked for since this was last asked for.
fn requested(browser: &Chromium) -> Vec<String> {
    let events = browser.log("performance").into_iter().filter_map(|entry| {
        let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
        let message = &event["message"];
        let is_request = message["method"] == "Network.requestWillBeSent";
        is_request.then(|| message["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
    });
    events.collect()
}

/// The status of what a script fetches, or the name of the error.
fn fetch(browser: &Chromium, path: &str, options: &str) -> Value {
    browser.run(&format!(
        "return fetch('{path}', {options}).then((answer) => answer.type === 'opaqueredirect' ? 'redirect' : answer.status, (error) => error.name)"
    ))
}

/// How a `WebSocket` ends up.
fn socket(browser: &Chromium, world: &World) -> Value {
    let url = world.url("/ws").replace("http://", "ws://");
    browser.run(&format!(
        "return new Promise((done) => {{ const socket = new WebSocket('{url}'); socket.onopen = () => done('open'); socket.onerror = () => done('error') }})"
    ))
}

#[test]
fn a_person_logs_in_works_and_logs_out() {
    let (Some(browser), Some(world)) =
        (browser(), World::certified(&Setup { provider: json!({"login": "forms"}), ..bound(&json!({})) }))
    else {
        return;
    };
    let link = world.url("/reports/7?tab=a");
    browser.open(&link);
    log_in(&browser, "alice");
    is_user(&browser, "alice");
    assert_eq!(browser.url(), link, "the deep link is kept");
    let cookies = browser.cookies();
    let names: Vec<_> = cookies.iter().filter_map(|cookie| cookie["name"].as_str()).collect();
    assert_eq!(names, ["__Host-jotgate"], "the cookie of the pending login is gone");
    assert_eq!((&cookies[0]["httpOnly"], &cookies[0]["secure"]), (&json!(true), &json!(true)));
    assert_eq!(fetch(&browser, "/data", "{}"), 200);
    assert_eq!(fetch(&browser, "/data", "{method: 'POST', body: 'a'}"), 200);
    assert_eq!(socket(&browser, &world), "open");

    // The back button, as far as the callback, is no error and no loop.
    let callback = requested(&browser).into_iter().find(|url| url.contains("/.jotgate/callback"));
    browser.open(&callback.unwrap());
    wait("the way home", || (browser.url() == world.url("/")).then_some(()));
    is_user(&browser, "alice");
    browser.back();
    sleep(Duration::from_millis(300));
    assert!(!browser.page().contains("could not"), "{}", browser.page());

    // Another site sends a form.
    browser.open(&format!("{}/", world.upstream.url()));
    browser.wait_for("\"method\"");
    let form =
        format!("document.body.innerHTML = '<form method=post action=\"{}\"><button></form>'", world.url("/orders"));
    browser.run(&form);
    browser.click("button");
    browser.wait_for("cross_site_request");

    browser.open(&world.url("/.jotgate/logout"));
    wait_for_element(&browser, "button[name=logout]");
    browser.click("button[name=logout]");
    // Whoever comes back has to say who they are.
    wait_for_element(&browser, "input[name=login]");
    assert!(world.provider.certified().has_answered(1, |answered| answered.endpoint.as_deref() == Some("revocation")));
    world.assert_silent(&[]);
}

#[test]
fn three_tabs_log_in_at_once() {
    let setup = Setup { provider: json!({"login": "forms"}), ..bound(&json!({"refreshAfter": "1s"})) };
    let (Some(browser), Some(world)) = (browser(), World::certified(&setup)) else { return };
    let links: Vec<_> = (0..3).map(|tab| world.url(&format!("/tab/{tab}?x=1"))).collect();
    let first = browser.tab();
    let begin = |link: &String| {
        let tab = browser.open_tab();
        browser.open(link);
        wait_for_element(&browser, "input[name=login]");
        tab
    };
    let tabs: Vec<_> = links.iter().map(begin).collect();
    // The last that began is the first that ends, and has its link. The others are logged in then, wherever they end.
    for (number, (tab, link)) in tabs.iter().zip(&links).enumerate().rev() {
        browser.switch_to(tab);
        log_in(&browser, "alice");
        is_user(&browser, "alice");
        let url = browser.url();
        assert!(&url == link || (number < 2 && url == world.url("/")), "{number}: {url}");
    }
    // A page that only scripts use stays logged in.
    let provider = world.provider.certified();
    for _ in 0..3 {
        sleep(Duration::from_millis(1100));
        assert_eq!(fetch(&browser, "/data", "{}"), 200);
    }
    assert!(provider.has_answered(2, |answered| answered.grant.as_deref() == Some("refresh_token")));
    for tab in tabs {
        browser.switch_to(&tab);
        browser.reload();
        is_user(&browser, "alice");
    }
    browser.switch_to(&first);
    world.assert_silent(&[]);
}

#[test]
fn scripts_and_forms_without_a_session_get_no_redirect() {
    let Some(browser) = browser() else { return };
    let world = World::flawed(&bound(&json!({})));
    browser.open(&world.url("/public/x"));
    browser.wait_for("\"method\"");
    assert_eq!(fetch(&browser, "/data", "{redirect: 'manual'}"), 401);
    assert_eq!(fetch(&browser, "/data", "{method: 'POST', body: 'a'}"), 401);
    assert_eq!(socket(&browser, &world), "error");
    browser.run(
        "document.body.innerHTML = '<form method=post action=\"/orders\"><input name=order value=all><button></form>'",
    );
    browser.click("button");
    browser.wait_for("session");
    assert_eq!(browser.url(), world.url("/orders"));
    assert!(world.upstream.seen().iter().all(|seen| seen["method"] == "GET"), "nothing was sent");
    world.assert_silent(&[]);
}

/// Where pictures of the pages are, for people to look at.
fn pictures() -> PathBuf {
    let folder = target().join("login-pages");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Takes pictures of a page in light and dark, and looks for what every page has to have.
fn picture(browser: &Chromium, name: &str, text: &str) {
    browser.wait_for(text);
    for scheme in ["light", "dark"] {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
        fs::write(pictures().join(format!("{name}-{scheme}.png")), browser.screenshot()).unwrap();
        let colours = browser.run(
            "const style = getComputedStyle(document.body), all = getComputedStyle(document.documentElement);
            return [style.color, style.backgroundColor === 'rgba(0, 0, 0, 0)' ? all.backgroundColor : style.backgroundColor]",
        );
        assert_ne!(colours[0], colours[1], "{name} in {scheme} can be read");
    }
    assert_eq!(browser.run("return document.scripts.length"), 0, "{name} has no script");
    let about = browser.run(
        "return [document.title !== '', document.documentElement.lang !== '', document.querySelectorAll('h1').length]",
    );
    assert_eq!(about, json!([true, true, 1]), "{name}");
}

#[test]
fn every_page_can_be_read_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let world = World::flawed(&bound(&json!({})));
    let issuer = world.provider.flawed();
    let fail = |name: &str, flaws: Value, text: &str| {
        let flaws: Flaws = serde_json::from_value(flaws).unwrap();
        issuer.set_behaviour(Behaviour { flaws, ..Behaviour::default() });
        browser.open(&world.url(&format!("/{name}")));
        picture(&browser, name, text);
        issuer.set_behaviour(Behaviour::default());
    };
    fail("failed", json!({"id_token": {"nonce": "another"}}), "again");
    fail("denied", json!({"callback": {"code": null, "error": "access_denied"}}), "again");
    issuer.set_token_endpoint(Fault::lasting(Mode::Status { status: 503 })).unwrap();
    fail("unavailable", json!({}), "again");
    issuer.reset();
    let groups: Vec<_> = (0..400).map(|number| format!("department-{number:08}")).collect();
    issuer.set_behaviour(Behaviour { user: object(json!({ "groups": groups })), ..Behaviour::default() });
    browser.open(&world.url("/too-large"));
    picture(&browser, "too-large", "groups");
    assert!(
        browser
            .cookies()
            .iter()
            .all(|cookie| !cookie["name"].as_str().unwrap_or_default().starts_with("__Host-jotgate."))
    );
    issuer.set_behaviour(Behaviour::default());
    browser.open(&world.url("/public/x"));
    browser.wait_for("\"method\"");
    browser.run("document.body.innerHTML = '<form method=post action=\"/orders\"><button></form>'");
    browser.click("button");
    picture(&browser, "session-over", "session");
    browser.open(&world.url("/x"));
    is_user(&browser, "alice");
    browser.open(&format!("{}/", world.upstream.url()));
    browser.wait_for("\"method\"");
    browser.run(&format!("location.href = '{}'", world.url("/.jotgate/logout")));
    picture(&browser, "log-out", "Log out");
    choice(&browser);
}

fn choice(browser: &Chromium) {
    let login = |name: &str| json!({"name": name, "issuer": "main", "client": {"id": "dashboard", "secret": crate::setup::CLIENT_SECRET}});
    let setup = bound(&json!({}));
    let world = World::flawed(&Setup { config: json!({"login": [login("staff"), login("partners")]}), ..setup });
    browser.open(&world.url("/.jotgate/login"));
    picture(browser, "choose", "partners");
}
