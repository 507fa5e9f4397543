//! Machine code of modules, kept for the next process: each test binary would compile the plugin anew.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};
use wasmtime::{Engine, Module};

/// The module, from `folder` where it was compiled before. What is unusable there is compiled anew, and replaced.
pub(crate) fn module(engine: &Engine, bytes: &[u8], folder: &Path) -> wasmtime::Result<Module> {
    let digest = Sha256::digest(bytes);
    let name = digest.iter().fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    });
    let path = folder.join(name).with_extension("cwasm");
    if let Ok(code) = fs::read(&path)
        && let Some(module) = deserialize(engine, &code)
    {
        return Ok(module);
    }
    let module = Module::new(engine, bytes)?;
    // Without the file, the next process compiles it again, and nothing else is lost.
    let _ = keep(&module.serialize()?, &path);
    Ok(module)
}

/// Other tests may look for the file at any moment: it is there as a whole or not at all.
fn keep(code: &[u8], path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(&file, code)?;
    file.persist(path)?;
    Ok(())
}

/// Nothing for code of another version of wasmtime or other options, which it holds as well.
#[expect(unsafe_code, reason = "the code is trusted as the test binaries are that lie in the same folder")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Module> {
    // SAFETY: only `keep` writes there, what wasmtime made.
    unsafe { Module::deserialize(engine, code) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Config;

    const TEXT: &[u8] = br#"(module (func (export "f") (result i32) (i32.const 7)))"#;

    fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    #[test]
    fn a_module_is_compiled_once() {
        let (engine, folder) = (Engine::default(), tempfile::tempdir().unwrap());
        let folder = folder.path().join("new");
        module(&engine, TEXT, &folder).unwrap();
        let [(path, code)] = files(&folder).try_into().unwrap();
        // Code of another module, by which it is seen that the file is used.
        let other = Module::new(&engine, r#"(module (func (export "other")))"#).unwrap();
        fs::write(&path, other.serialize().unwrap()).unwrap();
        let found = module(&engine, TEXT, &folder).unwrap();
        assert!(found.get_export("other").is_some() && found.get_export("f").is_none());
        fs::write(&path, code).unwrap();
        assert!(module(&engine, TEXT, &folder).unwrap().get_export("f").is_some());
    }

    #[test]
    fn what_is_not_this_engine_s_code_is_compiled_again() {
        let (engine, folder) = (Engine::default(), tempfile::tempdir().unwrap());
        let mut other = Config::new();
        other.consume_fuel(true);
        module(&Engine::new(&other).unwrap(), TEXT, folder.path()).unwrap();
        let [(path, code)] = files(folder.path()).try_into().unwrap();
        for unusable in [code, b"nonsense".to_vec(), Vec::new()] {
            fs::write(&path, &unusable).unwrap();
            assert!(module(&engine, TEXT, folder.path()).unwrap().get_export("f").is_some());
            let [(_, kept)] = files(folder.path()).try_into().unwrap();
            assert_ne!(kept, unusable);
        }
    }

    #[test]
    fn modules_do_not_share_a_file() {
        let (engine, folder) = (Engine::default(), tempfile::tempdir().unwrap());
        module(&engine, TEXT, folder.path()).unwrap();
        module(&engine, br#"(module (func (export "g")))"#, folder.path()).unwrap();
        assert_eq!(files(folder.path()).len(), 2);
    }
}
