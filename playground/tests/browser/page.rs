//! The page that `make playground` built, opened from its file as people do.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Deref;
use std::time::Duration;

use browsers::chromium::{Chromium, is_installed, wait};
use clap::Parser as _;
use cli::arguments::Arguments;
use serde_json::Value;
use test_support::built_path;

/// The page, and a network that ends here.
pub(crate) struct Page {
    browser: Chromium,
    network: TcpListener,
    url: String,
}

impl Deref for Page {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        &self.browser
    }
}

/// A build without optimisation: see the Makefile.
const BUILT: &str = "target/wasm32-unknown-unknown/debug/playground.html";

impl Page {
    /// The page with its first example, decided; nothing where there is no browser.
    pub(crate) fn open() -> Option<Self> {
        is_installed().then_some(())?;
        let network = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        network.set_nonblocking(true).expect("can be set");
        let proxy = format!("--proxy-server=http://{}", network.local_addr().expect("it is bound"));
        // Whatever it would ask of the network goes there; loopback is no exception.
        let browser = Chromium::start(&[&proxy, "--proxy-bypass-list=<-loopback>"]);
        let path = built_path("JOTGATE_PLAYGROUND", BUILT, "make test-browser");
        let page = Self { browser, network, url: format!("file://{}", path.display()) };
        // What the browser did before is not the page's doing.
        page.log("performance");
        page.browser.open(&page.url);
        page.wait_for("#decision .what", "Admitted");
        Some(page)
    }

    /// Where it was opened.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was asked of the network since this was last asked for: the first line on each connection.
    pub(crate) fn asked(&self) -> Vec<String> {
        let connections = std::iter::from_fn(|| self.network.accept().ok());
        let first_line = |connection: TcpStream| {
            let mut line = String::new();
            let _ = connection.set_nonblocking(false);
            let _ = connection.set_read_timeout(Some(Duration::from_secs(1)));
            let _ = BufReader::new(connection).read_line(&mut line);
            line.trim_end().to_string()
        };
        // No option keeps the browser from talking to its maker, or from connecting early and asking nothing; were that the page, DevTools would log it.
        let is_browsers_own = |line: &String| {
            // `CONNECT host:443 HTTP/1.1`, or `POST http://host/path HTTP/1.1`.
            let target = line.split(' ').nth(1).unwrap_or_default().trim_start_matches("http://");
            let host = target.split([':', '/']).next().unwrap_or_default();
            line.is_empty() || host.ends_with(".google.com") || host.ends_with(".googleapis.com")
        };
        connections.map(|(connection, _)| first_line(connection)).filter(|line| !is_browsers_own(line)).collect()
    }

    /// Chooses an example by its name.
    pub(crate) fn choose(&self, name: &str) {
        let script = format!(
            "const choice = document.getElementById('example');
            choice.selectedIndex = [...choice.options].findIndex((option) => option.text === {name:?});
            choice.dispatchEvent(new Event('change'));"
        );
        self.run(&script);
    }

    /// Waits until an element says something.
    pub(crate) fn wait_for(&self, selector: &str, text: &str) {
        let quoted = serde_json::json!(selector);
        let script = format!("return document.querySelector({quoted})?.innerText ?? ''");
        let mut last = Value::Null;
        wait(&format!("`{text}` in `{selector}`"), || {
            last = self.run(&script);
            last.as_str().filter(|found| found.contains(text)).map(|_| ())
        });
    }

    /// Waits until a function body returns true.
    pub(crate) fn wait_for_script(&self, what: &str, script: &str) {
        wait(what, || (self.run(script) == true).then_some(()));
    }

    /// What a field holds.
    pub(crate) fn value(&self, id: &str) -> String {
        let value = self.run(&format!("return document.getElementById('{id}').value"));
        value.as_str().unwrap_or_default().to_string()
    }
}

/// A text as the page shows it: blanks in a row as one, and code without backticks.
pub(crate) fn words(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file of the page's sources.
pub(crate) fn source(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page").join(name);
    fs::read_to_string(path).expect("can be read")
}

/// What the command line prints as JSON.
pub(crate) fn jotgate(arguments: &[&str]) -> Value {
    let arguments = Arguments::try_parse_from([&["jotgate"], arguments].concat()).expect("are arguments");
    let outcome = cli::run(&arguments).unwrap_or_else(|error| panic!("{}", error.0));
    serde_json::from_str(&outcome.output).expect("is JSON")
}
