//! The functions that the host calls.

use crate::types::Action;

/// What a plugin does in each callback; one object for each VM. A callback that is not listed in [`export!`](crate::export!) is not exported,
/// so that the host never makes that call.
pub trait Plugin {
    /// A context is new: one for a configuration, whose `root` is 0, or one for a stream.
    fn on_context_create(&mut self, context: u32, root: u32) {
        let _ = (context, root);
    }

    /// A configuration is there; `false` rejects it.
    fn on_configure(&mut self, root: u32, configuration_size: usize) -> bool {
        let _ = (root, configuration_size);
        true
    }

    /// The timer of a configuration has run out.
    fn on_tick(&mut self, root: u32) {
        let _ = root;
    }

    /// A callout was answered.
    fn on_http_call_response(&mut self, root: u32, token: u32, body_size: usize) {
        let _ = (root, token, body_size);
    }

    /// The headers of a request are there.
    fn on_request_headers(&mut self, context: u32, end_of_stream: bool) -> Action {
        let _ = (context, end_of_stream);
        Action::Continue
    }

    /// The trailers of a request are there.
    fn on_request_trailers(&mut self, context: u32) -> Action {
        let _ = context;
        Action::Continue
    }

    /// The headers of a response are there: the upstream's, the host's own, or the one that this plugin sent.
    fn on_response_headers(&mut self, context: u32) -> Action {
        let _ = context;
        Action::Continue
    }

    /// A context is gone.
    fn on_delete(&mut self, context: u32) {
        let _ = context;
    }
}

/// Memory for the host to fill, zeroed: what it leaves alone holds nothing old.
#[cfg(target_os = "wasi")]
pub fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; size].into_boxed_slice()).cast()
}

/// Exports a [`Plugin`], made by a constant expression, with the callbacks that are listed:
/// `abi::export!(Vm = Vm::new(); on_configure, on_tick);`
///
/// What every module needs is exported besides. A host that calls back in the middle of a call gets the safe answer:
/// it is refused, paused or ignored. A response goes on.
#[macro_export]
macro_rules! export {
    ($plugin:ty = $new:expr; $($callback:ident),+ $(,)?) => {
        const _: () = {
            ::std::thread_local! {
                static PLUGIN: ::std::cell::RefCell<$plugin> = const { ::std::cell::RefCell::new($new) };
            }

            fn with_plugin<T>(busy: T, call: impl FnOnce(&mut $plugin) -> T) -> T {
                PLUGIN.with(|plugin| plugin.try_borrow_mut().map_or(busy, |mut plugin| call(&mut plugin)))
            }

            unsafe extern "C" {
                fn __wasm_call_ctors();
            }

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
                $crate::allocate(size)
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
                1
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_context_create(context: u32, root: u32) {
                with_plugin((), |plugin| $crate::Plugin::on_context_create(plugin, context, root));
            }

            $($crate::export_callback!($callback);)+
        };
    };
}

/// One callback of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_callback {
    (on_configure) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_configure(root: u32, configuration_size: usize) -> u32 {
            with_plugin(0, |plugin| u32::from($crate::Plugin::on_configure(plugin, root, configuration_size)))
        }
    };
    (on_tick) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_tick(root: u32) {
            with_plugin((), |plugin| $crate::Plugin::on_tick(plugin, root));
        }
    };
    (on_http_call_response) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_http_call_response(
            root: u32,
            token: u32,
            _headers: u32,
            body_size: usize,
            _trailers: u32,
        ) {
            with_plugin((), |plugin| $crate::Plugin::on_http_call_response(plugin, root, token, body_size));
        }
    };
    (on_request_headers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, end_of_stream: u32) -> u32 {
            let call = |plugin: &mut _| $crate::Plugin::on_request_headers(plugin, context, end_of_stream != 0);
            with_plugin($crate::Action::Pause, call) as u32
        }
    };
    (on_request_trailers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_trailers(context: u32, _trailers: u32) -> u32 {
            let call = |plugin: &mut _| $crate::Plugin::on_request_trailers(plugin, context);
            with_plugin($crate::Action::Pause, call) as u32
        }
    };
    (on_response_headers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_response_headers(context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
            let call = |plugin: &mut _| $crate::Plugin::on_response_headers(plugin, context);
            with_plugin($crate::Action::Continue, call) as u32
        }
    };
    (on_delete) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_delete(context: u32) {
            with_plugin((), |plugin| $crate::Plugin::on_delete(plugin, context));
        }
    };
}
