//! A server in another language: it prints its port first, and ends as soon as its standard input does.

use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// How long one may take to start; Python has much to read.
const START: Duration = Duration::from_mins(1);
/// How long one may take to end by itself.
const END: Duration = Duration::from_secs(5);

/// A running server. It ends when this is dropped, and also when this process ends.
#[derive(Debug)]
pub struct Server {
    name: String,
    command: Mutex<Command>,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    printed: Arc<Printed>,
    errors: Arc<Printed>,
}

/// What has come out of a pipe.
#[derive(Debug, Default)]
struct Printed {
    output: Mutex<Output>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Output {
    lines: Vec<String>,
    /// Nothing more will come.
    is_closed: bool,
}

impl Server {
    /// Starts it, and does not wait for it.
    pub fn spawn(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = Mutex::new(Running::start(name, &mut command));
        Self { name: name.into(), command: Mutex::new(command), running }
    }

    /// Where it listens. Waits for it to start. One that prints nothing is started once more: Node, very seldom, loads
    /// what it shall run and then hangs.
    pub fn address(&self) -> SocketAddr {
        let mut running = lock(&self.running);
        if running.first_line().is_none() {
            eprintln!("{} is started once more: {}", self.name, running.post_mortem());
            *running = Running::start(&self.name, &mut lock(&self.command));
        }
        let port = running.first_line().and_then(|line| line.trim().parse::<u16>().ok());
        let port = port.unwrap_or_else(|| panic!("{} printed no port: {}", self.name, running.post_mortem()));
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// The lines that it has printed since it started, without its port.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.printed().output).lines.iter().skip(1).cloned().collect()
    }

    /// Waits until that holds for the lines that it has printed, and returns whether it does.
    pub fn wait_for(&self, limit: Duration, mut holds: impl FnMut(&[String]) -> bool) -> bool {
        let mut holds = |lines: &[String]| holds(lines.get(1..).unwrap_or_default());
        let printed = self.printed();
        let output = printed.wait_until(limit, &mut holds);
        holds(&output.lines)
    }

    /// What it has written to its standard error.
    pub fn errors(&self) -> String {
        let errors = Arc::clone(&lock(&self.running).errors);
        lock(&errors.output).lines.join("\n")
    }

    fn printed(&self) -> Arc<Printed> {
        Arc::clone(&lock(&self.running).printed)
    }
}

impl Running {
    fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let printed = Printed::of(child.stdout.take().expect("is piped"));
        let errors = Printed::of(child.stderr.take().expect("is piped"));
        Self { child, printed, errors }
    }

    /// Waits for the first line that it prints; none if it ends before, or takes too long.
    fn first_line(&self) -> Option<String> {
        self.printed.wait_until(START, |lines| !lines.is_empty()).lines.first().cloned()
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        self.child.wait()
    }

    /// Ends it, and returns how it ended (by a signal where not by itself), and what it complained about.
    fn post_mortem(&mut self) -> String {
        let end = self.end().map_or_else(|error| error.to_string(), |status| status.to_string());
        let errors = self.errors.wait_until(END, |_| false);
        format!("{end}: {}", errors.lines.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl Printed {
    /// What comes out of a pipe, as it comes.
    fn of(pipe: impl Read + Send + 'static) -> Arc<Self> {
        let printed = Arc::<Self>::default();
        let shared = Arc::clone(&printed);
        spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                lock(&shared.output).lines.push(String::from_utf8_lossy(&line).into_owned());
                shared.more.notify_all();
            }
            lock(&shared.output).is_closed = true;
            shared.more.notify_all();
        });
        printed
    }

    /// Waits so long until that holds, or nothing more will come.
    fn wait_until(&self, limit: Duration, mut holds: impl FnMut(&[String]) -> bool) -> MutexGuard<'_, Output> {
        let goes_on = |output: &mut Output| !output.is_closed && !holds(&output.lines);
        let waited = self.more.wait_timeout_while(lock(&self.output), limit, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    fn shell(script: &str) -> Server {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        Server::spawn("a shell", shell)
    }

    #[test]
    fn the_first_line_is_the_port_and_others_follow() {
        let server = shell("echo 81; echo one; echo two; echo trouble >&2; read -r _");
        assert_eq!(server.address(), SocketAddr::from((Ipv4Addr::LOCALHOST, 81)));
        assert!(server.wait_for(START, |lines| lines == ["one", "two"]));
        assert!(!server.wait_for(Duration::ZERO, |lines| lines.len() > 2));
        assert_eq!(server.lines(), ["one", "two"]);
    }

    #[test]
    #[should_panic(expected = "a shell printed no port")]
    fn without_a_port_it_has_not_started() {
        let server = shell("echo none");
        server.address();
    }

    #[test]
    #[should_panic(expected = "a shell printed no port: exit status: 3: trouble")]
    fn one_that_ends_at_once_is_reported_at_once() {
        let server = shell("echo trouble >&2; exit 3");
        server.address();
    }

    #[test]
    fn one_that_prints_nothing_is_started_once_more() {
        let starts = env::temp_dir().join(format!("starts-{}", process::id()));
        let server =
            shell(&format!("echo x >> {0}; test $(wc -l < {0}) = 2 || exit; echo 81; read -r _", starts.display()));
        let address = server.address();
        fs::remove_file(starts).expect("it is there");
        assert_eq!(address, SocketAddr::from((Ipv4Addr::LOCALHOST, 81)));
    }

    #[test]
    fn it_ends_with_its_input() {
        let server = shell("echo 81; read -r _");
        server.address();
        // The shell's `read` fails; a signal would have ended it otherwise.
        assert_eq!(lock(&server.running).post_mortem(), "exit status: 1: ");
    }
}
