//! `sts issue`.

use sts_harness::input::{Place, Rejected};
use sts_harness::issue::{Issuer, NotIssued};
use sts_harness::records;

use crate::args::TableArgs;
use crate::exit::{Done, Exit};
use crate::keys;
use crate::out::{Out, grouped};
use crate::verify::{plain, reject};

pub(crate) fn run(args: &TableArgs, out: &mut Out) -> Done {
    let ring = keys::ring(&args.keys, out)?;
    let mut rows = records::read_issue(&args.input)?;
    let mut issuer = Issuer::new(&ring);
    let mut exit = Exit::Good;
    let mut refused = Vec::new();
    for row in &rows.rows {
        match issuer.issue(row) {
            Ok(issued) => {
                for warning in &issued.warnings {
                    out.warning(format_args!("{}: {warning}", row.id));
                }
                if out.is_text() {
                    let tokens = issued.object.get("tokens").and_then(|tokens| tokens.as_array());
                    for token in tokens.into_iter().flatten() {
                        let token = grouped(&plain(token));
                        out.line(format_args!("{:<12} {token}   test token", row.id))?;
                    }
                } else {
                    out.object(&issued.object)?;
                }
            }
            Err(problem) => {
                if matches!(problem, NotIssued::Key(_)) {
                    exit = exit.max(Exit::Keys);
                }
                refused.push(Rejected::new(
                    Place::line(&rows.file, row.line),
                    row.original.clone(),
                    problem.to_string(),
                ));
            }
        }
    }
    rows.rejected.extend(refused);
    let rejected = reject(args.rejects.as_deref(), &args.input, &rows.header, &rows.rejected, out)?;
    Ok(exit.max(rejected))
}
