//! The image of the native module: one layer with one file, for a volume or a stage of a build to take it from.

use std::io;
use std::path::Path;

use serde_json::json;

use crate::layout::{Layout, sha256};
use crate::variants::{annotations, archive, gzip};

/// What a module runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Platform {
    /// As OCI calls it.
    architecture: &'static str,
    /// As Rust does.
    pub(crate) target: &'static str,
}

impl Platform {
    /// As the header says of a shared library (ELF for 64 bits, little-endian: `e_ident`, `e_type`, `e_machine`).
    pub(crate) fn of(module: &[u8]) -> Result<Self, &'static str> {
        let is_library = module.starts_with(b"\x7fELF\x02\x01") && module.get(16..18) == Some(&[3, 0]);
        match module.get(18..20) {
            Some([62, 0]) if is_library => Ok(Self { architecture: "amd64", target: "x86_64-unknown-linux-gnu" }),
            Some([183, 0]) if is_library => Ok(Self { architecture: "arm64", target: "aarch64-unknown-linux-gnu" }),
            _ => Err("is no shared library for Linux on x86-64 or ARM64"),
        }
    }
}

/// The image, and its digest.
pub(crate) fn image(module: &[u8], platform: Platform, folder: &Path) -> io::Result<String> {
    let layout = Layout::create(folder)?;
    let archive = archive("libjotgate.so", module)?;
    let config = json!({
        "architecture": platform.architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&archive))]},
    });
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&archive)?)?;
    layout.finish(json!({
        "config": layout.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?,
        "layers": [layer],
        "annotations": annotations("An identity gate for Envoy, as a dynamic module"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_that_of_the_library() {
        let library = |kind: u8, machine: u8| [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 8], &[kind, 0, machine, 0]].concat();
        let architecture = |module: &[u8]| Platform::of(module).map(|platform| platform.architecture);
        assert_eq!(architecture(&library(3, 62)), Ok("amd64"));
        assert_eq!(architecture(&library(3, 183)), Ok("arm64"));
        for odd in [library(2, 62), library(3, 40), library(3, 62)[..19].to_vec(), b"\0asm\x01\0\0\0".to_vec()] {
            assert!(architecture(&odd).is_err(), "{odd:?}");
        }
    }
}
