//! A process that ends with the test.

use std::io;
use std::path::Path;
use std::process::{Child as Running, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long it may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// A process that is stopped when this is dropped, and also when this process dies in a way that runs no destructors.
#[derive(Debug)]
pub struct Child {
    running: Running,
    watchdog: Running,
}

impl Child {
    /// Starts it, with nothing on its standard input.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        Self::start_watched(command, None)
    }

    /// The same, with a directory of its own, which goes with it where this process runs no destructors; otherwise it
    /// is the caller's to remove.
    pub fn start_in(command: &mut Command, directory: &Path) -> io::Result<Self> {
        Self::start_watched(command, Some(directory))
    }

    fn start_watched(command: &mut Command, directory: Option<&Path>) -> io::Result<Self> {
        let mut running = command.stdin(Stdio::null()).spawn()?;
        match watch(running.id(), directory) {
            Ok(watchdog) => Ok(Self { running, watchdog }),
            Err(error) => {
                end(&mut running);
                Err(error)
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> bool {
        is_running(&mut self.running)
    }

    /// Stops it.
    pub fn end(&mut self) {
        // First, or it might signal a process that got the same id later.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        end(&mut self.running);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// A shell that stops the process as soon as its input ends, and removes the directory.
fn watch(pid: u32, directory: Option<&Path>) -> io::Result<Running> {
    let script = "read -r _; kill -TERM \"$1\"; [ -z \"$2\" ] || rm -rf -- \"$2\"";
    Command::new("/bin/sh")
        .args(["-c", script, "watchdog", &pid.to_string()])
        .arg(directory.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn end(process: &mut Running) {
    if !is_running(process) {
        return;
    }
    if let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while is_running(process) {
        if Instant::now() > deadline {
            let _ = process.kill();
            let _ = process.wait();
            return;
        }
        sleep(POLL);
    }
}

fn is_running(process: &mut Running) -> bool {
    matches!(process.try_wait(), Ok(None))
}
