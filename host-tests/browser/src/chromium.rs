//! A headless Chromium, and Debian's driver for it, which speaks `WebDriver` over HTTP.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// A browser with one window; it ends when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    session: String,
    driver: SocketAddr,
    // In the order in which they end.
    _processes: [Child; 2],
    _port: Port,
    _profile: TempDir,
}

/// Whether `make chromium` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub fn is_installed() -> bool {
    are_installed(&["chromium", "chromedriver"], "make chromium")
}

impl Chromium {
    /// Starts one, with more options of its command line.
    pub fn start(options: &[&str]) -> Self {
        let profile = tempfile::tempdir().expect("there is room");
        let log = |name: &str| File::create(profile.path().join(name)).expect("can be written");
        let mut command = Command::new("chromium");
        command.args(OPTIONS).arg(format!("--user-data-dir={}", profile.path().display()));
        command.args(options).arg("about:blank").stdout(log("chromium.out")).stderr(log("chromium.err"));
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
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What an element shows, as a reader sees it.
    pub fn text(&self, selector: &str) -> String {
        let path = self.element(selector, "/text");
        call(self.driver, "GET", &path, &Value::Null).as_str().unwrap_or_default().to_string()
    }

    /// Replaces what is in a field, key by key.
    pub fn enter(&self, selector: &str, text: &str) {
        self.press(selector, &format!("{CONTROL}a{CONTROL_UP}{DELETE}{text}"));
    }

    /// Presses keys in an element, without replacing anything.
    pub fn press(&self, selector: &str, keys: &str) {
        call(self.driver, "POST", &self.element(selector, "/value"), &json!({ "text": keys }));
    }

    /// Types where the cursor is.
    pub fn type_here(&self, keys: &str) {
        let active = self.get("/element/active");
        let id = active[ELEMENT].as_str().expect("something has the focus");
        self.post(&format!("/element/{id}/value"), &json!({ "text": keys }));
    }

    /// Clicks an element.
    pub fn click(&self, selector: &str) {
        call(self.driver, "POST", &self.element(selector, "/click"), &json!({}));
    }

    /// What a function body returns in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of the `DevTools` protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What was written to a log (`browser`: the console, `performance`: the events of its debugger) since it was last asked for.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        entries.as_array().cloned().unwrap_or_default()
    }

    /// The URL in the address bar.
    pub fn url(&self) -> String {
        self.get("/url").as_str().unwrap_or_default().to_string()
    }

    /// The text of the whole page; empty while there is none.
    pub fn page(&self) -> String {
        self.run("return document.body?.innerText ?? ''").as_str().unwrap_or_default().to_string()
    }

    /// Waits until the page shows a text.
    pub fn wait_for(&self, text: &str) {
        let mut last = String::new();
        let found = wait_for(START, || {
            last = self.page();
            last.contains(text).then_some(())
        });
        assert!(found.is_some(), "no `{text}` at {}: {last}", self.url());
    }

    /// Goes back in the history, and does not wait for it.
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// Loads the page again, and does not wait for it.
    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Opens a tab in front, and gives a handle of it.
    pub fn open_tab(&self) -> String {
        let handle = self.post("/window/new", &json!({"type": "tab"}))["handle"].as_str().map(str::to_string);
        let handle = handle.expect("a tab is opened");
        self.switch_to(&handle);
        handle
    }

    /// Brings a tab to the front.
    pub fn switch_to(&self, handle: &str) {
        self.post("/window", &json!({ "handle": handle }));
    }

    /// The tab in front.
    pub fn tab(&self) -> String {
        self.get("/window").as_str().expect("is a handle").to_string()
    }

    /// The cookies for the page in front, those that scripts do not see as well.
    pub fn cookies(&self) -> Vec<Value> {
        self.get("/cookie").as_array().cloned().unwrap_or_default()
    }

    /// What is on the screen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        STANDARD.decode(self.get("/screenshot").as_str().unwrap_or_default()).expect("is base64")
    }

    fn element(&self, selector: &str, command: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        let id = found[ELEMENT].as_str().unwrap_or_else(|| panic!("there is no `{selector}`: {found}"));
        format!("/session/{}/element/{id}{command}", self.session)
    }

    fn get(&self, command: &str) -> Value {
        call(self.driver, "GET", &format!("/session/{}{command}", self.session), &Value::Null)
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
pub fn wait<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    wait_for(START, ask).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match ask() {
            None if Instant::now() < deadline => sleep(POLL),
            answer => return answer,
        }
    }
}
