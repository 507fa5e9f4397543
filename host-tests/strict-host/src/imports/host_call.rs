//! How a host call is defined.

/// Defines a host call: its name, its parameters as on the wire, and what it does. Parameters without a type are `u32`.
macro_rules! host_call {
    ($linker:expr, $name:ident($($argument:ident $(: $type:ty)?),*) => $body:expr) => {
        $linker.func_wrap(
            "env",
            stringify!($name),
            |caller: wasmtime::Caller<'_, $crate::state::State>,
             $($argument: host_call!(@type $($type)?)),*| {
                $crate::guest::answer(caller, stringify!($name), $body)
            },
        )?
    };
    (@type $type:ty) => { $type };
    (@type) => { u32 };
}
pub(super) use host_call;
