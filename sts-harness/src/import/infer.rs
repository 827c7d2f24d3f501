//! What no row tells of a meter, found from its earliest tokens: the configuration under a held key
//! in which they were made.

use jiff::Timestamp;
use sts_batch::Batch;
use sts_core::key::EncryptionAlgorithm;
use sts_core::{MeterPan, Payload, TariffIndex, Token};

use super::convert::Settings;
use crate::describe::TidReading;
use crate::diagnose::{Configuration, TARIFFS, open_under, open_under_tariffs, tariff_index};
use crate::keys::{KeyRing, VendingEntry};
use crate::records::{parse_base_date, parse_ea, parse_krn, parse_kt, parse_sgc, parse_ti};
use crate::row_file::csv_line;
use crate::table::guarded;
use crate::time::minutes;

/// A token of a meter, and when it was sold or keyed, in minutes since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    at: i64,
    token: Token,
}

/// Tokens that a meter's settings are told by.
const MOST_SAMPLES: usize = 6;

/// Keeps the earliest tokens that need a key.
pub(super) fn keep(samples: &mut Vec<Sample>, at: Timestamp, entered: &str) {
    let Ok(token) = Token::parse(entered) else { return };
    if !token.class().is_encrypted() || samples.iter().any(|sample| sample.token == token) {
        return;
    }
    let sample = Sample { at: minutes(at), token };
    let place = samples.partition_point(|other| other.at <= sample.at);
    if place < MOST_SAMPLES {
        samples.truncate(MOST_SAMPLES - 1);
        samples.insert(place, sample);
    }
}

/// A meter's settings, and what tells them.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) settings: Settings,
    /// The name of the key that the meter holds.
    key_id: String,
    why: String,
}

/// The columns of `inferred.csv`.
pub(super) const HEADER: [&str; 11] =
    ["pan", "ea", "sgc", "krn", "ti", "kt", "base_date", "ken", "tid_floor", "key_id", "why"];

/// A line of `inferred.csv`, for a meter that could not be told as well.
pub(super) fn line(pan: &MeterPan, found: &Result<Inferred, String>) -> Vec<u8> {
    let (values, key_id, why) = match found {
        Ok(Inferred { settings: Settings(values), key_id, why }) => {
            let [ea, sgc, krn, ti, kt, base_date, ken, _, _, tid_floor] = values;
            ([ea, sgc, krn, ti, kt, base_date, ken, tid_floor].map(String::as_str), &**key_id, why)
        }
        Err(why) => ([""; 8], "", why),
    };
    let (key_id, why) = (guarded(key_id), guarded(why));
    let said = values.into_iter().chain([&*key_id, &*why]);
    csv_line(std::iter::once(pan.as_str()).chain(said))
}

/// Minutes between a token's making and its row, at most.
const OLDEST: i64 = 400 * 1440;
/// Minutes that a clock may be ahead.
const AHEAD: i64 = 1440;
/// Minutes that say nothing, since clocks are never better set.
const CLOSE: i64 = 30;
/// All minutes that a TID can tell.
const TIDS: f64 = 16_777_216.0;
/// The share of wrong candidates that pass the check.
const CHANCE: f64 = 1.0 / 65_536.0;
/// How probable it may be that all that is found is chance.
const MOST_BY_CHANCE: f64 = 0.01;
/// The places of a meter's memory.
const PLACES: i64 = 50;

/// A configuration in which some of the tokens were made.
#[derive(Debug)]
struct Found {
    configuration: usize,
    ti: TariffIndex,
    /// How many of the tokens.
    tokens: usize,
    /// How many configurations would by chance open these tokens as well, each made as close to
    /// its row.
    by_chance: f64,
    /// The TID of the first that has one.
    first_tid: Option<i64>,
}

/// Finds the settings of one meter. `told` is what its rows say, `apart` the minutes between two
/// tokens of a meter.
pub(super) fn infer(
    ring: &KeyRing,
    pan: &MeterPan,
    told: &Settings,
    samples: &[Sample],
    apart: Option<i64>,
) -> Result<Inferred, String> {
    let Settings([ea, sgc, krn, ti, kt, base_date, ..]) = told;
    let (ea, sgc, krn) = (parse_ea(ea).ok(), parse_sgc(sgc).ok(), parse_krn(krn).ok());
    let (ti, kt, base_date) =
        (parse_ti(ti).ok(), parse_kt(kt).ok(), parse_base_date(base_date).ok());
    let fits = |entry: &&VendingEntry| {
        sgc.is_none_or(|sgc| sgc == entry.sgc)
            && krn.is_none_or(|krn| krn == entry.krn)
            && kt.is_none_or(|kt| kt == entry.kt)
            && base_date.is_none_or(|base_date| base_date == entry.base_date)
    };
    let entries: Vec<&VendingEntry> = ring.vending.iter().filter(fits).collect();
    if entries.is_empty() {
        return Err("no key is held that fits what its rows say".to_owned());
    }
    let usual = [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1];
    let algorithms = ea.as_ref().map_or(&usual[..], std::slice::from_ref);
    let configurations: Vec<Configuration<'_>> = entries
        .iter()
        .flat_map(|entry| {
            let ti = ti.unwrap_or(TariffIndex::MIN);
            algorithms.iter().map(move |&ea| Configuration { entry, ti, ea })
        })
        .collect();
    let tokens = samples.len();
    let found = best(pan, &configurations, ti, samples);
    let (configuration, ti, first_tid, why) = match (found, configurations.as_slice(), ti) {
        (Some(found), ..) => {
            if found.by_chance > MOST_BY_CHANCE {
                return Err(format!(
                    "{} of its {tokens} tokens authenticates, as chance may do",
                    found.tokens
                ));
            }
            let why = format!("opens {} of its {tokens} earliest tokens", found.tokens);
            (configurations[found.configuration], found.ti, found.first_tid, why)
        }
        (None, [only], Some(ti)) => {
            let why = match tokens {
                0 => "the only key held that fits its rows",
                _ => {
                    "the only key held that fits its rows, though none of its earliest tokens \
                      authenticates"
                }
            };
            (*only, ti, None, why.to_owned())
        }
        _ if tokens == 0 => return Err("it has no token to be told by".to_owned()),
        _ => return Err(format!("none of its {tokens} earliest tokens authenticates")),
    };
    let entry = configuration.entry;
    let Settings([.., told_ken, profile, firmware, told_floor]) = told;
    let or = |told: &String, found: String| if told.is_empty() { found } else { told.clone() };
    let floor = first_tid.zip(apart).map(|(tid, apart)| (tid - PLACES * apart).max(0));
    let settings = Settings([
        configuration.ea.code().to_owned(),
        entry.sgc.to_string(),
        entry.krn.get().to_string(),
        format!("{:02}", ti.get()),
        entry.kt.code().to_string(),
        entry.base_date.year().to_string(),
        or(told_ken, entry.ken.get().to_string()),
        profile.clone(),
        firmware.clone(),
        or(told_floor, floor.map(|floor| floor.to_string()).unwrap_or_default()),
    ]);
    Ok(Inferred { settings, key_id: entry.id.clone(), why })
}

/// The configuration that explains the tokens best.
fn best(
    pan: &MeterPan,
    configurations: &[Configuration<'_>],
    ti: Option<TariffIndex>,
    samples: &[Sample],
) -> Option<Found> {
    let each = if ti.is_some() { 1 } else { TARIFFS };
    let candidates = f64::from(u32::try_from(configurations.len() * each).unwrap_or(u32::MAX));
    let mut all: Vec<Found> = Vec::new();
    for &Sample { at, token } in samples {
        // What opened an earlier token is tried before all the others.
        let known: Vec<_> = all.iter().map(|found| (found.configuration, found.ti)).collect();
        let of_known = known.iter().filter_map(|&(place, ti)| {
            let key = Configuration { ti, ..configurations[place] }.key(pan)?;
            Some((place, ti, token.open(&key).authenticate().ok()?))
        });
        let of_its_time = |(place, ti, payload): (usize, TariffIndex, Payload)| {
            let close = closeness(&payload, configurations[place].entry, at)?;
            Some((place, ti, close, payload.tid().map(|tid| i64::from(tid.get()))))
        };
        let mut opens: Vec<_> = of_known.filter_map(of_its_time).collect();
        if opens.is_empty() {
            let of_all = opened(pan, configurations, ti, token).into_iter();
            opens = of_all.filter_map(of_its_time).collect();
        }
        for (configuration, ti, close, tid) in opens {
            let chance = CHANCE * close;
            match all.iter_mut().find(|it| it.configuration == configuration && it.ti == ti) {
                Some(found) => {
                    found.tokens += 1;
                    found.by_chance *= chance;
                    found.first_tid = found.first_tid.or(tid);
                }
                None => {
                    let by_chance = candidates * chance;
                    all.push(Found { configuration, ti, tokens: 1, by_chance, first_tid: tid });
                }
            }
        }
    }
    all.into_iter().min_by(|a, b| a.by_chance.total_cmp(&b.by_chance))
}

/// Configurations, each with its tariff index, in which a token authenticates.
fn opened(
    pan: &MeterPan,
    configurations: &[Configuration<'_>],
    ti: Option<TariffIndex>,
    token: Token,
) -> Vec<(usize, TariffIndex, Payload)> {
    let batch = Batch::default();
    match ti {
        Some(ti) => {
            let of_meter: Vec<_> = configurations.iter().map(|it| (*it, *pan)).collect();
            let opened = open_under(batch, token, &of_meter).into_iter();
            opened.map(|opened| (opened.index, ti, opened.payload)).collect()
        }
        None => open_under_tariffs(batch, token, pan, configurations)
            .into_iter()
            .filter_map(|opened| {
                let ti = tariff_index(opened.index % TARIFFS)?;
                Some((opened.index / TARIFFS, ti, opened.payload))
            })
            .collect(),
    }
}

/// The share of random TIDs that are as close to the time of a token's row; 1 where it has none,
/// `None` where it cannot have been made for that row.
fn closeness(payload: &Payload, entry: &VendingEntry, at: i64) -> Option<f64> {
    let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
    let Some(made) = payload.tid().and_then(|tid| reading.unix_minutes(tid)) else {
        return Some(1.0);
    };
    let age = at - made;
    let close = age.abs().max(CLOSE);
    let minutes = (-AHEAD..=OLDEST).contains(&age).then_some(2 * close + 1)?;
    Some(f64::from(u32::try_from(minutes).ok()?) / TIDS)
}
