//! Resources that a running Envoy takes from files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};

/// Where Envoy looks for resources of a kind: the member of `dynamic_resources`, and the file in the folder of its run.
pub(crate) const CLUSTERS: (&str, &str) = ("cds_config", "clusters");
/// The same for listeners.
pub(crate) const LISTENERS: (&str, &str) = ("lds_config", "listeners");

/// Has a bootstrap configuration take resources of these kinds from files; without any, so far ([`response`]).
pub(crate) fn watch(config: &mut Value, sources: &[(&str, &str)]) {
    config["node"] = json!({"id": "test", "cluster": "test"});
    for (member, file) in sources {
        let source = json!({"path": format!("{{{{dir}}}}/{file}")});
        config["dynamic_resources"][member] = json!({"resource_api_version": "V3", "path_config_source": source});
    }
}

/// The content of such a file.
pub(crate) fn response(resources: &[Value]) -> String {
    json!({"resources": resources}).to_string()
}

/// Envoy reads a file anew when another is moved into its place.
pub(crate) fn publish(folder: &Path, name: &str, resources: &[Value]) -> io::Result<()> {
    let new: PathBuf = folder.join("new");
    fs::write(&new, response(resources))?;
    fs::rename(new, folder.join(name))
}
