//! What a token says: classes, subclasses and their fields.
//!
//! A plain block is subclass (4 bits), 44 data bits, check (16). Clauses 6.2.2 to 6.2.8 lay the
//! data out, 6.3 gives the fields.

use core::fmt;

use crate::amount::{Amount, Commodity, CurrencyAmount};
use crate::key::KeyType;
use crate::tid::TokenId;

/// The two class bits. Clause 6.2.1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "two bits: complete")]
pub enum Class {
    /// Class 0, credit transfer; encrypted.
    Credit = 0,
    /// Class 1, management of any meter; not encrypted.
    NonMeterSpecificManagement = 1,
    /// Class 2, management of one meter; encrypted.
    MeterSpecificManagement = 2,
    /// Class 3, reserved.
    Reserved = 3,
}

impl Class {
    /// The two bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// From the low two bits.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Credit,
            1 => Self::NonMeterSpecificManagement,
            2 => Self::MeterSpecificManagement,
            _ => Self::Reserved,
        }
    }

    /// Whether its block is encrypted under the decoder key.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Credit | Self::MeterSpecificManagement)
    }
}

/// The name of what a token of this class and subclass asks for. Clause 6.2.1.
#[must_use]
pub const fn name(class: Class, subclass: u8) -> &'static str {
    match (class, subclass) {
        (Class::Credit, 0) => "TransferCredit electricity",
        (Class::Credit, 1) => "TransferCredit water",
        (Class::Credit, 2) => "TransferCredit gas",
        (Class::Credit, 3) => "TransferCredit time",
        (Class::Credit, 4) => "TransferCredit electricity currency",
        (Class::Credit, 5) => "TransferCredit water currency",
        (Class::Credit, 6) => "TransferCredit gas currency",
        (Class::Credit, 7) => "TransferCredit time currency",
        (Class::NonMeterSpecificManagement, 0 | 1) => "InitiateMeterTest/Display",
        (Class::NonMeterSpecificManagement, 2) => "ExtendedTokenSet read",
        (Class::MeterSpecificManagement, 0) => "SetMaximumPowerLimit",
        (Class::MeterSpecificManagement, 1) => "ClearCredit",
        (Class::MeterSpecificManagement, 2) => "SetTariffRate",
        (Class::MeterSpecificManagement, 3) => "Set1stSectionDecoderKey",
        (Class::MeterSpecificManagement, 4) => "Set2ndSectionDecoderKey",
        (Class::MeterSpecificManagement, 5) => "ClearTamperCondition",
        (Class::MeterSpecificManagement, 6) => "SetMaximumPhasePowerUnbalanceLimit",
        (Class::MeterSpecificManagement, 7) => "SetWaterMeterFactor",
        (Class::MeterSpecificManagement, 8) => "Set3rdSectionDecoderKey",
        (Class::MeterSpecificManagement, 9) => "Set4thSectionDecoderKey",
        (Class::MeterSpecificManagement, 10) => "ExtendedTokenSet write",
        (Class::NonMeterSpecificManagement, 6..=15) | (Class::MeterSpecificManagement, 11..=15) => {
            "manufacturer's own"
        }
        _ => "reserved",
    }
}

/// Bit ranges of a plain block, each written as where it starts and how wide it is.
#[expect(clippy::arithmetic_side_effects, reason = "constants: the sums below stay within 64")]
mod field {
    /// A run of bits in the block.
    #[derive(Clone, Copy)]
    pub(super) struct Field {
        low: u32,
        bits: u32,
    }

    impl Field {
        /// The field of `bits` bits that ends right above this one.
        const fn above(self, bits: u32) -> Self {
            Self { low: self.low + self.bits, bits }
        }

        pub(super) const fn of(self, block: u64) -> u64 {
            block >> self.low & ((1 << self.bits) - 1)
        }

        pub(super) const fn put(self, value: u64) -> u64 {
            (value & ((1 << self.bits) - 1)) << self.low
        }

        const fn end(self) -> u32 {
            self.low + self.bits
        }
    }

    pub(super) const CHECK: Field = Field { low: 0, bits: 16 };
    pub(super) const DATA: Field = CHECK.above(44);
    pub(super) const SUBCLASS: Field = DATA.above(4);

    // Credit and most of class 2: RND (or sign and exponent), TID, value.
    pub(super) const VALUE: Field = CHECK.above(16);
    pub(super) const TID: Field = VALUE.above(24);
    pub(super) const RND: Field = TID.above(4);

    // Class 1: control above the manufacturer code, of two widths.
    pub(super) const MFR_8: Field = CHECK.above(8);
    pub(super) const CONTROL_36: Field = MFR_8.above(36);
    pub(super) const MFR_16: Field = CHECK.above(16);
    pub(super) const CONTROL_28: Field = MFR_16.above(28);

    // Key sections: a word of the new key below what is said about it.
    pub(super) const WORD: Field = CHECK.above(32);
    pub(super) const KT: Field = WORD.above(2);
    pub(super) const THREE_KCT: Field = KT.above(1);
    pub(super) const ROLLOVER: Field = THREE_KCT.above(1);
    pub(super) const KRN: Field = ROLLOVER.above(4);
    pub(super) const KEN_HIGH: Field = KRN.above(4);
    pub(super) const TI: Field = WORD.above(8);
    pub(super) const KEN_LOW: Field = TI.above(4);
    pub(super) const SGC_HALF: Field = WORD.above(12);
    pub(super) const SGC_PAD: Field = CHECK.above(20);
    pub(super) const SGC: Field = SGC_PAD.above(24);

    // Extended write: the value field split.
    pub(super) const EXTENDED_VALUE: Field = CHECK.above(10);
    pub(super) const EXTENDED_INDEX: Field = EXTENDED_VALUE.above(6);

    const _: () = {
        assert!(SUBCLASS.end() == 64);
        assert!(RND.end() == 60 && CONTROL_36.end() == 60 && CONTROL_28.end() == 60);
        assert!(KEN_HIGH.end() == 60 && KEN_LOW.end() == 60);
        assert!(SGC_HALF.end() == 60 && SGC.end() == 60);
        assert!(EXTENDED_INDEX.end() == VALUE.end());
    };
}

/// The low bits of a field that is known to fit.
macro_rules! narrow {
    ($value:expr, $int:ty) => {{
        #[allow(clippy::cast_possible_truncation, reason = "the field is no wider")]
        let narrowed = $value as $int;
        narrowed
    }};
}

/// One 32-bit word of a new decoder key. Never shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct KeyWord(pub(crate) u32);

impl fmt::Debug for KeyWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyWord(..)")
    }
}

/// One section of a key change, as it stands in the token. Clause 6.2.8.
///
/// Numbers are raw: whether they are in range is judged by the meter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the four sections of clause 6.2.8: complete")]
pub enum KeySection {
    /// Subclass 3.
    First {
        /// High four bits of the key expiry number.
        ken_high: u8,
        /// Key revision number, raw: 0 to 15.
        krn: u8,
        /// Whether the TID memory is to be cleared: the base date changes.
        rollover: bool,
        /// Whether a 64-bit set has a third token with the supply group code.
        three_kct: bool,
        /// Type of the new key.
        kt: KeyType,
        /// Most significant word.
        word: KeyWord,
    },
    /// Subclass 4.
    Second {
        /// Low four bits of the key expiry number.
        ken_low: u8,
        /// Tariff index, raw: 0 to 255.
        ti: u8,
        /// Least significant word.
        word: KeyWord,
    },
    /// Subclass 8 for a meter with a 64-bit key: the whole supply group code.
    ThirdWithSgc {
        /// Supply group code, raw: 24 bits.
        sgc: u32,
        /// Bits without a meaning, zero as issued.
        pad: u32,
    },
    /// Subclass 8 for a meter with a 128-bit key.
    Third {
        /// Low twelve bits of the supply group code.
        sgc_low: u16,
        /// Second word from the top.
        word: KeyWord,
    },
    /// Subclass 9, for a meter with a 128-bit key.
    Fourth {
        /// High twelve bits of the supply group code.
        sgc_high: u16,
        /// Third word from the top.
        word: KeyWord,
    },
}

impl KeySection {
    /// 1 to 4.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::First { .. } => 1,
            Self::Second { .. } => 2,
            Self::ThirdWithSgc { .. } | Self::Third { .. } => 3,
            Self::Fourth { .. } => 4,
        }
    }

    /// The part of the new key that it carries.
    #[must_use]
    pub const fn word(&self) -> Option<KeyWord> {
        match *self {
            Self::First { word, .. }
            | Self::Second { word, .. }
            | Self::Third { word, .. }
            | Self::Fourth { word, .. } => Some(word),
            Self::ThirdWithSgc { .. } => None,
        }
    }

    const fn subclass(&self) -> u8 {
        match self {
            Self::First { .. } => 3,
            Self::Second { .. } => 4,
            Self::ThirdWithSgc { .. } | Self::Third { .. } => 8,
            Self::Fourth { .. } => 9,
        }
    }
}

/// A class 1 test or display request. Clauses 6.2.3 and 6.3.8.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct MeterTest {
    /// 0: 36 control bits and an 8-bit manufacturer code. 1: 28 and 16.
    pub subclass: u8,
    /// Control bits; bit k asks for test k + 1, all bits for test 0.
    pub control: u64,
    /// 0 for a standard test, else the maker's.
    pub mfr_code: u16,
}

impl MeterTest {
    /// Control bits of its width.
    #[must_use]
    pub const fn width(self) -> u32 {
        if self.subclass == 0 { 36 } else { 28 }
    }

    const fn all_bits(self) -> u64 {
        !(u64::MAX << self.width())
    }

    /// Whether this is test 0: every control bit is set.
    #[must_use]
    pub const fn is_test_zero(self) -> bool {
        self.control == self.all_bits()
    }

    /// Numbers of the tests asked for, lowest first; 0 alone for test 0.
    pub fn tests(self) -> impl Iterator<Item = u8> {
        let zero = self.is_test_zero();
        (0..=36_u8).filter(move |&number| match number {
            0 => zero,
            _ => !zero && self.control >> number.wrapping_sub(1) & 1 == 1,
        })
    }
}

/// What a standard test shows or does, by its number. Clause 6.3.8, table of the third edition.
#[must_use]
pub const fn test_meaning(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "do tests 2 to 5 and others as the maker chose",
        1 => "test the load switch",
        2 => "test the display or output devices",
        3 => "show cumulative usage registers",
        4 => "show key revision number and key type",
        5 => "show tariff index",
        6 => "test the token input device",
        7 => "show maximum power limit",
        8 => "show tamper status",
        9 => "show active load power",
        10 => "show software version",
        11 => "show phase power unbalance limit",
        12 => "show water meter factor",
        13 => "show tariff rate",
        14 => "show encryption algorithm",
        15 => "show how many key change tokens the meter takes",
        16 => "show supply group code",
        17 => "show key expiry number",
        18 => "show decoder reference number",
        _ => return None,
    })
}

/// Which setting of the meter a class 2 token with a TID and a 16-bit value is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the subclasses of clause 6.2.4 to 6.2.7: complete")]
pub enum Setting {
    /// Subclass 0, in W as an [`Amount`].
    MaximumPowerLimit,
    /// Subclass 1: the register to clear; 0 to 7, or FFFF for all.
    ClearCredit,
    /// Subclass 2; its meaning is reserved.
    TariffRate,
    /// Subclass 5; the value is padding.
    ClearTamper,
    /// Subclass 6, in W as an [`Amount`].
    PhaseUnbalanceLimit,
    /// Subclass 7; its meaning is reserved.
    WaterFactor,
    /// Subclass 10: index (6 bits) and value (10 bits) of the extended token set.
    ExtendedWrite,
}

impl Setting {
    const fn subclass(self) -> u8 {
        match self {
            Self::MaximumPowerLimit => 0,
            Self::ClearCredit => 1,
            Self::TariffRate => 2,
            Self::ClearTamper => 5,
            Self::PhaseUnbalanceLimit => 6,
            Self::WaterFactor => 7,
            Self::ExtendedWrite => 10,
        }
    }

    const fn from_subclass(subclass: u8) -> Option<Self> {
        Some(match subclass {
            0 => Self::MaximumPowerLimit,
            1 => Self::ClearCredit,
            2 => Self::TariffRate,
            5 => Self::ClearTamper,
            6 => Self::PhaseUnbalanceLimit,
            7 => Self::WaterFactor,
            10 => Self::ExtendedWrite,
            _ => return None,
        })
    }
}

/// Index and value of an extended write, from its 16-bit field.
#[must_use]
pub const fn extended_parts(value: u16) -> (u8, u16) {
    let block = field::VALUE.put(value as u64);
    let index = field::EXTENDED_INDEX.of(block);
    let value = field::EXTENDED_VALUE.of(block);
    (narrow!(index, u8), narrow!(value, u16))
}

/// What a token says, once it has authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// Class 0, subclasses 0 to 3: units of a commodity.
    Credit {
        /// What is delivered.
        commodity: Commodity,
        /// Four random bits, without a meaning for the meter.
        rnd: u8,
        /// When it was issued.
        tid: TokenId,
        /// How much, in tenths of the commodity's unit.
        amount: Amount,
    },
    /// Class 0, subclasses 4 to 7: money for a commodity.
    CurrencyCredit {
        /// What it pays for.
        commodity: Commodity,
        /// When it was issued.
        tid: TokenId,
        /// How much.
        amount: CurrencyAmount,
    },
    /// Class 1, subclasses 0 and 1.
    MeterTest(MeterTest),
    /// Class 1, subclass 2.
    ExtendedRead {
        /// 36 bits, the top six of which are an index.
        control: u64,
        /// Manufacturer code, 8 bits.
        mfr_code: u8,
    },
    /// Class 2 with a TID and a value.
    Set {
        /// What is set.
        setting: Setting,
        /// Four random bits.
        rnd: u8,
        /// When it was issued.
        tid: TokenId,
        /// The 16 bits, raw.
        value: u16,
    },
    /// Class 2, a section of a key change.
    KeySection(KeySection),
    /// A subclass that the standard reserves or leaves to the maker: 44 bits as they are.
    Other {
        /// Class.
        class: Class,
        /// Subclass.
        subclass: u8,
        /// Data bits.
        data: u64,
    },
}

impl Payload {
    /// Reads the fields of a plain block. `long_key` tells the two layouts of the third key
    /// section apart: a meter with a 128-bit key expects another than one with 64 bits.
    pub(crate) fn read(class: Class, block: u64, long_key: bool) -> Self {
        let subclass = narrow!(field::SUBCLASS.of(block), u8);
        let tid = TokenId::from_bits(field::TID.of(block));
        let rnd = narrow!(field::RND.of(block), u8);
        let value = narrow!(field::VALUE.of(block), u16);
        let other = Self::Other { class, subclass, data: field::DATA.of(block) };
        match class {
            Class::Credit => {
                let commodity = Commodity::from_low_bits(subclass);
                match subclass {
                    0..=3 => {
                        Self::Credit { commodity, rnd, tid, amount: Amount::from_field(value) }
                    }
                    4..=7 => Self::CurrencyCredit {
                        commodity,
                        tid,
                        amount: CurrencyAmount::from_fields(rnd, value),
                    },
                    _ => other,
                }
            }
            Class::NonMeterSpecificManagement => match subclass {
                0 => Self::MeterTest(MeterTest {
                    subclass,
                    control: field::CONTROL_36.of(block),
                    mfr_code: narrow!(field::MFR_8.of(block), u16),
                }),
                1 => Self::MeterTest(MeterTest {
                    subclass,
                    control: field::CONTROL_28.of(block),
                    mfr_code: narrow!(field::MFR_16.of(block), u16),
                }),
                2 => Self::ExtendedRead {
                    control: field::CONTROL_36.of(block),
                    mfr_code: narrow!(field::MFR_8.of(block), u8),
                },
                _ => other,
            },
            Class::MeterSpecificManagement => match Setting::from_subclass(subclass) {
                Some(setting) => Self::Set { setting, rnd, tid, value },
                None => read_section(subclass, block, long_key).map_or(other, Self::KeySection),
            },
            Class::Reserved => other,
        }
    }

    /// Class and subclass.
    #[must_use]
    pub const fn kind(&self) -> (Class, u8) {
        match self {
            Self::Credit { commodity, .. } => (Class::Credit, *commodity as u8),
            Self::CurrencyCredit { commodity, .. } => (Class::Credit, *commodity as u8 | 4),
            Self::MeterTest(test) => (Class::NonMeterSpecificManagement, test.subclass),
            Self::ExtendedRead { .. } => (Class::NonMeterSpecificManagement, 2),
            Self::Set { setting, .. } => (Class::MeterSpecificManagement, setting.subclass()),
            Self::KeySection(section) => (Class::MeterSpecificManagement, section.subclass()),
            Self::Other { class, subclass, .. } => (*class, *subclass),
        }
    }

    /// The name of what it asks for.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        let (class, subclass) = self.kind();
        name(class, subclass)
    }

    /// The token identifier, where the layout has one.
    #[must_use]
    pub const fn tid(&self) -> Option<TokenId> {
        match self {
            Self::Credit { tid, .. } | Self::CurrencyCredit { tid, .. } | Self::Set { tid, .. } => {
                Some(*tid)
            }
            _ => None,
        }
    }

    /// The plain block without its check.
    #[cfg(feature = "seal")]
    fn data_block(&self) -> u64 {
        let (_, subclass) = self.kind();
        let with_tid = |nibble: u8, tid: TokenId, value: u16| {
            field::RND.put(u64::from(nibble))
                | field::TID.put(u64::from(tid.get()))
                | field::VALUE.put(u64::from(value))
        };
        let data = match *self {
            Self::Credit { rnd, tid, amount, .. } => with_tid(rnd, tid, amount.field()),
            Self::CurrencyCredit { tid, amount, .. } => {
                let (nibble, value) = amount.fields();
                with_tid(nibble, tid, value)
            }
            Self::MeterTest(test) if test.subclass == 0 => {
                field::CONTROL_36.put(test.control) | field::MFR_8.put(u64::from(test.mfr_code))
            }
            Self::MeterTest(test) => {
                field::CONTROL_28.put(test.control) | field::MFR_16.put(u64::from(test.mfr_code))
            }
            Self::ExtendedRead { control, mfr_code } => {
                field::CONTROL_36.put(control) | field::MFR_8.put(u64::from(mfr_code))
            }
            Self::Set { rnd, tid, value, .. } => with_tid(rnd, tid, value),
            Self::KeySection(section) => section_bits(&section),
            Self::Other { data, .. } => field::DATA.put(data),
        };
        field::SUBCLASS.put(u64::from(subclass)) | data
    }

    /// Class and whole plain block, check included.
    #[cfg(feature = "seal")]
    pub(crate) fn block(&self) -> (Class, u64) {
        let (class, _) = self.kind();
        let block = self.data_block();
        (class, block | u64::from(check(class, block)))
    }
}

/// The check that a block of this class and subclass carries. Clauses 6.3.7 and 6.3.22.
pub(crate) fn check(class: Class, block: u64) -> u16 {
    match (class, field::SUBCLASS.of(block)) {
        (Class::Credit, 4..=7) => crate::crc::crc_c(class.bits(), block),
        _ => crate::crc::crc(class.bits(), block),
    }
}

/// Whether the check that a block carries is right.
pub(crate) fn check_holds(class: Class, block: u64) -> bool {
    field::CHECK.of(block) == u64::from(check(class, block))
}

pub(crate) fn read_section(subclass: u8, block: u64, long_key: bool) -> Option<KeySection> {
    let word = KeyWord(narrow!(field::WORD.of(block), u32));
    Some(match subclass {
        3 => KeySection::First {
            ken_high: narrow!(field::KEN_HIGH.of(block), u8),
            krn: narrow!(field::KRN.of(block), u8),
            rollover: field::ROLLOVER.of(block) == 1,
            three_kct: field::THREE_KCT.of(block) == 1,
            kt: KeyType::from_bits(field::KT.of(block)),
            word,
        },
        4 => KeySection::Second {
            ken_low: narrow!(field::KEN_LOW.of(block), u8),
            ti: narrow!(field::TI.of(block), u8),
            word,
        },
        8 if !long_key => KeySection::ThirdWithSgc {
            sgc: narrow!(field::SGC.of(block), u32),
            pad: narrow!(field::SGC_PAD.of(block), u32),
        },
        8 => KeySection::Third { sgc_low: narrow!(field::SGC_HALF.of(block), u16), word },
        9 => KeySection::Fourth { sgc_high: narrow!(field::SGC_HALF.of(block), u16), word },
        _ => return None,
    })
}

/// The plain block of a section without its check: what [`read_section`] reads.
pub(crate) fn section_bits(section: &KeySection) -> u64 {
    let data = match *section {
        KeySection::First { ken_high, krn, rollover, three_kct, kt, word } => {
            field::KEN_HIGH.put(u64::from(ken_high))
                | field::KRN.put(u64::from(krn))
                | field::ROLLOVER.put(u64::from(rollover))
                | field::THREE_KCT.put(u64::from(three_kct))
                | field::KT.put(u64::from(kt.code()))
                | field::WORD.put(u64::from(word.0))
        }
        KeySection::Second { ken_low, ti, word } => {
            field::KEN_LOW.put(u64::from(ken_low))
                | field::TI.put(u64::from(ti))
                | field::WORD.put(u64::from(word.0))
        }
        KeySection::ThirdWithSgc { sgc, pad } => {
            field::SGC.put(u64::from(sgc)) | field::SGC_PAD.put(u64::from(pad))
        }
        KeySection::Third { sgc_low, word } => {
            field::SGC_HALF.put(u64::from(sgc_low)) | field::WORD.put(u64::from(word.0))
        }
        KeySection::Fourth { sgc_high, word } => {
            field::SGC_HALF.put(u64::from(sgc_high)) | field::WORD.put(u64::from(word.0))
        }
    };
    field::SUBCLASS.put(u64::from(section.subclass())) | data
}

#[cfg(feature = "seal")]
impl MeterTest {
    /// A request of the given subclass: control bits above the width are dropped.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::OutOfRange) for a subclass above 1 or a manufacturer code that does
    /// not fit its 8 bits.
    pub fn new(subclass: u8, control: u64, mfr_code: u16) -> Result<Self, crate::OutOfRange> {
        let outside = |what, found, max| crate::OutOfRange { what, found, min: 0, max };
        if subclass > 1 {
            return Err(outside("subclass of a test", u64::from(subclass), 1));
        }
        if subclass == 0 && mfr_code > 255 {
            return Err(outside("manufacturer code", u64::from(mfr_code), 255));
        }
        let test = Self { subclass, control, mfr_code };
        Ok(Self { control: control & test.all_bits(), ..test })
    }
}

/// How many tokens a key change is made of. Clause 6.2.8.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the three sets of clause 6.2.8: complete")]
pub enum KeyChangeSet {
    /// Two tokens, 64-bit key.
    Two = 2,
    /// Three tokens, 64-bit key and supply group code.
    Three = 3,
    /// Four tokens, 128-bit key and supply group code.
    Four = 4,
}

/// The sections of a key change to `key`, first to last. Clause 6.2.8.
///
/// `with_sgc` asks for the third token of a 64-bit set; a 128-bit set always has four.
#[cfg(feature = "seal")]
pub fn key_change(
    key: &crate::DecoderKey,
    attributes: &crate::KeyAttributes,
    rollover: bool,
    with_sgc: bool,
) -> impl Iterator<Item = Payload> + use<> {
    let long = key.ea().has_long_key();
    let [top, second, third, bottom] = key.words().map(KeyWord);
    let (ken, sgc) = (attributes.ken.get(), attributes.sgc.get());
    let first = KeySection::First {
        ken_high: ken >> 4,
        krn: attributes.krn.get(),
        rollover,
        three_kct: with_sgc && !long,
        kt: attributes.kt,
        word: top,
    };
    let next = KeySection::Second { ken_low: ken & 15, ti: attributes.ti.get(), word: bottom };
    let (sgc_low, sgc_high) = (narrow!(sgc & 0xFFF, u16), narrow!(sgc >> 12, u16));
    let (third, fourth) = if long {
        (
            Some(KeySection::Third { sgc_low, word: second }),
            Some(KeySection::Fourth { sgc_high, word: third }),
        )
    } else {
        (with_sgc.then_some(KeySection::ThirdWithSgc { sgc, pad: 0 }), None)
    };
    [Some(first), Some(next), third, fourth].into_iter().flatten().map(Payload::KeySection)
}
