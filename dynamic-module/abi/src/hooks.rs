//! What Envoy calls.

use crate::config::{Config, Definition, Main};
use crate::stream::{Line, StreamId};

/// A filter, one object for each configuration. Envoy calls it on several threads at once.
pub trait Module: Send + Sized + Sync + 'static {
    /// A configuration is there; `None` refuses it. On the main thread.
    fn configure(definition: &Definition, name: &str, configuration: &[u8]) -> Option<Self>;

    /// The configuration was woken ([`crate::ConfigWaker`]). On the main thread.
    fn scheduled(&self, main: Main<'_>);

    /// A callout is over; without an answer there was none. On the main thread.
    fn callout_done(&self, main: Main<'_>, number: u64, answer: Option<Answer<'_>>);

    /// The headers of a request are there.
    fn request_headers(&self, config: &Config, stream: Stream, end_of_stream: bool) -> Action;

    /// The trailers of a request are there.
    fn request_trailers(&self, config: &Config, stream: Stream) -> Action;

    /// The headers of a response are there: the upstream's, or Envoy's own.
    fn response_headers(&self, config: &Config, stream: Stream) -> Action;

    /// A request was woken ([`crate::StreamWaker`]).
    fn stream_scheduled(&self, config: &Config, stream: Stream);

    /// A request is gone: Envoy knows it no longer.
    fn stream_gone(&self, config: &Config, stream: Stream);

    /// The module panicked in a hook of this worker, or on the main thread.
    fn panicked(&self, config: &Config, worker: Option<usize>);
}

/// A request, and the worker whose thread it is on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stream {
    /// Its name.
    pub id: StreamId,
    /// The index of the worker.
    pub worker: usize,
}

/// What Envoy does after a hook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It goes on.
    Continue,
    /// All of it is held, body included.
    Pause,
}

/// The response to a callout.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// Its header lines, `:status` among them.
    pub headers: Vec<Line<'a>>,
    /// Its body, in pieces.
    pub body: Vec<&'a [u8]>,
}

/// Exports a [`Module`].
#[macro_export]
macro_rules! export {
    ($module:ty) => {
        $crate::export_hooks! { $module:
            on_http_filter_config_new = config_new(a: Envoy, b: Buffer, c: Buffer) -> Opaque;
            on_http_filter_config_destroy = config_destroy(a: Opaque) -> Nothing;
            on_http_filter_config_scheduled = config_scheduled(a: Envoy, b: Opaque, c: Number) -> Nothing;
            on_http_filter_config_http_callout_done = config_callout_done(
                a: Envoy, b: Opaque, c: Number, d: Code, e: Pairs, f: Size, g: Buffers, h: Size
            ) -> Nothing;
            on_http_filter_new = filter_new(a: Opaque, b: Envoy) -> Opaque;
            on_http_filter_request_headers = request_headers(a: Envoy, b: Opaque, c: Flag) -> Code;
            on_http_filter_request_trailers = request_trailers(a: Envoy, b: Opaque) -> Code;
            on_http_filter_response_headers = response_headers(a: Envoy, b: Opaque, c: Flag) -> Code;
            on_http_filter_scheduled = scheduled(a: Envoy, b: Opaque, c: Number) -> Nothing;
            on_http_filter_destroy = destroy(a: Opaque) -> Nothing;
        }
    };
}

/// The hooks of [`export!`]. Those that do nothing are there because Envoy refuses a module without them.
#[doc(hidden)]
#[macro_export]
macro_rules! export_hooks {
    ($module:ty: $($name:ident = $hook:ident($($argument:ident: $kind:ident),+) -> $answer:ident;)+) => {
        const _: () = {
            use $crate::exports::*;

            #[unsafe(no_mangle)]
            extern "C" fn envoy_dynamic_module_on_program_init() -> *const ::std::ffi::c_char {
                program_init()
            }

            $($crate::export_hook!($name = $hook::<$module>($($argument: $kind),+) -> $answer);)+

            $crate::export_hook!(on_http_filter_request_body = go_on(a: Envoy, b: Opaque, c: Flag) -> Code);
            $crate::export_hook!(on_http_filter_response_body = go_on(a: Envoy, b: Opaque, c: Flag) -> Code);
            $crate::export_hook!(on_http_filter_response_trailers = end(a: Envoy, b: Opaque) -> Code);
            $crate::export_hook!(on_http_filter_stream_complete = ignore_stream(a: Envoy, b: Opaque) -> Nothing);
            $crate::export_hook!(on_http_filter_downstream_above_write_buffer_high_watermark =
                ignore_stream(a: Envoy, b: Opaque) -> Nothing);
            $crate::export_hook!(on_http_filter_downstream_below_write_buffer_low_watermark =
                ignore_stream(a: Envoy, b: Opaque) -> Nothing);
            $crate::export_hook!(on_http_filter_http_callout_done = ignore_callout(
                a: Envoy, b: Opaque, c: Number, d: Code, e: Pairs, f: Size, g: Buffers, h: Size) -> Nothing);
            $crate::export_hook!(on_http_filter_http_stream_headers = ignore_pairs(
                a: Envoy, b: Opaque, c: Number, d: Pairs, e: Size, f: Flag) -> Nothing);
            $crate::export_hook!(on_http_filter_http_stream_data = ignore_buffers(
                a: Envoy, b: Opaque, c: Number, d: Buffers, e: Size, f: Flag) -> Nothing);
            $crate::export_hook!(on_http_filter_http_stream_trailers = ignore_trailers(
                a: Envoy, b: Opaque, c: Number, d: Pairs, e: Size) -> Nothing);
            $crate::export_hook!(on_http_filter_http_stream_complete =
                ignore_number(a: Envoy, b: Opaque, c: Number) -> Nothing);
            $crate::export_hook!(on_http_filter_http_stream_reset =
                ignore_reset(a: Envoy, b: Opaque, c: Number, d: Code) -> Nothing);
        };
    };
}

/// One hook of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_hook {
    ($name:ident = $hook:ident $(::<$module:ty>)? ($($argument:ident: $kind:ident),+) -> $answer:ident) => {
        const _: () = {
            $crate::export_name! { $name;
                extern "C" fn hook($($argument: $kind),+) -> $answer {
                    // SAFETY: Envoy calls it, as its ABI says that it does.
                    unsafe { $hook$(::<$module>)?($($argument),+) }
                }
            }
        };
    };
}

/// A function by its name in the ABI.
#[doc(hidden)]
#[macro_export]
macro_rules! export_name {
    ($name:ident; $function:item) => {
        #[unsafe(export_name = concat!("envoy_dynamic_module_", stringify!($name)))]
        $function
    };
}
