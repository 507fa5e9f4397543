//! A plugin written with the proxy-wasm SDK, against which the test host is tested.
//!
//! Its configuration is a script: lines of `<callback> <operation> <arguments…>`, run in order when that callback
//! comes, each logging `<operation> <arguments…> => <result>`. The VM configuration is the script of `vm_start`.

#![expect(missing_docs, reason = "the SDK's `main!` makes an export without documentation")]

mod raw;
mod script;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel};
use script::{Effects, Script};
use std::rc::Rc;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

#[derive(Default)]
struct Root {
    script: Rc<Script>,
}

struct Http {
    script: Rc<Script>,
}

impl Root {
    fn load(&mut self, buffer: BufferType) {
        let bytes = hostcalls::get_buffer(buffer, 0, usize::MAX >> 1).ok().flatten().unwrap_or_default();
        self.script = Rc::new(Script::parse(&String::from_utf8_lossy(&bytes)));
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        script::note(&format!("root callout {token}: {headers} headers, {body} bytes, {trailers} trailers"));
        self.script.run("callout");
    }

    fn on_done(&mut self) -> bool {
        self.script.run("root_done").accepted
    }
}

impl RootContext for Root {
    fn on_vm_start(&mut self, _: usize) -> bool {
        self.load(BufferType::VmConfiguration);
        self.script.run("vm_start").accepted
    }

    fn on_configure(&mut self, _: usize) -> bool {
        self.load(BufferType::PluginConfiguration);
        self.script.run("configure").accepted
    }

    fn on_tick(&mut self) {
        self.script.run("tick");
    }

    fn on_queue_ready(&mut self, queue: u32) {
        script::note(&format!("queue {queue} ready"));
        self.script.run("queue");
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http { script: self.script.clone() }))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.script.run("root_delete");
    }
}

impl Context for Http {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        script::note(&format!("stream callout {token}: {headers} headers, {body} bytes, {trailers} trailers"));
        self.script.run("callout");
    }

    fn on_done(&mut self) -> bool {
        self.script.run("done").accepted
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        action(&self.script.run("request_headers"))
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        action(&self.script.run("request_body"))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(&self.script.run("request_trailers"))
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        action(&self.script.run("response_headers"))
    }

    fn on_http_response_body(&mut self, _: usize, _: bool) -> Action {
        action(&self.script.run("response_body"))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        action(&self.script.run("response_trailers"))
    }

    fn on_log(&mut self) {
        self.script.run("log");
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.script.run("delete");
    }
}

fn action(effects: &Effects) -> Action {
    if effects.paused { Action::Pause } else { Action::Continue }
}
