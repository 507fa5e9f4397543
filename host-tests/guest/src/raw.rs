//! Host calls below the SDK: with any argument, whatever they answer, and those that it lacks.

#![expect(unsafe_code, reason = "a host call is foreign; the host checks every pointer")]

use std::cell::RefCell;

/// Declares host calls whose parameters are all words, and a function that makes one by name.
macro_rules! raw_calls {
    ($($name:ident($($argument:ident),*);)*) => {
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            $(fn $name($($argument: u32),*) -> u32;)*
        }

        fn call(name: &str, arguments: &[u32]) -> Option<u32> {
            match name {
                $(stringify!($name) => {
                    let [$($argument),*] = *arguments else { return None };
                    Some(unsafe { $name($($argument),*) })
                })*
                _ => None,
            }
        }
    };
}

raw_calls! {
    proxy_add_header_map_value(map, name, name_size, value, value_size);
    proxy_call_foreign_function(name, name_size, arguments, arguments_size, data_at, size_at);
    proxy_close_stream(stream);
    proxy_continue_stream(stream);
    proxy_define_metric(kind, name, name_size, id_at);
    proxy_dequeue_shared_queue(id, data_at, size_at);
    proxy_done();
    proxy_get_buffer_bytes(buffer, start, length, data_at, size_at);
    proxy_get_buffer_status(buffer, size_at, flags_at);
    proxy_get_header_map_pairs(map, data_at, size_at);
    proxy_get_header_map_size(map, size_at);
    proxy_get_header_map_value(map, name, name_size, data_at, size_at);
    proxy_get_property(path, path_size, data_at, size_at);
    proxy_get_status(code_at, data_at, size_at);
    proxy_grpc_cancel(id);
    proxy_http_call(cluster, cluster_size, headers, headers_size, body, body_size, trailers, trailers_size, timeout, token_at);
    proxy_log(level, text, size);
    proxy_remove_header_map_value(map, name, name_size);
    proxy_replace_header_map_value(map, name, name_size, value, value_size);
    proxy_send_local_response(status, details, details_size, body, body_size, headers, headers_size, grpc);
    proxy_set_buffer_bytes(buffer, start, length, data, size);
    proxy_set_effective_context(context);
    proxy_set_header_map_pairs(map, data, size);
    proxy_set_property(path, path_size, value, value_size);
    proxy_set_shared_data(key, key_size, value, value_size, cas);
    proxy_set_tick_period_milliseconds(period);
}

thread_local! {
    /// Where host calls leave their results.
    static RESULTS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// `raw <name> <arguments…>`: a number, `'text` for a pointer and a length, or `@` for a place for a result.
/// Answers the status and the results.
pub(crate) fn run(words: &[&str]) -> Option<String> {
    let (name, words) = words.split_first()?;
    RESULTS.with_borrow_mut(|results| {
        *results = vec![0; words.len()];
        let places = results.as_mut_ptr();
        let mut count = 0;
        let mut arguments = Vec::new();
        for word in words {
            if let Some(text) = word.strip_prefix('\'') {
                arguments.extend([address(text.as_ptr()), u32::try_from(text.len()).ok()?]);
            } else if *word == "@" {
                arguments.push(address(places.wrapping_add(count).cast()));
                count += 1;
            } else {
                arguments.push(word.parse().ok()?);
            }
        }
        let status = call(name, &arguments)?;
        // The host wrote behind the compiler's back.
        let results = std::hint::black_box(results).get(..count)?;
        Some(format!("{status} {results:?}"))
    })
}

fn address(pointer: *const u8) -> u32 {
    u32::try_from(pointer.addr()).unwrap_or(u32::MAX)
}
