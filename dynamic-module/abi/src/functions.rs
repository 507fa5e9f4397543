//! Envoy's functions, looked up when the module is loaded.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use crate::raw::{Buffer, Envoy, Pair};

macro_rules! functions {
    ($($name:ident = $symbol:literal: fn($($argument:ty),*) $(-> $answer:ty)?;)+) => {
        /// The functions of Envoy that this crate calls. They are those of `abi.h` of ABI v0.1.0, which v0.2.0 keeps.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)+
        }

        impl Functions {
            /// Those that `find` finds, or the names of those that it does not.
            ///
            /// # Safety
            ///
            /// What `find` finds for a name is the function of that name in Envoy's ABI.
            unsafe fn find(find: impl Fn(&CStr) -> *mut c_void) -> Result<Self, Vec<&'static CStr>> {
                let mut missing = Vec::new();
                $(let $name = find($symbol);
                if $name.is_null() {
                    missing.push($symbol);
                })+
                if !missing.is_empty() {
                    return Err(missing);
                }
                Ok(Self {
                    // SAFETY: not null, and so, says the caller, the function of that name, whose type is declared here.
                    $($name: unsafe {
                        std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $answer)?>($name)
                    },)+
                })
            }
        }
    };
}

functions! {
    add_header = c"envoy_dynamic_module_callback_http_add_header": fn(Envoy, u32, Buffer, Buffer) -> bool;
    clear_route_cache = c"envoy_dynamic_module_callback_http_clear_route_cache": fn(Envoy);
    config_callout = c"envoy_dynamic_module_callback_http_filter_config_http_callout":
        fn(Envoy, *mut u64, Buffer, *const Pair, usize, Buffer, u64) -> u32;
    config_increment_counter = c"envoy_dynamic_module_callback_http_filter_config_increment_counter":
        fn(Envoy, usize, *const Buffer, usize, u64) -> u32;
    config_record_histogram = c"envoy_dynamic_module_callback_http_filter_config_record_histogram_value":
        fn(Envoy, usize, *const Buffer, usize, u64) -> u32;
    config_scheduler_commit = c"envoy_dynamic_module_callback_http_filter_config_scheduler_commit": fn(Envoy, u64);
    config_scheduler_delete = c"envoy_dynamic_module_callback_http_filter_config_scheduler_delete": fn(Envoy);
    config_scheduler_new = c"envoy_dynamic_module_callback_http_filter_config_scheduler_new": fn(Envoy) -> Envoy;
    config_set_gauge = c"envoy_dynamic_module_callback_http_filter_config_set_gauge":
        fn(Envoy, usize, *const Buffer, usize, u64) -> u32;
    continue_decoding = c"envoy_dynamic_module_callback_http_filter_continue_decoding": fn(Envoy);
    continue_encoding = c"envoy_dynamic_module_callback_http_filter_continue_encoding": fn(Envoy);
    define_counter = c"envoy_dynamic_module_callback_http_filter_config_define_counter":
        fn(Envoy, Buffer, *const Buffer, usize, *mut usize) -> u32;
    define_gauge = c"envoy_dynamic_module_callback_http_filter_config_define_gauge":
        fn(Envoy, Buffer, *const Buffer, usize, *mut usize) -> u32;
    define_histogram = c"envoy_dynamic_module_callback_http_filter_config_define_histogram":
        fn(Envoy, Buffer, *const Buffer, usize, *mut usize) -> u32;
    get_attribute_string = c"envoy_dynamic_module_callback_http_filter_get_attribute_string":
        fn(Envoy, u32, *mut Buffer) -> bool;
    get_concurrency = c"envoy_dynamic_module_callback_get_concurrency": fn() -> u32;
    get_headers = c"envoy_dynamic_module_callback_http_get_headers": fn(Envoy, u32, *mut Pair) -> bool;
    get_headers_size = c"envoy_dynamic_module_callback_http_get_headers_size": fn(Envoy, u32) -> usize;
    get_worker_index = c"envoy_dynamic_module_callback_http_filter_get_worker_index": fn(Envoy) -> u32;
    is_validation_mode = c"envoy_dynamic_module_callback_is_validation_mode": fn() -> bool;
    log = c"envoy_dynamic_module_callback_log": fn(u32, Buffer);
    reset_stream = c"envoy_dynamic_module_callback_http_filter_reset_stream": fn(Envoy, u32, Buffer);
    scheduler_commit = c"envoy_dynamic_module_callback_http_filter_scheduler_commit": fn(Envoy, u64);
    scheduler_delete = c"envoy_dynamic_module_callback_http_filter_scheduler_delete": fn(Envoy);
    scheduler_new = c"envoy_dynamic_module_callback_http_filter_scheduler_new": fn(Envoy) -> Envoy;
    send_response = c"envoy_dynamic_module_callback_http_send_response":
        fn(Envoy, u32, *const Pair, usize, Buffer, Buffer);
    set_filter_state = c"envoy_dynamic_module_callback_http_set_filter_state_bytes": fn(Envoy, Buffer, Buffer) -> bool;
    set_header = c"envoy_dynamic_module_callback_http_set_header": fn(Envoy, u32, Buffer, Buffer) -> bool;
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Envoy's functions; none before the module was loaded.
pub(crate) fn functions() -> Option<&'static Functions> {
    FUNCTIONS.get()
}

/// Puts other functions in the place of Envoy's.
#[cfg(test)]
pub(crate) fn install(functions: Functions) {
    FUNCTIONS.get_or_init(|| functions);
}

/// What Envoys of ABI v0.2.0 have, and those of v0.1.0 do not.
const SINCE_V0_2_0: &CStr = c"envoy_dynamic_module_callback_log_v2";

/// Looks for Envoy's functions, and answers with the version of the ABI that this Envoy speaks; null refuses to be
/// loaded.
pub(crate) fn load() -> *const c_char {
    // SAFETY: names of Envoy's ABI mean Envoy's functions in its process.
    match unsafe { Functions::find(symbol) } {
        Ok(functions) => {
            FUNCTIONS.get_or_init(|| functions);
            let version = if symbol(SINCE_V0_2_0).is_null() { c"v0.1.0" } else { c"v0.2.0" };
            version.as_ptr()
        }
        Err(missing) => {
            refuse(&missing);
            ptr::null()
        }
    }
}

unsafe extern "C" {
    /// dlsym(3). A null `handle` is `RTLD_DEFAULT` on Linux: the symbols of the whole process.
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string, and nothing is kept of it.
    unsafe { dlsym(ptr::null_mut(), name.as_ptr()) }
}

fn refuse(missing: &[&CStr]) {
    let missing: Vec<_> = missing.iter().map(|name| name.to_string_lossy()).collect();
    let text = format!(
        "jotgate: this module needs Envoy 1.39 or 1.40, and this Envoy lacks {}: run one of these, or the plugin \
         `jotgate.wasm`, which runs in any Envoy",
        missing.join(", ")
    );
    let log = symbol(c"envoy_dynamic_module_callback_log");
    if log.is_null() {
        eprintln!("{text}");
        return;
    }
    // SAFETY: not null, and so Envoy's function of that name, whose type is this one in all versions of the ABI.
    let log = unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(u32, Buffer)>(log) };
    // SAFETY: the text outlives the call, which copies it.
    unsafe { log(LogLevel::Error as u32, Buffer::of(text.as_bytes())) };
}

/// How much a line of the log matters: `envoy_dynamic_module_type_log_level`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum LogLevel {
    /// Good to know.
    Info = 2,
    /// Somebody should look.
    Warn = 3,
    /// Something does not work.
    Error = 4,
}

/// Writes a line to Envoy's log, on any thread.
pub fn log(level: LogLevel, line: &str) {
    if let Some(functions) = functions() {
        // SAFETY: the line outlives the call, which copies it.
        unsafe { (functions.log)(level as u32, Buffer::of(line.as_bytes())) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_that_is_missing_is_named() {
        let gone = [c"envoy_dynamic_module_callback_http_set_header", c"envoy_dynamic_module_callback_log"];
        let find = |name: &CStr| if gone.contains(&name) { ptr::null_mut() } else { ptr::dangling_mut() };
        // SAFETY: some are missing, so that none is ever called.
        let missing = unsafe { Functions::find(find) }.unwrap_err();
        assert_eq!(missing, [c"envoy_dynamic_module_callback_log", c"envoy_dynamic_module_callback_http_set_header"]);
    }
}
