//! The servers: each answers which of its handlers ran, and what it made of the request.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::http::Request;
use tempfile::TempDir;
use test_support::tool;
use test_support::workspace;

/// How long one may take to start; Python has much to read.
const START: Duration = Duration::from_mins(1);
/// How long one may take to end by itself.
const END: Duration = Duration::from_secs(5);

/// A server, and the framework on it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    DjangoOnGunicorn,
    DjangoOnUvicorn,
    Express,
    FlaskOnGunicorn,
    FlaskOnWerkzeug,
    NodeHttp,
    StarletteOnHypercorn,
    StarletteOnUvicorn,
}

pub(crate) const ALL: [Kind; 8] = [
    Kind::DjangoOnGunicorn,
    Kind::DjangoOnUvicorn,
    Kind::Express,
    Kind::FlaskOnGunicorn,
    Kind::FlaskOnWerkzeug,
    Kind::NodeHttp,
    Kind::StarletteOnHypercorn,
    Kind::StarletteOnUvicorn,
];

impl Kind {
    /// The Envoy cluster that leads there.
    pub(crate) const fn cluster(self) -> &'static str {
        match self {
            Self::DjangoOnGunicorn => "django-gunicorn",
            Self::DjangoOnUvicorn => "django-uvicorn",
            Self::Express => "express",
            Self::FlaskOnGunicorn => "flask-gunicorn",
            Self::FlaskOnWerkzeug => "flask-werkzeug",
            Self::NodeHttp => "node-http",
            Self::StarletteOnHypercorn => "starlette-hypercorn",
            Self::StarletteOnUvicorn => "starlette-uvicorn",
        }
    }

    fn command(self) -> Command {
        let (program, arguments): (PathBuf, &[&str]) = match self {
            Self::DjangoOnGunicorn => (python(), &["serve.py", "gunicorn", "on_django:app"]),
            Self::DjangoOnUvicorn => (python(), &["serve.py", "uvicorn", "on_django:asgi"]),
            Self::Express => ("node".into(), &["on_node.js", "express"]),
            Self::FlaskOnGunicorn => (python(), &["serve.py", "gunicorn", "on_flask:app"]),
            Self::FlaskOnWerkzeug => (python(), &["serve.py", "werkzeug", "on_flask:app"]),
            Self::NodeHttp => ("node".into(), &["on_node.js", "http"]),
            Self::StarletteOnHypercorn => (python(), &["serve.py", "hypercorn", "on_starlette:app"]),
            Self::StarletteOnUvicorn => (python(), &["serve.py", "uvicorn", "on_starlette:app"]),
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(workspace().join("host-tests/servers"));
        command
    }
}

/// Whether `make servers` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn are_installed() -> bool {
    let are_installed = tool("venv-servers/installed").exists();
    if !are_installed {
        eprintln!("SKIPPED: the servers are not installed: run `make servers`");
    }
    are_installed
}

/// A running server. It ends as soon as its standard input does: when this is dropped, and also when this process ends.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    child: Child,
    port: u16,
    directory: TempDir,
}

impl Server {
    /// Starts all of them, at the same time.
    pub(crate) fn start_all() -> Vec<Self> {
        let mut servers: Vec<Self> = ALL.map(Self::spawn).into();
        servers.iter_mut().for_each(Self::wait);
        servers
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn spawn(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let child = kind.command().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        Self { kind, child, port: 0, directory }
    }

    fn wait(&mut self) {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.port = line.trim().parse().unwrap_or_else(|_| panic!("{:?} printed no port: {}", self.kind, self.log()));
        let deadline = Instant::now() + START;
        while !Request::get("/public/x").send(self.address()).is_ok_and(|response| response.status == 200) {
            assert!(Instant::now() < deadline, "{:?} does not start: {}", self.kind, self.log());
            sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> PathBuf {
    tool("venv-servers/bin/python3")
}
