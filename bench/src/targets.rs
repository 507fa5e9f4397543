//! What the figures are held against.

use serde::Serialize;

use crate::figures::Figures;
use crate::sections::cpu::Series;
use crate::statistics::{Spread, beyond, ratios};
use crate::variant::{WARM, WARM_MODULE};

/// One variant may cost so many times what another one costs, both beyond their baselines.
struct Target {
    what: &'static str,
    variant: &'static str,
    against: &'static str,
    most: f64,
}

const TARGETS: [Target; 19] = [
    target("repeated token / native with its cache", WARM, "native-repeated", 0.8),
    target("new RS256 token / native", "jotgate-rs256", "native-rs256", 0.8),
    target("new ES256 token / native", "jotgate-es256", "native-es256", 0.7),
    target("repeated token / hop over HTTP", WARM, "hop-http", 0.2),
    target("repeated token / hop over gRPC", WARM, "hop-grpc", 0.2),
    target("repeated session / repeated token", "jotgate-session", WARM, 1.1),
    target("repeated token with one for the upstream / repeated token", "jotgate-upstream-token", WARM, 1.15),
    target("repeated token, exchanged for the upstream / repeated token", "jotgate-exchanged", WARM, 1.15),
    target("repeated token / native, both with an access log", "jotgate-logged", "native-logged", 1.15),
    target("module: repeated token / native with its cache", WARM_MODULE, "native-repeated", 0.5),
    // `jwt_authn` and `rbac` set nothing that access logs show of a request's caller and rule.
    target("module: repeated token, nothing for access logs / native", "module-unlogged", "native-repeated", 0.5),
    target("module: repeated token / hop over HTTP", WARM_MODULE, "hop-http", 0.15),
    target("module: new RS256 token / native", "module-rs256", "native-rs256", 0.7),
    target("module: new ES256 token / native", "module-es256", "native-es256", 0.85),
    target("module: new EdDSA token / native", "module-eddsa", "native-eddsa", 0.7),
    target("module: new PS256 token / native", "module-ps256", "native-ps256", 0.7),
    target("module: repeated session / repeated token", "module-session", WARM_MODULE, 1.1),
    target("1,000 rules / 10 rules", "jotgate-mixed", WARM, 1.2),
    target("1,000 rules below one prefix / 10 rules", "jotgate-siblings", WARM, 1.2),
];

/// Compared for the record: nothing is promised.
const RECORDS: [(&str, &str, &str); 14] = [
    ("repeated session, sealed anew / repeated session", "jotgate-sealed", "jotgate-session"),
    ("repeated token / without the callback for responses", WARM, "jotgate-requests"),
    ("repeated token, nothing for access logs / native", "jotgate-unlogged", "native-repeated"),
    ("the calls to the host alone / native with its cache", "calls", "native-repeated"),
    ("repeated token / the calls to the host alone", WARM, "calls"),
    ("repeated opaque token / repeated token", "jotgate-introspected", WARM),
    ("new proof of a repeated token / new ES256 token", "jotgate-dpop", "jotgate-es256"),
    ("module: repeated token / native, both with an access log", "module-logged", "native-logged"),
    ("module: with a signed token for the upstream / without", "module-upstream-token", WARM_MODULE),
    ("module: with an exchanged token for the upstream / without", "module-exchanged", WARM_MODULE),
    ("module: repeated opaque token / repeated token", "module-introspected", WARM_MODULE),
    ("module: new proof of a repeated token / new ES256 token", "module-dpop", "module-es256"),
    ("new EdDSA token / native", "jotgate-eddsa", "native-eddsa"),
    ("new PS256 token / native", "jotgate-ps256", "native-ps256"),
];

const fn target(what: &'static str, variant: &'static str, against: &'static str, most: f64) -> Target {
    Target { what, variant, against, most }
}

/// What was found: how many times the one is the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) most: Option<f64>,
    /// Absent where noise hides what the other one costs.
    pub(crate) found: Option<Spread>,
}

impl Verdict {
    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(self.found?.median <= self.most?)
    }
}

/// Holds the figures against the targets; what was not measured is left out.
pub(crate) fn verdicts(figures: &Figures) -> Vec<Verdict> {
    let verdict = |what, most, ratios: &[f64]| Some(Verdict { what, most, found: Some(Spread::of(ratios)?) });
    let fetches = figures.fetches.iter().filter_map(|one| {
        let workers = one.variant.load.workers;
        verdict(format!("fetches of keys / refreshes, workers: {workers}"), Some(1.0), &[one.per_refresh()])
    });
    let memory = figures.growth.iter().filter_map(|one| {
        let what = format!("memory beyond no token cache / token cache of {} MiB", one.cache_bytes >> 20);
        verdict(what, Some(1.0), &[one.share(&figures.growth)?])
    });
    cpu(figures.usual().unwrap_or_default()).into_iter().chain(fetches).chain(memory).collect()
}

fn cpu(series: &[Series]) -> Vec<Verdict> {
    let found = |variant, against| Some(Spread::of(&ratios(&cost(series, variant)?, &cost(series, against)?)));
    let targets = TARGETS.iter().map(|target| (target.what, target.variant, target.against, Some(target.most)));
    let records = RECORDS.iter().map(|(what, variant, against)| (*what, *variant, *against, None));
    targets
        .chain(records)
        .filter_map(|(what, variant, against, most)| {
            Some(Verdict { what: what.into(), most, found: found(variant, against)? })
        })
        .collect()
}

/// What a variant cost in each round beyond its baseline.
pub(crate) fn cost(series: &[Series], name: &str) -> Option<Vec<f64>> {
    let named = |name: &str| series.iter().find(|one| one.variant.name == name);
    let one = named(name)?;
    Some(beyond(&one.rounds, &named(&one.variant.baseline)?.rounds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variant::usual;

    /// Of the usual variants, those with figures.
    fn series(figures: &[(&str, &[f64])]) -> Vec<Series> {
        let of = |name: &str| figures.iter().find(|(own, _)| *own == name).map(|(_, rounds)| rounds.to_vec());
        usual().into_iter().filter_map(|variant| Some(Series { rounds: of(&variant.name)?, variant })).collect()
    }

    #[test]
    fn every_variant_that_is_compared_exists() {
        let names: Vec<String> = usual().into_iter().map(|variant| variant.name).collect();
        let targets = TARGETS.iter().flat_map(|target| [target.variant, target.against]);
        let records = RECORDS.iter().flat_map(|(_, variant, against)| [*variant, *against]);
        for name in targets.chain(records) {
            assert!(names.iter().any(|own| own == name), "{name}");
        }
    }

    #[test]
    fn costs_beyond_the_baseline_are_compared_not_whole_requests() {
        let open: &[f64] = &[40.0, 50.0];
        let met = series(&[("open", open), ("native-repeated", &[60.0, 70.0]), ("jotgate-repeated", &[55.0, 65.0])]);
        let [verdict] = cpu(&met).try_into().unwrap();
        let found = verdict.found.map(|found| found.median);
        assert_eq!((verdict.what.as_str(), found), ("repeated token / native with its cache", Some(0.75)));
        assert_eq!(verdict.is_met(), Some(true));
        let missed = series(&[("open", open), ("native-repeated", &[60.0, 70.0]), ("jotgate-repeated", &[57.0, 67.0])]);
        assert_eq!(cpu(&missed).iter().map(Verdict::is_met).collect::<Vec<_>>(), [Some(false)]);
    }

    #[test]
    fn what_noise_hides_is_neither_met_nor_missed() {
        let hidden = series(&[("open", &[60.0]), ("native-repeated", &[50.0]), ("jotgate-repeated", &[70.0])]);
        let [verdict] = cpu(&hidden).try_into().unwrap();
        assert_eq!((verdict.found, verdict.is_met()), (None, None));
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        assert_eq!(cpu(&series(&[("open", &[1.0]), ("jotgate-repeated", &[2.0])])), []);
    }
}
