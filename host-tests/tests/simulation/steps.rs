//! What happens: to issuers, to VMs, to the shared store, and on behalf of clients.

use std::ops::Range;
use std::time::Duration;

use crate::issuer::Mood;
use crate::world::{Bearer, LOOK, REFRESH, TIMEOUT, World, summary};

/// Where the revision stands in an entry of the shared store, and what stands in front of the set.
const REVISION: Range<usize> = 64..72;
const HEAD: usize = 77;

pub(crate) fn play_one(world: &mut World) {
    match world.random.below(32) {
        0 | 1 => rotate(world),
        2 | 3 => change_mood(world),
        4 => replace_vm(world),
        5 => come_and_go(world),
        6 => spoil_the_store(world),
        7 => set_the_clock(world),
        8 => flood(world),
        9..=12 => ask_without_a_token(world),
        _ => ask(world),
    }
    let most = if world.random.once_in(6) { Duration::from_secs(45) } else { Duration::from_secs(2) };
    let by = world.random.duration(Duration::from_millis(1), most);
    world.advance(by);
}

/// Once nothing goes wrong any more, everything good passes, everywhere, within one refresh.
pub(crate) fn recover(world: &mut World) {
    world.note("the faults stop");
    let now = world.now();
    world.issuers.borrow_mut().iter_mut().for_each(|issuer| issuer.set_mood(Mood::Good, now));
    // The longest back-off, and what is under way.
    world.advance(REFRESH * 11 / 10 + Duration::from_secs(33) + TIMEOUT * 4 + LOOK * 2);
    let count = world.issuers.borrow().len();
    for vm in 0..world.vms.len() {
        for issuer in 0..count {
            let keys: Vec<_> = world.issuers.borrow()[issuer].current().cloned().collect();
            for key in keys {
                let token = world.issuers.borrow()[issuer].token(&key);
                let stream = world.send(vm, "/x", Some(&token));
                assert_eq!(summary(&stream), "ok", "VM {vm}, issuer {issuer}, {key:?}: after all is well");
                stream.end();
            }
        }
    }
}

fn any_issuer(world: &mut World) -> usize {
    let count = world.issuers.borrow().len();
    world.random.below(count)
}

fn rotate(world: &mut World) {
    let (issuer, keep) = (any_issuer(world), world.random.once_in(2));
    let now = world.now();
    if world.issuers.borrow_mut()[issuer].rotate(now, keep) {
        world.note(&format!("issuer {issuer} has a new key, the old ones are {}", if keep { "kept" } else { "gone" }));
    }
}

fn change_mood(world: &mut World) {
    let issuer = any_issuer(world);
    let mood = match world.random.below(4) {
        0 => Mood::BAD[world.random.below(Mood::BAD.len())],
        1 => Mood::Slow(world.random.number() % 1900),
        _ => Mood::Good,
    };
    let now = world.now();
    world.issuers.borrow_mut()[issuer].set_mood(mood, now);
    world.note(&format!("issuer {issuer} is {mood:?}"));
}

/// A worker dies, and the proxy starts another one; or its configuration is updated.
fn replace_vm(world: &mut World) {
    if world.vms.len() > 1 {
        let index = world.random.below(world.vms.len());
        world.end_vm(index);
    }
    world.start_vm();
}

/// Envoy tries each configuration in a VM that does nothing else.
fn come_and_go(world: &mut World) {
    let canary = world.new_vm();
    world.note(&format!("VM {} comes and goes", canary.vm().id()));
    drop(canary);
}

/// Another plugin shares the store.
fn spoil_the_store(world: &mut World) {
    let store = world.proxy.shared_data().clone();
    let names = store.keys();
    if names.is_empty() {
        return;
    }
    let name = names[world.random.below(names.len())].clone();
    let (good, _) = store.get(&name).unwrap();
    let what = world.random.below(6);
    match what {
        0 => store.remove(&name),
        1 => store.set(&name, &good[..good.len() / 2], 0).unwrap(),
        2 => {
            let mut bad = good.clone();
            let place = world.random.below(bad.len());
            bad[place] ^= 1;
            store.set(&name, &bad, 0).unwrap();
        }
        // One who knows the format and not the key: the set is a stranger's, and the revision the largest.
        5 if good.len() > HEAD => {
            let issuers = world.issuers.borrow();
            let mut forged = good[..HEAD].to_vec();
            forged[REVISION].fill(0x7f);
            forged.extend(issuers[world.random.below(issuers.len())].forged_set().to_string().into_bytes());
            store.set(&name, &forged, 0).unwrap();
        }
        3 if !world.memories.is_empty() => {
            let (name, old) = world.memories[world.random.below(world.memories.len())].clone();
            store.set(&name, &old, 0).unwrap();
        }
        _ => store.set(&name, b"{\"keys\":[]}", 0).unwrap(),
    }
    world.memories.push((name, good));
    world.note(&format!("somebody spoils the shared store ({what})"));
    world.spoil();
}

fn set_the_clock(world: &mut World) {
    let clock = world.proxy.clock().clone();
    let by = world.random.duration(Duration::from_millis(1), Duration::from_secs(20));
    let is_forward = world.random.once_in(2);
    clock.set_wall(if is_forward { clock.now() + by } else { clock.now() - by });
    world.note(&format!("the clock is set {} by {by:?}", if is_forward { "forward" } else { "back" }));
    world.skew += by;
    let now = world.now();
    world.set_back = if is_forward { world.set_back } else { Some(now) };
    world.knowledge.borrow_mut().iter_mut().for_each(|known| known.set_clock(is_forward, now));
    // Entries may now seem to come from the future.
    world.spoil();
}

fn flood(world: &mut World) {
    let (vm, issuer) = (world.random.below(world.vms.len()), any_issuer(world));
    world.note(&format!("unheard-of keys flood place {vm}, of issuer {issuer}"));
    for _ in 0..60 {
        world.send_bearer(vm, issuer, Bearer::Unknown);
    }
}

fn ask_without_a_token(world: &mut World) {
    let vm = world.random.below(world.vms.len());
    for (path, expected) in [("/public", "ok"), ("/x", "401 missing_token")] {
        let stream = world.send(vm, path, None);
        assert_eq!(summary(&stream), expected, "VM {vm}: nobody waits who brings no token");
        stream.end();
    }
}

fn ask(world: &mut World) {
    let (vm, issuer) = (world.random.below(world.vms.len()), any_issuer(world));
    let (current, retired): (Vec<_>, Vec<_>) =
        world.issuers.borrow()[issuer].keys.iter().cloned().partition(|key| key.withdrawn.is_none());
    let bearer = match world.random.below(8) {
        0 => Bearer::Forged,
        1 => Bearer::Unknown,
        2 | 3 if !retired.is_empty() => Bearer::Retired(retired[world.random.below(retired.len())].clone()),
        _ => Bearer::Current(current[world.random.below(current.len())].clone()),
    };
    world.send_bearer(vm, issuer, bearer);
}
