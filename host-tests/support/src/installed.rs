//! Whether programs are there that tests run, and `make` installs.

use std::process::Command;

/// Whether all of `programs` can be run. Where they cannot be installed, `make test` says so loudly, and CI fails; a
/// test says that it is skipped, and what to run: `make`.
pub fn are_installed(programs: &[&str], make: &str) -> bool {
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let missing: Vec<_> = programs.iter().filter(|name| !runs(name)).copied().collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: there is no {}: run `{make}`", missing.join(" and no "));
    }
    missing.is_empty()
}
