//! The operations of a script.

use crate::raw;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};
use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A parsed script.
#[derive(Default)]
pub(crate) struct Script {
    lines: Vec<(String, String)>,
}

/// What a callback answers after its operations.
pub(crate) struct Effects {
    /// Answer Pause.
    pub(crate) paused: bool,
    /// Answer true.
    pub(crate) accepted: bool,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
        Self { lines: lines.map(|(callback, operation)| (callback.to_owned(), operation.to_owned())).collect() }
    }

    pub(crate) fn run(&self, callback: &str) -> Effects {
        let mut effects = Effects { paused: false, accepted: true };
        for (_, operation) in self.lines.iter().filter(|(of, _)| of == callback) {
            match operation.as_str() {
                "pause" => effects.paused = true,
                "refuse" => effects.accepted = false,
                _ => {
                    let words: Vec<&str> = operation.split(' ').collect();
                    let result = operate(&words).unwrap_or_else(|| "not an operation".to_owned());
                    note(&format!("{operation} => {result}"));
                }
            }
        }
        effects
    }
}

pub(crate) fn note(text: &str) {
    // There is nobody to tell.
    let _ = hostcalls::log(LogLevel::Info, text);
}

/// Runs one operation. `None`: it is unknown, or its arguments are wrong.
fn operate(words: &[&str]) -> Option<String> {
    let (name, arguments) = words.split_first()?;
    match *name {
        "raw" => raw::run(arguments),
        "panic" => end_badly(arguments),
        "exit" => std::process::exit(3),
        "loop" => loop {
            std::hint::black_box(());
        },
        _ => on_maps(name, arguments)
            .or_else(|| on_streams(name, arguments))
            .or_else(|| on_sharing(name, arguments))
            .or_else(|| on_metrics(name, arguments))
            .or_else(|| on_world(name, arguments)),
    }
}

#[expect(clippy::panic, reason = "the host has to notice a panic")]
fn end_badly(words: &[&str]) -> Option<String> {
    panic!("{}", words.join(" "))
}

fn on_maps(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("pairs", [map]) => {
            let pairs = hostcalls::get_map_bytes(map_type(map)?).unwrap_or_default();
            pairs.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect::<Vec<_>>().join(" ")
        }
        ("set-pairs", [map, pairs @ ..]) => {
            let pairs = pairs.iter().map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
            show(hostcalls::set_map(map_type(map)?, pairs))
        }
        ("get", [map, name]) => match hostcalls::get_map_value_bytes(map_type(map)?, name) {
            Ok(Some(value)) => value.escape_ascii().to_string(),
            other => show(other),
        },
        ("add", [map, name, value]) => show(hostcalls::add_map_value_bytes(map_type(map)?, name, &bytes(value))),
        ("replace", [map, name, value]) => {
            show(hostcalls::set_map_value_bytes(map_type(map)?, name, Some(&bytes(value))))
        }
        ("remove", [map, name]) => show(hostcalls::remove_map_value(map_type(map)?, name)),
        ("buffer", [buffer, start, length]) => {
            match hostcalls::get_buffer(buffer_type(buffer)?, start.parse().ok()?, length.parse().ok()?) {
                Ok(Some(bytes)) => bytes.escape_ascii().to_string(),
                other => show(other),
            }
        }
        ("set-buffer", [buffer, start, length, text]) => {
            let (start, length) = (start.parse().ok()?, length.parse().ok()?);
            show(hostcalls::set_buffer(buffer_type(buffer)?, start, length, &bytes(text)))
        }
        _ => return None,
    })
}

fn on_streams(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("effective", [context]) => show(hostcalls::set_effective_context(context.parse().ok()?)),
        ("resume", ["request"]) => show(hostcalls::resume_http_request()),
        ("resume", ["response"]) => show(hostcalls::resume_http_response()),
        ("reset", ["request"]) => show(hostcalls::reset_http_request()),
        ("reply", [status, body, headers @ ..]) => {
            let headers = headers.iter().map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
            show(hostcalls::send_http_response(status.parse().ok()?, headers, Some(&bytes(body))))
        }
        ("property", [path]) => match hostcalls::get_property(path.split('.').collect()) {
            Ok(Some(value)) => value.escape_ascii().to_string(),
            other => show(other),
        },
        ("set-property", [path, value]) => {
            show(hostcalls::set_property(path.split('.').collect(), Some(&bytes(value))))
        }
        _ => return None,
    })
}

fn on_sharing(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("shared", [key]) => match hostcalls::get_shared_data(key) {
            Ok((value, cas)) => format!("{:?} {cas:?}", value.map(|value| value.escape_ascii().to_string())),
            other => show(other),
        },
        ("share", [key, value, cas]) => show(hostcalls::set_shared_data(key, Some(&bytes(value)), cas.parse().ok())),
        ("register-queue", [queue]) => show(hostcalls::register_shared_queue(queue)),
        ("resolve-queue", [queue]) => show(hostcalls::resolve_shared_queue("", queue)),
        ("enqueue", [queue, value]) => show(hostcalls::enqueue_shared_queue(queue.parse().ok()?, Some(&bytes(value)))),
        ("dequeue", [queue]) => match hostcalls::dequeue_shared_queue(queue.parse().ok()?) {
            Ok(Some(value)) => value.escape_ascii().to_string(),
            other => show(other),
        },
        _ => return None,
    })
}

fn on_metrics(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("define", [kind, name]) => {
            let kind = match *kind {
                "counter" => MetricType::Counter,
                "gauge" => MetricType::Gauge,
                _ => MetricType::Histogram,
            };
            show(hostcalls::define_metric(kind, name))
        }
        ("increment", [id, by]) => show(hostcalls::increment_metric(id.parse().ok()?, by.parse().ok()?)),
        ("record", [id, value]) => show(hostcalls::record_metric(id.parse().ok()?, value.parse().ok()?)),
        ("metric", [id]) => show(hostcalls::get_metric(id.parse().ok()?)),
        _ => return None,
    })
}

fn on_world(name: &str, arguments: &[&str]) -> Option<String> {
    let nanos = |time: SystemTime| time.duration_since(UNIX_EPOCH).map(|since| since.as_nanos());
    Some(match (name, arguments) {
        ("log-level", []) => show(hostcalls::get_log_level()),
        ("warn", [text]) => show(hostcalls::log(LogLevel::Warn, text)),
        ("print", [text]) => {
            println!("{text}");
            "printed".to_owned()
        }
        ("time", []) => show(hostcalls::get_current_time().map(nanos)),
        ("wasi-time", []) => show(nanos(SystemTime::now())),
        ("monotonic", []) => show(Instant::now().elapsed()),
        ("random", []) => RandomState::new().hash_one(0).to_string(),
        ("env", []) => show(std::env::vars().collect::<Vec<_>>()),
        ("tick", [milliseconds]) => show(hostcalls::set_tick_period(Duration::from_millis(milliseconds.parse().ok()?))),
        ("call", [cluster, path, timeout]) => {
            let timeout = Duration::from_millis(timeout.parse().ok()?);
            let headers = vec![(":method", "GET"), (":path", *path), (":authority", "idp.example.com")];
            show(hostcalls::dispatch_http_call(cluster, headers, Some(b"body"), vec![("x-trailer", "t")], timeout))
        }
        ("foreign", [name, argument]) => match hostcalls::call_foreign_function(name, Some(&bytes(argument))) {
            Ok(Some(result)) => result.escape_ascii().to_string(),
            other => show(other),
        },
        ("grow", [bytes]) => show(std::hint::black_box(vec![1_u8; bytes.parse().ok()?]).len()),
        _ => return None,
    })
}

fn show(value: impl Debug) -> String {
    format!("{value:?}")
}

/// `hex:00ff` as bytes, anything else as text.
fn bytes(word: &str) -> Vec<u8> {
    let Some(hex) = word.strip_prefix("hex:") else { return word.as_bytes().to_vec() };
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0);
    let digits: Vec<u32> = hex.bytes().map(digit).collect();
    digits
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

fn map_type(number: &str) -> Option<MapType> {
    Some(match number {
        "0" => MapType::HttpRequestHeaders,
        "1" => MapType::HttpRequestTrailers,
        "2" => MapType::HttpResponseHeaders,
        "3" => MapType::HttpResponseTrailers,
        "6" => MapType::HttpCallResponseHeaders,
        "7" => MapType::HttpCallResponseTrailers,
        _ => return None,
    })
}

fn buffer_type(number: &str) -> Option<BufferType> {
    Some(match number {
        "0" => BufferType::HttpRequestBody,
        "1" => BufferType::HttpResponseBody,
        "4" => BufferType::HttpCallResponseBody,
        "6" => BufferType::VmConfiguration,
        "7" => BufferType::PluginConfiguration,
        _ => return None,
    })
}
