//! The list of work, for those who visit meters and mend records.

use super::Report;
use crate::row_file::csv_line;

pub(super) fn csv(report: &Report) -> String {
    let mut out = csv_line([
        "CONFIDENTIAL_drn",
        "pseudonym",
        "action",
        "cause",
        "probability",
        "refusals",
        "entries",
        "advice",
    ]);
    let mut work: Vec<_> = report.work.values().collect();
    work.sort_by_key(|work| work.pseudonym);
    for work in work {
        let Some((cause, action, advice, sure)) = work.best else { continue };
        let mut ids = work.ids.join(" ");
        if work.count > work.ids.len() as u64 {
            ids.push_str(" ...");
        }
        let fields = [
            work.drn.clone(),
            format!("M{:04}", work.pseudonym),
            action.to_owned(),
            cause.to_owned(),
            format!("{sure:.4}"),
            work.count.to_string(),
            ids,
            advice.to_owned(),
        ];
        let fields = fields.map(guarded);
        out.extend(csv_line(fields.iter().map(String::as_str)));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A cell that no spreadsheet takes for a formula.
pub(super) fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
