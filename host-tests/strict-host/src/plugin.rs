//! A compiled module.

use crate::imports;
use crate::imports::names;
use crate::precompiled;
use crate::state::State;
use std::fmt;
use std::path::Path;
use wasmtime::{Config, Engine, InstancePre, Linker, Module};

/// A module that is compiled, linked and ready for any number of VMs. Cloning it is cheap, and threads may share it.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) engine: Engine,
    pub(crate) module: InstancePre<State>,
}

/// Why a module cannot be a plugin.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read.
    Read(String),
    /// It is no WebAssembly, or uses something that the host does not know.
    Compile(String),
    /// It imports what no proxy offers.
    Import {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// It imports a host call with another signature.
    Signature(String),
    /// It lacks an export that the ABI requires.
    Export(&'static str),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "{error}"),
            Self::Compile(error) => write!(f, "the module does not compile: {error}"),
            Self::Import { module, name } => write!(
                f,
                "the module imports `{module}.{name}`, which proxies refuse: allowed are the proxy-wasm ABI 0.2.1 in \
                 `env` and {} in `{}`; find the dependency that pulls it in and drop it",
                names::WASI.join(", "),
                names::WASI_MODULE
            ),
            Self::Signature(error) => write!(f, "the module imports a host call with a wrong signature: {error}"),
            Self::Export(name) => write!(f, "the module does not export `{name}`, which ABI 0.2.1 requires"),
        }
    }
}

impl std::error::Error for LoadError {}

impl Plugin {
    /// Loads a module from a file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| LoadError::Read(format!("cannot read the module `{}`: {error}", path.display())))?;
        let folder = test_support::target().join("modules");
        Self::link(|engine| precompiled::module(engine, &bytes, &folder))
    }

    /// Compiles a module, binary or text.
    pub fn compile(module: impl AsRef<[u8]>) -> Result<Self, LoadError> {
        Self::link(|engine| Module::new(engine, module))
    }

    fn link(module: impl FnOnce(&Engine) -> wasmtime::Result<Module>) -> Result<Self, LoadError> {
        let mut config = Config::new();
        // Fuel turns an endless loop into an error, at the same instruction in every run.
        config.consume_fuel(true);
        let engine = Engine::new(&config).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        let module = module(&engine).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        check_imports(&module)?;
        check_exports(&module)?;
        let mut linker = Linker::new(&engine);
        imports::define(&mut linker).expect("each host call is defined once");
        let module = linker.instantiate_pre(&module).map_err(|error| LoadError::Signature(format!("{error:#}")))?;
        Ok(Self { engine, module })
    }

    /// The module itself: what it imports and exports.
    pub fn module(&self) -> &Module {
        self.module.module()
    }

    /// Whether the module exports a function of that name; hosts call only what is exported.
    pub fn exports(&self, name: &str) -> bool {
        self.module.module().get_export(name).is_some_and(|export| export.func().is_some())
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}

fn check_imports(module: &Module) -> Result<(), LoadError> {
    for import in module.imports() {
        let allowed = match import.module() {
            "env" => names::ENV.contains(&import.name()),
            names::WASI_MODULE => names::WASI.contains(&import.name()),
            _ => false,
        };
        if !allowed {
            let (module, name) = (import.module().to_owned(), import.name().to_owned());
            return Err(LoadError::Import { module, name });
        }
    }
    Ok(())
}

fn check_exports(module: &Module) -> Result<(), LoadError> {
    let exported = |name: &str| module.get_export(name).is_some();
    if !exported("proxy_abi_version_0_2_1") {
        return Err(LoadError::Export("proxy_abi_version_0_2_1"));
    }
    if !exported("memory") {
        return Err(LoadError::Export("memory"));
    }
    if !exported("proxy_on_memory_allocate") && !exported("malloc") {
        return Err(LoadError::Export("proxy_on_memory_allocate"));
    }
    Ok(())
}
