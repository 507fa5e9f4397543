//! The two forms of image that Istio and Envoy Gateway take a module from (the Wasm Image Specification, `spec.md` and
//! `spec-compat.md`).

use std::io;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use crate::layout::{Layout, sha256};

/// The form that every registry and tool knows: an image with one layer, which holds `plugin.wasm`.
pub(crate) fn compat(module: &[u8], folder: &Path) -> io::Result<String> {
    let layout = Layout::create(folder)?;
    let archive = archive("plugin.wasm", module)?;
    let config = json!({
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&archive))]},
    });
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&archive)?)?;
    let mut annotations = annotations(DESCRIPTION);
    annotations["module.wasm.image/variant"] = json!("compat");
    layout.finish(json!({
        "config": layout.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?,
        "layers": [layer],
        "annotations": annotations,
    }))
}

/// The form that has the module as it is, beside a layer about the runtime.
pub(crate) fn artifact(module: &[u8], folder: &Path) -> io::Result<String> {
    let layout = Layout::create(folder)?;
    let runtime = json!({"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {"root_ids": ["jotgate"]}});
    let titled = |media_type, bytes: &[u8], title| -> io::Result<Value> {
        let mut descriptor = layout.blob(media_type, bytes)?;
        descriptor["annotations"] = json!({"org.opencontainers.image.title": title});
        Ok(descriptor)
    };
    let runtime = runtime.to_string();
    let layers = [
        titled("application/vnd.module.wasm.config.v1+json", runtime.as_bytes(), "runtime-config.json")?,
        titled("application/vnd.module.wasm.content.layer.v1+wasm", module, "plugin.wasm")?,
    ];
    layout.finish(json!({
        "artifactType": "application/vnd.module.wasm.config.v1+json",
        "config": layout.blob("application/vnd.oci.empty.v1+json", b"{}")?,
        "layers": layers,
        "annotations": annotations(DESCRIPTION),
    }))
}

const DESCRIPTION: &str = "An identity gate for Envoy and Istio, as a proxy-wasm plugin";

pub(crate) fn annotations(description: &str) -> Value {
    json!({
        "org.opencontainers.image.description": description,
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.title": "jotgate",
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
    })
}

/// A tar archive of one file that tells nothing of who made it and when.
pub(crate) fn archive(name: &str, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, content)?;
    builder.into_inner()
}

pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    use io::Write as _;
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
