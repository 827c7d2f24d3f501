//! The state of a meter in memory that outlasts a loss of power, at any write.
//!
//! Two areas of flash or EEPROM, read and written in words of eight bytes. An area holds records one
//! after the other; the newest are at the end.
//!
//! | part of a record | bytes | what it is |
//! |---|---|---|
//! | head | 8 | bit n: state word n is in this record; bits 48 to 55: words of the whole state; bits 56 to 63: version, 1 |
//! | words | 8 each | those words, lowest number first (their meaning: `sts_core::meter`, `words`) |
//! | tail | 8 | low half: sequence number; high half: CRC-32 of all before it in the record, sequence number included |
//!
//! Every word is stored with its lowest byte first, whatever the processor. The CRC is that of IEEE
//! 802.3 (reflected polynomial 0xEDB88320, start and final complement all ones).
//!
//! The first record of an area holds the whole state, each further one only the words that changed,
//! so that a credit writes three or four words with head and tail. Sequence numbers go up by one from
//! record to record. When an area is full, the other one is erased and begins with the whole state.
//!
//! **What a loss of power leaves.** A record counts only with its tail, which is written last and
//! whose check covers all of it: before, the state is as it was; afterwards, as it is. Behind a torn
//! record nothing is written any more; the next save goes to the other area, and this one keeps the
//! state until that is done. Opening takes the area whose first record is the newest that is whole.
//! What a save has said to be done is therefore never lost, and a token counts once: the credit and
//! the memory that it was used are in one record.
//!
//! Not covered: memory that forgets what was written and read back, or that reads differently from
//! time to time after a torn write. Each word is read back when it is written.

use sts_core::Meter;

/// The memory that the journal is kept in: areas 0 and 1, each of the same number of words.
pub trait Storage {
    /// Why it failed.
    type Error;

    /// Reads the word at `place` of an area, counted in words.
    ///
    /// # Errors
    ///
    /// The memory's own.
    fn read(&mut self, area: u8, place: u16) -> Result<u64, Self::Error>;

    /// Writes a word that is erased; once it returns, the word outlasts a loss of power.
    ///
    /// # Errors
    ///
    /// The memory's own.
    fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Self::Error>;

    /// Erases a whole area: every bit reads 1 afterwards.
    ///
    /// # Errors
    ///
    /// The memory's own.
    fn erase(&mut self, area: u8) -> Result<(), Self::Error>;
}

/// Why the journal cannot do what it was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JournalError<E> {
    /// The memory failed.
    Storage(E),
    /// A word reads differently from what was written.
    Worn,
    /// An area has no room for the whole state with head and tail.
    TooSmall,
    /// Both areas are erased: a meter as it leaves the maker.
    Empty,
    /// The areas are not erased and hold no state of this version, or one that no meter can have.
    Unreadable,
}

/// The state words of the largest meter; the rest of a head tells them apart from erased memory.
const MOST_WORDS: usize = 48;
const VERSION: u64 = 1;
const ERASED: u64 = u64::MAX;
/// Head and tail.
const FRAME: u16 = 2;

/// Where in the storage the newest value of each word is. `TIDS` as for the meter, 60 at the most.
#[derive(Clone, Debug)]
pub struct Journal<const TIDS: usize = 50> {
    area_words: u16,
    area: u8,
    /// Where the next record goes; `area_words` once nothing may follow.
    end: u16,
    sequence: u32,
    newest: [u16; MOST_WORDS],
}

/// A record while it is read or written.
struct Record {
    crc: u32,
    place: u16,
}

impl Record {
    const fn at(place: u16) -> Self {
        Self { crc: u32::MAX, place }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.crc ^= u32::from(*byte);
            for _ in 0..8 {
                let carry = 0_u32.wrapping_sub(self.crc & 1);
                self.crc = self.crc >> 1 ^ 0xEDB8_8320 & carry;
            }
        }
    }

    fn read<S: Storage>(&mut self, storage: &mut S, area: u8) -> Result<u64, S::Error> {
        let word = storage.read(area, self.place)?;
        self.place = self.place.wrapping_add(1);
        self.feed(&word.to_le_bytes());
        Ok(word)
    }

    fn write<S: Storage>(
        &mut self,
        storage: &mut S,
        area: u8,
        word: u64,
    ) -> Result<(), JournalError<S::Error>> {
        self.feed(&word.to_le_bytes());
        put(storage, area, self.place, word)?;
        self.place = self.place.wrapping_add(1);
        Ok(())
    }

    fn tail(mut self, sequence: u32) -> u64 {
        self.feed(&sequence.to_le_bytes());
        u64::from(!self.crc) << 32 | u64::from(sequence)
    }
}

/// Writes a word and reads it back.
fn put<S: Storage>(
    storage: &mut S,
    area: u8,
    place: u16,
    word: u64,
) -> Result<(), JournalError<S::Error>> {
    storage.write(area, place, word).map_err(JournalError::Storage)?;
    match storage.read(area, place).map_err(JournalError::Storage)? {
        found if found == word => Ok(()),
        _ => Err(JournalError::Worn),
    }
}

impl<const TIDS: usize> Journal<TIDS> {
    const WORDS: usize = Meter::<'static, TIDS>::WORDS;
    const ALL: u64 = !(u64::MAX << Self::WORDS);
    const HEAD: u64 = VERSION << 56 | (Self::WORDS as u64) << 48;
    const FITS: () = assert!(Self::WORDS <= MOST_WORDS, "60 token identifiers at the most");

    /// The words that an area needs at the least. With twice as many, each area takes some twenty
    /// credits before the other is erased.
    #[expect(clippy::cast_possible_truncation, reason = "at most 48, as asserted above")]
    pub const LEAST_AREA_WORDS: u16 = {
        let () = Self::FITS;
        (Self::WORDS as u16).wrapping_add(FRAME)
    };

    const fn nothing(area_words: u16) -> Self {
        Self { area_words, area: 0, end: 0, sequence: 0, newest: [0; MOST_WORDS] }
    }

    /// Finds the newest state. Nothing is written.
    ///
    /// # Errors
    ///
    /// [`JournalError`]; `Empty` for a new meter, which [`format`](Self::format) makes ready.
    pub fn open<S: Storage>(
        storage: &mut S,
        area_words: u16,
    ) -> Result<Self, JournalError<S::Error>> {
        if area_words < Self::LEAST_AREA_WORDS {
            return Err(JournalError::TooSmall);
        }
        let mut best: Option<Self> = None;
        let mut erased = true;
        for area in 0..2 {
            let mut found = Self { area, ..Self::nothing(area_words) };
            if found.scan(storage).map_err(JournalError::Storage)? {
                if best.as_ref().is_none_or(|best| found.sequence > best.sequence) {
                    best = Some(found);
                }
            } else {
                erased &= found.is_erased_from(storage, 0).map_err(JournalError::Storage)?;
            }
        }
        let mut best =
            best.ok_or(if erased { JournalError::Empty } else { JournalError::Unreadable })?;
        if !best.is_erased_from(storage, best.end).map_err(JournalError::Storage)? {
            // A torn record: nothing may follow it.
            best.end = area_words;
        }
        Ok(best)
    }

    /// Reads the records of an area as far as they are whole and follow each other.
    fn scan<S: Storage>(&mut self, storage: &mut S) -> Result<bool, S::Error> {
        let mut any = false;
        loop {
            let start = self.end;
            let mut record = Record::at(start);
            let room = self.area_words.saturating_sub(start);
            if room < FRAME {
                return Ok(any);
            }
            let head = record.read(storage, self.area)?;
            let mask = head & Self::ALL;
            let count = u16::try_from(mask.count_ones()).unwrap_or(u16::MAX);
            let fits = count.saturating_add(FRAME) <= room;
            // An area begins with the whole state.
            let may_stand_here = any || mask == Self::ALL;
            if head ^ mask != Self::HEAD || !fits || !may_stand_here {
                return Ok(any);
            }
            for _ in 0..count {
                record.read(storage, self.area)?;
            }
            let place = record.place;
            let tail = storage.read(self.area, place)?;
            let sequence = (tail & 0xFFFF_FFFF) as u32;
            let follows = !any || sequence == self.sequence.wrapping_add(1);
            if record.tail(sequence) != tail || !follows {
                return Ok(any);
            }
            any = true;
            self.take(mask, start, sequence);
        }
    }

    /// Notes a whole record.
    fn take(&mut self, mask: u64, start: u16, sequence: u32) {
        let mut place = start.wrapping_add(1);
        for (index, newest) in self.newest.iter_mut().enumerate() {
            if mask >> index & 1 == 1 {
                *newest = place;
                place = place.wrapping_add(1);
            }
        }
        self.sequence = sequence;
        self.end = place.wrapping_add(1);
    }

    fn is_erased_from<S: Storage>(&self, storage: &mut S, from: u16) -> Result<bool, S::Error> {
        for place in from..self.area_words {
            if storage.read(self.area, place)? != ERASED {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives a meter the saved state. It keeps its profile and its maker's code.
    ///
    /// # Errors
    ///
    /// [`JournalError`]; the meter then holds half of a state and must not be used.
    pub fn restore<S: Storage>(
        &self,
        storage: &mut S,
        meter: &mut Meter<'_, TIDS>,
    ) -> Result<(), JournalError<S::Error>> {
        for (index, place) in self.newest.iter().take(Self::WORDS).enumerate() {
            let word = storage.read(self.area, *place).map_err(JournalError::Storage)?;
            meter.set_word(index, word).map_err(|_| JournalError::Unreadable)?;
        }
        Ok(())
    }

    /// Erases both areas and writes a first state. For a meter that leaves the maker: what was saved
    /// is gone from the first step on.
    ///
    /// # Errors
    ///
    /// [`JournalError`]; to be done again.
    pub fn format<S: Storage>(
        storage: &mut S,
        area_words: u16,
        meter: &Meter<'_, TIDS>,
    ) -> Result<Self, JournalError<S::Error>> {
        if area_words < Self::LEAST_AREA_WORDS {
            return Err(JournalError::TooSmall);
        }
        for area in 0..2 {
            storage.erase(area).map_err(JournalError::Storage)?;
        }
        let mut journal = Self::nothing(area_words);
        journal.append(storage, meter, Self::ALL)?;
        Ok(journal)
    }

    /// Saves what of the meter's state differs from the saved one, and says how many words it wrote.
    ///
    /// Once it has returned, the state outlasts a loss of power.
    ///
    /// # Errors
    ///
    /// [`JournalError`]. Whether the state was saved is then not known: [`open`](Self::open) tells.
    pub fn save<S: Storage>(
        &mut self,
        storage: &mut S,
        meter: &Meter<'_, TIDS>,
    ) -> Result<u16, JournalError<S::Error>> {
        let mut changed = 0_u64;
        for (index, place) in self.newest.iter().take(Self::WORDS).enumerate() {
            let saved = storage.read(self.area, *place).map_err(JournalError::Storage)?;
            if saved != meter.word(index) {
                changed |= 1 << index;
            }
        }
        if changed == 0 {
            return Ok(0);
        }
        let count = u16::try_from(changed.count_ones()).unwrap_or(u16::MAX);
        let room = self.area_words.saturating_sub(self.end);
        if count.saturating_add(FRAME) <= room {
            return self.append(storage, meter, changed);
        }
        // The old area stays as it is until the new one holds the state.
        let mut next =
            Self { area: self.area ^ 1, sequence: self.sequence, ..Self::nothing(self.area_words) };
        storage.erase(next.area).map_err(JournalError::Storage)?;
        let written = next.append(storage, meter, Self::ALL)?;
        *self = next;
        Ok(written)
    }

    /// Writes one record at the end.
    fn append<S: Storage>(
        &mut self,
        storage: &mut S,
        meter: &Meter<'_, TIDS>,
        mask: u64,
    ) -> Result<u16, JournalError<S::Error>> {
        let start = self.end;
        // Until the record is whole nothing may follow, whatever happens below.
        self.end = self.area_words;
        let sequence = self.sequence.wrapping_add(1);
        let mut record = Record::at(start);
        record.write(storage, self.area, Self::HEAD | mask)?;
        for index in 0..Self::WORDS {
            if mask >> index & 1 == 1 {
                record.write(storage, self.area, meter.word(index))?;
            }
        }
        let place = record.place;
        put(storage, self.area, place, record.tail(sequence))?;
        self.take(mask, start, sequence);
        Ok(self.end.saturating_sub(start))
    }
}
