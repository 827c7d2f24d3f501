//! What a meter keeps over a loss of power: its words, and the journal that they are kept in.

use arbitrary::{Arbitrary, Unstructured};
use sts_capi::journal::{Journal, JournalError, Storage};
use sts_core::{
    DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode,
    Meter, Profile, SupplyGroupCode, TariffIndex, TokenId,
};

/// One byte: 0 and 1 are words for a meter that remembers 50 or 3 identifiers, 2 is an image of both
/// areas, 3 a life of saving and losing power; then what these read.
pub fn saved_state(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => words::<50>(data),
        1 => words::<3>(data),
        2 => image(data),
        _ => life(data),
    }
}

fn meter<const TIDS: usize>() -> Meter<'static, TIDS> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::MIN,
        krn: KeyRevisionNumber::MIN,
        ti: TariffIndex::MIN,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let maker = ManufacturerCode::new(0, 2).expect("a code");
    let key = DecoderKey::sta([0x11; 8]);
    Meter::new(&Profile::STANDARD, maker, key, attributes, TokenId::MIN)
}

/// Any words are refused, the meter then being as it was, or loaded, and saved as the same words.
fn words<const TIDS: usize>(data: &[u8]) {
    let words = data.chunks(8).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    });
    let words: Vec<u64> =
        words.chain(std::iter::repeat(0)).take(Meter::<TIDS>::WORDS + 1).collect();
    let mut loaded = meter::<TIDS>();
    for (index, word) in words.iter().enumerate() {
        let before = loaded.clone();
        if loaded.set_word(index, *word).is_err() {
            assert!(loaded == before, "a refused word {index} has changed the meter");
            assert_eq!(loaded.word(Meter::<TIDS>::WORDS), 0);
            if index == Meter::<TIDS>::WORDS {
                works(&mut loaded, &words);
            }
            return;
        }
        assert_eq!(loaded.word(index), *word, "word {index} is saved as another");
    }
    panic!("a word past the last was taken");
}

/// A meter of any state that could be loaded answers, and goes on being the same when it is loaded.
fn works<const TIDS: usize>(loaded: &mut Meter<'static, TIDS>, words: &[u64]) {
    for (index, word) in words.iter().enumerate().take(Meter::<TIDS>::WORDS) {
        assert_eq!(loaded.word(index), *word, "word {index} was changed by a later one");
    }
    for (keyed, now) in [("18446744073843772416", 0), ("1", u64::MAX), ("", 7)] {
        match loaded.enter(keyed, now) {
            Ok(admission) => drop(admission.apply()),
            Err(refusal) => loaded.count_refusal(&refusal, now),
        }
        assert!(loaded.staged_sections(now).count() <= 4);
    }
    let mut again = meter::<TIDS>();
    for index in 0..Meter::<TIDS>::WORDS {
        again.set_word(index, loaded.word(index)).expect("a word of a meter");
    }
    assert!(again == *loaded);
}

/// Words of an area.
const AREA: u16 = 64;

/// Two areas in memory, written until the power fails.
struct Flash {
    areas: [[u64; AREA as usize]; 2],
    /// Writes and erasures until it does; the last leaves only these bits of what it would.
    left: Option<(u16, u64)>,
}

/// The power has failed.
#[derive(Debug)]
struct Failed;

impl Flash {
    /// Which bits still come to be.
    fn power(&mut self) -> Result<u64, Failed> {
        match &mut self.left {
            None => Ok(u64::MAX),
            Some((0, _)) => Err(Failed),
            Some((left, bits)) => {
                *left -= 1;
                Ok(if *left == 0 { *bits } else { u64::MAX })
            }
        }
    }
}

impl Storage for Flash {
    type Error = Failed;

    fn read(&mut self, area: u8, place: u16) -> Result<u64, Failed> {
        Ok(self.areas[usize::from(area)][usize::from(place)])
    }

    fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Failed> {
        let bits = self.power()?;
        // A write clears bits.
        self.areas[usize::from(area)][usize::from(place)] &= word | !bits;
        if self.left.is_some_and(|(left, _)| left == 0) { Err(Failed) } else { Ok(()) }
    }

    fn erase(&mut self, area: u8) -> Result<(), Failed> {
        let bits = self.power()?;
        self.areas[usize::from(area)].iter_mut().for_each(|word| *word |= bits);
        if self.left.is_some_and(|(left, _)| left == 0) { Err(Failed) } else { Ok(()) }
    }
}

/// Any bytes in both areas are refused, or hold a state that is saved and found again.
fn image(data: &[u8]) {
    let mut flash = Flash { areas: [[u64::MAX; AREA as usize]; 2], left: None };
    let words = flash.areas.iter_mut().flatten().zip(data.chunks_exact(8));
    for (word, bytes) in words {
        *word = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
    let mut loaded = meter();
    let mut journal = match Journal::<50>::open(&mut flash, AREA) {
        Ok(journal) => journal,
        Err(JournalError::Empty) => {
            assert!(flash.areas.iter().flatten().all(|word| *word == u64::MAX));
            return;
        }
        Err(error) => {
            assert!(matches!(error, JournalError::Unreadable), "{error:?}");
            return;
        }
    };
    if journal.restore(&mut flash, &mut loaded).is_err() {
        return;
    }
    assert!(matches!(journal.save(&mut flash, &loaded), Ok(0)), "what was loaded is no news");
    loaded.registers_mut().units[0] ^= 1;
    assert!(journal.save(&mut flash, &loaded).is_ok());
    assert!(found(&mut flash) == Some(loaded));
}

/// The state that is found when the power comes back.
fn found(flash: &mut Flash) -> Option<Meter<'static, 50>> {
    let mut loaded = meter();
    let journal = Journal::<50>::open(flash, AREA).ok()?;
    journal.restore(flash, &mut loaded).ok()?;
    Some(loaded)
}

/// What happens in a meter's life.
#[derive(Arbitrary, Debug)]
enum Event {
    /// A register changes.
    Metered { register: u8, units: u64 },
    /// A token is remembered.
    Remembered(u16),
    /// It is saved.
    Saved,
    /// It is saved, and the power fails after so many writes; of the last, these bits come to be.
    PowerFails { writes: u8, bits: u64 },
    /// The power fails and comes back between two saves.
    Reopened,
}

/// Whenever the power fails, what is found is what was saved last, or what was being saved.
fn life(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut flash = Flash { areas: [[0; AREA as usize]; 2], left: None };
    let mut held = meter();
    let mut journal = Journal::<50>::format(&mut flash, AREA, &held).expect("a fresh memory");
    let mut saved = held.clone();
    while let Ok(event) = input.arbitrary() {
        match event {
            Event::Metered { register, units } => {
                held.registers_mut().units[usize::from(register % 4)] = units;
            }
            Event::Remembered(tid) => {
                held.remember(TokenId::new(tid.into()).expect("24 bits"));
            }
            Event::Saved => {
                assert!(journal.save(&mut flash, &held).is_ok());
                saved = held.clone();
            }
            Event::PowerFails { writes, bits } => {
                flash.left = Some((u16::from(writes), bits));
                let done = journal.save(&mut flash, &held).is_ok();
                flash.left = None;
                let now = found(&mut flash).expect("a state is never lost");
                assert!(now == held || !done && now == saved, "another state is found");
                journal = Journal::open(&mut flash, AREA).expect("a state is never lost");
                (held, saved) = (now.clone(), now);
            }
            Event::Reopened => {
                let now = found(&mut flash);
                assert!(now.as_ref() == Some(&saved), "another state is found");
                held = now.expect("as it was saved");
                journal = Journal::open(&mut flash, AREA).expect("a state is never lost");
            }
        }
        if input.is_empty() {
            return;
        }
    }
}
