//! The registry of Debian's package `docker-registry`, on a port of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::Port;
use real_envoy::http::{Request, Response};
use tempfile::TempDir;
use test_support::are_installed;
use test_support::child::Child;
use test_support::workspace;

const START: Duration = Duration::from_secs(30);

/// The user `pusher` with the password `secret`, as `htpasswd -B` writes it.
const USERS: &str = "pusher:$2b$05$aORQnL0HnT.ANs83Wpdw.ep1H706ZX5rChtueHzsgz6.bIw83MPLy\n";
/// The same for the `Authorization` header, and for `config.json`.
pub(crate) const CREDENTIALS: &str = "cHVzaGVyOnNlY3JldA==";

/// A running registry; it is stopped when this is dropped.
pub(crate) struct Registry {
    child: Child,
    port: Port,
    directory: TempDir,
    needs_login: bool,
}

/// What `make push` printed, and whether it succeeded.
pub(crate) struct Pushed {
    pub(crate) is_done: bool,
    pub(crate) text: String,
}

/// Whether `make registry` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn is_installed() -> bool {
    are_installed(&["docker-registry", "skopeo"], "make registry")
}

impl Registry {
    /// One that anybody may push to.
    pub(crate) fn start() -> Self {
        Self::with_login(false)
    }

    pub(crate) fn with_login(needs_login: bool) -> Self {
        let (port, directory) = (Port::reserve().expect("a port is free"), tempfile::tempdir().expect("there is room"));
        let folder = directory.path();
        let mut config = serde_json::json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": folder.join("data")}},
            "http": {"addr": format!("127.0.0.1:{}", port.number())},
        });
        if needs_login {
            fs::write(folder.join("users"), USERS).expect("can be written");
            config["auth"] = serde_json::json!({"htpasswd": {"realm": "test", "path": folder.join("users")}});
        }
        // JSON is YAML.
        fs::write(folder.join("config.yml"), config.to_string()).expect("can be written");
        let log = File::create(folder.join("log")).expect("can be written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.join("config.yml"));
        command.env_clear().stdout(log.try_clone().expect("is open")).stderr(log);
        let child = Child::start(&mut command).expect("starts");
        let mut registry = Self { child, port, directory, needs_login };
        registry.wait();
        registry
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + START;
        while !Request::get("/v2/").send(self.address()).is_ok_and(|answer| [200, 401].contains(&answer.status)) {
            let is_late = Instant::now() > deadline;
            assert!(self.child.is_running() && !is_late, "the registry does not start");
            sleep(Duration::from_millis(20));
        }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    /// The name of an image here.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn get(&self, path: &str, accept: &str) -> Response {
        let mut request = Request::get(path).header("Accept", accept);
        if self.needs_login {
            request = request.header("Authorization", format!("Basic {CREDENTIALS}"));
        }
        request.send(self.address()).expect("the registry answers")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.end();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            eprintln!("--- the registry's log:\n{log}");
        }
    }
}

/// Pushes a layout as `make push` does, the credentials being those in a `config.json`.
pub(crate) fn push(layout: &str, image: &str, credentials: Option<&str>) -> Pushed {
    let home = tempfile::tempdir().expect("there is room");
    if let Some(credentials) = credentials {
        fs::create_dir(home.path().join(".docker")).expect("can be made");
        fs::write(home.path().join(".docker/config.json"), credentials).expect("can be written");
    }
    let mut command = Command::new(workspace().join("ship/push.sh"));
    command.arg(crate::files::dist(layout)).arg(image);
    let output = command.env("HOME", home.path()).env_remove("XDG_RUNTIME_DIR").output().expect("runs");
    let text = [output.stdout, output.stderr].concat();
    Pushed { is_done: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}
