//! A headless Chromium, and Debian's driver for it, which speaks `WebDriver` over HTTP.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::Port;
use real_envoy::http::{Connection, Request};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::are_installed;
use test_support::child::Child;

/// How long it may take to start, on a busy machine.
const START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);
/// The name of an element's id in the protocol (W3C `WebDriver` §12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
// Keys (W3C WebDriver §17.4.2).
const CONTROL: char = '\u{e009}';
const CONTROL_UP: char = '\u{e000}';
const DELETE: char = '\u{e017}';
/// What it does by itself is switched off, so that what is seen on the network is the page's doing.
const OPTIONS: [&str; 12] = [
    "--headless=new",
    // As root there is none.
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-client-side-phishing-detection",
    "--disable-features=OptimizationHints,MediaRouter,Translate,NetworkTimeServiceQuerying,AutofillServerCommunication",
    "--remote-debugging-port=0",
];

/// A browser with one page; it ends when this is dropped.
pub(crate) struct Browser {
    session: String,
    driver: SocketAddr,
    // In the order in which they end.
    _processes: [Child; 2],
    _port: Port,
    _profile: TempDir,
}

/// Whether `make chromium` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn is_installed() -> bool {
    are_installed(&["chromium", "chromedriver"], "make chromium")
}

impl Browser {
    /// Starts one. Whatever it would ask of the network goes to `proxy`.
    pub(crate) fn start(proxy: SocketAddr) -> Self {
        let profile = tempfile::tempdir().expect("there is room");
        let log = |name: &str| File::create(profile.path().join(name)).expect("can be written");
        let mut command = Command::new("chromium");
        command.args(OPTIONS).arg(format!("--user-data-dir={}", profile.path().display()));
        // Loopback is no exception.
        command.arg(format!("--proxy-server=http://{proxy}")).arg("--proxy-bypass-list=<-loopback>");
        command.arg("about:blank").stdout(log("chromium.out")).stderr(log("chromium.err"));
        let browser = Child::start(&mut command).expect("chromium starts");
        let debugger = wait("chromium to listen", || debugger(profile.path()));
        let port = Port::reserve().expect("a port is free");
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", port.number())).stdout(log("driver.out")).stderr(log("driver.err"));
        let driver = Child::start(&mut command).expect("chromedriver starts");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        wait("chromedriver to listen", || Request::get("/status").send(address).ok());
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"debuggerAddress": debugger},
            // A request that is not answered does not block.
            "pageLoadStrategy": "none",
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let made = call(address, "POST", "/session", &wanted);
        let session = made["sessionId"].as_str().expect("there is a session").to_string();
        let browser = Self { session, driver: address, _processes: [driver, browser], _port: port, _profile: profile };
        // Without a screen there is no window in front.
        browser.devtools("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        browser
    }

    /// Opens a page, and does not wait for it.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What an element shows, as a reader sees it.
    pub(crate) fn text(&self, selector: &str) -> String {
        let path = self.element(selector, "/text");
        call(self.driver, "GET", &path, &Value::Null).as_str().unwrap_or_default().to_string()
    }

    /// Replaces what is in a field, key by key.
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        self.press(selector, &format!("{CONTROL}a{CONTROL_UP}{DELETE}{text}"));
    }

    /// Presses keys in an element, without replacing anything.
    pub(crate) fn press(&self, selector: &str, keys: &str) {
        call(self.driver, "POST", &self.element(selector, "/value"), &json!({ "text": keys }));
    }

    /// Types where the cursor is.
    pub(crate) fn type_here(&self, keys: &str) {
        let active = call(self.driver, "GET", &format!("/session/{}/element/active", self.session), &Value::Null);
        let id = active[ELEMENT].as_str().expect("something has the focus");
        self.post(&format!("/element/{id}/value"), &json!({ "text": keys }));
    }

    /// Clicks an element.
    pub(crate) fn click(&self, selector: &str) {
        call(self.driver, "POST", &self.element(selector, "/click"), &json!({}));
    }

    /// What a function body returns in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of the `DevTools` protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What was written to a log (`browser`: the console, `performance`: the events of its debugger) since it was last asked for.
    pub(crate) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        entries.as_array().cloned().unwrap_or_default()
    }

    fn element(&self, selector: &str, command: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        let id = found[ELEMENT].as_str().unwrap_or_else(|| panic!("there is no `{selector}`: {found}"));
        format!("/session/{}/element/{id}{command}", self.session)
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        call(self.driver, "POST", &format!("/session/{}{command}", self.session), body)
    }
}

/// Asks the driver, and gives the value that it answers with.
fn call(driver: SocketAddr, method: &str, path: &str, body: &Value) -> Value {
    let request = Request::new(method, path);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    let mut connection = Connection::open(driver).expect("the driver listens");
    connection.set_timeout(START).expect("can be set");
    let response = connection.send(&request.header("content-type", "application/json")).expect("the driver answers");
    let value = response.json()["value"].clone();
    assert_eq!(response.status, 200, "{method} {path} {body}: {value}");
    value
}

/// Where the browser's debugger listens, once it does.
fn debugger(profile: &Path) -> Option<String> {
    let text = fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
    let port = text.lines().next().filter(|_| text.contains('/'))?;
    Some(format!("127.0.0.1:{port}"))
}

/// Asks until there is an answer.
pub(crate) fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + START;
    loop {
        match ask() {
            Some(answer) => return answer,
            None if Instant::now() > deadline => panic!("waited in vain for {what}"),
            None => sleep(POLL),
        }
    }
}
