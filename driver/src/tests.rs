//! The driver on a host in memory whose calls fail one by one.

mod counts;
mod failures;
mod reconfigured;
mod responses;
mod support;
mod timers;
mod vms;
mod waiting;
