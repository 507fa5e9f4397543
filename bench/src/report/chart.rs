//! A chart of bars, as SVG. It is small enough to be written here: what it needs of a library is a rectangle and text.

use real_envoy::Gate as Host;

use crate::sections::cpu::Series;
use crate::statistics::Spread;
use crate::targets::cost;
use crate::variant::{Gate, Jotgate};

/// A bar: its name, how long it is, and how it is coloured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    name: String,
    micros: Spread,
    colour: &'static str,
}

/// What each variant costs beyond no filter.
pub(super) fn bars(series: &[Series]) -> Vec<Bar> {
    let others = series.iter().filter(|one| !one.variant.is_baseline());
    others
        .filter_map(|one| {
            let micros = Spread::of(&cost(series, &one.variant.name)?)?;
            Some(Bar { name: one.variant.title.clone(), micros, colour: colour(one.variant.gate) })
        })
        .collect()
}

/// Distinct to those who see no red or green, too (the palette of Okabe and Ito).
const fn colour(gate: Gate) -> &'static str {
    match gate {
        Gate::Jotgate(Jotgate { host: Host::Module, .. }) => "#009e73",
        Gate::Jotgate(Jotgate { host: Host::Plugin, .. }) => "#0072b2",
        Gate::Native { .. } => "#e69f00",
        Gate::Hop(_) => "#d55e00",
        Gate::Calls | Gate::Nothing | Gate::Open => "#999999",
    }
}

const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const TOP: f64 = 56.0;
const LABELS: f64 = 390.0;
const PLOT: f64 = 480.0;
/// For the number behind the longest bar.
const RIGHT: f64 = 80.0;
/// Lines of the grid, about.
const LINES: f64 = 6.0;

/// The chart. Bars are medians, thin lines reach from one quartile to the other.
pub(super) fn svg(bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.micros.high.max(bar.micros.median)).fold(1.0, f64::max);
    let step = round_step(longest / LINES);
    let end = (longest / step).ceil() * step;
    let x = |micros: f64| LABELS + micros.max(0.0) / end * PLOT;
    let (width, bottom) = (LABELS + PLOT + RIGHT, TOP + ROW * rows(bars.len()));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"16\" fill=\"#222222\">CPU time of Envoy per request beyond no filter, µs</text>\n",
        height = bottom + 36.0,
    );
    let mut tick = 0.0;
    while tick <= end + step / 2.0 {
        svg += &grid(tick, x(tick), bottom);
        tick += step;
    }
    for (index, bar) in bars.iter().enumerate() {
        svg += &row(bar, TOP + ROW * rows(index), x);
    }
    svg + "</svg>\n"
}

fn grid(tick: f64, at: f64, bottom: f64) -> String {
    format!(
        "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>\n\
         <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#666666\">{tick}</text>\n",
        bottom + 20.0,
    )
}

fn row(bar: &Bar, top: f64, x: impl Fn(f64) -> f64) -> String {
    let Spread { low, median, high } = bar.micros;
    let (text, middle) = (top + ROW / 2.0 + 4.5, top + ROW / 2.0);
    format!(
        "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\" fill=\"#222222\">{}</text>\n\
         <rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>\n\
         <line x1=\"{:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\" stroke=\"#222222\" stroke-width=\"1.5\"/>\n\
         <text x=\"{:.1}\" y=\"{text:.1}\" fill=\"#222222\">{median:.1}</text>\n",
        LABELS - 10.0,
        escaped(&bar.name),
        top + (ROW - BAR) / 2.0,
        x(median) - LABELS,
        bar.colour,
        x(low),
        x(high),
        x(high.max(median)) + 6.0,
    )
}

/// 1, 2 or 5 times a power of ten, and no less than that.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn rows(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, low: f64, median: f64, high: f64) -> Bar {
        Bar { name: name.into(), micros: Spread { low, median, high }, colour: "#0072b2" }
    }

    /// The attribute of that name of every element of that kind, as numbers.
    fn attributes(svg: &str, element: &str, name: &str) -> Vec<f64> {
        let lines = svg.lines().filter(|line| line.starts_with(&format!("<{element} ")));
        let value = |line: &str| line.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.parse().ok();
        lines.filter_map(value).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_medians() {
        let svg = svg(&[bar("one", 45.0, 50.0, 55.0), bar("two", 90.0, 100.0, 110.0)]);
        let widths = attributes(&svg, "rect", "width");
        let [one, two] = widths[..] else { panic!("{widths:?}") };
        assert!((two / one - 2.0).abs() < 0.01, "{one} {two}");
        let heights = attributes(&svg, "line", "x2");
        let whole = LABELS + PLOT;
        assert!(heights.iter().all(|x| *x <= whole), "the grid holds what is drawn: {heights:?}");
    }

    #[test]
    fn a_cost_below_the_baseline_is_no_bar_to_the_left() {
        let widths = attributes(&svg(&[bar("one", -3.0, -1.0, 2.0)]), "rect", "width");
        assert_eq!(widths, [0.0]);
    }

    #[test]
    fn the_grid_has_round_numbers() {
        for (least, step) in [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (17.0, 20.0), (30.0, 50.0), (60.0, 100.0)] {
            assert!((round_step(least) - step).abs() < 1e-9, "{least}: {}", round_step(least));
        }
    }

    #[test]
    fn names_are_text() {
        assert!(svg(&[bar("a < b & c", 1.0, 2.0, 3.0)]).contains(">a &lt; b &amp; c</text>"));
    }
}
