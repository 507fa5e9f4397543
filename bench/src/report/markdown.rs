//! The report, as text with tables.

use std::fmt::Write as _;

use crate::figures::Figures;
use crate::options::Section;
use crate::sections::cpu::Series;
use crate::sections::latency::RATE;
use crate::sections::memory::Growth;
use crate::statistics::{Spread, quantile};
use crate::targets::{cost, verdicts};

pub(super) fn text(figures: &Figures) -> String {
    let mut text = String::from("# What the gate costs\n\n");
    text += &setting(figures);
    text += &targets(figures);
    for (section, series) in &figures.cpu {
        text += &cpu(title(*section), series);
    }
    text += &latency(figures);
    text += &starts(figures);
    text += &fetches(figures);
    text += &growth(figures);
    text
}

fn setting(figures: &Figures) -> String {
    let machine = &figures.machine;
    let first = figures.first_admitted().map_or(String::new(), |first| {
        format!(" and admits its first request {} ms after the start of Envoy", spread(Some(first), 0))
    });
    format!(
        "Envoy {} on {} ({} cores, Linux {}), load {} before the run. CPU time: {} rounds of {} requests. Figures are \
         medians, with the quartiles in brackets. The plugin has {} bytes{first}; the one that does nothing has {}. The native module has {}.\n\n",
        machine.envoy,
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.load,
        figures.rounds,
        figures.requests,
        machine.plugin_bytes,
        machine.nothing_bytes,
        machine.module_bytes,
    )
}

const fn title(section: Section) -> &'static str {
    match section {
        Section::Rules => "More rules",
        Section::Issuers => "More issuers",
        Section::TokenSize => "Longer tokens",
        Section::Headers => "More request headers",
        Section::Workers => "More workers",
        _ => "CPU time per request",
    }
}

fn targets(figures: &Figures) -> String {
    let rows = verdicts(figures).into_iter().map(|verdict| {
        let most = verdict.most.map_or("–".into(), |most| format!("{most}"));
        let met = verdict.is_met().map_or("–", |met| if met { "met" } else { "**missed**" });
        [verdict.what, most, spread(verdict.found, 2), met.into()]
    });
    table("Targets", ["ratio", "at most", "found", ""], rows)
}

fn cpu(title: &str, series: &[Series]) -> String {
    let rows = series.iter().map(|one| {
        let extra = cost(series, &one.variant.name).filter(|_| !one.variant.is_baseline());
        let extra = extra.and_then(|extra| Spread::of(&extra));
        let title = format!("{} (`{}`)", one.variant.title, one.variant.name);
        [title, spread(Spread::of(&one.rounds), 1), spread(extra, 1)]
    });
    table(title, ["variant", "µs of CPU time", "beyond no filter"], rows)
}

fn latency(figures: &Figures) -> String {
    let rows = figures.latency.iter().map(|latency| {
        let at = |share| quantile(&latency.micros, share).map_or("–".into(), |micros| format!("{micros:.0}"));
        [latency.variant.title.clone(), at(0.5), at(0.99)]
    });
    table(&format!("Time to an answer, at {RATE} requests per second"), ["variant", "p50, µs", "p99, µs"], rows)
}

fn starts(figures: &Figures) -> String {
    let rows =
        figures.starts.iter().map(|starts| [starts.variant.title.clone(), spread(Spread::of(&starts.millis), 0)]);
    table("From the start of the process to the first request that passes", ["variant", "ms"], rows)
}

fn fetches(figures: &Figures) -> String {
    let rows = figures
        .fetches
        .iter()
        .map(|fetches| [fetches.variant.title.clone(), fetches.refreshes.to_string(), fetches.asked.to_string()]);
    table("Fetches of keys", ["variant", "refreshes", "fetches"], rows)
}

fn growth(figures: &Figures) -> String {
    let anyway = figures.growth.iter().find(|growth| growth.cache_bytes == 0).map_or(0, Growth::bytes);
    let tokens = figures.growth.iter().filter_map(|growth| growth.points.last()).map(|(sent, _)| *sent).max();
    let title = format!("Memory after {} different tokens", tokens.unwrap_or_default());
    let rows = figures.growth.iter().map(|growth| {
        let idle = growth.points.first().map_or(0, |(_, memory)| memory.resident);
        let beyond = growth.bytes().saturating_sub(anyway);
        [mebibytes(growth.cache_bytes), mebibytes(idle), mebibytes(growth.bytes()), mebibytes(beyond)]
    });
    table(&title, ["token cache", "resident, idle", "allocated since", "beyond no cache"], rows)
}

fn mebibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a tenth of a mebibyte is shown")]
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1} MiB")
}

fn spread(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".into(), |Spread { low, median, high }| {
        let range = if low < high { format!(" ({low:.digits$} to {high:.digits$})") } else { String::new() };
        format!("{median:.digits$}{range}")
    })
}

/// A heading and a table; nothing if there are no rows.
fn table<const N: usize>(title: &str, head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut body = rows.map(|row| format!("| {} |\n", row.join(" | "))).peekable();
    if body.peek().is_none() {
        return String::new();
    }
    let mut text = format!("## {title}\n\n| {} |\n|{}\n", head.join(" | "), " --- |".repeat(N));
    for row in body {
        // Writing to a string cannot fail.
        let _ = text.write_str(&row);
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::sections::start::Starts;
    use crate::variant::with_start;

    fn figures(starts: Vec<Starts>) -> Figures {
        let machine = Machine {
            processor: "one".into(),
            cores: 2,
            kernel: "6".into(),
            load: "0.1".into(),
            envoy: "1.40.0".into(),
            module_bytes: 6_000_000,
            plugin_bytes: 1_200_000,
            nothing_bytes: 200,
        };
        let (cpu, latency, fetches, growth) = Default::default();
        Figures { machine, rounds: 15, requests: 1000, cpu, latency, starts, fetches, growth }
    }

    #[test]
    fn the_time_to_the_first_request_stands_beside_the_size() {
        let text = text(&figures(Vec::new()));
        assert!(
            text.contains(
                "The plugin has 1200000 bytes; the one that does nothing has 200. The native module has 6000000."
            ),
            "{text}"
        );
        let starts = |variant| Starts { variant, millis: vec![1000.0, 1040.0, 1100.0] };
        let text = self::text(&figures(with_start().into_iter().map(starts).collect()));
        let first =
            "1200000 bytes and admits its first request 1040 (1020 to 1070) ms after the start of Envoy; the one";
        assert!(text.contains(first), "{text}");
    }
}
