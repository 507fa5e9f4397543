//! The figures, for readers and for programs.

mod chart;
mod markdown;
mod record;

use std::fs;
use std::path::Path;

use crate::failure::{At as _, Result};
use crate::figures::Figures;

/// The tables.
pub(crate) fn text(figures: &Figures) -> String {
    markdown::text(figures)
}

/// Writes `report.md`, `figures.json`, `rounds.csv`, and `cpu.svg` where CPU time was compared.
pub(crate) fn write(figures: &Figures, folder: &Path) -> Result<()> {
    let write = |name: &str, text: String| fs::write(folder.join(name), text).at(folder.join(name).display());
    fs::create_dir_all(folder).at(folder.display())?;
    write("report.md", text(figures))?;
    write("figures.json", record::json(figures))?;
    write("rounds.csv", record::csv(figures))?;
    figures.usual().map_or(Ok(()), |series| write("cpu.svg", chart::svg(&chart::bars(series))))
}
