//! What others say of a token that the gate has signed, with the keys that it serves.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::built::{tool, workspace};

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
    let mut node = Command::new("node");
    judge(node.arg(script).args([key_set, issuer, audience]).current_dir(tool("providers")), token)
}

fn judge(command: &mut Command, token: &str) -> Result<Value, String> {
    let (input, output) = (Stdio::piped(), Stdio::piped());
    let running = command.stdin(input).stdout(output).stderr(Stdio::piped()).spawn();
    let mut running = running.map_err(|error| error.to_string())?;
    if let Some(mut pipe) = running.stdin.take() {
        // One that does not read it says why.
        let _ = pipe.write_all(token.as_bytes());
    }
    let ended = running.wait_with_output().map_err(|error| error.to_string())?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    serde_json::from_slice(&ended.stdout).map_err(|error| error.to_string())
}
