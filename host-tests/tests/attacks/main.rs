//! The catalogue of attacks, against the engine, the built plugin in the strict host, and the plugin in a real Envoy.
//!
//! Each case of the catalogue is run in each host: as it is written, where tokens or requests are given, and
//! by a function in [`described`] where it is told in words. [`reasons`] says what the gate answers to each; [`variants`] adds what the families of
//! attacks stand for beyond the catalogue's exemplars. `JOTGATE_ATTACK=JWK-008` runs that case alone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

mod bad_configs;
mod canonical;
mod catalogue;
mod described;
mod engine;
mod envoy;
mod exchange;
mod in_envoy;
mod in_strict_host;
mod key_sets;
mod logs;
mod mint;
mod plugin;
mod reasons;
mod run;
mod setting;
mod variants;

use crate::catalogue::Catalogue;
use crate::engine::Engine;
use crate::envoy::RealEnvoy;
use crate::plugin::StrictHost;
use crate::run::Run;
use crate::setting::Setting;

#[test]
fn the_engine_withstands_them() {
    if vectors::are_absent() {
        return;
    }
    let (catalogue, mut engine) = (Catalogue::read(), Engine::default());
    let mut run = Run::new(&mut engine, &catalogue);
    run.written();
    described::all(&mut run);
    if run.is_whole() {
        variants::all(&mut run);
    }
    run.finish(&[
        ("JWK-008", "what a network does is not the engine's"),
        ("JWK-030", "a story in time: gate/src/tests/keys.rs"),
        ("JWK-032", "likewise"),
        ("JWK-038", "clusters are the proxy's"),
        ("JWK-040", "a story in time: gate/src/tests/keys.rs"),
        ("RUN-007", "gate/src/tests/config.rs"),
        ("RUN-010", "the plugin writes the log"),
    ]);
}

#[test]
fn the_plugin_in_the_strict_host_withstands_them() {
    if vectors::are_absent() {
        return;
    }
    let (catalogue, mut host) = (Catalogue::read(), StrictHost::default());
    let mut run = Run::new(&mut host, &catalogue);
    run.written();
    described::all(&mut run);
    if run.is_whole() {
        variants::all(&mut run);
    }
    in_strict_host::all(&mut run);
    run.finish(&[]);
}

#[test]
fn the_plugin_in_envoy_withstands_them() {
    if vectors::are_absent() {
        return;
    }
    let catalogue = Catalogue::read();
    let settings = [Setting::all(&catalogue), variants::settings(&catalogue), vec![in_envoy::network()]].concat();
    let mut envoy = RealEnvoy::start(&settings, in_envoy::with_network);
    let mut run = Run::new(&mut envoy, &catalogue);
    in_envoy::all(&mut run);
    run.written();
    described::all(&mut run);
    if run.is_whole() {
        variants::all(&mut run);
        in_envoy::logs(&mut run);
    }
    run.finish(&[]);
}
