//! A server in another language: it prints its port first, and ends as soon as its standard input does.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
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
    child: Child,
    printed: Arc<Printed>,
    errors: Arc<Printed>,
}

#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Server {
    /// Starts it, and does not wait for it.
    pub fn spawn(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let printed = Printed::of(child.stdout.take().expect("is piped"));
        let errors = Printed::of(child.stderr.take().expect("is piped"));
        Self { name: name.into(), child, printed, errors }
    }

    /// Where it listens. Waits for it to start.
    pub fn address(&self) -> SocketAddr {
        let deadline = Instant::now() + START;
        let first = self.printed.wait_until(deadline, |lines| !lines.is_empty()).first().cloned();
        let port = first.as_deref().and_then(|line| line.trim().parse::<u16>().ok());
        let port = port.unwrap_or_else(|| panic!("{} printed no port: {}", self.name, self.errors()));
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// The lines that it has printed since it started, without its port.
    pub fn lines(&self) -> Vec<String> {
        self.printed.lock().iter().skip(1).cloned().collect()
    }

    /// Waits until that holds for the lines that it has printed, and returns whether it does.
    pub fn wait_for(&self, limit: Duration, mut holds: impl FnMut(&[String]) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let lines = self.printed.wait_until(deadline, |lines| holds(lines.get(1..).unwrap_or_default()));
        holds(lines.get(1..).unwrap_or_default())
    }

    /// What it has written to its standard error.
    pub fn errors(&self) -> String {
        self.errors.lock().join("\n")
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

impl Printed {
    /// What comes out of a pipe, as it comes.
    fn of(pipe: impl Read + Send + 'static) -> Arc<Self> {
        let printed = Arc::<Self>::default();
        let shared = Arc::clone(&printed);
        spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                shared.lock().push(String::from_utf8_lossy(&line).into_owned());
                shared.more.notify_all();
            }
        });
        printed
    }

    fn wait_until(&self, deadline: Instant, mut holds: impl FnMut(&[String]) -> bool) -> MutexGuard<'_, Vec<String>> {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.more.wait_timeout_while(self.lock(), left, |lines| !holds(lines));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Server {
        Server::spawn("a shell", Command::new("/bin/sh").args(["-c", script]))
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
    fn it_ends_with_its_input() {
        let server = shell("echo 81; read -r _");
        server.address();
        let start = Instant::now();
        drop(server);
        assert!(start.elapsed() < END);
    }
}
