//! The servers: each answers which of its handlers ran, and what it made of the request.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::http::Request;
use test_support::{server, tool, workspace};

/// How long one may take to answer once it listens.
const START: Duration = Duration::from_mins(1);

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
        command.env("NODE_PATH", tool("servers/node_modules"));
        command
    }
}

/// Whether `make servers` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn are_installed() -> bool {
    let are_installed = tool("servers/installed").exists();
    if !are_installed {
        eprintln!("SKIPPED: the servers are not installed: run `make servers`");
    }
    are_installed
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    process: server::Server,
}

impl Server {
    /// Starts all of them, at the same time.
    pub(crate) fn start_all() -> Vec<Self> {
        let spawn = |kind: Kind| Self { kind, process: server::Server::spawn(kind.cluster(), kind.command()) };
        let servers = ALL.map(spawn);
        servers.iter().for_each(Self::wait);
        servers.into()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    fn wait(&self) {
        let deadline = Instant::now() + START;
        while !Request::get("/public/x").send(self.address()).is_ok_and(|response| response.status == 200) {
            assert!(Instant::now() < deadline, "{:?} does not start: {}", self.kind, self.process.errors());
            sleep(Duration::from_millis(50));
        }
    }
}

fn python() -> PathBuf {
    tool("servers/venv/bin/python3")
}
