//! Packs the modules that `make plugin` and `make module` build. The same input gives the same bytes on every machine.
//!
//! | module | subject |
//! | --- | --- |
//! | `layout` | an OCI image layout: blobs by their digest, and one manifest |
//! | `module` | sections of a Wasm module |
//! | `native` | the image of the native module |
//! | `sbom` | what a module is made of, as CycloneDX |
//! | `variants` | the two forms of image that proxies take a module from |

#![expect(clippy::indexing_slicing, reason = "of JSON: what is written to is an object that is made here")]

mod layout;
mod module;
mod native;
mod sbom;
mod variants;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Packs the modules that `make plugin` and `make module` build.
#[derive(Parser)]
#[command(name = "ship")]
enum Arguments {
    /// Writes a module without its custom sections, which hold names for people and tools.
    Strip {
        /// The module as it was linked.
        module: PathBuf,
        /// Where to write.
        stripped: PathBuf,
    },
    /// Writes a module's checksum, its SBOM and its images beside it.
    Pack {
        /// The module that ships.
        module: PathBuf,
    },
    /// Writes the checksum of a native module, its SBOM and its image beside it.
    PackNative {
        /// The module that ships.
        module: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse() {
        Arguments::Strip { module, stripped } => strip(&module, &stripped),
        Arguments::Pack { module } => pack(&module),
        Arguments::PackNative { module } => pack_native(&module),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ship: {error}");
            ExitCode::FAILURE
        }
    }
}

fn strip(module: &Path, stripped: &Path) -> Result<(), String> {
    let bytes = read(module)?;
    let bytes = module::strip(&bytes).map_err(|error| about(module, error))?;
    fs::write(stripped, bytes).map_err(|error| about(stripped, error))
}

fn pack(path: &Path) -> Result<(), String> {
    let module = read(path)?;
    module::strip(&module).map_err(|error| about(path, error))?;
    describe(path, &module, &sbom::PLUGIN)?;
    for (folder, write) in [("image", variants::compat as fn(&_, &_) -> _), ("artifact", variants::artifact)] {
        let folder = path.with_file_name(folder);
        let digest = write(&module, &folder).map_err(|error| about(&folder, error))?;
        println!("   {}: {digest}", folder.display());
    }
    Ok(())
}

fn pack_native(path: &Path) -> Result<(), String> {
    let module = read(path)?;
    let platform = native::Platform::of(&module).map_err(|error| about(path, error))?;
    describe(path, &module, &sbom::Product { target: platform.target, ..sbom::MODULE })?;
    let folder = path.with_file_name("module-image");
    let digest = native::image(&module, platform, &folder).map_err(|error| about(&folder, error))?;
    println!("   {}: {digest}", folder.display());
    Ok(())
}

/// Writes the checksum and the SBOM.
fn describe(path: &Path, module: &[u8], product: &sbom::Product) -> Result<(), String> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| about(path, "has no name"))?;
    let digest = layout::sha256(module);
    // The form that `sha256sum --check` reads.
    let checksum = path.with_added_extension("sha256");
    fs::write(&checksum, format!("{digest}  {name}\n")).map_err(|error| about(&checksum, error))?;
    let bill = path.with_extension("cdx.json");
    fs::write(&bill, sbom::of(product, &digest)?).map_err(|error| about(&bill, error))?;
    println!("   {name}: sha256:{digest}");
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| about(path, error))
}

fn about(path: &Path, error: impl Display) -> String {
    format!("{}: {error}", path.display())
}
