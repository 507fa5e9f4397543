//! What others say of a token that the gate has signed, with the keys that it serves.

use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::built::{tool, workspace};

/// Seconds that one has.
const LIMIT: u8 = 60;
/// The exit status of `timeout` where it had to end what it ran.
const TIMED_OUT: i32 = 124;

/// `PyJWT`'s word: the claims of a good token, or what is wrong with it. `key_set` is a URL.
pub fn pyjwt(token: &str, key_set: &str, issuer: &str, audience: &str) -> Result<Value, String> {
    let mut python = Command::new(tool("providers/venv/bin/python3"));
    python.arg(workspace().join("host-tests/providers/verify.py"));
    judge(python.args([key_set, issuer, audience]), token)
}

/// The word of npm's jose, likewise.
pub fn jose(token: &str, key_set: &str, issuer: &str, audience: &str) -> Result<Value, String> {
    let script = workspace().join("host-tests/providers/verify.mjs");
    let script = script.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    // Node, very seldom, hangs as it starts.
    let mut node = Command::new("timeout");
    judge(
        node.args([&LIMIT.to_string(), "node"])
            .arg(script)
            .args([key_set, issuer, audience])
            .current_dir(tool("providers")),
        token,
    )
}

/// One that did not end is asked once more.
fn judge(command: &mut Command, token: &str) -> Result<Value, String> {
    let mut ended = run(command, token).map_err(|error| error.to_string())?;
    if ended.status.code() == Some(TIMED_OUT) {
        ended = run(command, token).map_err(|error| error.to_string())?;
    }
    if !ended.status.success() {
        return Err(format!("{}: {}", ended.status, String::from_utf8_lossy(&ended.stderr)));
    }
    serde_json::from_slice(&ended.stdout).map_err(|error| error.to_string())
}

fn run(command: &mut Command, token: &str) -> io::Result<Output> {
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = running.stdin.take() {
        // One that does not read it says why.
        let _ = pipe.write_all(token.as_bytes());
    }
    running.wait_with_output()
}
