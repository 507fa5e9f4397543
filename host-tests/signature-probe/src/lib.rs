//! The plugin's signature checks as a plugin of their own: the same code, another entrance.
//!
//! Its configuration is a JSON object with `groups`, each with an `algorithm`, a `jwk` and `cases`: pairs of message
//! and signature in base64url. For each group it writes a line to the log: `checked software=… host=…`, with one
//! letter for each case, `1` for good, `0` for bad, `-` for no opinion. The software checks every `every`-th case.
#![cfg(target_os = "wasi")]

use abi::hostcalls::{self, log};
use abi::signature::{HostSignatures, call_host, verify_by_host};
use abi::{Buffer, LogLevel};
use jose::Algorithm;
use jose::base64url;
use jose::json::{Document, Value};
use jose::jwk::{KeyMaterial, Origin, VerificationKey};
use jose::signature::{SignatureVerifier as _, Software};

abi::export!(SignatureProbe = SignatureProbe; on_configure);

struct SignatureProbe;

impl abi::Plugin for SignatureProbe {
    /// Checks all groups; rejects a configuration that cannot be read.
    fn on_configure(&mut self, _root: u32, size: usize) -> bool {
        log(LogLevel::Info, &HostSignatures::check(call_host).summary());
        let Ok(configuration) = hostcalls::buffer(Buffer::PluginConfiguration, size) else { return false };
        let is_done = check_all(&configuration).is_some();
        log(LogLevel::Info, if is_done { "checked all" } else { "the configuration holds no groups of signatures" });
        is_done
    }
}

fn check_all(configuration: &[u8]) -> Option<()> {
    let document = Document::parse(configuration).ok()?;
    let every = usize::try_from(document.root().get("every")?.as_number()?.to_u64()?).ok()?;
    for group in document.root().get("groups")?.elements() {
        let algorithm = Algorithm::from_name(group.get("algorithm")?.as_str()?)?;
        let key = VerificationKey::from_jwk(group.get("jwk")?, Origin::Configuration).ok()?;
        let line = check(key.material(), algorithm, group.get("cases")?, every)?;
        log(LogLevel::Info, &line);
    }
    Some(())
}

fn check(key: &KeyMaterial, algorithm: Algorithm, cases: Value<'_>, every: usize) -> Option<String> {
    let letter = |verdict: Option<bool>| verdict.map_or('-', |is_good| if is_good { '1' } else { '0' });
    let (mut software, mut host) = (String::new(), String::new());
    for (index, case) in cases.elements().enumerate() {
        let mut parts = case.elements().filter_map(|part| base64url::decode(part.as_str()?.as_bytes()));
        let (message, signature) = (parts.next()?, parts.next()?);
        let by_software = index.is_multiple_of(every).then(|| Software.verify(key, algorithm, &message, &signature));
        software.push(letter(by_software));
        host.push(letter(verify_by_host(call_host, key, algorithm, &message, &signature)));
    }
    Some(format!("checked software={software} host={host}"))
}
