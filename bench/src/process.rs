//! What a process has used: CPU time and memory.

use std::time::Duration;
use std::{fs, io};

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// The CPU time of a process, in user and kernel mode, of all its threads.
///
/// The kernel's own clock for it counts nanoseconds and includes what runs at this moment; `/proc/PID/stat` counts
/// hundredths of a second, which is the cost of some hundred requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuClock(ClockId);

impl CpuClock {
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        Ok(Self(clock_getcpuclockid(Pid::from_raw(pid))?))
    }

    pub(crate) fn read(self) -> io::Result<Duration> {
        Ok(clock_gettime(self.0)?.into())
    }
}

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All that is in RAM, the pages of the executable included.
    pub(crate) resident: u64,
    /// What it has allocated of that: the heap, and the memories of its Wasm machines.
    pub(crate) anonymous: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Self::parse(&text).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no memory")))
    }

    fn parse(status: &str) -> Option<Self> {
        let kibibytes = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        Some(Self { resident: kibibytes("VmRSS")? * 1024, anonymous: kibibytes("RssAnon")? * 1024 })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use test_support::eventually;

    use super::*;

    /// Utime and stime of `/proc/PID/stat`, in hundredths of a second on every Linux.
    fn ticks(pid: u32) -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    #[test]
    fn another_process_s_cpu_time_is_what_the_kernel_accounts_to_it() {
        let mut busy = Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let clock = CpuClock::of(busy.id()).unwrap();
        let start = Instant::now();
        while clock.read().unwrap() < Duration::from_millis(300) {
            assert!(start.elapsed() < Duration::from_secs(20), "a busy process uses CPU time");
        }
        let (before, accounted, after) = (clock.read().unwrap(), ticks(busy.id()), clock.read().unwrap());
        busy.kill().unwrap();
        busy.wait().unwrap();
        let accounted = Duration::from_millis(accounted * 10);
        let tick = Duration::from_millis(20);
        assert!(accounted + tick >= before && accounted <= after + tick, "{before:?} {accounted:?} {after:?}");
    }

    #[test]
    fn an_idle_process_uses_no_cpu_time() {
        let mut idle = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let clock = CpuClock::of(idle.id()).unwrap();
        // It uses some while it starts.
        let uses_none = || {
            let before = clock.read().unwrap();
            std::thread::sleep(Duration::from_millis(300));
            clock.read().unwrap() == before
        };
        eventually("it uses none", uses_none);
        idle.kill().unwrap();
        idle.wait().unwrap();
        assert!(CpuClock::of(idle.id()).is_err(), "a process that is gone has no clock");
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tenvoy\nVmRSS:\t   61440 kB\nRssAnon:\t   20480 kB\nRssFile:\t   40960 kB\n";
        assert_eq!(Memory::parse(status), Some(Memory { resident: 60 << 20, anonymous: 20 << 20 }));
        assert_eq!(Memory::parse("VmRSS:\t 1 kB\n"), None);
    }

    #[test]
    fn memory_that_is_used_is_seen() {
        let before = Memory::of(std::process::id()).unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = Memory::of(std::process::id()).unwrap();
        assert!(after.anonymous >= before.anonymous + (60 << 20), "{before:?} {after:?} {}", block.len());
    }
}
