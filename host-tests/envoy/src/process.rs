//! The process: started with its configuration and log in a directory.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use test_support::child::Child;
use test_support::workspace;

use crate::error::StartError;

/// The lines of the log that a failed test shows.
const SHOWN: usize = 200;

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    directory: TempDir,
}

impl Process {
    pub(crate) fn start(
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
        let mut command = Command::new(binary);
        command
            .arg("--config-path")
            .arg(config_path)
            .arg("--admin-address-path")
            .arg(admin_path(directory.path()))
            .arg("--disable-hot-restart")
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            // Relative paths in the runnable configurations start here.
            .current_dir(workspace())
            .stdout(log.try_clone().map_err(problem)?)
            .stderr(log);
        Ok(Self { child: Child::start_in(&mut command, directory.path()).map_err(problem)?, directory })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.is_running()
    }

    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(log_path(self.directory())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Shows the end of the log, for a test that failed.
    pub(crate) fn show_log(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let hidden = lines.len().saturating_sub(SHOWN);
        eprintln!("--- Envoy's log, without its first {hidden} lines:");
        for line in lines.iter().skip(hidden) {
            eprintln!("{line}");
        }
        eprintln!("--- end of Envoy's log");
    }

    /// Where the admin interface listens, once Envoy has written it down.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        fs::read_to_string(admin_path(self.directory())).ok()?.trim().parse().ok()
    }
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("envoy.log")
}

fn admin_path(directory: &Path) -> PathBuf {
    directory.join("admin")
}
