//! How causes are searched for, as asked on the command line.

use sts_harness::diagnose::{self, Batch, Model, Settings};

use crate::args::{Lanes, SearchArgs};
use crate::exit::Failure;

pub(crate) fn settings(args: &SearchArgs) -> Result<Settings, Failure> {
    let model = args.model.as_deref().map(Model::load).transpose()?.unwrap_or_default();
    Ok(Settings { model, batch: batch(args.lanes)?, ..Settings::default() })
}

fn batch(lanes: Lanes) -> Result<Batch, Failure> {
    let lanes = match lanes {
        Lanes::Auto => return Ok(Batch::new()),
        Lanes::Portable => diagnose::Lanes::Portable,
        Lanes::Avx2 => diagnose::Lanes::Avx2,
        Lanes::Avx512 => diagnose::Lanes::Avx512,
    };
    Batch::with_lanes(lanes).ok_or_else(|| {
        let best = diagnose::Lanes::detect();
        Failure::Usage(format!("--lanes: this machine has no {lanes}, its widest is {best}"))
    })
}
