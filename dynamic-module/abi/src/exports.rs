//! The functions behind the hooks.
//!
//! INVARIANT, of Envoy: what it passes as the module's pointer is what the module answered with, until it has called
//! the hook that destroys it; it destroys a configuration after all its requests; it calls the hooks of a request on the
//! thread where it made it, and those of a configuration on the main thread, but for the one that destroys it.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::config::{Config, Definition, Main};
use crate::functions::{LogLevel, functions, load, log};
use crate::hooks::{Action, Answer, Module, Stream};
use crate::raw::{SUCCESS, slice};
use crate::stream;
use crate::waker::ConfigWaker;

pub type Buffer = crate::raw::Buffer;
pub type Buffers = *const crate::raw::Buffer;
pub type Code = u32;
pub type Envoy = *mut c_void;
pub type Flag = bool;
pub type Nothing = ();
pub type Number = u64;
pub type Opaque = *const c_void;
pub type Pairs = *const crate::raw::Pair;
pub type Size = usize;

/// A configuration, as Envoy keeps it.
struct Configured<M> {
    config: Config,
    waker: ConfigWaker,
    module: M,
}

/// A request, as Envoy keeps it.
struct Begun<M> {
    configured: *const Configured<M>,
    stream: Stream,
}

pub fn program_init() -> *const c_char {
    catch_unwind(load).unwrap_or(ptr::null())
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn config_new<M: Module>(envoy: Envoy, name: Buffer, configuration: Buffer) -> Opaque {
    // SAFETY: Envoy keeps both as they are during the call.
    let (name, text) = unsafe { (name.bytes(), configuration.bytes()) };
    let configure = || {
        // SAFETY: the configuration exists.
        let waker = unsafe { ConfigWaker::new(envoy) }?;
        let definition = Definition { pointer: envoy, waker: waker.clone(), thread: PhantomData };
        let module = M::configure(&definition, &String::from_utf8_lossy(name), text);
        let Some(module) = module else {
            waker.close();
            return None;
        };
        Some(Configured { config: Config { pointer: envoy }, waker, module })
    };
    match catch_unwind(AssertUnwindSafe(configure)) {
        Ok(Some(configured)) => Box::into_raw(Box::new(configured)).cast_const().cast(),
        Ok(None) => ptr::null(),
        Err(_) => {
            log(LogLevel::Error, "jotgate: the module panicked, the configuration is refused");
            ptr::null()
        }
    }
}

/// The module of a configuration.
///
/// # Safety
///
/// `configured` is what [`config_new`] answered with, and is there during `'a`.
#[cfg(test)]
pub(crate) unsafe fn module<'a, M: Module>(configured: Opaque) -> &'a M {
    // SAFETY: the caller's.
    unsafe { &(*configured.cast::<Configured<M>>()).module }
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn config_destroy<M: Module>(configured: Opaque) {
    if configured.is_null() {
        return;
    }
    // SAFETY: it is what `config_new` made of a box, and Envoy does not use it again.
    let configured = unsafe { Box::from_raw(configured.cast_mut().cast::<Configured<M>>()) };
    configured.waker.close();
    if catch_unwind(AssertUnwindSafe(|| drop(configured))).is_err() {
        log(LogLevel::Error, "jotgate: the module panicked at the end of a configuration");
    }
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn config_scheduled<M: Module>(_: Envoy, configured: Opaque, _: Number) {
    // SAFETY: Envoy's invariant.
    unsafe { on_main(configured, |module: &M, main| module.scheduled(main)) };
}

/// # Safety
///
/// Envoy calls it.
#[expect(clippy::too_many_arguments, reason = "the ABI has them")]
pub unsafe fn config_callout_done<M: Module>(
    _: Envoy,
    configured: Opaque,
    number: Number,
    result: Code,
    headers: Pairs,
    headers_size: Size,
    body: Buffers,
    body_size: Size,
) {
    let answer = (result == SUCCESS).then(|| {
        // SAFETY: Envoy keeps all of it as it is during the call.
        let headers = unsafe { stream::lines(headers, headers_size) };
        // SAFETY: as above.
        let body = unsafe { slice(body, body_size) }.iter().map(|piece| unsafe { piece.bytes() }).collect();
        Answer { headers, body }
    });
    // SAFETY: Envoy's invariant.
    unsafe { on_main(configured, |module: &M, main| module.callout_done(main, number, answer)) };
}

/// # Safety
///
/// It is in a hook of a configuration on the main thread.
unsafe fn on_main<M: Module>(configured: Opaque, act: impl FnOnce(&M, Main<'_>)) {
    // SAFETY: it is what `config_new` answered with, if that was anything, and is there until `config_destroy`.
    let Some(configured) = (unsafe { configured.cast::<Configured<M>>().as_ref() }) else { return };
    let Configured { config, module, .. } = configured;
    let main = Main { config, thread: PhantomData };
    if catch_unwind(AssertUnwindSafe(|| act(module, main))).is_err() {
        panicked(configured, None);
    }
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn filter_new<M: Module>(configured: Opaque, envoy: Envoy) -> Opaque {
    let Some(functions) = functions() else { return ptr::null() };
    // SAFETY: it is a new request of this thread, and `destroy` forgets it.
    let Some(id) = (unsafe { stream::remember(envoy) }) else { return ptr::null() };
    // SAFETY: the request exists.
    let worker = unsafe { (functions.get_worker_index)(envoy) };
    let stream = Stream { id, worker: usize::try_from(worker).unwrap_or_default() };
    Box::into_raw(Box::new(Begun::<M> { configured: configured.cast(), stream })).cast_const().cast()
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn request_headers<M: Module>(_: Envoy, begun: Opaque, end_of_stream: Flag) -> Code {
    // SAFETY: Envoy's invariant.
    let action =
        unsafe { on_stream(begun, |module: &M, config, stream| module.request_headers(config, stream, end_of_stream)) };
    action.unwrap_or_else(refuse).of_headers()
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn request_trailers<M: Module>(_: Envoy, begun: Opaque) -> Code {
    // SAFETY: Envoy's invariant.
    let action = unsafe { on_stream(begun, |module: &M, config, stream| module.request_trailers(config, stream)) };
    match action.unwrap_or_else(refuse) {
        Action::Continue => 0,
        Action::Pause => 1,
    }
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn response_headers<M: Module>(_: Envoy, begun: Opaque, _: Flag) -> Code {
    // SAFETY: Envoy's invariant.
    let action = unsafe { on_stream(begun, |module: &M, config, stream| module.response_headers(config, stream)) };
    // A response is the upstream's: it goes on.
    action.unwrap_or(Action::Continue).of_headers()
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn scheduled<M: Module>(_: Envoy, begun: Opaque, _: Number) {
    // SAFETY: Envoy's invariant.
    let _ = unsafe { on_stream(begun, |module: &M, config, stream| module.stream_scheduled(config, stream)) };
}

/// # Safety
///
/// Envoy calls it.
pub unsafe fn destroy<M: Module>(begun: Opaque) {
    if begun.is_null() {
        return;
    }
    // SAFETY: it is what `filter_new` made of a box, and Envoy does not use it again.
    let begun = unsafe { Box::from_raw(begun.cast_mut().cast::<Begun<M>>()) };
    stream::forget(begun.stream.id);
    // SAFETY: Envoy's invariant.
    let _ = unsafe { act_on(&begun, |module: &M, config, stream| module.stream_gone(config, stream)) };
}

/// # Safety
///
/// It is in a hook of a request, on its thread.
unsafe fn on_stream<M: Module, T>(
    begun: Opaque,
    act: impl FnOnce(&M, &Config, Stream) -> T,
) -> Result<T, Option<Stream>> {
    // SAFETY: it is what `filter_new` answered with, if that was anything, and is there until `destroy`. It is not
    // borrowed beyond this line: the call may lead to `destroy`.
    let begun = unsafe { begun.cast::<Begun<M>>().as_ref() }.map(|begun| Begun { ..*begun }).ok_or(None)?;
    // SAFETY: the caller's.
    unsafe { act_on(&begun, act) }
}

/// # Safety
///
/// It is in a hook of a request, on its thread.
unsafe fn act_on<M: Module, T>(
    begun: &Begun<M>,
    act: impl FnOnce(&M, &Config, Stream) -> T,
) -> Result<T, Option<Stream>> {
    let stream = begun.stream;
    // SAFETY: it is what `config_new` answered with, if that was anything, and is there as long as its requests.
    let configured = unsafe { begun.configured.as_ref() }.ok_or(None)?;
    catch_unwind(AssertUnwindSafe(|| act(&configured.module, &configured.config, stream))).map_err(|_| {
        panicked(configured, Some(stream.worker));
        Some(stream)
    })
}

/// What the module left half done, it learns of.
fn panicked<M: Module>(configured: &Configured<M>, worker: Option<usize>) {
    log(LogLevel::Error, "jotgate: the module panicked");
    let tell = || configured.module.panicked(&configured.config, worker);
    if catch_unwind(AssertUnwindSafe(tell)).is_err() {
        log(LogLevel::Error, "jotgate: the module panicked again");
    }
}

/// A request whose hook panicked does not pass.
fn refuse(stream: Option<Stream>) -> Action {
    if let Some(Stream { id, .. }) = stream {
        stream::refuse(id);
    }
    Action::Pause
}

impl Action {
    /// `FilterHeadersStatus`.
    fn of_headers(self) -> Code {
        match self {
            Self::Continue => 0,
            // StopAllIterationAndWatermark.
            Self::Pause => 4,
        }
    }
}

/// # Safety
///
/// Any call will do.
pub unsafe fn go_on(_: Envoy, _: Opaque, _: Flag) -> Code {
    0
}

/// # Safety
///
/// Any call will do.
pub unsafe fn end(_: Envoy, _: Opaque) -> Code {
    0
}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_stream(_: Envoy, _: Opaque) {}

/// # Safety
///
/// Any call will do.
#[expect(clippy::too_many_arguments, reason = "the ABI has them")]
pub unsafe fn ignore_callout(_: Envoy, _: Opaque, _: Number, _: Code, _: Pairs, _: Size, _: Buffers, _: Size) {}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_pairs(_: Envoy, _: Opaque, _: Number, _: Pairs, _: Size, _: Flag) {}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_buffers(_: Envoy, _: Opaque, _: Number, _: Buffers, _: Size, _: Flag) {}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_trailers(_: Envoy, _: Opaque, _: Number, _: Pairs, _: Size) {}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_number(_: Envoy, _: Opaque, _: Number) {}

/// # Safety
///
/// Any call will do.
pub unsafe fn ignore_reset(_: Envoy, _: Opaque, _: Number, _: Code) {}
