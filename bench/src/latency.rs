//! Time to an answer at a fixed rate: requests leave when they are due, however long the ones before them take.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use host_tests::envoy::http::Connection;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};

use crate::check;
use crate::failure::{At as _, Failure, Result};
use crate::progress::step;
use crate::rounds::start;
use crate::subject::Subject;
use crate::variant::{Variant, with_latency};
use crate::world::World;

/// Requests per second: a fraction of what one worker can do, so that what is measured is not the queue in front of it.
pub(crate) const RATE: u32 = 1000;

/// Enough for what comes in while a request takes 50 milliseconds.
const CONNECTIONS: usize = 50;

/// A variant, and the microseconds that each request took, in ascending order.
#[derive(Debug)]
pub(crate) struct Latency {
    pub(crate) variant: Variant,
    pub(crate) micros: Vec<f64>,
}

/// Measures the variants in turns, so many requests in each round.
pub(crate) fn measure(world: &World, rounds: usize, requests: usize) -> Result<Vec<Latency>> {
    let mut subjects = start(world, &with_latency(), (rounds + 1) * requests)?;
    let mut found = Vec::new();
    for subject in &mut subjects {
        subject.measure(requests)?;
        subject.start_counting()?;
        found.push(Latency { variant: subject.variant.clone(), micros: Vec::new() });
    }
    for round in 0..rounds {
        step(format!("{RATE} requests per second, round {} of {rounds}", round + 1));
        for (subject, latency) in subjects.iter_mut().zip(&mut found) {
            latency.micros.extend(at_rate(subject, requests)?);
        }
    }
    subjects.iter().try_for_each(check::counters)?;
    for latency in &mut found {
        latency.micros.sort_by(f64::total_cmp);
    }
    Ok(found)
}

/// A connection, and since when the request on it was due.
struct Flight {
    connection: Connection,
    due: Option<Instant>,
}

/// The microseconds from the moment that each request was due to its answer.
fn at_rate(subject: &mut Subject, count: usize) -> Result<Vec<f64>> {
    let address = subject.envoy.address("gateway");
    let open = |_| Ok(Flight { connection: Connection::open(address)?, due: None });
    let mut flights: Vec<Flight> = (0..CONNECTIONS).map(open).collect::<Result<_>>()?;
    let mut taken = Vec::with_capacity(count);
    let mut due = Instant::now() + Duration::from_millis(10);
    let mut sent = 0;
    while taken.len() < count {
        let mut idle = flights.iter_mut().filter(|flight| flight.due.is_none());
        let next = idle.next().filter(|_| sent < count);
        let now = Instant::now();
        let wait = match next {
            Some(flight) if due <= now => {
                flight.connection.write(&subject.next_request()?)?;
                flight.due = Some(due);
                due += Duration::from_secs(1) / RATE;
                sent += 1;
                continue;
            }
            Some(_) => due - now,
            None => Duration::from_secs(10),
        };
        taken.extend(answered(&mut flights, wait).at(&subject.variant.name)?);
    }
    Ok(taken)
}

/// Waits for answers, but no longer than that, and returns the microseconds that each took.
fn answered(flights: &mut [Flight], wait: Duration) -> Result<Vec<f64>> {
    let mut busy: Vec<&mut Flight> = flights.iter_mut().filter(|flight| flight.due.is_some()).collect();
    let mut polled: Vec<PollFd<'_>> =
        busy.iter().map(|flight| PollFd::new(flight.connection.as_fd(), PollFlags::POLLIN)).collect();
    match ppoll(&mut polled, Some(wait.into()), None) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(std::io::Error::from(error).into()),
    }
    let ready: Vec<bool> = polled.iter().map(|one| one.any().unwrap_or_default()).collect();
    let mut taken = Vec::new();
    for (flight, _) in busy.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
        let answer = flight.connection.response(false)?;
        if answer.status != 200 {
            return Err(Failure::new(format!("expected 200, found {}: {}", answer.status, answer.text())));
        }
        taken.extend(flight.due.take().map(|due| due.elapsed().as_secs_f64() * 1e6));
    }
    Ok(taken)
}
