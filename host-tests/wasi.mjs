// Runs a test binary of wasm32-wasip1 under Node: node --no-warnings wasi.mjs MODULE ARGUMENT…
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const args = process.argv.slice(2);
// Tests read vectors and snapshots wherever they lie.
const wasi = new WASI({ version: "preview1", args, env: process.env, preopens: { "/": "/" } });
const { instance } = await WebAssembly.instantiate(await readFile(args[0]), wasi.getImportObject());
process.exitCode = wasi.start(instance);
