//! A prepayment utility that knows the truth: a case folder, and the cause of every refusal.
//!
//! Seeded and reproducible: the same scenario, seed and version give the same bytes. It shares the
//! core's meter with the replay and nothing with the diagnosis, so that the one can be measured
//! against the other. What happens is drawn from how often things happen in the field (delays are
//! log-normal, payments are round sums of money), as the scenario file says.

mod behaviour;
mod digits;
pub(crate) mod random;
mod record;
mod scenario;
mod story;
mod world;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::input::InputError;
use crate::simulate::behaviour::Behaviour;
use crate::simulate::random::{Random, Stream};
use crate::simulate::story::{Act, Visit};
use crate::simulate::world::World;

/// The scenarios that come with the tool, by name.
const BUILTIN: [(&str, &str); 6] = [
    ("small", include_str!("../scenarios/small.toml")),
    ("quality", include_str!("../scenarios/quality.toml")),
    ("quality-shifted", include_str!("../scenarios/quality-shifted.toml")),
    ("quality-hard", include_str!("../scenarios/quality-hard.toml")),
    ("mangaung", include_str!("../scenarios/mangaung.toml")),
    ("utility", include_str!("../scenarios/utility.toml")),
];

/// A scenario, read and checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    read: scenario::Read,
}

/// A scenario made larger or smaller, or drawn anew.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "options, each absent by default")]
pub struct Scale {
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Another number of meters.
    pub meters: Option<usize>,
    /// Another number of refusals.
    pub refusals: Option<u64>,
}

/// What a run wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The seed it was drawn with.
    pub seed: u64,
    /// Meters in the case.
    pub meters: usize,
    /// Vending keys in the key file.
    pub keys: usize,
    /// Rows of `entries.csv`.
    pub entries: u64,
    /// Entries with a cause, by its name.
    pub causes: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Entries with a cause.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.causes.values().sum()
    }
}

/// Why no case was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The scenario does not hold together.
    #[error("{0}")]
    Scenario(String),
    /// The folder holds a case already.
    #[error("{0} has an entries.csv, expected a folder without a case")]
    Occupied(String),
    /// A file cannot be written.
    #[error("cannot write {path}: {why}")]
    Output {
        /// The file.
        path: String,
        /// The system's reason.
        why: io::Error,
    },
}

impl Scenario {
    /// The names of the scenarios that come with the tool, and their titles.
    pub fn builtin() -> impl Iterator<Item = (&'static str, String)> {
        BUILTIN.iter().map(|(name, text)| {
            let title = scenario::read(name, text).map(|read| read.plan.title);
            (*name, title.unwrap_or_else(|error| error.to_string()))
        })
    }

    /// A built-in scenario by its name, or one from a file whose path ends in `.toml`.
    ///
    /// # Errors
    ///
    /// [`InputError`]: no such scenario, an unreadable file, or a mistake with its line.
    pub fn load(name: &str) -> Result<Self, InputError> {
        if let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
            let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
            let problem = format!(
                "scenario {name:?} is unknown, expected a path ending in .toml or one of: {}",
                known.join(", ")
            );
            return Err(InputError::new(crate::input::Place::default(), problem));
        }
        let text = fs::read_to_string(name)
            .map_err(|error| InputError::unreadable(name, &error.to_string()))?;
        Self::parse(name, &text)
    }

    /// Reads a scenario's text; `name` stands in the errors.
    ///
    /// # Errors
    ///
    /// [`InputError`] with the line of the mistake.
    pub fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        scenario::read(name, text).map(|read| Self { read })
    }

    /// Runs the scenario and writes a case folder and `truth.ndjson`.
    ///
    /// # Errors
    ///
    /// [`SimulateError`]. A folder that holds a case is left alone unless `replace` is set.
    pub fn write(
        &self,
        scale: Scale,
        folder: &Path,
        replace: bool,
    ) -> Result<Summary, SimulateError> {
        if !replace && folder.join("entries.csv").exists() {
            return Err(SimulateError::Occupied(folder.display().to_string()));
        }
        let seed = scale.seed.unwrap_or(self.read.plan.seed);
        let mut read = self.read.clone();
        read.plan.refusals = scale.refusals.unwrap_or(read.plan.refusals);
        let meters = scale.meters.unwrap_or(read.plan.meters).max(1);
        let mut world = World::new(read, seed, meters).map_err(SimulateError::Scenario)?;
        let failed =
            |path: &Path, why| SimulateError::Output { path: path.display().to_string(), why };
        fs::create_dir_all(folder).map_err(|why| failed(folder, why))?;
        let create = |name: &str| {
            let path = folder.join(name);
            File::create(&path).map(BufWriter::new).map_err(|why| failed(&path, why))
        };
        world.write_meters(create("meters.csv")?).map_err(|why| failed(folder, why))?;
        world.write_keys(create("keys.toml")?).map_err(|why| failed(folder, why))?;
        world.write_settings(create("case.toml")?).map_err(|why| failed(folder, why))?;
        for profile in &world.plan.profile {
            let profile = profile.get_ref();
            let mut file = create(&profile.file)?;
            file.write_all(profile.text.as_bytes()).map_err(|why| failed(folder, why))?;
        }
        let entries = csv::Writer::from_writer(create("entries.csv")?);
        let truth = create("truth.ndjson")?;
        Run::new(&mut world).write(entries, truth).map_err(|why| failed(folder, why))
    }
}

/// How busy keypads are, by the hour of the day in local time, of 100: quiet nights, and a peak
/// when people come home.
const HOURS: [u8; 24] =
    [6, 4, 3, 3, 5, 18, 45, 60, 55, 50, 52, 55, 60, 58, 55, 58, 70, 90, 100, 95, 75, 50, 28, 14];

/// How often another meter is looked for that a behaviour can happen to.
const TRIES: usize = 400;

/// A run: time goes on, visits come, and what waits is done at its time.
struct Run<'w> {
    world: &'w mut World,
    /// Time, number of entry to keep the order, meter, and what.
    waiting: BinaryHeap<Reverse<(i64, u64, usize, usize)>>,
    acts: Vec<Option<Act>>,
    free: Vec<usize>,
    order: u64,
    now: i64,
    clock: Random,
    visits: u64,
    weights: Vec<(Behaviour, u32)>,
}

impl<'w> Run<'w> {
    fn new(world: &'w mut World) -> Self {
        let clock = Random::new(world.seed, Stream::Clock, 0);
        let weights = world.plan.mix.get_ref().iter().map(|(b, weight)| (*b, *weight)).collect();
        let mut run = Self {
            now: world.plan.from.0,
            waiting: BinaryHeap::new(),
            acts: Vec::new(),
            free: Vec::new(),
            order: 0,
            clock,
            visits: 0,
            weights,
            world,
        };
        run.plan_waves();
        run
    }

    /// The key changes that have a date.
    fn plan_waves(&mut self) {
        for meter in 0..self.world.meters.len() {
            if let Some(wave) = self.world.group(meter).change {
                let at = self.clock.between(wave.from.0, wave.until.0.max(wave.from.0));
                if self.clock.chance(wave.share.0) {
                    self.wait(at, meter, Act::Visit(Behaviour::Change));
                }
            }
        }
    }

    fn wait(&mut self, at: i64, meter: usize, act: Act) {
        let slot = self.free.pop().unwrap_or(self.acts.len());
        if slot == self.acts.len() {
            self.acts.push(None);
        }
        self.acts[slot] = Some(act);
        self.waiting.push(Reverse((at, self.order, meter, slot)));
        self.order += 1;
    }

    /// Seconds from one visit to the next, all meters together, so that the run ends at about its
    /// last day.
    fn pace(&self) -> i64 {
        let total: u64 = self.weights.iter().map(|weight| u64::from(weight.1)).sum();
        let quiet = |b: &Behaviour| matches!(b, Behaviour::Buy | Behaviour::Change);
        let faults: u64 =
            self.weights.iter().filter(|(b, _)| !quiet(b)).map(|weight| u64::from(weight.1)).sum();
        let plan = &self.world.plan;
        let refusals = i64::try_from(plan.refusals).unwrap_or(i64::MAX);
        let share = |part: u64| i64::try_from(part.max(1)).unwrap_or(i64::MAX);
        // Refused tokens are entered again: about three refusals to two visits.
        let visits = refusals.saturating_mul(share(total)) / share(faults).saturating_mul(3) * 2;
        // Two hours in five have visits, by the table of hours.
        ((plan.until.get_ref().0 - plan.from.0) * 46 / 100 / visits.max(1)).max(1)
    }

    fn next_visit(&mut self, pace: i64) -> i64 {
        let zone = self.world.plan.vending.zone.0;
        let mut at = self.now;
        loop {
            at += self.clock.between(0, 2 * pace);
            let hour = (at + zone).rem_euclid(86_400) / 3600;
            let busy = HOURS[usize::try_from(hour).unwrap_or_default()];
            if self.clock.below(100) < u64::from(busy) {
                return at;
            }
        }
    }

    fn write(
        mut self,
        mut entries: csv::Writer<impl Write>,
        mut truth: impl Write,
    ) -> io::Result<Summary> {
        entries.write_record(record::COLUMNS).map_err(io::Error::other)?;
        let mut summary = Summary {
            seed: self.world.seed,
            meters: self.world.meters.len(),
            keys: self.world.keys.iter().filter(|key| key.held).count(),
            entries: 0,
            causes: BTreeMap::new(),
        };
        let wanted = self.world.plan.refusals;
        let pace = self.pace();
        let mut next = self.next_visit(pace);
        let mut refusals = 0;
        // A mix that gives no refusals ends as well.
        let most = wanted.saturating_mul(200).saturating_add(1000);
        while refusals < wanted && summary.entries < most && self.visits < most {
            let waits = self.waiting.peek().map(|waiting| waiting.0.0);
            if waits.is_none_or(|waits| waits > next) {
                self.now = next;
                self.visit(next);
                next = self.next_visit(pace);
                continue;
            }
            let Some(Reverse((at, _, meter, slot))) = self.waiting.pop() else { continue };
            let act = self.acts[slot].take();
            self.free.push(slot);
            match act {
                Some(Act::Enter(entry)) => {
                    summary.entries += 1;
                    let number = summary.entries;
                    let done =
                        self.world.make(meter, at, &entry, number, &mut entries, &mut truth)?;
                    if let Some(cause) = done.cause {
                        refusals += 1;
                        *summary.causes.entry(cause.name()).or_default() += 1;
                    }
                }
                Some(Act::Visit(behaviour)) => _ = self.visit_meter(meter, at, behaviour),
                None => {}
            }
        }
        entries.flush()?;
        truth.flush()?;
        Ok(summary)
    }

    /// Something happens somewhere.
    fn visit(&mut self, at: i64) {
        let place = self.clock.weighted(self.weights.iter().map(|weight| weight.1));
        let Some((behaviour, _)) = self.weights.get(place).copied() else { return };
        for _ in 0..TRIES {
            let meter = self.clock.place(self.world.meters.len());
            if self.visit_meter(meter, at, behaviour) {
                return;
            }
        }
    }

    fn visit_meter(&mut self, meter: usize, at: i64, behaviour: Behaviour) -> bool {
        let random = Random::new(self.world.seed, Stream::Visit, self.visits);
        self.visits += 1;
        let acts = Vec::new();
        let visit = Visit { world: self.world, meter, at, random, behaviour, acts };
        let Some(acts) = visit.plan() else { return false };
        for (at, act) in acts {
            self.wait(at, meter, act);
        }
        true
    }
}

impl World {
    /// The settings of the case.
    fn write_settings(&self, mut out: impl Write) -> io::Result<()> {
        writeln!(out, "schema = 1\ntitle = {:?}", self.plan.title)?;
        if let Some(notes) = &self.plan.notes {
            writeln!(out, "notes = {notes:?}")?;
        }
        Ok(())
    }
}
