//! The host's callbacks, for the driver.

use abi::signature::HostSignatures;
use driver::Vm;

use crate::host::ProxyWasm;

abi::export!(
    Plugin = Plugin { vm: Vm::new() };
    on_configure, on_delete, on_http_call_response, on_request_headers, on_request_trailers, on_response_headers,
    on_tick
);

#[derive(Debug)]
struct Plugin {
    vm: Vm<HostSignatures>,
}

impl abi::Plugin for Plugin {
    fn on_context_create(&mut self, context: u32, root: u32) {
        self.vm.create_context(context, root);
    }

    fn on_configure(&mut self, root: u32, configuration_size: usize) -> bool {
        self.vm.configure(&mut ProxyWasm::default(), root, configuration_size, ProxyWasm::signatures)
    }

    fn on_tick(&mut self, root: u32) {
        self.vm.tick(&mut ProxyWasm::default(), root);
    }

    fn on_http_call_response(&mut self, root: u32, token: u32, body_size: usize) {
        self.vm.callout_answered(&mut ProxyWasm::default(), root, token.into(), body_size);
    }

    fn on_request_headers(&mut self, context: u32, end_of_stream: bool) -> abi::Action {
        action(self.vm.request_headers(&mut ProxyWasm::default(), context, !end_of_stream))
    }

    fn on_request_trailers(&mut self, context: u32) -> abi::Action {
        action(self.vm.request_trailers(&mut ProxyWasm::default(), context))
    }

    fn on_response_headers(&mut self, context: u32) -> abi::Action {
        action(self.vm.response_headers(&mut ProxyWasm::default(), context))
    }

    fn on_delete(&mut self, context: u32) {
        self.vm.delete_context(&mut ProxyWasm::default(), context);
    }
}

fn action(action: driver::Action) -> abi::Action {
    match action {
        driver::Action::Continue => abi::Action::Continue,
        driver::Action::Pause => abi::Action::Pause,
    }
}
