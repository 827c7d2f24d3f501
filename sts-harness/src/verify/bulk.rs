//! A table of any length: read in blocks, on several threads, rows of one kind in bit planes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use sts_batch::{Batch, Cipher};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes, KeyDerivation, KeyType, control_block};
use sts_core::{KeyExpiryNumber, MeterPan, Payload, Rejection, TariffIndex, Token};
use zeroize::Zeroizing;

use super::digits::{bcd_16, luhn_holds, twenty};
use super::{Derivation, Opener, Outcome, Verdict};
use crate::blocks::{Block, Source, record_end};
use crate::describe::TidReading;
use crate::input::{InputError, Rejected};
use crate::keys::KeyRing;
use crate::records::{self, VERIFY_COLUMNS, meter_pan};
use crate::table::Table;

/// Verifies tables under the keys of a ring.
///
/// The answers are those of [`verify`](super::verify()), in order.
#[derive(Debug)]
pub struct Bulk<'r> {
    pub(super) ring: &'r KeyRing,
    pub(super) batch: Batch,
    /// By the digits of SGC, KRN and KT, where one vending key alone has them.
    sole: HashMap<u64, Sole<'r>, BuildHasherDefault<Mixed>>,
    /// Meters that have a key of their own.
    own: HashSet<MeterPan>,
}

/// A hash of one number; nobody who could choose the numbers gains by a collision.
#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The one vending key that fits a row.
#[derive(Debug)]
pub(super) struct Sole<'r> {
    /// Its place in the ring.
    at: usize,
    /// What is written of it.
    id: [&'r str; 1],
    reading: TidReading,
    /// The key and the control block for tariff index 00, where planes derive from them.
    in_planes: Option<(Zeroizing<u64>, u64)>,
}

impl<'r> Sole<'r> {
    /// What there is to say of a token that was tried under this key alone.
    pub(super) fn verdict<'a>(
        &'a self,
        id: Cow<'a, str>,
        digits: &'a str,
        token: Token,
        payload: Option<Payload>,
        trials: u32,
    ) -> Verdict<'a> {
        let class = token.class();
        let outcome = match payload {
            Some(payload) => Outcome::Authentic {
                payload,
                reading: Cow::Borrowed(&self.reading),
                key_id: Some(self.id[0]),
            },
            None if trials == 0 => Outcome::KeyMissing(class),
            None => Outcome::Refused(class, Rejection::Crc),
        };
        let matches: &[&str] = if payload.is_some() { &self.id } else { &[] };
        Verdict {
            id,
            token: Cow::Borrowed(digits),
            outcome,
            trials,
            matches: Cow::Borrowed(matches),
            only: (trials == 1).then_some(self.at),
        }
    }
}

impl<'r> Bulk<'r> {
    /// Under the keys of a ring.
    #[must_use]
    pub fn new(ring: &'r KeyRing) -> Self {
        let mut sole = HashMap::default();
        let mut several = HashSet::new();
        for (at, entry) in ring.vending.iter().enumerate() {
            let name = format!("{}{}{}", entry.sgc, entry.krn, entry.kt.code());
            let Ok(name) = name.as_bytes().try_into().map(u64::from_le_bytes) else { continue };
            let (sgc, krn, kt, ti) = (entry.sgc, entry.krn, entry.kt, TariffIndex::MIN);
            let attributes = KeyAttributes { sgc, krn, ti, kt, ken: KeyExpiryNumber::NEVER };
            // Under a common key the PAN block is another.
            let in_planes = (entry.key.dkga() == KeyDerivation::Dkga02 && kt != KeyType::Common)
                .then(|| entry.key.expose_bytes().try_into().map(u64::from_be_bytes).ok())
                .flatten()
                .map(|key| (Zeroizing::new(key), control_block(&attributes)));
            let made = Sole {
                at,
                id: [&entry.id],
                reading: TidReading::new(Some(entry.base_date), entry.tid_zone.clone()),
                in_planes,
            };
            if sole.insert(name, made).is_some() {
                several.insert(name);
            }
        }
        sole.retain(|name, _| !several.contains(name));
        let own = ring.decoders.iter().map(|entry| entry.pan).collect();
        Self { ring, batch: Batch::new(), sole, own }
    }

    /// How a row is opened, where one key alone fits; `None` elsewhere. A row that planes open is
    /// put there.
    #[inline]
    pub(super) fn sort(
        &self,
        said: &Said,
        pan: impl Fn() -> Option<MeterPan>,
        planes: &mut Planes,
    ) -> Option<(&Sole<'r>, Way)> {
        let sole = self.sole.get(&said.sole)?;
        let [tens, units] = said.ti.map(|digit| digit.wrapping_sub(b'0'));
        let ti = TariffIndex::new(10_u8.checked_mul(tens)?.checked_add(units)?).ok()?;
        if !said.token.class().is_encrypted() || tens > 9 || units > 9 {
            return None;
        }
        if !self.own.is_empty() && self.own.contains(&pan()?) {
            return None;
        }
        match &sole.in_planes {
            Some((vending, control)) if said.ea == EncryptionAlgorithm::Sta => {
                let ti = u64::from(tens << 4 | units) << TARIFF_BIT;
                planes.vending.push(**vending);
                planes.blocks.push(said.pan_block ^ control ^ ti);
                planes.class_bits.push(said.token.class().bits());
                planes.tokens.push(said.token.block());
                Some((sole, Way::InPlanes))
            }
            _ => Some((sole, Way::Single((sole.at, pan()?, said.ea, ti)))),
        }
    }

    /// Verifies a table, and says its header.
    ///
    /// `each` is told every verdict and puts what it makes of it into a part of the output, on any
    /// of the threads; `done` is given the parts in the order of the rows, with the rows that were
    /// not taken, and must empty them.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, empty, or a header that does not fit; what `done` says.
    pub fn run<T, E>(
        &self,
        file: &str,
        input: impl Read + Send,
        threads: NonZeroUsize,
        each: impl Fn(&Verdict<'_>, &mut T) + Sync,
        done: impl FnMut(&mut T, Vec<Rejected>) -> Result<(), E> + Send,
    ) -> Result<Vec<String>, E>
    where
        T: Default,
        E: From<InputError> + Send,
    {
        let (source, header) = Source::new(file, input)?;
        let header = Table::header(file, &header, source.delimiter(), &VERIFY_COLUMNS)?;
        let layout = Layout::new(file, source.delimiter(), &header);
        let source = Mutex::new(source);
        let turns =
            Turns { turn: Mutex::new(Turn { next: 0, done, ended: None }), moved: Condvar::new() };
        let work = || {
            let mut worker = Worker::new(self, &layout);
            let (mut block, mut out) = (Block::default(), T::default());
            let _ends = EndsOnPanic(&turns);
            loop {
                let mut rejected = Vec::new();
                // A statement of its own: the lock is not held while the block is worked on.
                let more = lock(&source).next(&mut block);
                let read = more.and_then(|more| {
                    rejected.extend(block.rejected.take());
                    worker.block(&block, &mut rejected, |verdict| each(verdict, &mut out))?;
                    Ok(more)
                });
                if !turns.take(block.number, |done| {
                    let more = read?;
                    if more {
                        done(&mut out, rejected)?;
                    }
                    Ok(more)
                }) {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.get() {
                scope.spawn(work);
            }
            work();
        });
        match turns.turn.into_inner().unwrap_or_else(PoisonError::into_inner).ended {
            Some(Err(error)) => Err(error),
            _ => Ok(header),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets threads do what must be done in the order of the blocks.
struct Turns<D, E> {
    turn: Mutex<Turn<D, E>>,
    moved: Condvar,
}

struct Turn<D, E> {
    /// The block whose turn it is.
    next: u64,
    done: D,
    /// Why no further block gets a turn.
    ended: Option<Result<(), E>>,
}

impl<D, E> Turns<D, E> {
    /// Waits for a block's turn. `false` where there is nothing more to do: it was said here, or
    /// for a block before.
    fn take(&self, number: u64, act: impl FnOnce(&mut D) -> Result<bool, E>) -> bool {
        let mut turn = lock(&self.turn);
        while turn.next != number && turn.ended.is_none() {
            turn = self.moved.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.ended.is_none() {
            turn.next += 1;
            turn.ended = match act(&mut turn.done) {
                Ok(true) => None,
                Ok(false) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            };
        }
        self.moved.notify_all();
        turn.ended.is_none()
    }
}

/// Lets no thread wait for one that is gone.
struct EndsOnPanic<'a, D, E>(&'a Turns<D, E>);

impl<D, E> Drop for EndsOnPanic<'_, D, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.turn).ended.get_or_insert(Ok(()));
            self.0.moved.notify_all();
        }
    }
}

/// How rows lie in a table.
#[derive(Debug)]
struct Layout<'a> {
    file: &'a str,
    delimiter: u8,
    header: &'a [String],
    parts: Vec<Part>,
    /// Where the fields stand that say a key; `None` where the table lacks one.
    places: Option<Places>,
}

/// A part of a row, up to a delimiter or the row's end.
#[derive(Debug)]
enum Part {
    /// A field of any length: the row's name, or one that says nothing that counts.
    Text { is_id: bool },
    /// Fields of known lengths, with delimiters in these places between.
    Fixed { length: usize, delimiters: Vec<usize> },
}

/// The part that a field lies in, and where.
type Place = (usize, usize);

#[derive(Debug)]
struct Places {
    meter: Place,
    /// Whether the meter is told by a DRN of 11 digits, and not by all 18.
    is_drn: bool,
    ea: Place,
    sgc: Place,
    krn: Place,
    ti: Place,
    kt: Place,
    token: Place,
}

/// No table has more columns.
const MOST_PARTS: usize = 16;

/// A row that says all that a key depends on, in the form that programs write.
#[derive(Clone, Debug)]
struct Row {
    /// Where its name stands; empty where it has none.
    id: Range<usize>,
    /// Where the meter's number stands.
    meter: Range<usize>,
    /// Where the token's digits stand.
    digits: usize,
    said: Said,
}

/// A token, and all that its key depends on.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) pan_block: u64,
    pub(super) ea: EncryptionAlgorithm,
    /// The digits of SGC, KRN and KT.
    pub(super) sole: u64,
    /// The digits of the tariff index.
    pub(super) ti: [u8; 2],
    pub(super) token: Token,
}

/// The algorithm of two digits.
pub(super) const fn algorithm(digits: [u8; 2]) -> Option<EncryptionAlgorithm> {
    match &digits {
        b"07" => Some(EncryptionAlgorithm::Sta),
        b"09" => Some(EncryptionAlgorithm::Dea),
        b"11" => Some(EncryptionAlgorithm::Misty1),
        _ => None,
    }
}

impl<'a> Layout<'a> {
    fn new(file: &'a str, delimiter: u8, header: &'a [String]) -> Self {
        let has_pan = header.iter().any(|name| name == "pan");
        let mut parts = Vec::new();
        let mut found = HashMap::new();
        for name in header {
            let length = match name.as_str() {
                "pan" => 18,
                // What says the meter a second time must be empty.
                "drn" if has_pan => 0,
                "drn" => 11,
                "iin" => 0,
                "ea" | "ti" => 2,
                "sgc" => 6,
                "krn" | "kt" => 1,
                "token" => 20,
                _ => {
                    parts.push(Part::Text { is_id: name == "id" });
                    continue;
                }
            };
            let offset = match parts.last_mut() {
                Some(Part::Fixed { length: before, delimiters }) => {
                    delimiters.push(*before);
                    *before += 1 + length;
                    *before - length
                }
                _ => {
                    parts.push(Part::Fixed { length, delimiters: Vec::new() });
                    0
                }
            };
            found.insert(name.as_str(), (parts.len() - 1, offset));
        }
        let place = |name| found.get(name).copied();
        let places = || {
            Some(Places {
                meter: place("pan").or_else(|| place("drn"))?,
                is_drn: !has_pan,
                ea: place("ea")?,
                sgc: place("sgc")?,
                krn: place("krn")?,
                ti: place("ti")?,
                kt: place("kt")?,
                token: place("token")?,
            })
        };
        let places = places().filter(|_| parts.len() <= MOST_PARTS);
        Self { file, delimiter, header, parts, places }
    }

    /// The row at `from` and where the next begins; `None` where it is any other.
    fn row(&self, bytes: &[u8], from: usize) -> Option<(Row, usize)> {
        let places = self.places.as_ref()?;
        let mut begins = [0; MOST_PARTS];
        let (mut at, mut id) = (from, 0..0);
        for (place, (part, begin)) in self.parts.iter().zip(&mut begins).enumerate() {
            if place > 0 {
                if *bytes.get(at)? != self.delimiter {
                    return None;
                }
                at += 1;
            }
            *begin = at;
            let field = bytes.get(at..)?;
            at += match part {
                Part::Text { is_id } => {
                    let length = self.text(field)?;
                    if *is_id {
                        id = trimmed(bytes, at..at + length);
                    }
                    length
                }
                Part::Fixed { length, delimiters } => {
                    let fields = field.get(..*length)?;
                    let others = |others, at: &usize| others | (fields[*at] ^ self.delimiter);
                    if delimiters.iter().fold(0, others) != 0 {
                        return None;
                    }
                    *length
                }
            };
        }
        let next = match bytes.get(at..)? {
            [] => at,
            [b'\n', ..] => at + 1,
            [b'\r', b'\n', ..] => at + 2,
            _ => return None,
        };
        let at = |place: Place| begins[place.0] + place.1;
        let ea = algorithm(*chunk(bytes, at(places.ea))?)?;
        let [a, b, c, d, e, f] = *chunk(bytes, at(places.sgc))?;
        let [krn, kt] = [places.krn, places.kt].map(|place| bytes.get(at(place)).copied());
        let sole = u64::from_le_bytes([a, b, c, d, e, f, krn?, kt?]);
        let ti = *chunk(bytes, at(places.ti))?;
        let digits = at(places.token);
        let token = Token::from_bits(twenty(chunk(bytes, digits)?)?)?;
        let meter = at(places.meter);
        let (meter, pan_block) = if places.is_drn {
            (meter..meter + 11, drn(chunk(bytes, meter)?)?)
        } else {
            (meter..meter + 18, pan(chunk(bytes, meter)?)?)
        };
        let said = Said { pan_block, ea, sole, ti, token };
        Some((Row { id, meter, digits, said }, next))
    }

    const fn ends(&self, byte: u8) -> bool {
        byte == self.delimiter || byte == b'\r' || byte == b'\n'
    }

    /// How long a field of plain text is.
    fn text(&self, field: &[u8]) -> Option<usize> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let mut length = 0;
        while let Some(word) = field.get(length..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            // The first byte that is marked is no plain one; those behind it may be.
            let [marked, quote, delimiter] = [
                word.wrapping_sub(0x20 * ONES),
                (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES),
                (word ^ (ONES * u64::from(self.delimiter))).wrapping_sub(ONES),
            ];
            let found = (marked | quote | delimiter | word) & (0x80 * ONES);
            if found != 0 {
                length += found.trailing_zeros() as usize / 8;
                break;
            }
            length += 8;
        }
        let is_plain =
            |byte: &u8| !matches!(byte, ..b' ' | b'"' | 0x80..) && *byte != self.delimiter;
        let rest = field.get(length..)?;
        length += rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        field.get(length).is_none_or(|byte| self.ends(*byte)).then_some(length)
    }
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk()
}

fn trimmed(bytes: &[u8], mut range: Range<usize>) -> Range<usize> {
    while bytes[range.clone()].first() == Some(&b' ') {
        range.start += 1;
    }
    while bytes[range.clone()].last() == Some(&b' ') {
        range.end -= 1;
    }
    range
}

/// The PAN block of a meter's 18 digits, whose check digits are right.
pub(super) fn pan(digits: &[u8; 18]) -> Option<u64> {
    let [first, middle @ .., last] = digits;
    let block = bcd_16(middle)?;
    // An issuer's first digit is doubled: 6 counts 3.
    let (first, drn_digits) = match (first, block >> 44) {
        (b'6', 0x00727) => (3, 11),
        (b'0', 0..=0xff) => (0, 13),
        _ => return None,
    };
    let last = u64::from(last.wrapping_sub(b'0'));
    let drn = block & ((1 << (4 * drn_digits)) - 1);
    (last <= 9 && luhn_holds(drn, false, 0) && luhn_holds(block, true, first + last))
        .then_some(block)
}

/// The PAN block of a DRN of 11 digits under the usual issuer, whose check digit is right.
pub(super) fn drn(digits: &[u8; 11]) -> Option<u64> {
    let mut all = *b"0000000000000000";
    all[5..].copy_from_slice(digits);
    let block = bcd_16(&all)?;
    luhn_holds(block, false, 0).then_some(0x00727 << 44 | block)
}

/// How a row is opened under the one key that fits.
#[derive(Debug)]
pub(super) enum Way {
    /// With others, in planes.
    InPlanes,
    /// By itself.
    Single(Derivation),
}

/// What is to be said of a part of a block.
#[derive(Debug)]
enum Item<'w> {
    /// The next of the rows that planes open.
    InPlanes(Taken<'w>),
    /// A row to be opened by itself under the one key that fits.
    Single(Taken<'w>, Derivation),
    /// Other rows, the first of them on this line.
    Others(Range<usize>, u64),
}

/// What is needed of a row once its key is known.
#[derive(Debug)]
struct Taken<'w> {
    sole: &'w Sole<'w>,
    id: Range<u32>,
    digits: u32,
    /// Its line in the block, from 0.
    line: u32,
    token: Token,
}

/// What a thread works with.
struct Worker<'w, 'r> {
    bulk: &'w Bulk<'r>,
    layout: &'w Layout<'w>,
    opener: Opener<'r>,
    items: Vec<Item<'w>>,
    planes: Planes,
}

/// Columns of the rows that planes open.
#[derive(Default)]
pub(super) struct Planes {
    vending: Zeroizing<Vec<u64>>,
    blocks: Vec<u64>,
    class_bits: Vec<u8>,
    tokens: Vec<u64>,
    plain: Vec<u64>,
    holds: Vec<bool>,
}

impl Planes {
    pub(super) fn clear(&mut self) {
        self.vending.clear();
        self.blocks.clear();
        self.class_bits.clear();
        self.tokens.clear();
    }

    pub(super) fn open(&mut self, batch: Batch) {
        self.plain.resize(self.tokens.len(), 0);
        self.holds.resize(self.tokens.len(), false);
        let Self { vending, blocks, class_bits, tokens, plain, holds } = self;
        batch.open_rows(Cipher::Sta, vending, blocks, class_bits, tokens, plain, holds);
    }

    /// What the token in a place says, where it authenticates.
    pub(super) fn payload(&self, place: usize, token: Token) -> Option<Payload> {
        let opened = token.opened_elsewhere(self.plain[place], EncryptionAlgorithm::Sta);
        self.holds[place].then(|| opened.authenticate().ok()).flatten()
    }
}

impl<'w, 'r> Worker<'w, 'r> {
    fn new(bulk: &'w Bulk<'r>, layout: &'w Layout<'w>) -> Self {
        let opener = Opener::new(bulk.ring);
        Self { bulk, layout, opener, items: Vec::new(), planes: Planes::default() }
    }

    fn block(
        &mut self,
        block: &Block,
        rejected: &mut Vec<Rejected>,
        mut each: impl FnMut(&Verdict<'_>),
    ) -> Result<(), InputError> {
        self.read(block);
        self.planes.open(self.bulk.batch);
        let whole = std::str::from_utf8(&block.bytes).ok();
        let text = |range: Range<u32>| {
            let range = range.start as usize..range.end as usize;
            // What is taken is ASCII, whatever else the block holds.
            match whole {
                Some(whole) => whole.get(range).unwrap_or_default(),
                None => std::str::from_utf8(&block.bytes[range]).unwrap_or_default(),
            }
        };
        let mut place = 0;
        let mut items = std::mem::take(&mut self.items);
        for item in items.drain(..) {
            let (taken, payload, trials) = match item {
                Item::InPlanes(taken) => {
                    place += 1;
                    let payload = self.planes.payload(place - 1, taken.token);
                    (taken, payload, 1)
                }
                Item::Single(taken, derivation) => {
                    let (payload, trials) = self.opener.single(taken.token, derivation);
                    (taken, payload, trials)
                }
                Item::Others(range, line) => {
                    self.others(&block.bytes[range], line, rejected, &mut each)?;
                    continue;
                }
            };
            let Taken { sole, id, digits, line, token } = taken;
            let id = if id.is_empty() {
                Cow::Owned((block.line + u64::from(line)).to_string())
            } else {
                Cow::Borrowed(text(id))
            };
            each(&sole.verdict(id, text(digits..digits + 20), token, payload, trials));
        }
        self.items = items;
        Ok(())
    }

    /// Sorts the rows of a block by how they are opened.
    fn read(&mut self, block: &Block) {
        self.items.clear();
        self.planes.clear();
        let bytes = &block.bytes;
        let (mut at, mut line) = (0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(next) = self.take(bytes, at, line) {
                at = next;
                line += 1;
                continue;
            }
            let end = record_end(bytes, at, self.layout.delimiter).unwrap_or(bytes.len());
            match self.items.last_mut() {
                Some(Item::Others(range, _)) if range.end == at => range.end = end,
                _ => self.items.push(Item::Others(at..end, block.line + u64::from(line))),
            }
            let lines = memchr::memchr_iter(b'\n', &rest[..end - at]).count();
            line += u32::try_from(lines).unwrap_or_default();
            at = end;
        }
    }

    /// Takes the row at `from`, and says where the next begins; `None` where it is another kind of
    /// row, or not one key alone fits.
    fn take(&mut self, bytes: &[u8], from: usize, line: u32) -> Option<usize> {
        let (row, next) = self.layout.row(bytes, from)?;
        let pan = || meter_pan(std::str::from_utf8(&bytes[row.meter.clone()]).ok()?).ok();
        let (sole, way) = self.bulk.sort(&row.said, pan, &mut self.planes)?;
        let taken = Taken {
            sole,
            id: u32::try_from(row.id.start).ok()?..u32::try_from(row.id.end).ok()?,
            digits: u32::try_from(row.digits).ok()?,
            line,
            token: row.said.token,
        };
        self.items.push(match way {
            Way::InPlanes => Item::InPlanes(taken),
            Way::Single(derivation) => Item::Single(taken, derivation),
        });
        Some(next)
    }

    /// Rows that are read and opened as in a small table.
    fn others(
        &mut self,
        rows: &[u8],
        line: u64,
        rejected: &mut Vec<Rejected>,
        mut each: impl FnMut(&Verdict<'_>),
    ) -> Result<(), InputError> {
        let Layout { file, header, delimiter, .. } = self.layout;
        let table = Table::read_part(file, header, *delimiter, rows, line, &VERIFY_COLUMNS)?;
        let rows = records::verify_rows(table);
        for row in &rows.rows {
            each(&self.opener.open(row));
        }
        rejected.extend(rows.rejected);
        Ok(())
    }
}

/// Where the tariff index stands in the control block, in BCD.
const TARIFF_BIT: u32 = 28;
