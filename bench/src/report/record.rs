//! The figures, for programs: JSON with everything that is in the report, and each round as a line of CSV.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::figures::Figures;
use crate::process::Memory;
use crate::sections::cpu::Series;
use crate::statistics::{Spread, quantile};
use crate::targets::{cost, verdicts};

pub(super) fn json(figures: &Figures) -> String {
    let sections = figures.cpu.iter().map(|(section, series)| {
        let variants: Vec<Value> = series.iter().map(|one| variant(series, one)).collect();
        json!({"section": section.name(), "variants": variants})
    });
    let latency = figures.latency.iter().map(|one| {
        let at = |share| quantile(&one.micros, share);
        json!({"name": one.variant.name, "requests": one.micros.len(), "p50_us": at(0.5), "p99_us": at(0.99)})
    });
    let starts = figures
        .starts
        .iter()
        .map(|one| json!({"name": one.variant.name, "first_admitted_ms": Spread::of(&one.millis)}));
    let fetches = figures.fetches.iter().map(|one| {
        let workers = one.variant.load.workers;
        json!({"name": one.variant.name, "workers": workers, "refreshes": one.refreshes, "fetches": one.asked})
    });
    let growth = figures.growth.iter().map(|one| {
        let point = |(sent, Memory { resident, anonymous }): &(usize, Memory)| {
            json!({"tokens": sent, "resident_bytes": resident, "anonymous_bytes": anonymous})
        };
        json!({"token_cache_bytes": one.cache_bytes, "points": one.points.iter().map(point).collect::<Vec<_>>()})
    });
    let all = json!({
        "machine": figures.machine,
        "rounds": figures.rounds,
        "requests": figures.requests,
        "first_admitted_ms": figures.first_admitted(),
        "targets": verdicts(figures),
        "cpu": sections.collect::<Vec<_>>(),
        "latency": latency.collect::<Vec<_>>(),
        "start": starts.collect::<Vec<_>>(),
        "fetches": fetches.collect::<Vec<_>>(),
        "memory": growth.collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

fn variant(series: &[Series], one: &Series) -> Value {
    json!({
        "name": one.variant.name,
        "title": one.variant.title,
        "baseline": one.variant.baseline,
        "cpu_us": Spread::of(&one.rounds),
        "beyond_baseline_us": cost(series, &one.variant.name).and_then(|cost| Spread::of(&cost)),
    })
}

pub(super) fn csv(figures: &Figures) -> String {
    let mut text = String::from("section,variant,round,cpu_us_per_request\n");
    for (section, series) in &figures.cpu {
        for one in series {
            for (round, micros) in one.rounds.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{},{},{},{micros:.3}", section.name(), one.variant.name, round + 1);
            }
        }
    }
    text
}
