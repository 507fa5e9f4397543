//! Runs tests that were compiled to Wasm, under Node: Cargo calls it with the module. This is `wasm-bindgen-test-runner`,
//! built from the workspace's lock file with what else tests are built of.

use std::env;

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(env::args_os())
}
