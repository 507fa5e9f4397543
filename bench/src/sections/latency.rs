//! Time to an answer at a fixed rate: requests leave when they are due, however long the ones before them take.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use real_envoy::http::Connection;

use crate::check;
use crate::failure::{At as _, Failure, Result};
use crate::progress::step;
use crate::sections::cpu::start;
use crate::variant::{Variant, with_latency};
use crate::world::World;

/// Requests per second: a fraction of what one worker can do, so that what is measured is not the queue in front of it.
pub(crate) const RATE: u32 = 1000;

/// Enough for what comes in while a request takes 50 milliseconds.
const CONNECTIONS: usize = 50;

/// Without a single answer for so long, the run ends.
const LIMIT: Duration = Duration::from_secs(10);

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
            let address = subject.envoy.address("gateway");
            let taken = at_rate(address, requests, || subject.next_request());
            latency.micros.extend(taken.at(&latency.variant.name)?);
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
fn at_rate(address: SocketAddr, count: usize, mut next_request: impl FnMut() -> Result<Vec<u8>>) -> Result<Vec<f64>> {
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
                flight.connection.write(&next_request()?)?;
                flight.due = Some(due);
                due += Duration::from_secs(1) / RATE;
                sent += 1;
                continue;
            }
            Some(_) => due - now,
            None => LIMIT,
        };
        taken.extend(answered(&mut flights, wait)?);
    }
    Ok(taken)
}

/// Waits for answers, but no longer than that, and returns the microseconds that each took.
fn answered(flights: &mut [Flight], wait: Duration) -> Result<Vec<f64>> {
    let mut busy: Vec<&mut Flight> = flights.iter_mut().filter(|flight| flight.due.is_some()).collect();
    let mut polled: Vec<PollFd<'_>> =
        busy.iter().map(|flight| PollFd::new(flight.connection.as_fd(), PollFlags::POLLIN)).collect();
    match ppoll(&mut polled, Some(wait.into()), None) {
        Ok(0) if wait == LIMIT => return Err(Failure::new(format!("no answer within {LIMIT:?}"))),
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

#[cfg(test)]
mod tests {
    use real_envoy::http::Request;
    use testbed::upstream::Upstream;

    use super::*;

    /// As many as that, to what answers each request after so many milliseconds.
    fn taken(count: usize, ms: u64) -> Vec<f64> {
        let upstream = Upstream::start(0).unwrap();
        let request = Request::get(&format!("/slow?ms={ms}")).bytes();
        at_rate(upstream.address(), count, || Ok(request.clone())).unwrap()
    }

    #[test]
    fn requests_leave_at_the_rate_however_long_answers_take() {
        let start = Instant::now();
        let taken = taken(CONNECTIONS, 1000);
        let all = start.elapsed();
        assert_eq!(taken.len(), CONNECTIONS);
        assert!(taken.iter().all(|micros| *micros >= 1_000_000.0), "{taken:?}");
        assert!(all < Duration::from_secs(25), "one after the other would take fifty seconds, not {all:?}");
    }

    #[test]
    fn a_request_that_has_to_wait_is_measured_from_when_it_was_due() {
        let taken = taken(2 * CONNECTIONS, 300);
        let longest = taken.iter().copied().fold(0.0, f64::max);
        assert!(longest > 500_000.0, "the last were due in time, and sent after the answers to the first: {longest}");
    }

    #[test]
    fn an_answer_that_is_not_200_ends_the_run() {
        let upstream = Upstream::start(0).unwrap();
        let request = Request::get("/status/403").bytes();
        let failure = at_rate(upstream.address(), 1, || Ok(request.clone())).unwrap_err();
        assert_eq!(failure.to_string(), "expected 200, found 403: the upstream says 403\n");
    }
}
