//! Replaying entries against the meters of a case, in time order for each meter.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::{Map, Value};
use sts_core::{MeterPan, Payload};

use crate::case::Case;
use crate::cause::Cause;
use crate::describe::{TidReading, summary};
use crate::diagnose::{Believed, Diagnosis, Finder, Settings, Sighting};
use crate::fleet::{Answer, Fleet, MeterState, TrackedMeter};
use crate::progress::Progress;
use crate::records::{EntryRow, MeterRow};
use crate::row_file::WriteError;
use crate::suspicion::{Keyed, Shade, Suspicion};

/// Whether what a meter showed came out again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reproduced {
    /// The same text.
    Yes,
    /// The same number, its leading zeros lost.
    Near,
    /// Something else.
    No,
    /// The entry says nothing of the display.
    NoClaim,
}

impl Reproduced {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Yes => "reproduced",
            Self::Near => "near",
            Self::No => "not reproduced",
            Self::NoClaim => "no claim",
        }
    }

    /// As tables have it; `None` without a claim.
    #[must_use]
    pub const fn text(self) -> Option<&'static str> {
        match self {
            Self::Yes => Some("true"),
            Self::No => Some("false"),
            Self::Near => Some("near"),
            Self::NoClaim => None,
        }
    }

    fn of(displayed: Option<&str>, shown: Option<&str>) -> Self {
        let Some(displayed) = displayed.map(str::trim) else { return Self::NoClaim };
        let Some(shown) = shown else { return Self::NoClaim };
        if displayed == shown {
            return Self::Yes;
        }
        let number = |text: &str| {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.trim_start_matches('0').to_owned())
        };
        match (number(displayed), number(shown)) {
            (Some(a), Some(b)) if a == b => Self::Near,
            _ => Self::No,
        }
    }
}

impl Serialize for Reproduced {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::Near => serializer.serialize_str("near"),
            Self::NoClaim => serializer.serialize_none(),
        }
    }
}

/// A cause as it stands in a verdict.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CauseVerdict {
    /// Its name.
    pub cause: &'static str,
    /// 0 to 1.
    pub probability: f64,
    /// What it was found in.
    pub detail: Map<String, Value>,
}

/// One object an entry: the published form.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Version of this form.
    pub schema: u8,
    /// The entry's id.
    pub id: String,
    /// The result's name; null where the meter is not known or the row is an event.
    pub result: Option<&'static str>,
    /// Its number, where one is published.
    pub result_code: Option<u8>,
    /// What the meter shows.
    pub display: Option<String>,
    /// How sure the display rule is.
    pub display_basis: Option<&'static str>,
    /// Whether `displayed` came out again.
    pub reproduced: Reproduced,
    /// The first-ranked cause.
    pub cause: Option<&'static str>,
    /// Its probability.
    pub confidence: Option<f64>,
    /// All causes.
    pub causes: Vec<CauseVerdict>,
    /// Candidates tried.
    pub trials: u32,
    /// How many of them are expected to pass by chance.
    pub expected_chance_matches: f64,
    /// What speaks for the first-ranked cause.
    pub evidence: Vec<String>,
    /// What to do, as a fixed word.
    pub action: Option<&'static str>,
    /// What to do, in a sentence.
    pub advice: Option<&'static str>,
    /// The meter's reason with the values compared, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What kind of event the row was, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Why the entry could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Verdict {
    fn blank(id: &str) -> Self {
        Self {
            schema: 1,
            id: id.to_owned(),
            result: None,
            result_code: None,
            display: None,
            display_basis: None,
            reproduced: Reproduced::NoClaim,
            cause: None,
            confidence: None,
            causes: Vec::new(),
            trials: 0,
            expected_chance_matches: 0.0,
            evidence: Vec::new(),
            action: None,
            advice: None,
            reason: None,
            event: None,
            error: None,
        }
    }

    /// The verdict on a row that cannot be read.
    #[must_use]
    pub fn unread(id: &str, problem: String) -> Self {
        Self { error: Some(problem), ..Self::blank(id) }
    }

    /// All causes as a text of JSON, as tables have them; `None` where there is none.
    #[must_use]
    pub fn causes_text(&self) -> Option<String> {
        // Numbers, names and texts in memory: serializing does not fail.
        (!self.causes.is_empty()).then(|| serde_json::to_string(&self.causes).unwrap_or_default())
    }

    /// The evidence in one text, as tables have it; `None` where there is none.
    #[must_use]
    pub fn evidence_text(&self) -> Option<String> {
        (!self.evidence.is_empty()).then(|| self.evidence.join("; "))
    }

    /// Whether the token was taken.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.result
            .and_then(sts_core::TokenResult::from_name)
            .is_some_and(sts_core::TokenResult::is_taken)
    }

    fn set_diagnosis(&mut self, diagnosis: &Diagnosis) {
        let first = diagnosis.first();
        self.cause = Some(first.cause.name());
        self.confidence = Some(rounded(first.probability));
        self.causes = diagnosis
            .causes
            .iter()
            .map(|ranked| CauseVerdict {
                cause: ranked.cause.name(),
                probability: rounded(ranked.probability),
                detail: ranked.detail.clone(),
            })
            .collect();
        self.trials = diagnosis.trials;
        self.expected_chance_matches = (diagnosis.expected_chance_matches() * 1e6).round() / 1e6;
        self.evidence.clone_from(&first.evidence);
        self.action = Some(first.cause.action());
        self.advice = Some(first.cause.advice());
    }
}

fn rounded(probability: f64) -> f64 {
    (probability * 1e4).round() / 1e4
}

/// A verdict, and what a report says beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The published form.
    pub verdict: Verdict,
    /// What was done or is said by the token, in a few words.
    pub note: String,
    /// What the token says, where it was taken.
    pub payload: Option<Payload>,
    /// The meter's place in the fleet, where it is known.
    pub meter: Option<usize>,
    /// The meter's settings before the entry.
    pub before: Option<MeterState>,
    /// What is odd about the row.
    pub notice: Option<Notice>,
}

/// What is odd about a row, beside what its meter says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// It is earlier than its meter's row before, and is not judged.
    OutOfOrder,
    /// It has the id and the time of its meter's row before.
    Doubled,
}

/// An entry that the meter has answered, and whose cause may still have to be found.
#[derive(Debug)]
struct Begun {
    step: Step,
    open: Option<Open>,
}

/// What the search for a cause starts from.
#[derive(Debug)]
struct Open {
    place: usize,
    answer: Answer,
    sighting: Sighting,
    /// What the meter would answer if its record were wrong as it is suspected to be.
    shade: Option<Shade>,
}

impl Open {
    /// Whether finding the cause takes a search, under the record or under a suspicion.
    fn searches(&self) -> bool {
        let shade = self.shade.as_ref().filter(|shade| shade.matters());
        Finder::searches(&self.answer) || shade.is_some_and(|shade| Finder::searches(&shade.answer))
    }
}

/// What one entry teaches about the case.
#[derive(Clone, Debug)]
enum Lesson {
    /// A token that was taken, under settings known beyond doubt.
    Accepted {
        payload: Payload,
        /// Minutes from the sale to the TID.
        from_sale: Option<i64>,
        units: Option<u64>,
        /// Whether each column of what vending believed was right.
        believed: Vec<bool>,
    },
    /// A display that confirms the record of its meter, or contradicts it.
    Record { confirmed: bool },
    /// A refusal, and how probable each cause is.
    Refused(Vec<(Cause, f64)>),
}

/// Lessons are told after so many entries, so that those between can be judged in any order.
const BLOCK: usize = 256;

/// Fewer searches than that are not worth a thread.
const FEWEST: usize = 8;

/// A replay under way: the meters as they are now.
#[derive(Debug)]
pub struct Replay<'c> {
    case: &'c Case,
    fleet: Fleet,
    /// No meters: those that a search sees where each meter is judged alone.
    nobody: Option<Fleet>,
    finder: Finder<'c>,
    /// What the last entries taught, not yet told to the finder.
    lessons: Vec<Lesson>,
    /// Entries done with.
    finished: usize,
    /// The last entry of each meter.
    last: Vec<Last>,
    /// Whether a display has confirmed the record of each meter.
    confirmed: Vec<bool>,
    /// Meters whose records seem to be wrong.
    suspicions: HashMap<usize, Suspicion>,
    /// What searches found before, and find now, where that is kept.
    progress: Option<Progress>,
}

/// An entry, as far as those after it are compared with it.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// When, in seconds since 1970.
    at: i64,
    /// A hash of its id.
    id: u64,
}

impl Last {
    const NEVER: Self = Self { at: i64::MIN, id: 0 };

    fn of(entry: &EntryRow) -> Self {
        let mut id = DefaultHasher::new();
        entry.id.hash(&mut id);
        Self { at: entry.entered_at.as_second(), id: id.finish() }
    }
}

impl<'c> Replay<'c> {
    /// Starts from the meters of the case.
    #[must_use]
    pub fn new(case: &'c Case) -> Self {
        Self::with_settings(case, Settings::default())
    }

    /// The same, its refusals searched in another way.
    #[must_use]
    pub fn with_settings(case: &'c Case, settings: Settings) -> Self {
        Self::of_meters(case, case.fleet.clone(), settings)
    }

    /// The same with the case's own meters, which are gone from it: there may be a million.
    #[must_use]
    pub fn taking_meters(case: &'c mut Case, settings: Settings) -> Self {
        let fleet = std::mem::take(&mut case.fleet);
        Self::of_meters(case, fleet, settings)
    }

    /// Starts from other meters than the case's, with its keys and profiles.
    #[must_use]
    pub fn of_meters(case: &'c Case, fleet: Fleet, settings: Settings) -> Self {
        let last = vec![Last::NEVER; fleet.meters.len()];
        let nobody = settings.alone.then(Fleet::new);
        let finder = Finder::new(&case.keys, nobody.as_ref().unwrap_or(&fleet), settings);
        let confirmed = vec![false; fleet.meters.len()];
        let (lessons, suspicions) = (Vec::new(), HashMap::new());
        let progress = None;
        Self {
            case,
            fleet,
            nobody,
            finder,
            lessons,
            finished: 0,
            last,
            confirmed,
            suspicions,
            progress,
        }
    }

    /// Keeps what searches find, and answers those that were made before. Only [`Replay::steps`]
    /// does so.
    pub fn keep_progress(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// Writes what searches found since.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn flush_progress(&mut self) -> Result<(), WriteError> {
        self.progress.as_mut().map_or(Ok(()), Progress::flush)
    }

    /// Removes what searches found: the output is whole.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn finish_progress(&mut self) -> Result<(), WriteError> {
        self.progress.take().map_or(Ok(()), Progress::finish)
    }

    /// The meters as they are now.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Replays one entry.
    pub fn step(&mut self, entry: &EntryRow) -> Step {
        let begun = self.begin(entry);
        let diagnosis = begun.open.as_ref().and_then(|open| self.diagnose(open, None));
        self.finish(entry, begun, diagnosis.as_ref())
    }

    /// Replays entries, their refusals searched by so many threads. The answers are those of
    /// [`Replay::step`], in the order of the entries.
    pub fn steps(&mut self, entries: &[EntryRow], threads: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(entries.len());
        let mut begun: Vec<(&EntryRow, Begun, Option<TrackedMeter>)> = Vec::new();
        // The meters whose answers wait for a search.
        let mut waiting: Vec<usize> = Vec::new();
        for entry in entries {
            // What waits is searched among the meters as they are now, and what it tells of a meter
            // counts for that meter's next entry.
            let waits = |place| waiting.contains(&place);
            if !waiting.is_empty()
                && (self.place_of(&entry.pan).is_ok_and(waits) || self.may_change_keys(entry))
            {
                self.finish_all(&mut begun, threads, &mut steps);
                waiting.clear();
            }
            let one = self.begin(entry);
            let open = one.open.as_ref();
            waiting.extend(open.map(|open| open.place));
            let meter = open.map(|open| {
                let meter = &self.fleet.meters[open.place];
                // Why a meter refuses a token again is told by what it took; a search does not ask.
                if Finder::searches(&open.answer) { meter.snapshot() } else { meter.clone() }
            });
            begun.push((entry, one, meter));
            if (self.finished + begun.len()).is_multiple_of(BLOCK) {
                self.finish_all(&mut begun, threads, &mut steps);
                waiting.clear();
            }
        }
        self.finish_all(&mut begun, threads, &mut steps);
        steps
    }

    fn finish_all(
        &mut self,
        begun: &mut Vec<(&EntryRow, Begun, Option<TrackedMeter>)>,
        threads: usize,
        steps: &mut Vec<Step>,
    ) {
        let open: Vec<(&Open, &TrackedMeter)> = begun
            .iter()
            .filter_map(|(_, begun, meter)| begun.open.as_ref().zip(meter.as_ref()))
            .collect();
        let mut diagnoses = Vec::with_capacity(open.len());
        if let Some(progress) = &mut self.progress {
            diagnoses.extend(open.iter().map_while(|_| progress.recall()));
        }
        let known = diagnoses.len();
        let open = &open[known..];
        let search = |share: &[(&Open, &TrackedMeter)]| -> Vec<Option<Diagnosis>> {
            share.iter().map(|(open, meter)| self.diagnose(open, Some(meter))).collect()
        };
        let each = open.len().div_ceil(threads.max(1)).max(FEWEST);
        if open.len() <= each {
            diagnoses.extend(search(open));
        } else {
            std::thread::scope(|scope| {
                let (first, others) = open.split_at(each);
                let running: Vec<_> =
                    others.chunks(each).map(|share| scope.spawn(|| search(share))).collect();
                diagnoses.extend(search(first));
                for thread in running {
                    match thread.join() {
                        Ok(found) => diagnoses.extend(found),
                        Err(panic) => std::panic::resume_unwind(panic),
                    }
                }
            });
        }
        if let Some(progress) = &mut self.progress {
            diagnoses[known..].iter().for_each(|found| progress.remember(found.as_ref()));
        }
        let mut diagnoses = diagnoses.into_iter();
        for (entry, begun, _) in begun.drain(..) {
            let diagnosis = begun.open.as_ref().and_then(|_| diagnoses.next().flatten());
            steps.push(self.finish(entry, begun, diagnosis.as_ref()));
        }
    }

    /// Whether an entry may give its meter another key: an event, or a section of a key change.
    fn may_change_keys(&self, entry: &EntryRow) -> bool {
        if entry.event.as_deref().is_some_and(|event| event != "token") {
            return true;
        }
        let Ok(place) = self.place_of(&entry.pan) else { return false };
        let token = self.fleet.meters[place].framed(entry.entered.as_deref().unwrap_or_default());
        token.is_some_and(|token| token.class() == sts_core::Class::MeterSpecificManagement)
    }

    fn diagnose(&self, open: &Open, meter: Option<&TrackedMeter>) -> Option<Diagnosis> {
        let meter = meter.unwrap_or(&self.fleet.meters[open.place]);
        let under = |meter: &TrackedMeter, answer: &Answer| {
            let fleet = self.nobody.as_ref().unwrap_or(&self.fleet);
            self.finder.diagnose(fleet, open.place, meter, answer, &open.sighting)
        };
        let recorded = under(meter, &open.answer);
        let mut diagnosis = match open.shade.as_ref().filter(|shade| shade.matters()) {
            Some(shade) => shade.mix(recorded, under(&shade.meter, &shade.answer)),
            None => recorded,
        }?;
        if !self.confirmed[open.place] {
            diagnosis.doubted(self.finder.doubt());
        }
        Some(diagnosis)
    }

    /// The meter's answer; what is known beyond it comes with [`Replay::finish`].
    fn begin(&mut self, entry: &EntryRow) -> Begun {
        let mut verdict = Verdict::blank(&entry.id);
        let place = match self.place_of(&entry.pan) {
            Ok(place) => place,
            Err(problem) => return stopped(verdict, None, problem),
        };
        let (this, before) = (Last::of(entry), self.last[place]);
        if this.at < before.at {
            let problem =
                "earlier than the meter's entry before it; sort the entries or use --sort";
            let mut begun = stopped(verdict, Some(place), problem.to_owned());
            begun.step.notice = Some(Notice::OutOfOrder);
            return begun;
        }
        self.last[place] = this;
        let notice = (this.at == before.at && this.id == before.id).then_some(Notice::Doubled);
        let at = u64::try_from(this.at).unwrap_or_default();
        let before = Some(self.fleet.meters[place].state());
        if let Some(event) = entry.event.as_deref().filter(|event| *event != "token") {
            verdict.event = Some(event.to_owned());
            let value = entry.value.as_deref().unwrap_or_default();
            return match self.event(place, event, value) {
                Ok(note) => {
                    self.suspicions.remove(&place);
                    self.confirmed[place] = false;
                    self.meter_changed(place);
                    let (payload, meter) = (None, Some(place));
                    let step = Step { verdict, note, payload, meter, before, notice };
                    Begun { step, open: None }
                }
                Err(problem) => stopped(verdict, Some(place), problem),
            };
        }
        let entered = entry.entered.as_deref().unwrap_or_default();
        let answer = self.fleet.meters[place].enter(entered, at, &entry.id, &self.case.keys);
        if let Some(sts_core::Outcome::KeyChanged { .. }) = answer.outcome {
            self.meter_changed(place);
            if self.suspicions.get(&place).is_some_and(|suspicion| !suspicion.is_believed()) {
                self.suspicions.remove(&place);
            }
        }
        let note = judge(entry, &answer, &mut verdict);
        let sighting = sighting_of(entry);
        let shade = self.shade(entry, place, &answer);
        let (payload, meter) = (answer.payload, Some(place));
        let step = Step { verdict, note, payload, meter, before, notice };
        let mut begun = Begun { step, open: Some(Open { place, answer, sighting, shade }) };
        if let Some(open) = &begun.open
            && begun.step.verdict.reproduced == Reproduced::Yes
        {
            self.confirmed[place] |= open.answer.vouches_for_key();
            self.lessons.push(Lesson::Record { confirmed: true });
        }
        // What needs what the meter took before is answered at once, and costs nothing.
        if let Some(open) = begun.open.take_if(|open| !open.searches()) {
            let diagnosis = self.diagnose(&open, None);
            if let Some(diagnosis) = &diagnosis {
                begun.step.verdict.set_diagnosis(diagnosis);
                self.learn_contradiction(diagnosis);
            }
            if diagnosis.is_none() {
                self.learn_accepted(&open);
            }
        }
        begun
    }

    /// Others are searched at their keys as they are now.
    fn meter_changed(&mut self, place: usize) {
        if self.nobody.is_none() {
            self.finder.meter_changed(place, &self.fleet.meters[place]);
        }
    }

    /// The answer of the meter as it is suspected to be, where it is.
    fn shade(&mut self, entry: &EntryRow, place: usize, recorded: &Answer) -> Option<Shade> {
        let suspicion = self.suspicions.get_mut(&place)?;
        let noted_rightly = self.finder.model().noted_rightly();
        let shade = suspicion.enter(keyed(entry), recorded, noted_rightly, &self.case.keys);
        if suspicion.is_refuted() {
            self.suspicions.remove(&place);
        }
        Some(shade)
    }

    /// Suspects a meter's record where its token was made under another key.
    fn suspect(&mut self, entry: &EntryRow, open: &Open, diagnosis: &Diagnosis) {
        let first = diagnosis.first();
        let Some(made) = first.made.filter(|_| first.probability > 0.5) else { return };
        let odds = self.finder.stale_odds();
        let noted_rightly = self.finder.model().noted_rightly();
        let meter = &self.fleet.meters[open.place];
        let ring = &self.case.keys;
        if let Some(mut suspicion) = Suspicion::new(meter, &made, odds, &entry.id, ring) {
            suspicion.enter(keyed(entry), &open.answer, noted_rightly, ring);
            let present = self.suspicions.get(&open.place);
            if present.is_none_or(|present| present.is_less_probable_than(&suspicion)) {
                self.suspicions.insert(open.place, suspicion);
            }
        }
    }

    fn learn_contradiction(&mut self, diagnosis: &Diagnosis) {
        let first = diagnosis.first();
        if first.cause == Cause::RecordStale && first.probability > 0.5 {
            self.lessons.push(Lesson::Record { confirmed: false });
        }
    }

    fn finish(&mut self, entry: &EntryRow, begun: Begun, diagnosis: Option<&Diagnosis>) -> Step {
        let Begun { mut step, open } = begun;
        if let Some((diagnosis, open)) = diagnosis.zip(open.as_ref()) {
            self.suspect(entry, open, diagnosis);
            self.learn_contradiction(diagnosis);
            step.verdict.set_diagnosis(diagnosis);
            if diagnosis.searched {
                let causes = diagnosis.causes.iter();
                let causes = causes.map(|ranked| (ranked.cause, ranked.probability));
                self.lessons.push(Lesson::Refused(causes.collect()));
            }
        }
        self.finished += 1;
        if self.nobody.is_some() {
            self.lessons.clear();
        } else if self.finished.is_multiple_of(BLOCK) {
            let experience = self.finder.experience_mut();
            for lesson in self.lessons.drain(..) {
                match lesson {
                    Lesson::Accepted { payload, from_sale, units, believed } => {
                        experience.learn_accepted(&payload, from_sale, units, &believed);
                    }
                    Lesson::Refused(causes) => experience.learn_causes(&causes),
                    Lesson::Record { confirmed } => experience.learn_record(confirmed),
                }
            }
        }
        step
    }

    fn learn_accepted(&mut self, open: &Open) {
        let Some(payload @ Payload::Credit { .. }) = open.answer.payload else { return };
        let meter = &self.fleet.meters[open.place];
        let sighting = &open.sighting;
        let reading = TidReading::new(Some(meter.base_date), None);
        let made = payload.tid().and_then(|tid| reading.unix_minutes(tid));
        let from_sale = made.zip(sighting.sold_at).map(|(made, sold)| made - sold);
        let believed = sighting.believed.agreement(meter.meter.attributes(), meter.ea());
        let units = sighting.units;
        self.lessons.push(Lesson::Accepted { payload, from_sale, units, believed });
    }

    fn place_of(&self, pan: &MeterPan) -> Result<usize, String> {
        self.fleet.find(pan).ok_or_else(|| format!("meter {} is not in meters.csv", pan.drn()))
    }

    fn event(&mut self, place: usize, event: &str, value: &str) -> Result<String, String> {
        let meter = &mut self.fleet.meters[place];
        match event {
            "firmware" => {
                meter.update_firmware(value).map_err(|problem| problem.to_string())?;
                Ok(format!("firmware is now {value}"))
            }
            "power" => match value {
                "off" => {
                    meter.powered = false;
                    Ok("power is off".into())
                }
                "on" | "" => {
                    meter.powered = true;
                    Ok("power is on".into())
                }
                other => Err(format!("event power: {other:?}, expected on or off")),
            },
            "set" | "replace" => {
                // A corrected record starts from the meter as it is, a new meter from the first record.
                let from = if event == "set" { meter.current_row() } else { meter.row.clone() };
                let row = edited(from, value)?;
                let family = self.case.profile(&row.profile).ok_or_else(|| {
                    format!("profile {:?} is not loaded by any meter of the case", row.profile)
                })?;
                meter
                    .restate(row, event == "replace", family, &self.case.keys)
                    .map_err(|problem| problem.to_string())?;
                Ok(format!("{event} {value}"))
            }
            other => Err(format!(
                "event {other:?}, expected one of: token, firmware, replace, set, power"
            )),
        }
    }
}

fn keyed(entry: &EntryRow) -> Keyed<'_> {
    Keyed {
        entered: entry.entered.as_deref().unwrap_or_default(),
        at: u64::try_from(entry.entered_at.as_second()).unwrap_or_default(),
        id: &entry.id,
        displayed: entry.displayed.as_deref(),
    }
}

/// The meter's part of a verdict. Returns what was done or said, in a few words.
fn judge(entry: &EntryRow, answer: &Answer, verdict: &mut Verdict) -> String {
    match answer.result {
        Some(result) => {
            verdict.result = Some(result.name());
            verdict.result_code = result.register();
        }
        None => verdict.result = Some("KeyMissing"),
    }
    if let Some(shown) = &answer.shown {
        verdict.display = Some(shown.text.clone());
        verdict.display_basis = Some(shown.basis);
    }
    verdict.reproduced = Reproduced::of(entry.displayed.as_deref(), verdict.display.as_deref());
    verdict.reason = answer.rejection.map(|rejection| rejection.to_string());
    match (&answer.payload, &answer.outcome) {
        (Some(payload), Some(outcome)) => match outcome {
            sts_core::Outcome::KeyChanged { .. } => outcome.to_string(),
            sts_core::Outcome::SectionStored { section } => {
                format!("key change section {section} stored")
            }
            _ => summary(payload),
        },
        _ => verdict.reason.clone().unwrap_or_else(|| "no key is held for this meter".into()),
    }
}

fn stopped(mut verdict: Verdict, meter: Option<usize>, problem: String) -> Begun {
    verdict.error = Some(problem.clone());
    let (payload, before, notice) = (None, None, None);
    let step = Step { verdict, note: problem, payload, meter, before, notice };
    Begun { step, open: None }
}

/// A row with `name=value` pairs applied, separated by blanks, names as in meters.csv.
fn edited(row: MeterRow, pairs: &str) -> Result<MeterRow, String> {
    let mut pairs = pairs.split_whitespace();
    let row: MeterRow = pairs.try_fold(row, |row, pair| {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| format!("{pair:?}, expected name=value"))?;
        row.with_field(name, value)
    })?;
    row.consistent()
}

/// What an entry tells beside its digits.
#[must_use]
pub fn sighting_of(entry: &EntryRow) -> Sighting {
    Sighting {
        entered: entry.entered.clone().unwrap_or_default(),
        entered_at: Some(crate::time::minutes(entry.entered_at)),
        sold_at: entry.sold_at.map(crate::time::minutes),
        units: entry.quantity.as_ref().and_then(|quantity| quantity.tenths_rounded_up()),
        unit: entry.unit.clone(),
        displayed: entry.displayed.clone(),
        believed: Believed {
            sgc: entry.sgc,
            krn: entry.krn,
            ti: entry.ti,
            kt: entry.kt,
            ea: entry.ea,
        },
    }
}

/// Counts for the end of a report.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Token entries judged.
    pub entries: u64,
    /// Taken.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
    /// With a claim that came out again.
    pub reproduced: u64,
    /// With a claim that nearly did.
    pub near: u64,
    /// With a claim that did not.
    pub not_reproduced: u64,
    /// For which no key is held.
    pub key_missing: u64,
    /// That could not be judged.
    pub errors: u64,
    /// Refusals by first-ranked cause, most frequent first.
    pub causes: Vec<(&'static str, u64)>,
}

impl Totals {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        if verdict.error.is_some() {
            self.errors += 1;
            return;
        }
        if verdict.event.is_some() {
            return;
        }
        self.entries += 1;
        if verdict.result == Some("KeyMissing") {
            self.key_missing += 1;
        } else if verdict.is_accepted() {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
        match verdict.reproduced {
            Reproduced::Yes => self.reproduced += 1,
            Reproduced::Near => self.near += 1,
            Reproduced::No => self.not_reproduced += 1,
            Reproduced::NoClaim => {}
        }
        if let Some(cause) = verdict.cause {
            match self.causes.iter_mut().find(|(name, _)| *name == cause) {
                Some((_, count)) => *count += 1,
                None => self.causes.push((cause, 1)),
            }
            self.causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        }
    }
}

/// Whether every claim came out, and every row without one was accepted: exit status 0.
#[must_use]
pub fn is_as_expected(verdict: &Verdict) -> bool {
    match verdict.reproduced {
        Reproduced::Yes => true,
        Reproduced::NoClaim => verdict.event.is_some() || verdict.is_accepted(),
        Reproduced::Near | Reproduced::No => false,
    }
}

/// A meter by its place, for reports.
#[must_use]
pub fn meter_of<'r>(replay: &'r Replay<'_>, step: &Step) -> Option<&'r TrackedMeter> {
    step.meter.map(|place| &replay.fleet.meters[place])
}
