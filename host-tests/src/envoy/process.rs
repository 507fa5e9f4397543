//! The process: started with its configuration and log in a directory, and sure to end.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{POLL, StartError, workspace};

/// How long Envoy may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// The lines of the log that a failed test shows.
const SHOWN: usize = 200;

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    watchdog: Child,
    directory: TempDir,
}

impl Process {
    pub(super) fn start(
        binary: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
        directory: TempDir,
        config: &str,
    ) -> Result<Self, StartError> {
        let problem = |error: std::io::Error| StartError(format!("{}: {error}", binary.display()));
        let config_path = directory.path().join("bootstrap.yaml");
        fs::write(&config_path, config).map_err(problem)?;
        let log = File::create(log_path(directory.path())).map_err(problem)?;
        let mut child = Command::new(binary)
            .arg("--config-path")
            .arg(config_path)
            .arg("--admin-address-path")
            .arg(admin_path(directory.path()))
            .arg("--disable-hot-restart")
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            // Relative paths in the runnable configurations start here.
            .current_dir(workspace())
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(problem)?)
            .stderr(log)
            .spawn()
            .map_err(problem)?;
        match watch(child.id()) {
            Ok(watchdog) => Ok(Self { child, watchdog, directory }),
            Err(error) => {
                end(&mut child);
                Err(problem(error))
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn log(&self) -> String {
        let bytes = fs::read(log_path(self.directory())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where the admin interface listens, once Envoy has written it down.
    pub(super) fn admin_address(&self) -> Option<SocketAddr> {
        fs::read_to_string(admin_path(self.directory())).ok()?.trim().parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First, or it might signal a process that got the same id later.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        end(&mut self.child);
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let hidden = lines.len().saturating_sub(SHOWN);
            eprintln!("--- Envoy's log, without its first {hidden} lines:");
            for line in lines.iter().skip(hidden) {
                eprintln!("{line}");
            }
            eprintln!("--- end of Envoy's log");
        }
    }
}

/// A shell that ends Envoy when this process dies in a way that runs no destructors.
fn watch(pid: u32) -> std::io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", "read -r _; kill -TERM \"$1\"", "watchdog", &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn end(child: &mut Child) {
    let running = |child: &mut Child| matches!(child.try_wait(), Ok(None));
    if !running(child) {
        return;
    }
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while running(child) {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(POLL);
    }
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("envoy.log")
}

fn admin_path(directory: &Path) -> PathBuf {
    directory.join("admin")
}
