//! Time from the start of the process to the first request that passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use real_envoy::{Envoy, Port};

use crate::failure::{At as _, Failure, Result};
use crate::gates::bootstrap;
use crate::progress::step;
use crate::variant::{Variant, with_start};
use crate::world::{World, bare};

const LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(1);

/// A variant, and the milliseconds that each start took.
#[derive(Debug)]
pub(crate) struct Starts {
    pub(crate) variant: Variant,
    pub(crate) millis: Vec<f64>,
}

/// Starts the variants in turns.
pub(crate) fn measure(world: &World, rounds: usize) -> Result<Vec<Starts>> {
    let mut found: Vec<Starts> =
        with_start().into_iter().map(|variant| Starts { variant, millis: Vec::new() }).collect();
    for round in 0..rounds {
        step(format!("time to the first request that passes, round {} of {rounds}", round + 1));
        for starts in &mut found {
            let taken = first_admitted(world, &starts.variant).at(&starts.variant.name)?;
            starts.millis.push(taken.as_secs_f64() * 1e3);
        }
    }
    Ok(found)
}

fn first_admitted(world: &World, variant: &Variant) -> Result<Duration> {
    let port = Port::reserve()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
    let request = bare(variant.load.headers).bearer(&world.token(variant.load.tokens)?);
    let text = bootstrap(variant.gate, world).text();
    let begin = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            while begin.elapsed() < LIMIT {
                if request.send(address).is_ok_and(|answer| answer.status == 200) {
                    return Ok(begin.elapsed());
                }
                thread::sleep(POLL);
            }
            Err(Failure::new("no request passed within a minute"))
        });
        let envoy = Envoy::builder(&text).concurrency(1).port("gateway", address).start();
        let taken = waiting.join().unwrap_or_else(|_| Err(Failure::new("the thread that waits panicked")));
        drop(envoy?);
        taken
    })
}
