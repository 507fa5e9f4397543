//! An OCI image layout (image-spec, `image-layout.md`): a folder that holds blobs by their digest.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout that is being written.
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// An empty one, in place of what was in the folder.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        if folder.exists() {
            // Blobs of an earlier build would stay for ever. What is no layout is left alone.
            fs::remove_file(folder.join("oci-layout"))?;
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("blobs/sha256"))?;
        fs::write(folder.join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string())?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// Adds a blob. What comes back is its descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> io::Result<Value> {
        let digest = sha256(bytes);
        fs::write(self.folder.join("blobs/sha256").join(&digest), bytes)?;
        Ok(json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()}))
    }

    /// Adds the manifest, the only one: fetchers would have to choose from several. What comes back is its digest.
    pub(crate) fn finish(&self, mut manifest: Value) -> io::Result<String> {
        manifest["schemaVersion"] = json!(2);
        manifest["mediaType"] = json!(MANIFEST);
        let descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes())?;
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [descriptor],
        });
        fs::write(self.folder.join("index.json"), index.to_string())?;
        Ok(descriptor["digest"].as_str().unwrap_or_default().to_owned())
    }
}

/// The SHA-256 of these bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}
