//! What Istio's agent and Envoy Gateway do to get a module out of a registry, and what they insist on.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::files::sha256;
use crate::registry::Registry;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// What a registry gave.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The digest of the manifest, which `sha256` of a `WasmPlugin` is compared with.
    pub(crate) digest: String,
    pub(crate) manifest: Value,
    pub(crate) module: Result<Vec<u8>, String>,
}

/// Fetches `name:reference`.
pub(crate) fn fetch(registry: &Registry, name: &str, reference: &str) -> Fetched {
    let accept = format!("{OCI_MANIFEST}, {DOCKER_MANIFEST}");
    let answer = registry.get(&format!("/v2/{name}/manifests/{reference}"), &accept);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let manifest = answer.json();
    // An index would have the fetcher choose by a platform, which a module does not have.
    assert_eq!(answer.header("content-type").as_deref(), Some(OCI_MANIFEST));
    Fetched { digest: sha256(&answer.body), module: module(registry, name, &manifest), manifest }
}

fn module(registry: &Registry, name: &str, manifest: &Value) -> Result<Vec<u8>, String> {
    let layers = manifest["layers"].as_array().ok_or("has no layers")?;
    let blob = |layer: &Value| {
        let digest = layer["digest"].as_str().expect("has one");
        let bytes = registry.get(&format!("/v2/{name}/blobs/{digest}"), "*/*").body;
        assert_eq!(format!("sha256:{}", sha256(&bytes)), digest);
        assert_eq!(layer["size"], bytes.len());
        bytes
    };
    let last = layers.last().ok_or("number of layers must be greater than zero")?;
    let kind = |layer: &Value| layer["mediaType"].as_str().unwrap_or_default().to_owned();
    if manifest["mediaType"] == DOCKER_MANIFEST {
        return if kind(last) == DOCKER_LAYER { from_archive(&blob(last)) } else { Err("no Docker layer".into()) };
    }
    if kind(last) == OCI_LAYER {
        return from_archive(&blob(last));
    }
    if layers.len() != 2 {
        return Err(format!("number of layers must be 2 but got {}", layers.len()));
    }
    layers.iter().find(|layer| kind(layer) == WASM_LAYER).map(blob).ok_or_else(|| format!("no layer of {WASM_LAYER}"))
}

/// The first file of that name, in any folder.
fn from_archive(layer: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(layer));
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        if entry.path().is_ok_and(|path| path.file_name().is_some_and(|name| name == "plugin.wasm")) {
            let mut bytes = Vec::new();
            return entry.read_to_end(&mut bytes).map(|_| bytes).map_err(|error| error.to_string());
        }
    }
    Err("plugin.wasm not found in the archive".into())
}
