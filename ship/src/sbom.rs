//! A software bill of materials: what a module is made of, as Cargo resolves it (`CycloneDX` 1.6).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// A crate of the graph: the columns that Cargo prints of it, and what it uses.
#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    licence: String,
    is_ours: bool,
    uses: BTreeSet<String>,
}

/// What ships: the crate that it is built of, for what, and the name of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) package: &'static str,
    pub(crate) target: &'static str,
    pub(crate) file: &'static str,
}

/// The plugin.
pub(crate) const PLUGIN: Product = Product { package: "filter", target: "wasm32-wasip1", file: "jotgate.wasm" };
/// The native module.
pub(crate) const MODULE: Product = Product { package: "dynamic-module", target: "", file: "libjotgate.so" };

/// The bill of the module with this SHA-256. It has neither a date nor a serial number: one module has one bill.
pub(crate) fn of(product: &Product, digest: &str) -> Result<Vec<u8>, String> {
    let tree = cargo(&[
        "tree",
        "--locked",
        &format!("--package={}", product.package),
        &format!("--target={}", product.target),
        "--edges=normal,no-proc-macro",
        "--prefix=depth",
        "--format=\t{p}\t{l}",
    ])?;
    let lock = workspace().join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    let bill = bill(&packages(&tree)?, &checksums(&lock), &release()?, product.file, digest);
    serde_json::to_vec_pretty(&bill).map_err(|error| error.to_string())
}

/// From lines of depth, package and licence; the depths say who uses whom.
fn packages(tree: &str) -> Result<BTreeMap<String, Package>, String> {
    let mut packages = BTreeMap::<String, Package>::new();
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines() {
        let [depth, package, licence] = line.split('\t').collect::<Vec<_>>().try_into().map_err(|_| odd(line))?;
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next().and_then(|word| word.strip_prefix('v'))) else {
            return Err(odd(line));
        };
        let reference = format!("{name}@{version}");
        path.truncate(depth.parse().map_err(|_| odd(line))?);
        if let Some(user) = path.last().and_then(|user| packages.get_mut(user)) {
            user.uses.insert(reference.clone());
        }
        path.push(reference.clone());
        packages.entry(reference).or_insert_with(|| Package {
            name: name.into(),
            version: version.into(),
            // An older way to write it; what was printed before has a star.
            licence: licence.trim_end_matches(" (*)").replace('/', " OR "),
            // Its place in the file system follows.
            is_ours: package.contains('/'),
            uses: BTreeSet::new(),
        });
    }
    Ok(packages)
}

fn odd(line: &str) -> String {
    format!("`cargo tree` printed what is not understood here: {line}")
}

/// The SHA-256 of each crate's archive, by name and version.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let member = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]");
    let entries = blocks.filter_map(|block| {
        let reference = format!("{}@{}", member(block, "name")?, member(block, "version")?);
        Some((reference, member(block, "checksum")?))
    });
    entries.collect()
}

fn bill(
    packages: &BTreeMap<String, Package>,
    checksums: &BTreeMap<String, String>,
    release: &str,
    file: &str,
    digest: &str,
) -> Value {
    let standard = format!("rust-std@{release}");
    let mut components = vec![json!({
        "type": "library",
        "bom-ref": standard,
        "name": "rust-std",
        "version": release,
        "description": "the standard library of Rust",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": format!("pkg:github/rust-lang/rust@{release}"),
    })];
    let mut dependencies = vec![json!({"ref": standard})];
    let mut roots: Vec<_> = packages.keys().collect();
    for (reference, package) in packages {
        let mut component = json!({
            "type": "library",
            "bom-ref": reference,
            "name": package.name,
            "version": package.version,
            "licenses": [{"expression": package.licence}],
        });
        if !package.is_ours {
            component["purl"] = json!(format!("pkg:cargo/{reference}"));
        }
        if let Some(checksum) = checksums.get(reference) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        components.push(component);
        dependencies.push(json!({"ref": reference, "dependsOn": package.uses}));
        roots.retain(|root| !package.uses.contains(*root));
    }
    let plugin = format!("jotgate@{}", env!("CARGO_PKG_VERSION"));
    let uses: Vec<_> = roots.into_iter().chain([&standard]).collect();
    dependencies.push(json!({"ref": plugin, "dependsOn": uses}));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "library",
            "bom-ref": plugin,
            "name": "jotgate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("the module {file}"),
            "licenses": [{"license": {"id": env!("CARGO_PKG_LICENSE")}}],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }},
        "components": components,
        "dependencies": dependencies,
    })
}

/// The release of Rust that builds the plugin.
fn release() -> Result<String, String> {
    let text = cargo(&["version"])?;
    text.split(' ').nth(1).map(str::to_owned).ok_or_else(|| format!("`cargo version` printed: {text}"))
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let command = || format!("`cargo {}`", arguments.join(" "));
    let output = Command::new("cargo").args(arguments).current_dir(workspace()).output();
    let output = output.map_err(|error| format!("{}: {error}", command()))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", command(), String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", command()))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
