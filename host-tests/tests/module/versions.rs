//! Which Envoys take the module.

use std::process::Command;

use test_support::target;

use crate::world::is_module;

/// As Envoy does it with a module, in a process that has none of Envoy's functions.
const LOAD: &str = "import ctypes, sys\n\
module = ctypes.CDLL(sys.argv[1])\n\
init = module.envoy_dynamic_module_on_program_init\n\
init.restype = ctypes.c_void_p\n\
print(init())";

#[test]
fn a_host_that_lacks_functions_is_refused_with_what_to_do() {
    if !is_module() {
        return;
    }
    let module = target().join("debug/libjotgate_module.so");
    let output = Command::new("python3").args(["-c", LOAD]).arg(module).output().unwrap();
    let (answer, message) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(answer, "None\n", "null refuses to be loaded: {message}");
    for part in [
        "jotgate: this module needs Envoy 1.39 or 1.40, and this Envoy lacks",
        "envoy_dynamic_module_callback_http_set_header",
        "run one of these, or the plugin `jotgate.wasm`",
    ] {
        assert!(message.contains(part), "{message}");
    }
}
