//! What is asked for on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::failure::{Failure, Result};
use crate::variant::{self, Variant};

/// Measures what the gate costs in a real Envoy, beside what it replaces.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// A short run, whose figures only show that everything works.
    #[arg(long)]
    quick: bool,
    /// How often each variant is measured [default: 15, quick: 3].
    #[arg(long, value_parser = positive)]
    rounds: Option<usize>,
    /// The requests of a variant in a round [default: 1000, quick: 100].
    #[arg(long, value_parser = positive)]
    requests: Option<usize>,
    /// The different tokens that the memory is measured with [default: 1000000, quick: 10000].
    #[arg(long, value_parser = positive)]
    tokens: Option<usize>,
    /// Sections, or variants of the section `cpu`, with commas between them; all sections by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Where the report and the figures go.
    #[arg(long, default_value = "dist/bench", value_name = "FOLDER")]
    pub(crate) out: PathBuf,
}

/// A part of a run that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Section {
    /// CPU time per request, against the targets.
    Cpu,
    /// CPU time with more rules.
    Rules,
    /// CPU time with more issuers.
    Issuers,
    /// CPU time with longer tokens.
    TokenSize,
    /// CPU time with more request headers.
    Headers,
    /// CPU time with more workers.
    Workers,
    /// Time to an answer at a fixed rate of requests.
    Latency,
    /// Time from the start of the process to the first request that passes.
    Start,
    /// Fetches of keys for each refresh.
    Fetches,
    /// Memory after many different tokens.
    Memory,
}

impl Section {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What is compared in it, where it compares CPU time; the plan says which of them in [`Section::Cpu`].
    pub(crate) fn variants(self) -> Vec<Variant> {
        match self {
            Self::Cpu => variant::usual(),
            Self::Rules => variant::by_rules(),
            Self::Issuers => variant::by_issuers(),
            Self::TokenSize => variant::by_token_size(),
            Self::Headers => variant::by_headers(),
            Self::Workers => variant::by_workers(),
            Self::Latency | Self::Start | Self::Fetches | Self::Memory => Vec::new(),
        }
    }
}

/// What is to be done, with all defaults filled in.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) tokens: usize,
    pub(crate) sections: Vec<Section>,
    /// Variants of [`Section::Cpu`].
    pub(crate) variants: Vec<Variant>,
}

impl Options {
    pub(crate) fn plan(&self) -> Result<Plan> {
        let or = |usual, quick| if self.quick { quick } else { usual };
        let (sections, variants) = self.selected()?;
        Ok(Plan {
            rounds: self.rounds.unwrap_or(or(15, 3)),
            requests: self.requests.unwrap_or(or(1000, 100)),
            tokens: self.tokens.unwrap_or(or(1_000_000, 10_000)),
            sections,
            variants,
        })
    }

    fn selected(&self) -> Result<(Vec<Section>, Vec<Variant>)> {
        let all = variant::usual();
        if self.only.is_empty() {
            return Ok((Section::value_variants().to_vec(), all));
        }
        let named: Vec<Section> =
            Section::value_variants().iter().copied().filter(|section| self.only.contains(&section.name())).collect();
        if let Some(unknown) = self.only.iter().find(|name| {
            !named.iter().any(|section| section.name() == **name) && !all.iter().any(|variant| variant.name == **name)
        }) {
            return Err(Failure::new(format!("there is no `{unknown}`; {}", names(&all))));
        }
        if named.contains(&Section::Cpu) {
            return Ok((named, all));
        }
        let is_named = |variant: &&Variant| self.only.contains(&variant.name);
        let needed: Vec<&str> = all.iter().filter(is_named).map(|variant| variant.baseline.as_str()).collect();
        let is_wanted = |variant: &&Variant| is_named(variant) || needed.contains(&variant.name.as_str());
        let variants: Vec<Variant> = all.iter().filter(is_wanted).cloned().collect();
        let cpu = (!variants.is_empty()).then_some(Section::Cpu);
        Ok((cpu.into_iter().chain(named).collect(), variants))
    }
}

fn names(variants: &[Variant]) -> String {
    let sections: Vec<String> = Section::value_variants().iter().map(|section| section.name()).collect();
    let variants: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    format!("the sections are {}; the variants of `cpu` are {}", sections.join(", "), variants.join(", "))
}

fn positive(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number above 0".into()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> std::result::Result<Plan, String> {
        let options = Options::try_parse_from([&["bench"], arguments].concat()).map_err(|error| error.to_string())?;
        options.plan().map_err(|failure| failure.to_string())
    }

    fn names(plan: &Plan) -> (Vec<Section>, Vec<&str>) {
        (plan.sections.clone(), plan.variants.iter().map(|variant| variant.name.as_str()).collect())
    }

    #[test]
    fn by_default_everything_is_measured() {
        let plan = plan(&[]).unwrap();
        assert_eq!((plan.rounds, plan.requests, plan.tokens), (15, 1000, 1_000_000));
        assert_eq!(plan.sections, Section::value_variants());
        assert_eq!(plan.variants.len(), variant::usual().len());
    }

    #[test]
    fn what_is_given_goes_before_what_quick_means() {
        let plan = plan(&["--quick", "--rounds", "7"]).unwrap();
        assert_eq!((plan.rounds, plan.requests, plan.tokens), (7, 100, 10_000));
    }

    #[test]
    fn a_variant_is_measured_with_its_baseline() {
        let plan = plan(&["--only", "jotgate-repeated,memory"]).unwrap();
        assert_eq!(names(&plan), (vec![Section::Cpu, Section::Memory], vec!["open", "jotgate-repeated"]));
        let logged = self::plan(&["--only", "module-logged"]).unwrap();
        assert_eq!(names(&logged).1, ["open-logged", "module-logged"]);
    }

    #[test]
    fn a_section_is_measured_whole() {
        assert_eq!(plan(&["--only", "token-size"]).unwrap().sections, [Section::TokenSize]);
        let cpu = plan(&["--only", "cpu,open"]).unwrap();
        assert_eq!(names(&cpu).1.len(), variant::usual().len());
    }

    #[test]
    fn names_that_do_not_exist_and_numbers_that_mean_nothing_are_refused() {
        let message = plan(&["--only", "cpu,jotgate"]).unwrap_err();
        assert!(message.starts_with("there is no `jotgate`; the sections are cpu, rules,"), "{message}");
        for arguments in [["--rounds", "0"], ["--requests", "-1"], ["--tokens", "1e6"]] {
            assert!(Options::try_parse_from([&["bench"], arguments.as_slice()].concat()).is_err(), "{arguments:?}");
        }
    }
}
