//! The report as a page.

use std::collections::BTreeSet;
use std::fmt::{Display, Write};

use super::redact::redacted;
use super::{CLASSES, DAY, KeyName, OfCause, Report, charts, needs_nothing, pseudonym};
use crate::cause::Cause;
use crate::markup::escaped;
use crate::replay::Totals;

/// What a user wrote, without numbers that may be meters' or tokens'.
fn told(text: &str) -> String {
    escaped(&redacted(text))
}

/// A number with its thousands apart.
pub(super) fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A day since 1970 as a date.
pub(super) fn day_name(day: i64) -> String {
    crate::time::format_minutes(day * DAY).chars().take(10).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn percent(part: u64, of: u64) -> String {
    if of == 0 {
        return "0 %".to_owned();
    }
    let share = 100.0 * part as f64 / of as f64;
    if part > 0 && share < 0.1 { "under 0.1 %".to_owned() } else { format!("{share:.1} %") }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--wash:#f6f8fa;\
--s0:#0b5fa5;--s1:#c2410c;--s2:#15803d;--s3:#7e22ce;--s4:#a16207;--s5:#0e7490;--s6:#6b7280}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--paper:#0d1117;--line:#30363d;\
--wash:#161b22;--s0:#6cb6ff;--s1:#ff9d5c;--s2:#5fd38d;--s3:#d2a8ff;--s4:#e3b341;--s5:#56d4dd;--s6:#9da7b3}}\
body{margin:0 auto;max-width:52rem;padding:1rem;background:var(--paper);color:var(--ink);\
font:1rem/1.5 system-ui,sans-serif}\
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}\
.verdict{font-size:1.15rem;border-left:.3rem solid var(--s0);padding:.2rem 0 .2rem .8rem;margin:1rem 0}\
.soft,figcaption,caption{color:var(--soft);font-size:.9rem}caption{text-align:left}\
table{border-collapse:collapse;width:100%;font-size:.92rem}.wide{overflow-x:auto}\
th code{white-space:nowrap}th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid var(--line)}\
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
code{background:var(--wash);padding:.1rem .3rem;border-radius:.2rem;overflow-wrap:anywhere;\
font-size:.85rem}pre{background:var(--wash);padding:.6rem;overflow-x:auto;font-size:.85rem;\
border-radius:.3rem}figure{margin:1rem 0}svg{width:100%;height:auto}\
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}svg .strong{fill:var(--ink)}\
.grid{stroke:var(--line)}.mark{stroke:var(--ink);stroke-dasharray:3 3}.cell{fill:var(--s0)}\
.right{fill:var(--wash);stroke:var(--line)}\
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}\
.s5{fill:var(--s5)}.s6{fill:var(--s6)}\
.key{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem;vertical-align:-.05rem}\
.bar{display:block;height:.5rem;background:var(--s0);border-radius:.1rem;min-width:1px}\
.heat{background:color-mix(in srgb,var(--s0) var(--h),transparent)}\
footer{margin-top:2rem;border-top:1px solid var(--line);padding-top:.5rem}\
@media print{body{max-width:none;font-size:10pt}h2{break-after:avoid}figure,tr{break-inside:avoid}\
.bar,.key,rect,td.heat{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\
@media(max-width:34rem){.causes tr{display:grid;grid-template-columns:1fr 4.5rem 3.5rem;\
border-bottom:1px solid var(--line)}.causes th,.causes td{border:0}.causes .what{grid-column:1/-1}\
.causes thead .what{display:none}\
figure{overflow-x:auto}figure svg{min-width:36rem}th,td{padding:.3rem .25rem}table{font-size:.85rem}}";

struct Page<'a> {
    report: &'a Report,
    /// Causes, the most frequent first.
    causes: Vec<(Cause, &'a OfCause)>,
    html: String,
}

/// Writes the whole page.
pub(super) fn write(report: &Report) -> String {
    let mut causes: Vec<(Cause, &OfCause)> =
        report.causes.iter().map(|(cause, of)| (*cause, of)).collect();
    causes.sort_by_key(|(cause, of)| (std::cmp::Reverse(of.refusals), *cause));
    let mut page = Page { report, causes, html: String::new() };
    page.head();
    page.verdict();
    page.counts();
    page.over_time();
    page.keys();
    page.clocks();
    page.certain();
    page.displays();
    page.findings();
    page.foot();
    page.html
}

macro_rules! put {
    ($page:expr, $($text:tt)*) => {{
        let _ = writeln!($page.html, $($text)*);
    }};
}

impl Page<'_> {
    fn title(&self) -> String {
        told(self.report.about.title.as_deref().unwrap_or("Replay of refused purchases"))
    }

    fn head(&mut self) {
        let title = self.title();
        put!(
            self,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"robots\" content=\"noindex\"/>\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>"
        );
    }

    fn verdict(&mut self) {
        let report = self.report;
        let of = report.totals.refused;
        let Some((first, of_first)) = self.causes.first().copied() else {
            let entries = grouped(report.totals.entries);
            put!(self, "<p class=\"verdict\">Of {entries} entries none was refused.</p>");
            return;
        };
        let sure: u64 = self.causes.iter().map(|(_, of)| of.sure[0]).sum();
        put!(
            self,
            "<p class=\"verdict\">{} of {} entries were refused, at {} of {} meters: {} tokens that \
             did not do what they were entered for. The most frequent cause, {} of the refusals, is \
             that {} For {} of all refusals the cause is told with 99 % and more. <strong>First: \
             {}</strong></p>",
            grouped(of),
            grouped(report.totals.entries),
            grouped(report.order.len()),
            grouped(report.seen.len()),
            grouped(report.tokens),
            percent(of_first.refusals, of),
            escaped(&uncapitalised(first.why())),
            percent(sure, of),
            next_step(first)
        );
        let open = self.report.open_work().map(|(number, ..)| number).collect::<BTreeSet<_>>();
        let (open, refused) = (grouped(open.len()), grouped(report.order.len()));
        put!(
            self,
            "<p>{open} of the {refused} meters still need something done: the work list, a file of \
             its own, says which and what. It has their real numbers and is confidential; this page \
             has neither meter numbers nor tokens.</p>"
        );
    }

    fn counts(&mut self) {
        let of = self.report.totals.refused;
        if of == 0 {
            return;
        }
        put!(
            self,
            "<h2>Why they were refused</h2>\n<table class=\"causes\">\n<caption>Refusals by \
             first-ranked cause.</caption>\n<thead><tr><th scope=\"col\">cause</th><th scope=\"col\" \
             class=\"n\">refusals</th><th scope=\"col\" class=\"n\">meters</th><th \
             scope=\"col\" class=\"what\">what to do</th></tr></thead>\n<tbody>"
        );
        for (place, (cause, of_cause)) in self.causes.iter().enumerate() {
            let shade = place.min(charts::MOST_SHADES);
            let _ = writeln!(
                self.html,
                "<tr><th scope=\"row\"><svg class=\"key\" viewBox=\"0 0 8 8\" aria-hidden=\"true\">\
                 <rect class=\"s{shade}\" width=\"8\" height=\"8\"/></svg>{}<br/><code>{}</code></th>\
                 <td class=\"n\">{}<br/><span class=\"soft\">{}</span></td><td class=\"n\">{}</td>\
                 <td class=\"what\">{} <code>{}</code></td></tr>",
                escaped(cause.title()),
                cause.name(),
                grouped(of_cause.refusals),
                percent(of_cause.refusals, of),
                grouped(of_cause.meters.len()),
                next_step(*cause),
                cause.action()
            );
        }
        put!(self, "</tbody></table>");
        put!(
            self,
            "<h2>What the meters answered</h2>\n<table>\n<caption>Entries by result; the names are \
             the standard's.</caption>\n<thead><tr><th scope=\"col\">result</th><th scope=\"col\" \
             class=\"n\">entries</th><th scope=\"col\" style=\"width:50%\">share</th></tr></thead>\n\
             <tbody>"
        );
        let mut results: Vec<_> = self.report.results.iter().collect();
        results.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
        for (name, count) in results {
            let share = percent(*count, self.report.totals.entries);
            let wide =
                if share.starts_with("under") { "0.1%".to_owned() } else { share.replace(' ', "") };
            let _ = writeln!(
                self.html,
                "<tr><th scope=\"row\"><code>{}</code></th><td class=\"n\">{}</td><td><span \
                 class=\"bar\" style=\"width:{wide}\"></span><span class=\"soft\">{share}</span></td>\
                 </tr>",
                escaped(name),
                grouped(*count),
            );
        }
        put!(self, "</tbody></table>");
    }

    fn over_time(&mut self) {
        let report = self.report;
        let order: Vec<Cause> = self.causes.iter().map(|(cause, _)| *cause).collect();
        let mut marks: Vec<(i64, String)> = Vec::new();
        let switches = report.switches();
        let first = switches.values().min().copied();
        for (krn, day) in switches.into_iter().filter(|(_, day)| Some(*day) != first) {
            marks.push((day, format!("vending goes over to KRN {krn}, {}", day_name(day))));
        }
        let all: u64 = report.key_changes.values().sum();
        if let Some((day, count)) =
            report.key_changes.iter().max_by_key(|(day, count)| (**count, -**day))
        {
            let text = format!(
                "key changes completed: {} of {}, {}",
                grouped(*count),
                grouped(all),
                day_name(*day)
            );
            marks.push((*day, text));
        }
        if let Some((day, count)) =
            report.firmware.iter().max_by_key(|(day, count)| (**count, -**day))
        {
            marks
                .push((*day, format!("firmware updates: {}, {}", grouped(*count), day_name(*day))));
        }
        marks.sort();
        let Some(svg) = charts::over_time(&report.days, &order, &marks) else { return };
        put!(
            self,
            "<h2>When they were refused</h2>\n<figure>{svg}<figcaption>Refusals by day (UTC), the \
             most frequent cause at the bottom; the colours are those of the table of \
             causes.</figcaption></figure>"
        );
    }

    fn keys(&mut self) {
        let keys = &self.report.keys;
        if keys.is_empty() {
            return;
        }
        const MOST: usize = 10;
        let mut own: Vec<KeyName> = keys.keys().map(|(own, _)| *own).collect();
        let mut of_token: Vec<KeyName> = keys.keys().map(|(_, token)| *token).collect();
        for names in [&mut own, &mut of_token] {
            names.sort_unstable();
            names.dedup();
        }
        let count = |own: Option<KeyName>, token: Option<KeyName>| -> u64 {
            let fits = |(a, b): &(KeyName, KeyName)| {
                own.is_none_or(|own| own == *a) && token.is_none_or(|token| token == *b)
            };
            keys.iter().filter(|(pair, _)| fits(pair)).map(|(_, count)| count).sum()
        };
        own.sort_by_key(|name| (std::cmp::Reverse(count(Some(*name), None)), *name));
        of_token.sort_by_key(|name| (std::cmp::Reverse(count(None, Some(*name))), *name));
        let left_out = own.len().saturating_sub(MOST) + of_token.len().saturating_sub(MOST);
        own.truncate(MOST);
        of_token.truncate(MOST);
        own.sort_unstable();
        of_token.sort_unstable();
        let most = keys.values().copied().max().unwrap_or(1).max(1);
        let name = |key: &KeyName| format!("{:06}<br/>KRN {}", key.sgc, key.krn);
        let mut html = String::from(
            "<h2>Which keys were meant</h2>\n<div class=\"wide\"><table>\n<caption>Refusals by the \
             key that the meter held (down) and the key that the token was made under (across): \
             supply group and key revision.</caption>\n<thead><tr><th scope=\"col\">meter \
             holds</th>",
        );
        for token in &of_token {
            let _ = write!(html, "<th scope=\"col\" class=\"n\">{}</th>", name(token));
        }
        html.push_str("</tr></thead>\n<tbody>");
        for own in &own {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", name(own));
            for token in &of_token {
                let count = keys.get(&(*own, *token)).copied().unwrap_or_default();
                let heat = 70 * count / most;
                let _ = if count == 0 {
                    write!(html, "<td class=\"n\"></td>")
                } else {
                    let heat = heat.max(5);
                    write!(
                        html,
                        "<td class=\"n heat\" style=\"--h:{heat}%\">{}</td>",
                        grouped(count)
                    )
                };
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
        if left_out > 0 {
            let _ = write!(html, "<p class=\"soft\">{left_out} rarer keys are not shown.</p>");
        }
        put!(self, "{html}");
    }

    fn clocks(&mut self) {
        let Some(svg) = charts::clocks(&self.report.clocks) else { return };
        put!(
            self,
            "<h2>Clocks and base dates</h2>\n<figure>{svg}<figcaption>How far the time in a token is \
             from the time of its sale, by day of sale; stronger is more tokens. Where all is well \
             they lie in the middle band. A clock that is off, or times that are local and said to \
             be UTC, is a line beside it; a wrong base date is a line years away. Refused tokens are \
             there where their cause is found.</figcaption></figure>"
        );
    }

    fn certain(&mut self) {
        let of = self.report.totals.refused;
        if of == 0 {
            return;
        }
        put!(
            self,
            "<h2>How sure this is</h2>\n<table>\n<caption>Refusals by the stated probability of \
             their cause.</caption>\n<thead><tr><th scope=\"col\">probability</th><th scope=\"col\" \
             class=\"n\">refusals</th><th scope=\"col\" class=\"n\">share</th></tr></thead>\n<tbody>"
        );
        let unknown = self.report.causes.get(&Cause::Unknown);
        for (place, (_, words)) in CLASSES.iter().enumerate() {
            let all: u64 = self.causes.iter().map(|(_, of)| of.sure[place]).sum();
            let count = all - unknown.map_or(0, |of| of.sure[place]);
            let _ = writeln!(
                self.html,
                "<tr><th scope=\"row\">{words}</th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                grouped(count),
                percent(count, of)
            );
        }
        let count = unknown.map_or(0, |of| of.refusals);
        put!(
            self,
            "<tr><th scope=\"row\">no cause found</th><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             </tr>\n</tbody></table>\n<p class=\"soft\">A check of 16 bits is passed by one wrong key \
             in 65 536: no cause that rests on it is certain. Probabilities rest on assumed \
             frequencies of causes, corrected by what the entries of this case show.</p>",
            grouped(count),
            percent(count, of)
        );
        let Report { totals, about, .. } = self.report;
        for (count, what) in [
            (
                totals.key_missing,
                "entries could not be judged, since no key is held for their meter",
            ),
            (totals.errors, "entries could not be judged: unknown meters, or times that go back"),
            (about.rejected, "rows of the files could not be read; they are in the rejects file"),
        ] {
            if count > 0 {
                put!(self, "<p>{} {what}.</p>", grouped(count));
            }
        }
    }

    fn displays(&mut self) {
        let report = self.report;
        let Totals { entries, reproduced, near, not_reproduced, .. } = report.totals;
        put!(
            self,
            "<h2>What the meters showed</h2>\n<p>{} displays came out as noted, {} but for lost \
             zeros, {} did not; of {} entries no display is noted.</p>",
            grouped(reproduced),
            grouped(near),
            grouped(not_reproduced),
            grouped(entries - reproduced - near - not_reproduced)
        );
        put!(
            self,
            "<table>\n<caption>What a display rule rests on.</caption>\n<thead><tr><th \
             scope=\"col\">basis</th><th scope=\"col\">means</th><th scope=\"col\" \
             class=\"n\">entries</th></tr></thead>\n<tbody>"
        );
        for (basis, count) in &report.bases {
            let means = match *basis {
                "documented" => "a maker's or a utility's own text says so",
                "borrowed" => "taken from a like meter",
                "hypothesis" => "this project's reconstruction: no public text says so",
                _ => "made up, as an example",
            };
            let _ = writeln!(
                self.html,
                "<tr><th scope=\"row\">{}</th><td>{means}</td><td class=\"n\">{}</td></tr>",
                escaped(basis),
                grouped(*count)
            );
        }
        put!(self, "</tbody></table>");
        let profiles: Vec<String> = report
            .profiles
            .iter()
            .map(|((id, status), count)| {
                format!("{} ({status}), {} entries", told(id), grouped(*count))
            })
            .collect();
        put!(self, "<p class=\"soft\">Profiles: {}.</p>", profiles.join("; "));
    }

    fn findings(&mut self) {
        if self.causes.is_empty() {
            return;
        }
        let case = quoted(&self.report.about.case);
        put!(
            self,
            "<h2>Look at each finding</h2>\n<p>Each command lists the refusals of one cause, with \
             evidence and candidates.</p>"
        );
        for (cause, of_cause) in &self.causes {
            let mut meters = self.report.order.iter().enumerate();
            let has = |place: &usize| of_cause.meters.contains(place);
            let first: Vec<String> = meters
                .by_ref()
                .filter(|(_, place)| has(place))
                .take(3)
                .map(|(number, _)| pseudonym(number))
                .collect();
            let more = if of_cause.meters.len() > 3 { " and others" } else { "" };
            let rest = if needs_nothing(*cause) { "" } else { "; see the work list" };
            let _ = writeln!(
                self.html,
                "<h3 style=\"font-size:1rem;margin:1rem 0 .2rem\">{}</h3>\n<p class=\"soft\" \
                 style=\"margin:0\">Meters {}{more}{rest}.</p>\n<pre>sts replay {} --format ndjson | \
                 grep '&quot;cause&quot;:&quot;{}&quot;'</pre>",
                escaped(cause.why()),
                first.join(", "),
                told(&case),
                cause.name()
            );
        }
    }

    fn foot(&mut self) {
        put!(
            self,
            "</main>\n<footer class=\"soft\">\n<p>Made by sts {} of these files:</p>\n<ul>",
            env!("CARGO_PKG_VERSION")
        );
        for input in &self.report.about.inputs {
            let _ = writeln!(
                self.html,
                "<li>{}: <code>SHA-256 {}</code></li>",
                told(&input.name),
                escaped(&input.sha256)
            );
        }
        put!(
            self,
            "</ul>\n<p>An independent implementation, not certified or endorsed by the STS \
             Association or the IEC. Meters appear as M0001 and so on, in the order of their first \
             refusal.</p>\n</footer>\n</body>\n</html>"
        );
    }
}

/// What to do, without the digits of a test token.
fn next_step(cause: Cause) -> String {
    told(&cause.next_step().replace("enter 1844 6744 0738 4377 2416", "test token 2"))
}

fn uncapitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}
