//! What a change of keys would do to households: several plans side by side, before any is carried
//! out.
//!
//! A forecast, not a measurement: households are drawn at random, and every parameter is an
//! assumption of the scenario. Tokens are not made; of each the key alone is followed, which is what
//! decides here.

mod chart;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sts_core::BaseDate;

use crate::input::{InputError, Place, nearest};
use crate::simulate::random::{Random, Stream};

/// The scenarios that are built in: name and text.
const BUILTIN: [(&str, &str); 1] = [("mangaung", include_str!("../forecasts/mangaung.toml"))];

/// A utility, what its households do, and the plans to choose from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is about.
    pub title: String,
    /// The first day told.
    pub from: Date,
    /// How many days are told.
    pub days: usize,
    /// How many meters there are, one a household.
    pub meters: usize,
    /// How many runs with other random numbers.
    pub seeds: u64,
    /// Days between purchases of a household; each is between half of that and half more.
    pub buys_every: f64,
    /// Days within which a household buys again after a refusal.
    pub tries_again_within: f64,
    /// Share of tokens that lie before they are entered.
    pub kept: f64,
    /// For how many days at most.
    pub kept_for: f64,
    /// Share of refusals after which somebody calls.
    pub calls: f64,
    /// Calls remedied in a day.
    pub remedies_a_day: usize,
    /// Days until vending knows of a changed meter.
    pub record_lag: f64,
    /// Share of meters that teams reach.
    pub reached: f64,
    /// Share of attempts at a set of key-change tokens that succeed.
    pub set_entered: f64,
    /// The plans.
    #[serde(rename = "plan")]
    pub plans: Vec<Plan>,
}

/// When vending changes keys, and how meters follow.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// The day from which on vending uses the new key.
    pub vending: Date,
    /// How meters are changed.
    pub meters: Way,
    /// The first day on which meters are changed.
    pub from: Date,
    /// The last.
    pub until: Date,
    /// The last day on which vending uses the old key for meters not known to be changed.
    pub grace_until: Option<Date>,
}

/// How key-change tokens come to meters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Way {
    /// Teams enter them, as many meters on each day.
    Teams,
    /// Households get them with their first purchase and enter them.
    Purchases,
}

impl Scenario {
    /// A built-in scenario by its name, or one from a file in `.toml`.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, not as expected, or out of range.
    pub fn load(name: &str) -> Result<Self, InputError> {
        if let Some((_, text)) = BUILTIN.iter().find(|(builtin, _)| *builtin == name) {
            return Self::parse(name, text);
        }
        if Path::new(name).extension().is_none_or(|ending| ending != "toml") {
            let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
            let problem = format!(
                "no such forecast, expected a file in .toml or one of: {}",
                known.join(", ")
            );
            let error = InputError::other(name, &problem);
            return Err(match nearest(name, known) {
                Some(near) => error.with_hint(near),
                None => error,
            });
        }
        let text = std::fs::read_to_string(name)
            .map_err(|error| InputError::unreadable(name, &error.to_string()))?;
        Self::parse(name, &text)
    }

    /// From the text of a file.
    ///
    /// # Errors
    ///
    /// [`InputError`]: not as expected, or out of range.
    pub fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| InputError::toml(name, text, &error))?;
        let wrong = |field: &str, expected: &str| {
            let place = Place { file: name.to_owned(), line: None, field: Some(field.to_owned()) };
            Err(InputError::new(place, format!("out of range, expected {expected}")))
        };
        for (field, share) in [
            ("kept", scenario.kept),
            ("calls", scenario.calls),
            ("reached", scenario.reached),
            ("set_entered", scenario.set_entered),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return wrong(field, "a share of 0 to 1");
            }
        }
        for (field, days) in [
            ("buys_every", scenario.buys_every),
            ("tries_again_within", scenario.tries_again_within),
        ] {
            if !(0.1..=1000.0).contains(&days) {
                return wrong(field, "days, 0.1 to 1000");
            }
        }
        for (field, days) in [("kept_for", scenario.kept_for), ("record_lag", scenario.record_lag)]
        {
            if !(0.0..=1000.0).contains(&days) {
                return wrong(field, "days, 0 to 1000");
            }
        }
        if !(1..=1000).contains(&scenario.days) {
            return wrong("days", "1 to 1000");
        }
        if !(1..=10_000_000).contains(&scenario.meters) {
            return wrong("meters", "1 to 10000000");
        }
        if !(1..=1000).contains(&scenario.seeds) {
            return wrong("seeds", "1 to 1000");
        }
        if scenario.plans.is_empty() {
            return wrong("plan", "at least one");
        }
        if scenario.plans.iter().any(|plan| plan.until < plan.from) {
            return wrong("until", "no day before `from`");
        }
        Ok(scenario)
    }

    /// The same utility with another number of meters, and remedies in proportion.
    #[must_use]
    pub fn with_meters(mut self, meters: usize) -> Self {
        self.remedies_a_day = self.remedies_a_day * meters / self.meters.max(1);
        self.meters = meters;
        self
    }

    /// What each plan would do.
    #[must_use]
    pub fn run(&self) -> Vec<Forecast> {
        let forecast = |plan: &Plan| {
            let runs: Vec<Run> = (0..self.seeds).map(|seed| Run::new(self, plan, seed)).collect();
            Forecast::new(self, plan, &runs)
        };
        self.plans.iter().map(forecast).collect()
    }

    /// The chart of stranded households by day, one line a plan, as SVG.
    #[must_use]
    pub fn chart(&self, forecasts: &[Forecast]) -> String {
        chart::svg(self, forecasts)
    }

    /// Days from the first one told.
    fn day(&self, date: Date) -> f64 {
        let days = date.since(self.from).map_or(0, |span| span.get_days());
        f64::from(days)
    }
}

/// A mean over runs, and how far they lie apart.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Figure {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; 0 of one run.
    pub spread: f64,
}

impl Figure {
    fn new(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
        let spread = (squares / (count - 1.0).max(1.0)).sqrt();
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        Self { mean: rounded(mean), spread: rounded(spread) }
    }
}

/// What a plan would do.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Forecast {
    /// The plan's name.
    pub plan: String,
    /// Refusals in all.
    pub refusals: Figure,
    /// Refusals by cause.
    pub causes: BTreeMap<&'static str, Figure>,
    /// Calls in all.
    pub calls: Figure,
    /// Days without, over all households.
    pub stranded_days: Figure,
    /// The most households stranded at the end of a day.
    pub most_stranded: Figure,
    /// Day by day.
    pub days: Vec<Day>,
}

/// A day under a plan.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Day {
    /// The date.
    pub date: Date,
    /// Households whose last token was refused and who have had none accepted since, at its end.
    pub stranded: Figure,
    /// Refusals by cause.
    pub refusals: BTreeMap<&'static str, Figure>,
    /// Calls.
    pub calls: Figure,
}

impl Forecast {
    fn new(scenario: &Scenario, plan: &Plan, runs: &[Run]) -> Self {
        let figure = |of: &dyn Fn(&Run) -> f64| Figure::new(runs.iter().map(of));
        let total =
            |run: &Run, cause: usize| run.refusals.iter().map(|day| day[cause]).sum::<u32>();
        let days = (0..scenario.days).map(|day| Day {
            date: scenario
                .from
                .saturating_add(jiff::Span::new().days(i32::try_from(day).unwrap_or_default())),
            stranded: figure(&|run| run.stranded[day].into()),
            refusals: by_cause(|cause| figure(&|run| run.refusals[day][cause].into())),
            calls: figure(&|run| run.calls[day].into()),
        });
        Self {
            plan: plan.name.clone(),
            refusals: figure(&|run| run.refusals.iter().flatten().sum::<u32>().into()),
            causes: by_cause(|cause| figure(&|run| total(run, cause).into())),
            calls: figure(&|run| run.calls.iter().sum::<u32>().into()),
            stranded_days: figure(&|run| run.stranded.iter().sum::<u32>().into()),
            most_stranded: figure(&|run| run.stranded.iter().max().copied().unwrap_or(0).into()),
            days: days.collect(),
        }
    }
}

/// Causes of refusals. All but `kct.not_entered` have the names of [`cause`](crate::cause): here a set
/// was handed out and the household could not enter it, of which a meter shows no more than that the
/// key is not there.
pub const CAUSES: [&str; 4] = ["krn.ahead", "krn.behind", "kct.not_entered", "tid.wrapped"];
const AHEAD: usize = 0;
const BEHIND: usize = 1;
const NOT_ENTERED: usize = 2;
const WRAPPED: usize = 3;

fn by_cause(figure: impl Fn(usize) -> Figure) -> BTreeMap<&'static str, Figure> {
    CAUSES.iter().enumerate().map(|(cause, name)| (*name, figure(cause))).collect()
}

/// A token on its way to the meter.
#[derive(Clone, Copy, Debug)]
struct Bought {
    entered: f64,
    new_key: bool,
    /// Its TID no longer fits the old base date.
    wrapped: bool,
}

/// A household and its meter. Times are days from the first one told.
#[derive(Clone, Debug)]
struct Household {
    random: Random,
    buys: f64,
    bought: Vec<Bought>,
    /// When a team changes the meter.
    team: f64,
    changed: bool,
    changed_at: f64,
    /// Whether key-change tokens were handed out.
    has_set: bool,
    /// Why the last token was refused, if none was accepted since.
    stranded: Option<usize>,
    called: bool,
}

/// One run of a plan: counts by day.
#[derive(Clone, Debug)]
struct Run {
    refusals: Vec<[u32; CAUSES.len()]>,
    stranded: Vec<u32>,
    calls: Vec<u32>,
}

impl Run {
    fn new(scenario: &Scenario, plan: &Plan, seed: u64) -> Self {
        let mut run = Self {
            refusals: vec![[0; CAUSES.len()]; scenario.days],
            stranded: vec![0; scenario.days],
            calls: vec![0; scenario.days],
        };
        let plan = Dates::new(scenario, plan);
        let count = u64::try_from(scenario.meters).unwrap_or(u64::MAX);
        let mut households: Vec<Household> =
            (0..count).map(|index| Household::new(scenario, &plan, seed, index)).collect();
        let mut waiting: VecDeque<usize> = VecDeque::new();
        for day in 0..scenario.days {
            let (start, end) = (day as f64, day as f64 + 1.0);
            let mut left = scenario.remedies_a_day;
            while left > 0
                && let Some(index) = waiting.pop_front()
            {
                // Who has water again needs nobody.
                left -= usize::from(households[index].is_remedied(&plan, start));
            }
            for (index, household) in households.iter_mut().enumerate() {
                while let Some(cause) = household.next_refusal(scenario, &plan, end) {
                    run.refusals[day][cause] += 1;
                    if !household.called && household.random.chance(scenario.calls) {
                        household.called = true;
                        run.calls[day] += 1;
                        waiting.push_back(index);
                    }
                }
                run.stranded[day] += u32::from(household.stranded.is_some());
            }
        }
        run
    }
}

/// A plan in days from the first one told.
struct Dates {
    vending: f64,
    way: Way,
    from: f64,
    /// The end of the last day.
    until: f64,
    grace_until: f64,
    /// When the old base date ends.
    base_ends: f64,
}

impl Dates {
    fn new(scenario: &Scenario, plan: &Plan) -> Self {
        let base_ends = BaseDate::Y1993.last_unix_minute() as f64 / 1440.0;
        Self {
            vending: scenario.day(plan.vending),
            way: plan.meters,
            from: scenario.day(plan.from),
            until: scenario.day(plan.until) + 1.0,
            grace_until: plan.grace_until.map_or(f64::NEG_INFINITY, |day| scenario.day(day) + 1.0),
            base_ends: base_ends + scenario.day(jiff::civil::date(1970, 1, 1)),
        }
    }
}

impl Household {
    fn new(scenario: &Scenario, plan: &Dates, seed: u64, index: u64) -> Self {
        let mut random = Random::new(seed, Stream::Forecast, index);
        let reached = random.chance(scenario.reached) && plan.way == Way::Teams;
        let team = plan.from + random.unit() * (plan.until - plan.from);
        Self {
            buys: random.unit() * scenario.buys_every,
            bought: Vec::new(),
            team: if reached { team } else { f64::INFINITY },
            changed: false,
            changed_at: f64::INFINITY,
            has_set: false,
            stranded: None,
            called: false,
            random,
        }
    }

    /// Goes on to the next refusal before `end`; `None` where there is none.
    fn next_refusal(&mut self, scenario: &Scenario, plan: &Dates, end: f64) -> Option<usize> {
        loop {
            let entry =
                self.bought.iter().enumerate().min_by(|a, b| a.1.entered.total_cmp(&b.1.entered));
            let entry = entry.map_or((0, f64::INFINITY), |(at, bought)| (at, bought.entered));
            let time = entry.1.min(self.buys).min(self.team);
            if time >= end {
                return None;
            }
            if time == self.team {
                self.team = f64::INFINITY;
                self.change(time);
                // A token that was paid for under the new key is good now.
                if matches!(self.stranded, Some(AHEAD)) {
                    self.accept();
                }
            } else if time == self.buys {
                self.buy(scenario, plan);
            } else {
                let bought = self.bought.swap_remove(entry.0);
                let cause = self.refusal(scenario, &bought);
                if let Some(cause) = cause {
                    self.stranded = Some(cause);
                    let again = bought.entered + self.random.unit() * scenario.tries_again_within;
                    self.buys = self.buys.min(again);
                    return Some(cause);
                }
                self.accept();
            }
        }
    }

    fn change(&mut self, at: f64) {
        if !self.changed {
            (self.changed, self.changed_at) = (true, at);
        }
    }

    fn accept(&mut self) {
        self.stranded = None;
        self.called = false;
    }

    fn buy(&mut self, scenario: &Scenario, plan: &Dates) {
        let now = self.buys;
        self.buys += scenario.buys_every * (0.5 + self.random.unit());
        if plan.way == Way::Purchases && now >= plan.from && !self.changed {
            self.has_set = true;
        }
        // What a team has done is known some days later.
        let known = self.changed && self.changed_at + scenario.record_lag <= now;
        let old_key = now < plan.vending || (now < plan.grace_until && !known && !self.has_set);
        let kept = self.random.chance(scenario.kept);
        let lies = if kept { self.random.unit() * scenario.kept_for } else { 0.05 };
        let wrapped = old_key && now >= plan.base_ends;
        self.bought.push(Bought { entered: now + lies, new_key: !old_key, wrapped });
    }

    /// Why a token is refused; `None` where it is accepted.
    fn refusal(&mut self, scenario: &Scenario, bought: &Bought) -> Option<usize> {
        if bought.new_key && !self.changed && self.has_set {
            if !self.random.chance(scenario.set_entered) {
                return Some(NOT_ENTERED);
            }
            self.change(bought.entered);
        }
        match (bought.new_key, self.changed) {
            (true, false) => Some(AHEAD),
            (false, true) => Some(BEHIND),
            (false, false) if bought.wrapped => Some(WRAPPED),
            _ => None,
        }
    }

    /// Whether somebody had to see to this household: its meter gets the key that vending uses, and
    /// a token that it takes.
    fn is_remedied(&mut self, plan: &Dates, now: f64) -> bool {
        self.called = false;
        if self.stranded.is_none() {
            return false;
        }
        if now >= plan.vending {
            self.change(now);
        }
        self.accept();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Scenario {
        Scenario::load("mangaung").unwrap().with_meters(800)
    }

    /// The outcome of the plan with this name.
    fn outcome<'a>(forecasts: &'a [Forecast], plan: &str) -> &'a Forecast {
        forecasts.iter().find(|it| it.plan == plan).unwrap()
    }

    #[test]
    fn run_has_the_causes_of_each_direction() {
        let forecasts = small().run();
        let early = outcome(&forecasts, "vending 1st, teams 4th to 24th");
        let late = outcome(&forecasts, "vending 4th, teams 1st to 3rd");
        let grace = outcome(&forecasts, "vending 1st, teams 4th to 24th, grace");
        let purchases = outcome(&forecasts, "vending 4th, tokens with purchases");
        assert!(early.causes["krn.ahead"].mean > 100.0 * early.causes["krn.behind"].mean);
        assert!(late.causes["krn.behind"].mean > 0.0);
        assert!(grace.most_stranded.mean < early.most_stranded.mean / 5.0);
        assert!(grace.causes["krn.ahead"].mean < early.causes["krn.ahead"].mean / 5.0);
        assert!(purchases.causes["kct.not_entered"].mean > 0.0);
        for forecast in &forecasts {
            // Nothing goes wrong before anything is changed.
            assert!(forecast.days[..2].iter().all(|day| day.stranded.mean == 0.0));
            let by_cause: f64 = forecast.causes.values().map(|count| count.mean).sum();
            assert!((by_cause - forecast.refusals.mean).abs() < 1.0);
            assert!(forecast.calls.mean <= forecast.refusals.mean);
        }
    }

    #[test]
    fn run_without_a_change_strands_nobody_until_the_base_date_ends() {
        let mut scenario = small();
        let never = jiff::civil::date(2030, 1, 1);
        scenario.plans.truncate(1);
        let plan = &mut scenario.plans[0];
        (plan.vending, plan.from, plan.until) = (never, never, never);
        let forecasts = scenario.run();
        let ends = forecasts[0].days.iter().position(|day| day.stranded.mean > 0.0).unwrap();
        assert!(forecasts[0].days[ends].date >= jiff::civil::date(2024, 11, 24));
        assert_eq!(forecasts[0].refusals.mean, forecasts[0].causes["tid.wrapped"].mean);
    }

    #[test]
    fn run_is_the_same_again() {
        let text = |scenario: &Scenario| serde_json::to_string(&scenario.run()).unwrap();
        assert_eq!(text(&small()), text(&small()));
    }

    #[test]
    fn parse_of_bad_scenarios_says_where() {
        let good = BUILTIN[0].1;
        for (from, to, said) in [
            ("kept = 0.15", "kept = 1.5", "kept: out of range, expected a share of 0 to 1"),
            ("days = 32", "days = 0", "days: out of range"),
            ("until = \"2024-11-03\"", "until = \"2024-10-03\"", "until: out of range"),
            ("from = \"2024-10-30\"", "from = \"30 Oct\"", "x.toml:"),
            ("buys_every", "buys_evry", "x.toml:"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = Scenario::parse("x.toml", &good.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    /// `sts forecast mangaung --svg docs/forecast/mangaung.svg` makes it.
    #[test]
    fn chart_of_the_docs_is_what_the_forecast_says() {
        let scenario = Scenario::load("mangaung").unwrap();
        let chart = scenario.chart(&scenario.run());
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        // The packaged crate comes without them.
        if docs.exists() {
            let kept = std::fs::read_to_string(docs.join("forecast/mangaung.svg")).unwrap();
            assert!(chart == kept, "regenerate the chart");
        }
    }
}
