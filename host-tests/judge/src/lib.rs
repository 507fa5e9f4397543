//! The plugin's signature checks as a plugin of their own: the same source files, another entrance.
//!
//! Its configuration is a JSON object with `groups`, each with an `algorithm`, a `jwk` and `cases`: pairs of message
//! and signature in base64url. For each group it writes a line to the log: `judged software=… host=…`, with one
//! letter for each case, `1` for good, `0` for bad, `-` for no opinion. Of the software's, `every` n-th case is
//! judged.
#![cfg(target_os = "wasi")]

#[expect(dead_code, reason = "the plugin's border, of which a judge needs little")]
#[path = "../../../filter/src/abi.rs"]
mod abi;
mod exports;
#[path = "../../../filter/src/signature.rs"]
mod signature;

use jose::Algorithm;
use jose::base64url;
use jose::json::{Document, Value};
use jose::jwk::{KeyMaterial, Origin, VerificationKey};
use jose::signature::{SignatureVerifier as _, Software};

use crate::abi::{Buffer, LogLevel};
use crate::signature::{HostSignatures, verify_by_host};

/// Judges all groups; `false` where the configuration cannot be read.
pub(crate) fn configure(size: usize) -> bool {
    // Says in the log what the plugin would use the host for.
    HostSignatures::check();
    let Ok(configuration) = abi::buffer(Buffer::PluginConfiguration, size) else { return false };
    let judged = judge_all(&configuration).is_some();
    abi::log(LogLevel::Info, if judged { "judged all" } else { "the configuration is none for a judge" });
    judged
}

fn judge_all(configuration: &[u8]) -> Option<()> {
    let document = Document::parse(configuration).ok()?;
    let every = usize::try_from(document.root().get("every")?.as_number()?.to_u64()?).ok()?;
    for group in document.root().get("groups")?.elements() {
        let algorithm = Algorithm::from_name(group.get("algorithm")?.as_str()?)?;
        let key = VerificationKey::from_jwk(group.get("jwk")?, Origin::Configuration).ok()?;
        let line = judge(key.material(), algorithm, group.get("cases")?, every)?;
        abi::log(LogLevel::Info, &line);
    }
    Some(())
}

fn judge(key: &KeyMaterial, algorithm: Algorithm, cases: Value<'_>, every: usize) -> Option<String> {
    let letter = |verdict: Option<bool>| verdict.map_or('-', |is_good| if is_good { '1' } else { '0' });
    let (mut software, mut host) = (String::new(), String::new());
    for (index, case) in cases.elements().enumerate() {
        let mut parts = case.elements().filter_map(|part| base64url::decode(part.as_str()?.as_bytes()));
        let (message, signature) = (parts.next()?, parts.next()?);
        let by_software = index.is_multiple_of(every).then(|| Software.verify(key, algorithm, &message, &signature));
        software.push(letter(by_software));
        host.push(letter(verify_by_host(key, algorithm, &message, &signature)));
    }
    Some(format!("judged software={software} host={host}"))
}
