//! A row of an export as entries of a case.

use jiff::Timestamp;
use sts_core::MeterPan;

use super::cells::{Damage, bare, decimal, is_digits, is_exponent, ungrouped, unit, whole};
use super::columns::Field;
use super::dates::{self, instant};
use super::plan::Plan;
use super::source::RawRow;
use super::{Damaged, Options};
use crate::records::{self, EntryRow, MeterRow};
use crate::row_file::csv_line;

/// The columns of `entries.csv`, as they are written.
pub(super) const ENTRY_HEADER: [&str; 17] = [
    "id",
    "entered_at",
    "pan",
    "entered",
    "sold_at",
    "quantity",
    "unit",
    "paid",
    "sgc",
    "krn",
    "ti",
    "kt",
    "ea",
    "displayed",
    "event",
    "value",
    "note",
];

/// The columns of `meters.csv`, as they are written.
pub(super) const METER_HEADER: [&str; 11] =
    ["pan", "ea", "sgc", "krn", "ti", "kt", "base_date", "ken", "profile", "firmware", "tid_floor"];

/// An entry, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    pub(super) at: Timestamp,
    pub(super) pan: MeterPan,
    fields: [String; 15],
    pub(super) damage: Option<Damage>,
}

impl Entry {
    /// What was keyed.
    pub(super) fn entered(&self) -> &str {
        &self.fields[1]
    }

    pub(super) fn line(&self, id: &str) -> Vec<u8> {
        let at = self.at.to_string();
        let [pan, rest @ ..] = self.fields.each_ref().map(String::as_str);
        csv_line([id, &at, pan].into_iter().chain(rest))
    }
}

/// Why a row is not taken.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) field: Option<Field>,
    pub(super) reason: String,
}

fn fault(field: Field, reason: impl Into<String>) -> Fault {
    Fault { field: Some(field), reason: reason.into() }
}

/// What was done beside reading, for the notes.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// Numbers that got zeros back.
    pub(super) zeros: u64,
    /// Times that the clocks showed twice.
    pub(super) twice: u64,
    /// Times without a time of day.
    pub(super) days: u64,
}

/// A meter as a row says it is, in the columns of `meters.csv` behind its number; empty where the
/// row does not say.
#[derive(Clone, Debug)]
pub(super) struct Settings(pub(super) [String; 10]);

impl Settings {
    /// Whether all is said that `meters.csv` needs.
    pub(super) fn are_whole(&self) -> bool {
        self.0[..6].iter().all(|value| !value.is_empty())
    }

    pub(super) fn line(&self, pan: &str) -> Vec<u8> {
        csv_line(std::iter::once(pan).chain(self.0.iter().map(String::as_str)))
    }
}

/// One row, read under a plan.
pub(super) struct Reading<'a> {
    row: &'a RawRow,
    plan: &'a Plan,
    options: &'a Options,
    mended: &'a mut Mended,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        row: &'a RawRow,
        plan: &'a Plan,
        options: &'a Options,
        mended: &'a mut Mended,
    ) -> Self {
        Self { row, plan, options, mended }
    }

    /// The cell of a field, or what stands for all rows; `None` where empty.
    fn get(&self, field: Field) -> Option<&'a str> {
        let cell = self.plan.mapping.place(field).and_then(|place| self.row.cells.get(place));
        let cell = cell.map(|cell| bare(cell)).filter(|cell| !cell.is_empty());
        cell.or_else(|| self.options.constant(field))
    }

    fn text(&self, field: Field) -> String {
        self.get(field).unwrap_or_default().to_owned()
    }

    fn parsed<T>(
        &self,
        field: Field,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.get(field) else { return Ok(None) };
        let text = whole(text);
        if is_exponent(text) {
            return Err(fault(field, gone(text, Damage::Exponent)));
        }
        parse(text).map(Some).map_err(|problem| fault(field, problem))
    }

    /// The entries of the row: one for each token.
    pub(super) fn entries(mut self) -> Result<(Vec<Entry>, Settings), Fault> {
        let pan = self.meter()?;
        let sold_at = self.sold_at()?;
        let at = match (self.plan.mapping.has(Field::EnteredAt), sold_at) {
            (true, _) => self
                .time(Field::EnteredAt, self.get(Field::EnteredAt))?
                .ok_or_else(|| fault(Field::EnteredAt, "is empty, expected a time"))?,
            (false, Some(sold_at)) => sold_at,
            (false, None) => return Err(fault(self.sold_field(), "is empty, expected a time")),
        };
        let (quantity, quantity_unit) = self.quantity()?;
        let paid = self.number(Field::Paid)?.map(|(number, _)| number).unwrap_or_default();
        let sgc = self.sgc()?.unwrap_or_default();
        let krn = self.parsed(Field::Krn, records::parse_krn)?;
        let krn = krn.map(|krn| krn.to_string()).unwrap_or_default();
        let ti = self.parsed(Field::Ti, records::parse_ti)?;
        let ti = ti.map(|ti| format!("{:0>2}", ti.to_string())).unwrap_or_default();
        let kt = self.parsed(Field::Kt, records::parse_kt)?;
        let kt = kt.map(|kt| kt.code().to_string()).unwrap_or_default();
        let ea = self.parsed(Field::Ea, records::parse_ea)?;
        let ea = ea.map(|ea| ea.code().to_owned()).unwrap_or_default();
        let event = self.event(pan, at)?;
        let settings = self.settings(pan, [&ea, &sgc, &krn, &ti, &kt])?;
        let mut entries = Vec::new();
        for (entered, is_credit, damage) in self.tokens(event.is_empty() || event == "token")? {
            let note = self.note(damage);
            let of_credit = |text: &String| if is_credit { text.clone() } else { String::new() };
            let fields = [
                pan.to_string(),
                entered,
                sold_at.map(|time| time.to_string()).unwrap_or_default(),
                of_credit(&quantity),
                of_credit(&quantity_unit),
                of_credit(&paid),
                sgc.clone(),
                krn.clone(),
                ti.clone(),
                kt.clone(),
                ea.clone(),
                self.text(Field::Displayed),
                event.clone(),
                self.text(Field::Value),
                note,
            ];
            let id = self.get(Field::Id).or_else(|| self.get(Field::Receipt));
            entries.push(Entry { id: id.map(str::to_owned), at, pan, fields, damage });
        }
        Ok((entries, settings))
    }

    fn sold_field(&self) -> Field {
        if self.plan.mapping.has(Field::SoldDate) { Field::SoldDate } else { Field::SoldAt }
    }

    fn meter(&mut self) -> Result<MeterPan, Fault> {
        let mut read = |field: Field| -> Result<Option<MeterPan>, Fault> {
            let Some(text) = self.get(field) else { return Ok(None) };
            let (pan, mended) =
                meter_number(text, self.get(Field::Iin), self.options.restore_zeros)
                    .map_err(|problem| fault(field, problem))?;
            self.mended.zeros += u64::from(mended);
            Ok(Some(pan))
        };
        match (read(Field::Pan)?, read(Field::Drn)?) {
            (Some(pan), Some(drn)) if pan.drn() != drn.drn() => {
                Err(fault(Field::Drn, "is another meter than pan, expected the same"))
            }
            (Some(pan), _) | (None, Some(pan)) => Ok(pan),
            (None, None) => {
                let field = if self.plan.mapping.has(Field::Drn) { Field::Drn } else { Field::Pan };
                Err(fault(field, "is empty, expected the number of a meter"))
            }
        }
    }

    fn time(&mut self, field: Field, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = text else { return Ok(None) };
        let written =
            dates::read(text, self.plan.order).map_err(|problem| fault(field, problem))?;
        self.mended.days += u64::from(!written.has_time);
        let zone = self.options.zone.as_ref().map(|(_, zone)| zone);
        let (time, twice) = instant(written, zone).map_err(|problem| {
            let problem =
                if problem.starts_with("has") { format!("{text:?} {problem}") } else { problem };
            fault(field, problem)
        })?;
        self.mended.twice += u64::from(twice);
        Ok(Some(time))
    }

    fn sold_at(&mut self) -> Result<Option<Timestamp>, Fault> {
        if let Some(text) = self.get(Field::SoldAt) {
            return self.time(Field::SoldAt, Some(text));
        }
        let Some(date) = self.get(Field::SoldDate) else { return Ok(None) };
        let text = match self.get(Field::SoldTime) {
            // A date that a spreadsheet wrote with midnight behind it.
            Some(clock) => {
                let date = date.split_once([' ', 'T']).map_or(date, |(date, rest)| {
                    if rest.starts_with("00:00") {
                        date
                    } else {
                        self.get(Field::SoldDate).unwrap_or(date)
                    }
                });
                format!("{date} {clock}")
            }
            None => date.to_owned(),
        };
        self.time(Field::SoldDate, Some(&text))
    }

    fn number(&self, field: Field) -> Result<Option<(String, String)>, Fault> {
        let Some(text) = self.get(field) else { return Ok(None) };
        decimal(text, self.plan.mark).map(Some).map_err(|problem| fault(field, problem))
    }

    fn quantity(&self) -> Result<(String, String), Fault> {
        let Some((quantity, letters)) = self.number(Field::Quantity)? else {
            return Ok(Default::default());
        };
        let said = match self.get(Field::Unit) {
            Some(text) => Some(unit(text).ok_or_else(|| {
                fault(Field::Unit, format!("{text:?}, expected one of: kWh, m3, min"))
            })?),
            None => None,
        };
        let named = || self.plan.mapping.name(Field::Quantity).and_then(unit);
        let unit = said.or_else(|| unit(&letters)).or_else(named);
        Ok((quantity, unit.unwrap_or_default().to_owned()))
    }

    fn sgc(&mut self) -> Result<Option<String>, Fault> {
        let restore = self.options.restore_zeros;
        let mut padded = None;
        if let Some(text) = self.get(Field::Sgc).map(whole)
            && restore
            && is_digits(text)
            && text.len() < 6
        {
            padded = Some(format!("{text:0>6}"));
        }
        if let Some(padded) = padded {
            self.mended.zeros += 1;
            let sgc = records::parse_sgc(&padded).map_err(|problem| fault(Field::Sgc, problem))?;
            return Ok(Some(format!("{:0>6}", sgc.to_string())));
        }
        let sgc = self.parsed(Field::Sgc, |text| {
            records::parse_sgc(text).map_err(|problem| {
                if is_digits(text) && text.len() < 6 {
                    format!("{problem} --restore-zeros puts them back")
                } else {
                    problem
                }
            })
        })?;
        Ok(sgc.map(|sgc| format!("{:0>6}", sgc.to_string())))
    }

    fn event(&self, pan: MeterPan, at: Timestamp) -> Result<String, Fault> {
        let Some(event) = self.get(Field::Event) else { return Ok(String::new()) };
        EntryRow::token("", pan, at, "").set_field("event", event).map_err(|problem| {
            let problem = problem.strip_prefix("event: ").unwrap_or(&problem).to_owned();
            fault(Field::Event, problem)
        })?;
        Ok(event.to_owned())
    }

    /// What was keyed, or the tokens that were sold; whether each is the credit, and its damage.
    fn tokens(&mut self, keyed: bool) -> Result<Vec<(String, bool, Option<Damage>)>, Fault> {
        let own = self.get(Field::Entered);
        if !keyed {
            return Ok(vec![(own.unwrap_or_default().to_owned(), true, None)]);
        }
        let mut tokens = Vec::new();
        if self.plan.mapping.has(Field::Entered) {
            let text = own.ok_or_else(|| fault(Field::Entered, "is empty, expected a token"))?;
            let damage = self.damage(Field::Entered, text)?;
            return Ok(vec![(text.to_owned(), true, damage)]);
        }
        for field in [Field::Kct1, Field::Kct2, Field::Kct3, Field::Kct4, Field::Token] {
            let Some(text) = self.get(field) else { continue };
            let mut damage = self.damage(field, text)?;
            let mut digits = ungrouped(text);
            if damage == Some(Damage::LostZeros) && self.options.restore_zeros {
                digits = format!("{digits:0>20}");
                self.mended.zeros += 1;
                damage = None;
            }
            let several =
                is_digits(&digits) && digits.len() > 24 && digits.len().is_multiple_of(20);
            if several && digits.len() <= 100 {
                for place in (0..digits.len()).step_by(20) {
                    let token = digits[place..place + 20].to_owned();
                    tokens.push((token, field == Field::Token, None));
                }
            } else {
                tokens.push((digits, field == Field::Token, damage));
            }
        }
        if tokens.is_empty() {
            let field = Field::ALL.iter().find(|f| f.is_token() && self.plan.mapping.has(**f));
            return Err(fault(*field.unwrap_or(&Field::Token), "is empty, expected a token"));
        }
        Ok(tokens)
    }

    fn damage(&self, field: Field, text: &str) -> Result<Option<Damage>, Fault> {
        // A double may be chance; many are none.
        let damage =
            Damage::of_token(text).filter(|damage| *damage != Damage::Double || self.plan.doubles);
        match damage {
            Some(damage) if damage.is_final() && self.options.damaged == Damaged::Reject => {
                Err(fault(field, gone(text, damage)))
            }
            damage => Ok(damage),
        }
    }

    fn note(&self, damage: Option<Damage>) -> String {
        let own = self.text(Field::Note);
        match damage.filter(|damage| damage.is_final()) {
            None => own,
            Some(damage) if own.is_empty() => damage.words().to_owned(),
            Some(damage) => format!("{own}; {}", damage.words()),
        }
    }

    /// What the row says for `meters.csv`.
    fn settings(&self, pan: MeterPan, told: [&String; 5]) -> Result<Settings, Fault> {
        let [ea, sgc, krn, ti, kt] = told.map(String::clone);
        let base_date = self.get(Field::BaseDate).and_then(|text| by_krn(text, &krn));
        let base_date = whole(base_date.unwrap_or_default()).to_owned();
        let more = [Field::Ken, Field::Profile, Field::Firmware, Field::TidFloor];
        let [ken, profile, firmware, tid_floor] =
            more.map(|field| whole(&self.text(field)).to_owned());
        let mut meter = MeterRow::bare(pan);
        for (field, value) in [
            (Field::Krn, &krn),
            (Field::Kt, &kt),
            (Field::BaseDate, &base_date),
            (Field::Ken, &ken),
            (Field::TidFloor, &tid_floor),
        ] {
            if !value.is_empty() {
                meter = meter.with_field(field.name(), value).map_err(|problem| {
                    let prefix = format!("{field}: ");
                    fault(field, problem.strip_prefix(&prefix).unwrap_or(&problem).to_owned())
                })?;
            }
        }
        if !krn.is_empty() && !kt.is_empty() {
            meter.consistent().map_err(|problem| {
                fault(Field::Krn, problem.strip_prefix("krn: ").unwrap_or(&problem).to_owned())
            })?;
        }
        Ok(Settings([ea, sgc, krn, ti, kt, base_date, ken, profile, firmware, tid_floor]))
    }
}

/// A value for all meters, or one for each key revision: `1:1993,2:2014`.
pub(super) fn by_krn<'a>(text: &'a str, krn: &str) -> Option<&'a str> {
    if !text.contains(':') {
        return Some(text);
    }
    let mut pairs = text.split(',').filter_map(|pair| pair.trim().split_once(':'));
    pairs.find(|(of, _)| of.trim() == krn).map(|(_, value)| value.trim())
}

/// What is said of digits that nobody can compute back.
fn gone(text: &str, damage: Damage) -> String {
    format!(
        "{text:?}: {}; the digits cannot be computed back, expected the export again with the \
         column as text",
        damage.words()
    )
}

/// A meter by any of its numbers, and whether zeros were put back.
fn meter_number(text: &str, iin: Option<&str>, restore: bool) -> Result<(MeterPan, bool), String> {
    let text = whole(text);
    if is_exponent(text) {
        return Err(gone(text, Damage::Exponent));
    }
    let number = |text: &str| match iin {
        Some(iin) if matches!(text.len(), 11 | 13) => {
            let drn = sts_core::DecoderReferenceNumber::parse(text).map_err(|e| e.to_string())?;
            MeterPan::from_parts(iin, &drn).map_err(|error| error.to_string())
        }
        _ => records::meter_pan(text),
    };
    let problem = match number(text) {
        Ok(pan) => return Ok((pan, false)),
        Err(problem) => format!("{text:?}: {problem}"),
    };
    if !is_digits(text) || text.len() < 5 {
        return Err(problem);
    }
    let wider = [11, 13, 18].into_iter().filter(|width| *width > text.len());
    let padded = wider.map(|width| format!("{text:0>width$}"));
    let found = padded.map(|padded| (number(&padded), padded)).find(|(number, _)| number.is_ok());
    match found {
        Some((Ok(pan), _)) if restore => Ok((pan, true)),
        Some((_, padded)) => Err(format!(
            "{problem}; with zeros put back it would be {padded}, and --restore-zeros takes it so"
        )),
        None => Err(problem),
    }
}

/// Whether a value would do for a field: strictly, since it is asked of values in wrong places.
pub(super) fn fits(field: Field, text: &str, plan: &Plan) -> bool {
    let text = bare(text);
    match field {
        Field::Drn | Field::Pan => records::meter_pan(text).is_ok(),
        Field::Token | Field::Entered => ungrouped(text).len() == 20 && is_digits(&ungrouped(text)),
        Field::EnteredAt | Field::SoldAt | Field::SoldDate => {
            !is_digits(text) && dates::read(text, plan.order).is_ok()
        }
        Field::Sgc => records::parse_sgc(text).is_ok(),
        Field::Quantity | Field::Paid => decimal(text, plan.mark).is_ok(),
        Field::Krn => records::parse_krn(text).is_ok(),
        Field::Ti => records::parse_ti(text).is_ok(),
        _ => true,
    }
}

/// Another column whose value would do where a row's own does not.
pub(super) fn exchanged(row: &RawRow, field: Field, plan: &Plan) -> Option<usize> {
    const TELLING: [Field; 6] =
        [Field::Drn, Field::Pan, Field::Sgc, Field::EnteredAt, Field::SoldAt, Field::SoldDate];
    if !TELLING.contains(&field) {
        return None;
    }
    let own = plan.mapping.place(field)?;
    let cell = |place: usize| row.cells.get(place).map_or("", String::as_str);
    (0..plan.mapping.names.len()).filter(|place| *place != own).find(|place| {
        // A column that is read as the same kind of thing is right where it is.
        let other = plan.mapping.fields[*place];
        let back = other
            .is_none_or(|other| fits(other, cell(own), plan) && !(fits(other, cell(*place), plan)));
        !cell(*place).trim().is_empty() && back && fits(field, cell(*place), plan)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_meters_get_zeros_back_where_that_is_wanted() {
        let told = meter_number("1202401012", None, false).unwrap_err();
        assert!(told.contains("01202401012") && told.contains("--restore-zeros"), "{told}");
        let (pan, mended) = meter_number("1202401012", None, true).unwrap();
        assert!(mended && pan.to_string().contains("01202401012"), "{pan}");
        assert!(!meter_number("01202401012.0", None, true).unwrap().1);
        let gone = meter_number("1.20240E+09", None, true).unwrap_err();
        assert!(gone.contains("cannot be computed back"), "{gone}");
        assert!(meter_number("01202401013", None, true).unwrap_err().contains("check digit"));
    }

    #[test]
    fn base_dates_may_go_by_key_revision() {
        assert_eq!(by_krn("1993", "2"), Some("1993"));
        assert_eq!(by_krn("1:1993, 2:2014", "2"), Some("2014"));
        assert_eq!(by_krn("1:1993", "2"), None);
    }
}
