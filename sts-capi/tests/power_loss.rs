//! Power is cut at every byte that is written or erased. Never may a token count twice, and never may
//! what was shown as accepted be lost.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sts_capi::journal::{Journal, JournalError, Storage};
use sts_core::class::key_change;
use sts_core::{
    Amount, Commodity, CurrencyAmount, DecoderKey, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, LockoutRule, ManufacturerCode, Meter, Payload, Profile, Setting,
    SupplyGroupCode, TariffIndex, Token, TokenId, TokenResult,
};

// ------------------------------------------------------------------------------------- the memory

/// What becomes of the byte at which power fails.
#[derive(Clone, Copy, Debug)]
enum Torn {
    /// It is as before.
    Untouched,
    /// Some of its bits have reached their new value.
    Half,
    /// It is done.
    Whole,
}

const TEARS: [Torn; 3] = [Torn::Untouched, Torn::Half, Torn::Whole];

#[derive(Debug)]
struct Off;

/// Flash: writing clears bits, erasing sets them, and both take one byte after the other.
#[derive(Clone)]
struct Flash {
    areas: [Vec<u8>; 2],
    /// Bytes until power fails.
    left: usize,
    torn: Torn,
    /// Bytes written or erased so far.
    done: usize,
}

impl Flash {
    fn new(words: u16) -> Self {
        let area = vec![0xFF; usize::from(words) * 8];
        Self { areas: [area.clone(), area], left: usize::MAX, torn: Torn::Whole, done: 0 }
    }

    fn change(&mut self, area: u8, at: usize, new: u8) -> Result<(), Off> {
        let byte = &mut self.areas[usize::from(area)][at];
        if self.left == 0 {
            *byte = match self.torn {
                Torn::Untouched => *byte,
                Torn::Half => *byte ^ (*byte ^ new) & 0x55,
                Torn::Whole => new,
            };
            // Whatever is asked of it now fails too.
            self.torn = Torn::Untouched;
            return Err(Off);
        }
        self.left -= 1;
        self.done += 1;
        *byte = new;
        Ok(())
    }
}

impl Storage for Flash {
    type Error = Off;

    fn read(&mut self, area: u8, place: u16) -> Result<u64, Off> {
        let words = self.areas[usize::from(area)].as_chunks::<8>().0;
        Ok(u64::from_le_bytes(words[usize::from(place)]))
    }

    fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Off> {
        for (at, byte) in word.to_le_bytes().into_iter().enumerate() {
            let at = usize::from(place) * 8 + at;
            assert_eq!(self.areas[usize::from(area)][at], 0xFF, "written over what is not erased");
            self.change(area, at, byte)?;
        }
        Ok(())
    }

    fn erase(&mut self, area: u8) -> Result<(), Off> {
        for at in 0..self.areas[usize::from(area)].len() {
            self.change(area, at, 0xFF)?;
        }
        Ok(())
    }
}

// -------------------------------------------------------------------------------------- the story

type SmallMeter = Meter<'static, 6>;
type SmallJournal = Journal<6>;

static PROFILE: Profile<'static> =
    Profile { lockout: Some(LockoutRule { after: 2, durations_s: &[5] }), ..Profile::STANDARD };

enum Step {
    /// A token that the meter takes.
    Token(String),
    /// Wrong digits, counted towards a lock-out.
    Wrong,
    /// Metering takes from the electricity register.
    Use(u64),
}

fn attributes(krn: u8) -> KeyAttributes {
    KeyAttributes {
        sgc: SupplyGroupCode::new(600_457).unwrap(),
        krn: KeyRevisionNumber::new(krn).unwrap(),
        ti: TariffIndex::new(1).unwrap(),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    }
}

fn keys() -> [DecoderKey; 2] {
    [DecoderKey::sta([0x11; 8]), DecoderKey::sta([0x23; 8])]
}

fn new_meter() -> SmallMeter {
    let [key, _] = keys();
    let maker = ManufacturerCode::new(0, 2).unwrap();
    Meter::new(&PROFILE, maker, key, attributes(1), TokenId::new(1000).unwrap())
}

/// Credit, wrong digits, settings, use, a key change in the middle, credit under the new key.
fn story() -> Vec<Step> {
    let [old, new] = keys();
    let tid = |minute| TokenId::new(minute).unwrap();
    let credit = |minute: u32, units, key: &DecoderKey| {
        let amount = Amount::round_up(units).unwrap();
        let payload =
            Payload::Credit { commodity: Commodity::Electricity, rnd: 5, tid: tid(minute), amount };
        Step::Token(Token::seal(&payload, key).to_string())
    };
    let money = |minute, units, key: &DecoderKey| {
        let amount = CurrencyAmount::round_up(units).unwrap();
        let payload =
            Payload::CurrencyCredit { commodity: Commodity::Water, tid: tid(minute), amount };
        Step::Token(Token::seal(&payload, key).to_string())
    };
    let set = |minute, setting, value| {
        let payload = Payload::Set { setting, rnd: 5, tid: tid(minute), value };
        Step::Token(Token::seal(&payload, &old).to_string())
    };
    let mut steps = vec![
        credit(2000, 100, &old),
        credit(2001, 50, &old),
        Step::Wrong,
        credit(1999, 7, &old),
        Step::Use(30),
        money(2002, 12_345, &old),
        set(2003, Setting::MaximumPowerLimit, 4000),
        Step::Wrong,
        Step::Wrong,
        credit(2004, 1, &old),
        credit(2005, 2, &old),
    ];
    let sections = key_change(&new, &attributes(2), true, true);
    steps.extend(sections.map(|section| Step::Token(Token::seal(&section, &old).to_string())));
    steps.extend([credit(7, 300, &new), Step::Use(5), money(8, -45, &new), credit(9, 3, &new)]);
    steps
}

/// Seconds at a step: lock-outs are over by the next one.
fn now(step: usize) -> u64 {
    step as u64 * 10
}

/// Takes one step, in memory alone.
fn take(meter: &mut SmallMeter, step: &Step, now: u64) -> TokenResult {
    match step {
        Step::Use(units) => {
            meter.registers_mut().units[0] -= units;
            TokenResult::Accept
        }
        Step::Wrong => enter(meter, "12345678901234567890", now),
        Step::Token(digits) => enter(meter, digits, now),
    }
}

fn enter(meter: &mut SmallMeter, digits: &str, now: u64) -> TokenResult {
    match meter.enter(digits, now) {
        Ok(admission) => admission.apply().result(),
        Err(refusal) => {
            meter.count_refusal(&refusal, now);
            refusal.result()
        }
    }
}

/// The meter before the first step and after each.
fn states(steps: &[Step]) -> Vec<SmallMeter> {
    let mut meter = new_meter();
    let mut states = vec![meter.clone()];
    for (place, step) in steps.iter().enumerate() {
        let result = take(&mut meter, step, now(place));
        let expected = !matches!(step, Step::Wrong);
        assert_eq!(result.is_taken(), expected, "step {place}");
        assert!(states.last() != Some(&meter), "step {place} changes nothing");
        states.push(meter.clone());
    }
    states
}

/// A meter with its memory, and what the customer has seen.
#[derive(Clone)]
struct World {
    flash: Flash,
    area_words: u16,
    /// Steps whose answer was shown.
    shown: usize,
}

impl World {
    fn new(area_words: u16) -> Self {
        let mut flash = Flash::new(area_words);
        SmallJournal::format(&mut flash, area_words, &new_meter()).unwrap();
        flash.done = 0;
        Self { flash, area_words, shown: 0 }
    }

    /// Power comes back: the meter holds what was shown, or one step more, and nothing else.
    fn boot(&mut self, states: &[SmallMeter]) -> (SmallJournal, SmallMeter, usize) {
        let journal = SmallJournal::open(&mut self.flash, self.area_words).unwrap();
        // Nothing of this meter but its profile and maker's code is to be seen again.
        let mut meter = new_meter();
        meter.set_key(DecoderKey::misty1([9; 16]), attributes(9));
        meter.forget_tids(TokenId::MAX);
        journal.restore(&mut self.flash, &mut meter).unwrap();
        let (shown, next) = (self.shown, self.shown + 1);
        let at = if meter == states[shown] {
            shown
        } else {
            assert!(states.get(next) == Some(&meter), "neither before nor after step {shown}");
            next
        };
        (journal, meter, at)
    }

    /// From power on until the story ends or power fails.
    fn live(&mut self, steps: &[Step], states: &[SmallMeter]) -> Result<(), Off> {
        let (mut journal, mut meter, at) = self.boot(states);
        if at > self.shown {
            // The customer has seen no answer and enters it again.
            if let Step::Token(digits) = &steps[self.shown] {
                let before = meter.clone();
                let again = meter.enter(digits, now(self.shown)).map(|again| again.outcome());
                let result = again.map_or_else(|refusal| refusal.result(), |said| said.result());
                // A stored section may come again; it says the same and changes nothing.
                let section = matches!(
                    result,
                    TokenResult::FirstKct | TokenResult::SecondKct | TokenResult::CrcError
                );
                assert!(section || result == TokenResult::UsedError, "counted twice: {result}");
                assert!(meter == before);
            }
            self.shown = at;
        }
        for (place, step) in steps.iter().enumerate().skip(at) {
            take(&mut meter, step, now(place));
            match journal.save(&mut self.flash, &meter) {
                Ok(_) => self.shown = place + 1,
                Err(JournalError::Storage(Off)) => return Err(Off),
                Err(other) => panic!("{other:?} at step {place}"),
            }
        }
        assert!(states.last() == Some(&meter));
        Ok(())
    }
}

/// Areas that are full after almost every save, after a few, and in the whole story not once.
fn area_sizes() -> [u16; 4] {
    let least = SmallJournal::LEAST_AREA_WORDS;
    [least, least + 6, 2 * least, 20 * least]
}

// -------------------------------------------------------------------------------------- the tests

#[test]
fn one_cut_at_every_byte_loses_and_doubles_nothing() {
    let steps = story();
    let states = states(&steps);
    for area_words in area_sizes() {
        let start = World::new(area_words);
        let mut whole = start.clone();
        whole.live(&steps, &states).unwrap();
        let bytes = whole.flash.done;
        println!("areas of {area_words} words: {bytes} bytes written or erased");
        for cut in 0..bytes {
            for torn in TEARS {
                let mut world = start.clone();
                (world.flash.left, world.flash.torn) = (cut, torn);
                let ended = world.live(&steps, &states);
                assert!(ended.is_err(), "cut {cut} was not reached");
                world.flash.left = usize::MAX;
                world.live(&steps, &states).unwrap();
            }
        }
    }
}

#[test]
fn a_second_cut_soon_after_the_first_loses_and_doubles_nothing() {
    let steps = story();
    let states = states(&steps);
    for area_words in area_sizes() {
        let start = World::new(area_words);
        let mut whole = start.clone();
        whole.live(&steps, &states).unwrap();
        // Far enough for one record and the change of areas.
        let reach = usize::from(SmallJournal::LEAST_AREA_WORDS) * 8 * 3;
        for cut in (0..whole.flash.done).step_by(5) {
            let mut first = start.clone();
            (first.flash.left, first.flash.torn) = (cut, Torn::Half);
            first.live(&steps, &states).unwrap_err();
            for again in (0..reach).step_by(3) {
                let mut world = first.clone();
                (world.flash.left, world.flash.torn) = (again, Torn::Half);
                let ended = world.live(&steps, &states);
                world.flash.left = usize::MAX;
                if ended.is_err() {
                    world.boot(&states);
                }
            }
        }
    }
}

#[test]
fn power_that_fails_again_and_again_comes_to_the_end() {
    let steps = story();
    let states = states(&steps);
    for area_words in area_sizes() {
        // Room for the largest write in one go: erasing an area and the whole state.
        let needed = usize::from(area_words) * 8 + usize::from(SmallJournal::LEAST_AREA_WORDS) * 8;
        for burst in needed..needed + 40 {
            let mut world = World::new(area_words);
            let mut tries = 0;
            loop {
                (world.flash.left, world.flash.torn) = (burst, TEARS[tries % 3]);
                if world.live(&steps, &states).is_ok() {
                    break;
                }
                tries += 1;
                assert!(tries < 1000, "no way forward");
            }
        }
    }
}

#[test]
fn a_cut_while_formatting_leaves_nothing_that_is_taken_for_a_state() {
    let area_words = SmallJournal::LEAST_AREA_WORDS + 6;
    let meter = new_meter();
    let mut used = Flash::new(area_words);
    used.areas[0].fill(0x5A);
    for start in [Flash::new(area_words), used] {
        let mut whole = start.clone();
        SmallJournal::format(&mut whole, area_words, &meter).unwrap();
        for cut in 0..whole.done {
            for torn in TEARS {
                let mut flash = start.clone();
                (flash.left, flash.torn) = (cut, torn);
                assert!(SmallJournal::format(&mut flash, area_words, &meter).is_err());
                flash.left = usize::MAX;
                match SmallJournal::open(&mut flash, area_words) {
                    Ok(journal) => {
                        let mut restored = new_meter();
                        journal.restore(&mut flash, &mut restored).unwrap();
                        assert!(restored == meter);
                    }
                    Err(JournalError::Empty | JournalError::Unreadable) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_record_is_found() {
    let area_words = 4 * SmallJournal::LEAST_AREA_WORDS;
    let world = World::new(area_words);
    let record = usize::from(SmallJournal::LEAST_AREA_WORDS) * 8;
    for bit in 0..record * 8 {
        let mut flash = world.flash.clone();
        flash.areas[0][bit / 8] ^= 1 << (bit % 8);
        let opened = SmallJournal::open(&mut flash, area_words);
        assert!(matches!(opened, Err(JournalError::Unreadable)), "bit {bit}");
    }
}

#[test]
fn a_credit_writes_little_and_no_change_writes_nothing() {
    let steps = story();
    let mut world = World::new(20 * SmallJournal::LEAST_AREA_WORDS);
    let (mut journal, mut meter, _) = world.boot(&states(&steps));
    assert_eq!(journal.save(&mut world.flash, &meter).unwrap(), 0);
    assert!(take(&mut meter, &steps[0], 0).is_taken());
    // Head, one register, one pair of identifiers, tail.
    assert_eq!(journal.save(&mut world.flash, &meter).unwrap(), 4);
    assert_eq!(journal.save(&mut world.flash, &meter).unwrap(), 0);
}

#[test]
fn a_write_that_fails_with_power_on_is_made_good_by_the_next_save() {
    let steps = story();
    let states = states(&steps);
    let world = World::new(4 * SmallJournal::LEAST_AREA_WORDS);
    for bytes in 0..4 * 8 {
        let mut world = world.clone();
        let (mut journal, mut meter, _) = world.boot(&states);
        assert!(take(&mut meter, &steps[0], 0).is_taken());
        (world.flash.left, world.flash.torn) = (bytes, Torn::Half);
        assert!(journal.save(&mut world.flash, &meter).is_err());
        world.flash.left = usize::MAX;
        // The same journal goes on: not over the torn record.
        journal.save(&mut world.flash, &meter).unwrap();
        let (_, restored, _) = world.boot(&states);
        assert!(restored == meter);
    }
}

#[test]
fn records_of_an_earlier_turn_are_not_taken_for_new_ones() {
    let area_words = 3 * SmallJournal::LEAST_AREA_WORDS;
    let first = usize::from(SmallJournal::LEAST_AREA_WORDS) * 8;
    let mut flash = Flash::new(area_words);
    let mut meter = new_meter();
    let mut journal = SmallJournal::format(&mut flash, area_words, &meter).unwrap();
    let mut saved = |flash: &mut Flash, units| {
        meter.registers_mut().units[1] = units;
        journal.save(flash, &meter).unwrap();
        meter.clone()
    };
    // Area 0 has its first state and, behind it, a record of its first turn.
    saved(&mut flash, 1);
    let old = flash.areas[0].clone();
    let mut units = 1;
    loop {
        units += 1;
        let meter = saved(&mut flash, units);
        if flash.areas[0][..first] != old[..first] && flash.areas[0][first] == 0xFF {
            // The second turn of area 0 has begun. As if its erasing had stopped half way:
            let mut half = flash.clone();
            half.areas[0][first..].copy_from_slice(&old[first..]);
            let opened = SmallJournal::open(&mut half, area_words).unwrap();
            let mut restored = new_meter();
            opened.restore(&mut half, &mut restored).unwrap();
            assert!(restored == meter, "an old record was taken");
            return;
        }
        assert!(units < 1000, "area 0 never had a second turn");
    }
}

#[test]
fn memory_that_is_worn_or_too_small_is_told() {
    struct Worn(Flash);
    impl Storage for Worn {
        type Error = Off;
        fn read(&mut self, area: u8, place: u16) -> Result<u64, Off> {
            self.0.read(area, place).map(|word| word | 1 << 40)
        }
        fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Off> {
            self.0.write(area, place, word)
        }
        fn erase(&mut self, area: u8) -> Result<(), Off> {
            self.0.erase(area)
        }
    }
    let words = SmallJournal::LEAST_AREA_WORDS;
    let made = SmallJournal::format(&mut Worn(Flash::new(words)), words, &new_meter());
    assert!(matches!(made, Err(JournalError::Worn)));
    let made = SmallJournal::open(&mut Flash::new(words), words - 1);
    assert!(matches!(made, Err(JournalError::TooSmall)));
    let made = SmallJournal::open(&mut Flash::new(words), words);
    assert!(matches!(made, Err(JournalError::Empty)));
}
