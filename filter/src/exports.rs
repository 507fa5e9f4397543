//! The functions that the host calls. It calls those that are here and no others: the plugin has none for bodies
//! and responses, so that neither ever crosses the border.
#![expect(unsafe_code, reason = "exported names are outside the compiler's sight; each is the ABI's own")]

use std::cell::RefCell;

use crate::abi;
use crate::plugin::{Action, Vm};

thread_local! {
    static VM: RefCell<Vm> = const { RefCell::new(Vm::new()) };
}

/// Runs `call` on the state of this VM. A host that calls back in the middle of a call gets `busy`.
fn with_vm<T>(busy: T, call: impl FnOnce(&mut Vm) -> T) -> T {
    VM.with(|vm| vm.try_borrow_mut().map_or(busy, |mut vm| call(&mut vm)))
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Prepares the module.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the linker provides it, and the host calls this once, before anything else.
    unsafe { __wasm_call_ctors() };
}

/// Marks the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    abi::allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    with_vm((), |vm| vm.create_context(context, root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, configuration_size: usize) -> u32 {
    with_vm(0, |vm| u32::from(vm.configure(root, configuration_size)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    with_vm((), |vm| vm.tick(root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(root: u32, token: u32, _headers: u32, body_size: usize, _trailers: u32) {
    with_vm((), |vm| vm.callout_answered(root, token, body_size));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, end_of_stream: u32) -> u32 {
    with_vm(Action::Pause, |vm| vm.request_headers(context, end_of_stream == 0)) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _trailers: u32) -> u32 {
    with_vm(Action::Pause, |vm| vm.request_trailers(context)) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    with_vm((), |vm| vm.delete_context(context));
}
