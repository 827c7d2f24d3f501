//! Random sequences on two devices, and the shortest one on which they disagree.

use super::script::{Case, Expected, Setup, Step};
use super::{Answer, DeviceError, Session, token};

/// A sequence on which two devices disagree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The shortest sequence found, with the answers of the reference as what is expected.
    pub case: Case,
    /// What the reference said at the last step.
    pub expected: String,
    /// What the device said there.
    pub got: String,
    /// Steps of the sequence before it was shortened.
    pub found_after: usize,
}

/// What a run came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// Entries that both devices answered.
    pub entries: u64,
    /// Meters that were set up.
    pub meters: u64,
    /// How often each result came, by name.
    pub results: std::collections::BTreeMap<&'static str, u64>,
    /// The first difference, shortened.
    pub difference: Option<Difference>,
}

/// Entries on one meter before the next is set up.
const ENTRIES_A_METER: u64 = 120;

/// Runs that shortening may take: a device may be slow.
const SHORTENING: u32 = 600;

/// Enters `entries` random entries on both, from a seed.
///
/// # Errors
///
/// [`DeviceError`], also where the device refuses even a plain meter.
pub fn run(
    reference: &mut Session<'_>,
    device: &mut Session<'_>,
    entries: u64,
    seed: u64,
) -> Result<Run, DeviceError> {
    let mut random = Random(seed);
    let mut run = Run { entries: 0, meters: 0, results: Default::default(), difference: None };
    while run.entries < entries {
        let mut setup = random.setup();
        reference.setup(&setup)?.map_err(|why| refused(&setup, why))?;
        if device.setup(&setup)?.is_err() {
            setup = Setup::default();
            reference.setup(&setup)?.map_err(|why| refused(&setup, why))?;
            device.setup(&setup)?.map_err(|why| refused(&setup, why))?;
        }
        run.meters += 1;
        let mut story = Story::new(&setup);
        let mut steps = Vec::new();
        let wanted = ENTRIES_A_METER.min(entries - run.entries);
        let mut entered = 0;
        while entered < wanted {
            let step = story.step(&mut random, device);
            let differ = compare(&step, reference, device, &mut |answer| {
                let name = answer.result.map_or("-", sts_core::TokenResult::name);
                *run.results.entry(name).or_default() += 1;
                entered += 1;
            })?;
            steps.push(step);
            if differ.is_some() {
                run.entries += entered;
                run.difference = Some(shorten(&setup, steps, reference, device)?);
                return Ok(run);
            }
        }
        run.entries += entered;
    }
    Ok(run)
}

fn refused(setup: &Setup, why: String) -> DeviceError {
    DeviceError::Refused { request: format!("setup {setup}"), why }
}

/// One step on both; what they said, where that is not the same.
fn compare(
    step: &Step,
    reference: &mut Session<'_>,
    device: &mut Session<'_>,
    answered: &mut dyn FnMut(&Answer),
) -> Result<Option<(String, String)>, DeviceError> {
    match step {
        Step::Reset => {
            reference.reset()?;
            device.reset()?;
        }
        Step::Advance(seconds) => {
            reference.advance(*seconds)?;
            device.advance(*seconds)?;
        }
        Step::Read(_) => {
            let (expected, got) = (reference.read()?, device.read()?);
            let expected: Vec<_> =
                expected.into_iter().filter(|(name, _)| device.can_read(name)).collect();
            let got: Vec<_> = got.into_iter().filter(|(name, _)| device.can_read(name)).collect();
            let same = expected.len() == got.len() && expected.iter().all(|it| got.contains(it));
            if !same {
                return Ok(Some((super::script::pairs(&expected), super::script::pairs(&got))));
            }
        }
        Step::Enter { digits, .. } => {
            let (expected, got) = (reference.enter(digits)?, device.enter(digits)?);
            answered(&expected);
            // A device without results is compared by what it shows.
            let same = match got.result {
                Some(_) => got.result == expected.result,
                None => got.display == expected.display,
            };
            if !same {
                return Ok(Some((expected.to_string(), got.to_string())));
            }
        }
    }
    Ok(None)
}

/// Runs steps anew; the place of the first difference and what was said there.
fn replay(
    setup: &Setup,
    steps: &[Step],
    reference: &mut Session<'_>,
    device: &mut Session<'_>,
) -> Result<Option<(usize, String, String)>, DeviceError> {
    reference.setup(setup)?.map_err(|why| refused(setup, why))?;
    device.setup(setup)?.map_err(|why| refused(setup, why))?;
    for (place, step) in steps.iter().enumerate() {
        if let Some((expected, got)) = compare(step, reference, device, &mut |_| ())? {
            return Ok(Some((place, expected, got)));
        }
    }
    Ok(None)
}

/// Leaves steps out, in ever smaller pieces, as long as a difference stays.
fn shorten(
    setup: &Setup,
    mut steps: Vec<Step>,
    reference: &mut Session<'_>,
    device: &mut Session<'_>,
) -> Result<Difference, DeviceError> {
    let found_after = steps.len();
    let mut left = SHORTENING;
    let mut piece = steps.len().div_ceil(2);
    while piece > 0 && left > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < steps.len() && left > 0 {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + piece).min(steps.len()));
            left -= 1;
            match replay(setup, &fewer, reference, device)? {
                Some((place, ..)) => {
                    fewer.truncate(place + 1);
                    steps = fewer;
                    shorter = true;
                }
                None => at += piece,
            }
        }
        if !(shorter && piece == 1) {
            piece /= 2;
        }
    }
    let last = replay(setup, &steps, reference, device)?;
    let (expected, got) = last.map_or_else(
        || ("as before".to_owned(), "not the same each time".to_owned()),
        |(place, expected, got)| {
            steps.truncate(place + 1);
            (expected, got)
        },
    );
    annotate(setup, &mut steps, reference)?;
    let case = Case {
        suite: "differential".into(),
        name: "shortest".into(),
        source: "the answers of the meter of sts-core".into(),
        choice: None,
        setup: setup.clone(),
        steps,
    };
    Ok(Difference { case, expected, got, found_after })
}

/// Puts the answers of the reference into the steps.
fn annotate(
    setup: &Setup,
    steps: &mut [Step],
    reference: &mut Session<'_>,
) -> Result<(), DeviceError> {
    reference.setup(setup)?.map_err(|why| refused(setup, why))?;
    for step in steps {
        match step {
            Step::Reset => reference.reset()?,
            Step::Advance(seconds) => reference.advance(*seconds)?,
            Step::Read(wanted) => *wanted = reference.read()?,
            Step::Enter { digits, expected, .. } => {
                let result = reference.enter(digits)?.result;
                *expected = result.map(|result| Expected { result, display: None, choice: false });
            }
        }
    }
    Ok(())
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// `SplitMix64` (Steele, Lea, Flood 2014): the same sequences on every machine.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let place = self.place(list.len());
        list.get(place).copied().unwrap_or_default()
    }

    /// A meter: mostly plain, some with each option.
    fn setup(&mut self) -> Setup {
        let mut setup = Setup::default();
        if self.below(3) == 0 {
            setup.set("ea", "11");
            setup.set("key", "11111111111111111111111111111111");
        }
        if self.below(3) == 0 {
            setup.set("kt", self.pick(&["0", "1", "2", "3"]));
        }
        if self.below(3) == 0 {
            setup.set("ken", self.pick(&["80", "87", "100"]));
        }
        for (name, values) in [
            ("window", ["60", "600"].as_slice()),
            ("lockout", &["3:60,600", "2:10", "5:30"]),
            ("max", &["1000", "40000", "100000000"]),
            ("resources", &["1", "0,1,4,5", "0,2,4,6"]),
            ("sets", &["2", "3", "2,3", "4"]),
            ("order", &["strict"]),
            ("management", &["2", "7,10", "11,15"]),
            ("mfr", &["07", "0107"]),
        ] {
            if self.below(5) == 0 {
                setup.set(name, self.pick(values));
            }
        }
        setup
    }
}

/// What the keyer of one meter knows: enough to make entries that mean something.
struct Story {
    setup: Setup,
    keys: Vec<String>,
    /// The key that the meter is believed to hold, and the one that a change goes to.
    held: usize,
    next: usize,
    tid: u32,
    entered: Vec<String>,
}

impl Story {
    fn new(setup: &Setup) -> Self {
        let long = setup.value("ea") == Some("11");
        let key = |byte: &str| byte.repeat(if long { 16 } else { 8 });
        Self {
            setup: setup.clone(),
            keys: ["11", "23", "45", "67"].map(key).into(),
            held: 0,
            next: 1,
            tid: 5_697_240,
            entered: Vec::new(),
        }
    }

    fn step(&mut self, random: &mut Random, device: &Session<'_>) -> Step {
        match random.below(40) {
            0 if device.can.reset => Step::Reset,
            1 | 2 if device.can.advance => Step::Advance(random.pick(&[5, 61, 601])),
            3..=5 if device.can.read => Step::Read(Vec::new()),
            _ => {
                let (what, digits) = self.entry(random);
                if self.entered.len() < 64 {
                    self.entered.push(digits.clone());
                }
                Step::Enter { what, digits, expected: None }
            }
        }
    }

    fn entry(&mut self, random: &mut Random) -> (String, String) {
        if random.below(8) == 0 && !self.entered.is_empty() {
            let place = random.place(self.entered.len());
            return ("entered before".into(), self.entered.get(place).cloned().unwrap_or_default());
        }
        if random.below(16) == 0 {
            let count = random.pick(&[4, 19, 20, 20, 20, 21, 24, 40]);
            let digits = (0..count).map(|_| random.pick(&DIGITS)).collect();
            return ("any digits".into(), digits);
        }
        let what = self.token(random);
        let digits = token::digits(&what, &self.setup).unwrap_or_default();
        (what, digits)
    }

    fn token(&mut self, random: &mut Random) -> String {
        self.tid += u32::try_from(random.below(3)).unwrap_or_default();
        let tid = match random.below(12) {
            0 => self.tid.saturating_sub(u32::try_from(random.below(100)).unwrap_or_default()),
            1 => u32::try_from(random.below(1 << 24)).unwrap_or_default(),
            _ => self.tid,
        };
        let value = match random.below(4) {
            0 => random.below(1 << 16),
            _ => random.below(600),
        };
        let what = match random.below(16) {
            0..=4 => format!("credit {} {tid} {value}", random.below(4)),
            5 | 6 => {
                format!("currency {} {tid} {} {value}", 4 + random.below(4), random.below(16))
            }
            7 => format!("set {} {tid} {value}", random.pick(&["0", "5", "6", "2", "7", "10"])),
            8 => {
                let register = random.pick(&["0", "1", "4", "7", "8", "0xFFFF"]);
                format!("set 1 {tid} {register}")
            }
            9 => match random.below(3) {
                0 => {
                    format!("test 1 {} {}", 1 << random.below(28), random.pick(&["0", "7", "107"]))
                }
                _ => format!("test 0 {} {}", 1_u64 << random.below(36), random.pick(&["0", "7"])),
            },
            10 => {
                let (class, subclass) = (random.below(4), random.below(16));
                format!("raw {class} {subclass} {}", random.below(1 << 44))
            }
            _ => return self.section(random),
        };
        let damage = match random.below(10) {
            0 => format!(" flip={}", 1 + random.below(20)),
            1 => return format!("{what} under={}", self.any_key(random)),
            _ => String::new(),
        };
        format!("{what} under={}{damage}", self.held_key())
    }

    fn held_key(&self) -> &str {
        self.keys.get(self.held).map_or("", String::as_str)
    }

    fn any_key(&self, random: &mut Random) -> &str {
        let place = random.place(self.keys.len());
        self.keys.get(place).map_or("", String::as_str)
    }

    /// A section of the change to the next key; now and then the change is believed to be done.
    fn section(&mut self, random: &mut Random) -> String {
        let long = self.setup.value("ea") == Some("11");
        let three = random.below(6) == 0;
        let number = 1 + random.below(if long { 4 } else { 3 });
        let to = self.keys.get(self.next).cloned().unwrap_or_default();
        let krn = if random.below(12) == 0 { random.below(16) } else { 2 };
        let ti = if random.below(12) == 0 { random.below(256) } else { 1 };
        let kt = if random.below(6) == 0 { random.below(4) } else { 2 };
        let ro = u8::from(random.below(4) == 0);
        let under = self.held_key().to_owned();
        if random.below(6) == 0 {
            self.held = self.next;
            self.next = (self.next + 1) % self.keys.len();
        }
        let sgc = if random.below(8) == 0 { random.below(1 << 24) } else { 654_321 };
        let three = u8::from(three);
        format!(
            "section {number} to={to} krn={krn} ti={ti} kt={kt} ro={ro} three={three} sgc={sgc} \
             under={under}"
        )
    }
}
