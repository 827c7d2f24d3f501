//! The core's meter as a device: what others are compared with, and a device to try a driver on.

use std::io::{BufRead, Write};

use sts_core::{
    DecoderKey, EncryptionAlgorithm, Framing, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, LockoutRule, ManufacturerCode, Meter, Profile, SectionOrder, SupplyGroupCode,
    TariffIndex, TokenId,
};

use super::script::{OPTIONS, Setup};
use super::{Device, DeviceError};

/// The meter of the core, behind the protocol.
#[derive(Debug)]
pub struct Builtin {
    /// What a setup without options works by.
    base: &'static Profile<'static>,
    /// The profiles made so far, by their options: a meter borrows its own, and they are few.
    made: Vec<(Vec<Option<String>>, &'static Profile<'static>)>,
    meter: Option<Meter<'static>>,
    now: u64,
}

impl Builtin {
    /// A meter that shows, and takes unless a setup says otherwise, what `profile` says.
    #[must_use]
    pub const fn new(profile: &'static Profile<'static>) -> Self {
        Self { base: profile, made: Vec::new(), meter: None, now: 0 }
    }

    /// Answers lines until there are no more, or `quit`.
    ///
    /// # Errors
    ///
    /// As reading or writing gives.
    pub fn serve(&mut self, input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
        for line in input.lines() {
            let line = line?;
            // At once: halves of a line over a network wait for each other.
            output.write_all(format!("{}\n", self.reply(&line)).as_bytes())?;
            output.flush()?;
            if line.trim() == "quit" {
                break;
            }
        }
        Ok(())
    }

    /// The reply to a request.
    pub fn reply(&mut self, request: &str) -> String {
        let (verb, rest) = request.trim().split_once(' ').unwrap_or((request.trim(), ""));
        let done = match verb {
            "hello" => {
                Ok("1 result,display,reset,advance,read,limits the meter of sts-core".to_owned())
            }
            "setup" => self.setup(rest).map(|()| String::new()),
            "enter" => self.enter(rest),
            "read" => self.read(),
            // All state is what a meter keeps without power.
            "reset" | "quit" => Ok(String::new()),
            "advance" => match rest.parse::<u64>() {
                Ok(seconds) => {
                    self.now = self.now.saturating_add(seconds);
                    Ok(String::new())
                }
                Err(_) => Err("advance takes seconds".to_owned()),
            },
            _ => Err(format!("{verb:?} is no request")),
        };
        match done {
            Ok(text) => format!("ok {text}").trim_end().to_owned(),
            Err(why) => format!("no {why}"),
        }
    }

    fn setup(&mut self, words: &str) -> Result<(), String> {
        let setup = Setup::parse(words)?;
        let profile = self.profile(&setup)?;
        self.meter = Some(meter(&setup, profile)?);
        self.now = 0;
        Ok(())
    }

    fn enter(&mut self, keyed: &str) -> Result<String, String> {
        let now = self.now;
        let meter = self.meter.as_mut().ok_or("set up first")?;
        let result = match meter.enter(keyed, now) {
            Ok(admission) => admission.apply().result(),
            Err(refusal) => {
                meter.count_refusal(&refusal, now);
                refusal.result()
            }
        };
        Ok(format!("{result} {}", meter.shown(result, now)))
    }

    fn read(&self) -> Result<String, String> {
        let meter = self.meter.as_ref().ok_or("set up first")?;
        let held = meter.attributes();
        let mut words = Vec::new();
        words.extend((0..).zip(meter.registers().units).map(|(n, held)| format!("r{n}={held}")));
        words.extend((4..).zip(meter.registers().currency).map(|(n, held)| format!("r{n}={held}")));
        words.push(format!("sgc={} krn={} ti={}", held.sgc.get(), held.krn.get(), held.ti.get()));
        words.push(format!("kt={} ken={}", held.kt.code(), held.ken.get()));
        for (name, limit) in
            [("power", meter.maximum_power()), ("unbalance", meter.phase_unbalance())]
        {
            words.extend(limit.map(|limit| format!("{name}={}", limit.units())));
        }
        Ok(words.join(" "))
    }

    fn profile(&mut self, setup: &Setup) -> Result<&'static Profile<'static>, String> {
        let options: Vec<Option<String>> =
            OPTIONS.iter().map(|name| setup.value(name).map(str::to_owned)).collect();
        if options.iter().all(Option::is_none) {
            return Ok(self.base);
        }
        if let Some((_, profile)) = self.made.iter().find(|(known, _)| *known == options) {
            return Ok(profile);
        }
        let profile: &'static Profile<'static> =
            Box::leak(Box::new(with_options(self.base, setup)?));
        self.made.push((options, profile));
        Ok(profile)
    }
}

impl Device for Builtin {
    fn ask(&mut self, request: &str) -> Result<String, DeviceError> {
        Ok(self.reply(request))
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}={text} is not in range"))
}

fn list<T: std::str::FromStr>(name: &str, text: &str) -> Result<Vec<T>, String> {
    text.split(',').filter(|word| !word.is_empty()).map(|word| number(name, word)).collect()
}

fn with_options(
    base: &'static Profile<'static>,
    setup: &Setup,
) -> Result<Profile<'static>, String> {
    let mut profile = *base;
    for name in OPTIONS {
        let Some(text) = setup.value(name) else { continue };
        let set = || list::<u8>(name, text).map(|numbers| numbers.into_iter().collect());
        match name {
            "framings" => {
                profile.framings = text
                    .split(',')
                    .map(|name| Framing::from_name(name).filter(|framing| framing.is_acceptable()))
                    .collect::<Option<_>>()
                    .ok_or_else(|| format!("framings={text} is unknown"))?;
            }
            "resources" => profile.resources = set()?,
            "tests" => profile.tests = set()?,
            "management" => profile.management = set()?,
            "sets" => profile.key_change_sets = set()?,
            "order" => {
                profile.section_order = match text {
                    "any" => SectionOrder::Any,
                    "strict" => SectionOrder::Strict,
                    _ => return Err(format!("order={text}, expected any or strict")),
                }
            }
            "window" => {
                let seconds = number::<u32>(name, text)?;
                profile.section_window_s = (seconds > 0).then_some(seconds);
            }
            "lockout" => {
                let (after, durations) = text.split_once(':').unwrap_or((text, ""));
                let after = number::<u8>(name, after)?;
                let durations_s: &'static [u32] = list(name, durations)?.leak();
                profile.lockout = (after > 0).then_some(LockoutRule { after, durations_s });
            }
            "max" => {
                let max = number::<u64>(name, text)?;
                profile.register_max = (max > 0).then_some(max);
            }
            _ => profile.checks_expiry = text != "0",
        }
    }
    Ok(profile)
}

fn meter(setup: &Setup, profile: &'static Profile<'static>) -> Result<Meter<'static>, String> {
    let text = |name: &str| setup.value(name).unwrap_or_default();
    let outside = |error: sts_core::OutOfRange| error.to_string();
    let ea = EncryptionAlgorithm::from_code(text("ea")).ok_or("ea is unknown")?;
    let key = hex::decode(text("key")).map_err(|_| "key is not in hex")?;
    let key = DecoderKey::from_bytes(ea, &key).map_err(|error| error.to_string())?;
    let kt = number("kt", text("kt"))?;
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(number("sgc", text("sgc"))?).map_err(outside)?,
        krn: KeyRevisionNumber::new(number("krn", text("krn"))?).map_err(outside)?,
        ti: TariffIndex::new(number("ti", text("ti"))?).map_err(outside)?,
        kt: KeyType::from_code(kt).ok_or("kt is not in 0 to 3")?,
        ken: KeyExpiryNumber::new(number("ken", text("ken"))?).map_err(outside)?,
    };
    let digits = u8::try_from(text("mfr").len()).unwrap_or(u8::MAX);
    let maker = ManufacturerCode::new(number("mfr", text("mfr"))?, digits).map_err(outside)?;
    let floor = TokenId::new(number("tid", text("tid"))?).map_err(outside)?;
    Ok(Meter::new(profile, maker, key, attributes, floor))
}
