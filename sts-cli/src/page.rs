//! The page and the work list of `sts replay`.

use std::fs::File;

use sts_harness::case::Case;
use sts_harness::report::{About, Input, Report};

use crate::args::ReplayArgs;
use crate::exit::Failure;

impl ReplayArgs {
    /// Whether a page or a work list is asked for.
    pub(crate) const fn wants_page(&self) -> bool {
        self.report.is_some() || self.work_list.is_some()
    }
}

/// A report of a case, which nothing was told yet.
pub(crate) fn start(args: &ReplayArgs, case: &Case) -> Result<Report, Failure> {
    let own_keys = args.keys.keys.is_none().then(|| args.case.join("keys.toml"));
    let files = ["case.toml", "meters.csv", "entries.csv"].map(|name| args.case.join(name));
    let files = files.into_iter().chain(own_keys).chain(args.keys.keys.clone());
    let mut inputs = Vec::new();
    for file in files.filter(|file| file.exists()) {
        inputs.push(Input::of(&file)?);
    }
    let rejected = case.rejected.iter().map(|file| file.rows.len()).sum::<usize>();
    Ok(Report::new(About {
        title: case.settings.title.clone(),
        case: args.case.display().to_string(),
        inputs,
        rejected: u64::try_from(rejected).unwrap_or_default(),
    }))
}

/// Writes what is asked for.
pub(crate) fn write(args: &ReplayArgs, report: &Report) -> Result<(), Failure> {
    if let Some(path) = &args.report {
        std::fs::write(path, report.page()).map_err(|error| Failure::in_file(path, &error))?;
    }
    if let Some(path) = &args.work_list {
        let list = File::create(path).and_then(|file| report.work_list(file));
        list.map_err(|error| Failure::in_file(path, &error))?;
    }
    Ok(())
}
