//! Scenario files: what a simulated utility is like. Every mistake names its line.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use sts_core::{
    BaseDate, EncryptionAlgorithm, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeyType,
    SupplyGroupCode,
};
use toml::Spanned;

use super::behaviour::Behaviour;
use crate::input::{Excerpt, InputError, Place};
use crate::profiles::{self, ProfileFile};

/// A scenario as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) schema: Option<u8>,
    pub(super) title: String,
    pub(super) notes: Option<String>,
    #[serde(default = "one")]
    pub(super) seed: u64,
    pub(super) from: Moment,
    pub(super) until: Spanned<Moment>,
    /// The run ends with this many refusals, wherever `until` is.
    pub(super) refusals: u64,
    pub(super) meters: usize,
    pub(super) mix: Spanned<BTreeMap<Behaviour, u32>>,
    pub(super) group: Vec<Spanned<Group>>,
    #[serde(default)]
    pub(super) profile: Vec<Spanned<ProfileText>>,
    #[serde(default)]
    pub(super) fleet: Fleet,
    #[serde(default)]
    pub(super) vending: Vending,
    #[serde(default)]
    pub(super) people: People,
    #[serde(default)]
    pub(super) records: Records,
}

const fn one() -> u64 {
    1
}

/// A profile of the scenario's own, written into the case folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileText {
    pub(super) file: String,
    pub(super) text: String,
}

/// Meters that share a supply group code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) sgc: Sgc,
    /// Its share of the fleet, as a weight.
    #[serde(default = "ten")]
    pub(super) meters: u32,
    #[serde(default)]
    pub(super) commodity: Commodity,
    #[serde(default = "standard")]
    pub(super) profile: String,
    /// Firmwares that meters run, each as often; the profile's first where empty.
    #[serde(default)]
    pub(super) firmware: Vec<String>,
    #[serde(default)]
    pub(super) ea: Ea,
    /// Makers' codes: two digits for an 11-digit DRN under 600727, four for 13 digits under 0000.
    #[serde(default = "makers")]
    pub(super) makers: Vec<String>,
    /// Tariff indices and their weights.
    #[serde(default = "tariffs")]
    pub(super) tariffs: Vec<(Ti, u32)>,
    /// Cents of money for a unit.
    #[serde(default = "price")]
    pub(super) price: u32,
    /// How many tokens a key change has; EA11 always has four.
    #[serde(default = "two")]
    pub(super) sections: u8,
    /// Weights of the keys that meters hold at the start; all at the first where empty.
    #[serde(default)]
    pub(super) start: Vec<u32>,
    /// From when on vending uses the second key, whatever the meters hold.
    pub(super) vending_switch: Option<Moment>,
    /// When the meters are changed, spread evenly.
    pub(super) change: Option<Wave>,
    /// The chain of keys, first to last.
    pub(super) key: Vec<KeyPlan>,
}

const fn ten() -> u32 {
    10
}
const fn two() -> u8 {
    2
}
const fn price() -> u32 {
    245
}
fn standard() -> String {
    "standard".to_owned()
}
fn makers() -> Vec<String> {
    vec!["07".to_owned()]
}
fn tariffs() -> Vec<(Ti, u32)> {
    [(1, 70), (2, 12), (3, 6), (7, 4), (10, 3), (20, 2), (42, 1), (85, 1)]
        .into_iter()
        .map(|(ti, weight)| (Ti(ti), weight))
        .collect()
}

/// When meters are changed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wave {
    pub(super) from: Moment,
    pub(super) until: Moment,
    #[serde(default = "all")]
    pub(super) share: Share,
}

const fn all() -> Share {
    Share(1.0)
}

/// A vending key of the chain, and its relatives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPlan {
    pub(super) krn: Krn,
    pub(super) base_date: Base,
    #[serde(default)]
    pub(super) dkga: Dkga,
    #[serde(default)]
    pub(super) ken: Ken,
    /// Further key types held for the same revision: 1 and 3.
    #[serde(default)]
    pub(super) also_kt: Vec<Kt>,
    /// Further base dates under which the same key is held.
    #[serde(default)]
    pub(super) also_base_date: Vec<Base>,
}

/// What the meters are like.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fleet {
    /// Meters whose row in meters.csv is not their state.
    pub(super) stale: Share,
    /// Meters that still hold a default key; their group needs a key with `also_kt = [1]`.
    pub(super) default_key: Share,
    /// Meters whose key expiry number ends within the run or before it.
    pub(super) expired: Share,
    /// Meters near `register_max` of their profile.
    pub(super) near_full: Share,
    /// Held keys of supply groups that no meter belongs to.
    pub(super) extra_keys: usize,
    /// Meters bought in one lot have numbers in a row.
    pub(super) lot: u32,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            stale: Share(0.0),
            default_key: Share(0.0),
            expired: Share(0.0),
            near_full: Share(0.0),
            extra_keys: 0,
            lot: 40,
        }
    }
}

/// What tills are like.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Vending {
    pub(super) tills: usize,
    /// How far clocks that make TIDs are off, either way.
    pub(super) clock: Vec<Delay>,
    /// How long after the sale its record is stamped.
    pub(super) posting: Vec<Delay>,
    /// Local time less UTC.
    pub(super) zone: Span,
    /// Tills that stamp local time as if it were UTC.
    pub(super) local_stamps: Share,
    /// Tills whose TIDs count local time.
    pub(super) local_tids: Share,
    /// A wrong record of a meter is used again at its next purchase.
    pub(super) wrong_again: Share,
}

impl Default for Vending {
    fn default() -> Self {
        Self {
            tills: 40,
            clock: vec![
                Delay::new(80, 40, 0.9),
                Delay::new(15, 600, 1.0),
                Delay::new(5, 7200, 1.2),
            ],
            posting: vec![Delay::new(95, 4, 1.0), Delay::new(5, 14_400, 1.0)],
            zone: Span(7200),
            local_stamps: Share(0.1),
            local_tids: Share(0.02),
            wrong_again: Share(0.3),
        }
    }
}

/// What people do.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct People {
    /// From the sale to the keypad.
    pub(super) entry_delay: Vec<Delay>,
    /// How long a token lies before it is found again.
    pub(super) kept: Vec<Delay>,
    /// Between one entry and the next at the keypad.
    pub(super) between: Vec<Delay>,
    /// After a slip the right digits are entered.
    pub(super) corrected: Share,
    /// A refused token is entered once more, and again.
    pub(super) repeated: Share,
    /// Money paid, in whole units of the currency, and how often.
    pub(super) payments: Vec<(u32, u32)>,
    /// A wrong digit is next to the right one on the keypad.
    pub(super) neighbour_key: Share,
}

impl Default for People {
    fn default() -> Self {
        Self {
            entry_delay: vec![Delay::new(85, 480, 1.3), Delay::new(15, 172_800, 1.1)],
            kept: vec![Delay::new(1, 2_592_000, 0.8)],
            between: vec![Delay::new(1, 45, 0.6)],
            corrected: Share(0.7),
            repeated: Share(0.35),
            payments: vec![
                (10, 8),
                (20, 20),
                (30, 8),
                (50, 25),
                (75, 2),
                (100, 22),
                (150, 4),
                (200, 10),
                (300, 4),
                (500, 5),
                (1000, 2),
            ],
            neighbour_key: Share(0.6),
        }
    }
}

/// What is written down, and how badly.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Records {
    pub(super) sold_at_missing: Share,
    pub(super) quantity_missing: Share,
    pub(super) quantity_whole: Share,
    pub(super) quantity_off_by_tenth: Share,
    pub(super) quantity_wrong: Share,
    pub(super) believed: Share,
    pub(super) believed_wrong: Share,
    pub(super) displayed: Share,
    pub(super) displayed_wrong: Share,
    pub(super) displayed_without_zeros: Share,
    /// Digits written without separators.
    pub(super) ungrouped: Share,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            sold_at_missing: Share(0.08),
            quantity_missing: Share(0.12),
            quantity_whole: Share(0.05),
            quantity_off_by_tenth: Share(0.04),
            quantity_wrong: Share(0.01),
            believed: Share(0.4),
            believed_wrong: Share(0.03),
            displayed: Share(0.5),
            displayed_wrong: Share(0.004),
            displayed_without_zeros: Share(0.01),
            ungrouped: Share(0.5),
        }
    }
}

/// A log-normal delay: half of the values lie below the median, two thirds within a factor of
/// e^sigma of it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delay {
    #[serde(default = "weight")]
    pub(super) weight: u32,
    pub(super) median: Span,
    pub(super) sigma: f64,
}

const fn weight() -> u32 {
    1
}

impl Delay {
    const fn new(weight: u32, median: i64, sigma: f64) -> Self {
        Self { weight, median: Span(median), sigma }
    }
}

/// Defines a field type read by a function, so that an error is at the field's own line.
macro_rules! fields {
    ($($name:ident($inner:ty) from $raw:ty, $read:expr;)*) => { $(
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(super) struct $name(pub(super) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = <$raw>::deserialize(deserializer)?;
                let read: fn(&$raw) -> Result<$inner, String> = $read;
                read(&raw).map(Self).map_err(D::Error::custom)
            }
        }
    )* };
}

fields! {
    Moment(i64) from String, |text| crate::time::parse(text).map(|time| time.as_second());
    Span(i64) from String, |text| span(text);
    Share(f64) from f64, |share| match share {
        share if (0.0..=1.0).contains(share) => Ok(*share),
        share => Err(format!("{share}, expected a share of 0 to 1")),
    };
    Sgc(SupplyGroupCode) from String, |text| match text.parse() {
        Ok(number) if text.len() == 6 => SupplyGroupCode::new(number).map_err(|e| e.to_string()),
        _ => Err(format!("{text:?}, expected six digits")),
    };
    Krn(KeyRevisionNumber) from u8, |number| match number {
        1..=9 => KeyRevisionNumber::new(*number).map_err(|error| error.to_string()),
        _ => Err(format!("{number}, expected a key revision of 1 to 9")),
    };
    Ken(KeyExpiryNumber) from u8,
        |number| KeyExpiryNumber::new(*number).map_err(|error| error.to_string());
    Kt(KeyType) from u8, |code| match code {
        1..=3 => KeyType::from_code(*code).ok_or_else(String::new),
        _ => Err(format!("{code}, expected a key type of 1 to 3")),
    };
    Base(BaseDate) from u16, |year| {
        BaseDate::from_year(*year).ok_or(format!("{year}, expected 1993, 2014 or 2035"))
    };
    Dkga(KeyDerivation) from String, |code| {
        [KeyDerivation::Dkga02, KeyDerivation::Dkga04]
            .into_iter()
            .find(|dkga| dkga.code() == code)
            .ok_or(format!("{code:?}, expected \"02\" or \"04\""))
    };
    Ea(EncryptionAlgorithm) from String, |code| {
        EncryptionAlgorithm::from_code(code).ok_or(format!("{code:?}, expected 07, 09 or 11"))
    };
    Ti(u8) from u8, |number| match number {
        0..=99 => Ok(*number),
        _ => Err(format!("{number}, expected a tariff index of 0 to 99")),
    };
    Commodity(sts_core::Commodity) from String, |name| {
        sts_core::Commodity::ALL
            .into_iter()
            .find(|commodity| commodity.name() == name)
            .ok_or(format!("{name:?}, expected electricity, water, gas or time"))
    };
}

impl Default for Ken {
    fn default() -> Self {
        Self(KeyExpiryNumber::NEVER)
    }
}

impl Default for Dkga {
    fn default() -> Self {
        Self(KeyDerivation::Dkga04)
    }
}

impl Default for Ea {
    fn default() -> Self {
        Self(EncryptionAlgorithm::Sta)
    }
}

impl Default for Commodity {
    fn default() -> Self {
        Self(sts_core::Commodity::Electricity)
    }
}

/// `90s`, `8m`, `2h`, `3d`, `2w` in seconds.
fn span(text: &str) -> Result<i64, String> {
    let expected = || format!("{text:?}, expected a time such as 90s, 8m, 2h, 3d or 2w");
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(expected()),
    };
    let number: u32 = text.trim_end_matches(unit).parse().map_err(|_| expected())?;
    Ok(i64::from(number) * seconds)
}

/// A scenario that holds together, with the profiles that its groups name.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) plan: Plan,
    /// One for each group, in their order.
    pub(super) families: Vec<&'static ProfileFile>,
}

/// Reads a scenario; `file` stands in the errors.
pub(super) fn read(file: &str, text: &str) -> Result<Read, InputError> {
    let plan: Plan = toml::from_str(text).map_err(|error| InputError::toml(file, text, &error))?;
    let at = |offset: usize, problem: String| {
        let mut error = InputError::new(Place::line(file, Place::line_of(text, offset)), problem);
        let line = text.get(offset..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        error.excerpt = Excerpt::of(text, offset..offset + line.len()).map(Box::new);
        Err(error)
    };
    if !matches!(plan.schema, None | Some(1)) {
        return at(0, "schema: expected 1".into());
    }
    if plan.until.get_ref().0 <= plan.from.0 {
        return at(plan.until.span().start, "until is not after from".into());
    }
    if plan.mix.get_ref().values().all(|weight| *weight == 0) {
        return at(plan.mix.span().start, "mix has no weight above 0".into());
    }
    if plan.group.is_empty() {
        return at(0, "no [[group]], expected at least one".into());
    }
    let mut own = BTreeMap::new();
    for profile in &plan.profile {
        let ProfileText { file: name, text } = profile.get_ref();
        let plain = name.ends_with(".toml") && !name.contains(['/', '\\']);
        if !plain || matches!(name.as_str(), "keys.toml" | "case.toml") {
            let problem = format!("profile {name:?}, expected a file name of its own in .toml");
            return at(profile.span().start, problem);
        }
        match ProfileFile::parse(name, text) {
            Ok(family) => _ = own.insert(name.clone(), &*Box::leak(Box::new(family))),
            Err(errors) => {
                let problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
                return at(profile.span().start, problems.join("; "));
            }
        }
    }
    let mut families = Vec::new();
    let mut loaded: BTreeMap<String, &'static ProfileFile> = own;
    for group in &plan.group {
        let offset = group.span().start;
        let group = group.get_ref();
        if let Err(problem) = sound(group) {
            return at(offset, problem);
        }
        let family = match loaded.get(&group.profile) {
            Some(family) => *family,
            None => match profiles::load(&group.profile, std::path::Path::new(".")) {
                Ok(family) => {
                    let family: &'static ProfileFile = Box::leak(Box::new(family));
                    loaded.insert(group.profile.clone(), family);
                    family
                }
                Err(error) => return at(offset, error.to_string()),
            },
        };
        if let Some(id) = group.firmware.iter().find(|id| family.firmware_index(id).is_none()) {
            let known = family.firmware_ids().join(", ");
            return at(offset, format!("firmware {id:?}, expected one of: {known}"));
        }
        families.push(family);
    }
    Ok(Read { plan, families })
}

/// What the fields of a group must have in common.
fn sound(group: &Group) -> Result<(), String> {
    if group.key.is_empty() {
        return Err("a group without [[group.key]], expected at least one".into());
    }
    if !group.start.is_empty() && group.start.len() != group.key.len() {
        let (found, expected) = (group.start.len(), group.key.len());
        return Err(format!("start has {found} weights, expected {expected}, one for each key"));
    }
    if group.ea.0 == EncryptionAlgorithm::Misty1
        && group.key.iter().any(|key| key.dkga.0 == KeyDerivation::Dkga02)
    {
        return Err("DKGA02 gives no key for EA11, expected dkga = \"04\"".into());
    }
    if !(2..=3).contains(&group.sections) {
        return Err(format!("sections is {}, expected 2 or 3", group.sections));
    }
    if group.price == 0 {
        return Err("price is 0, expected cents for a unit".into());
    }
    let is_code = |maker: &String| {
        matches!(maker.len(), 2 | 4) && maker.bytes().all(|byte| byte.is_ascii_digit())
    };
    match group.makers.iter().find(|maker| !is_code(maker)) {
        Some(maker) => Err(format!("maker {maker:?}, expected two or four digits")),
        None if group.makers.is_empty() => Err("makers is empty".into()),
        None => Ok(()),
    }
}
