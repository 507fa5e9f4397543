//! The imports that a proxy offers: proxy-wasm ABI 0.2.1 and a little WASI.

mod buffers;
mod calls;
mod general;
mod host_call;
mod maps;
pub(crate) mod names;
mod sharing;
mod streams;
mod wasi;

use crate::state::State;
use wasmtime::Linker;

/// Defines every import.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    buffers::define(linker)?;
    calls::define(linker)?;
    general::define(linker)?;
    maps::define(linker)?;
    sharing::define(linker)?;
    streams::define(linker)?;
    wasi::define(linker)
}
