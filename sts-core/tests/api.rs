//! What other crates may rely on: the traits of the public types, and their sizes.

use core::error::Error;
use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::str::FromStr;

use sts_core::cipher::{misty1, sta};
use sts_core::class::KeyWord;
use sts_core::{
    Admission, Amount, BaseDate, Basis, Claims, Class, Commodity, CurrencyAmount, CurrencyOverflow,
    DecoderKey, DecoderReferenceNumber, DisplayRule, EncryptionAlgorithm, FailedChecks, Framed,
    Framing, FramingSet, InvalidKeyLength, InvalidMeterNumber, InvalidWord, KeyAttributes,
    KeyChangeSet, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeySection, KeyType, Keyed,
    LockoutRule, ManufacturerCode, Meter, MeterPan, MeterTest, NonDigit, NumberSet, Opened,
    OutOfRange, Outcome, ParseTokenError, Payload, Profile, RangedField, Registers, Rejection,
    ResultSet, SectionOrder, Setting, Shown, Stage, SupplyGroupCode, TariffIndex, Token, TokenId,
    TokenResult, Underivable, VendingKey,
};

fn any<T: Debug + Send + Sync + Unpin>() {}
fn value<T: Debug + Send + Sync + Unpin + Copy + Eq + 'static>() {}
fn key<T: Copy + Eq + Hash + Ord>() {}
fn hash<T: Copy + Eq + Hash>() {}
fn text<T: Display>() {}
fn number<T: Ord + Hash + Display + TryFrom<I, Error = OutOfRange>, I>() {}
fn failure<T: Error + Send + Sync + Copy + Eq + 'static>() {}

macro_rules! each {
    ($check:ident: $($type:ty),+ $(,)?) => { $($check::<$type>();)+ };
}

#[test]
fn public_types_have_their_traits() {
    each!(any: Admission<'_, '_>, DecoderKey, Meter<'_>, Opened, Shown<'_>, VendingKey,
        misty1::Misty1, sta::Tables);
    each!(value: Amount, BaseDate, Basis, Claims, Class, Commodity, CurrencyAmount,
        DecoderReferenceNumber, DisplayRule<'static>, EncryptionAlgorithm, FailedChecks, Framed,
        Framing, FramingSet, KeyAttributes, KeyChangeSet, KeyDerivation, KeyExpiryNumber,
        KeyRevisionNumber, KeySection, KeyType, KeyWord, Keyed, LockoutRule<'static>,
        ManufacturerCode, MeterPan, MeterTest, NumberSet, Outcome, Payload, Profile<'static>,
        RangedField, Registers, ResultSet, SectionOrder, Setting, Stage, SupplyGroupCode,
        TariffIndex, Token, TokenId, TokenResult);
    each!(key: Amount, BaseDate, Class, Commodity, EncryptionAlgorithm, Framing, KeyDerivation,
        KeyType, Stage, Token, TokenId, TokenResult);
    each!(hash: CurrencyAmount, DecoderReferenceNumber, FramingSet, KeyAttributes, Keyed, MeterPan,
        NumberSet, Registers, ResultSet, Setting);
    each!(text: DecoderReferenceNumber, Framing, MeterPan, Outcome, RangedField, Rejection,
        Shown<'_>, Token, TokenResult);
    number::<KeyExpiryNumber, u8>();
    number::<KeyRevisionNumber, u8>();
    number::<SupplyGroupCode, u32>();
    number::<TariffIndex, u8>();
    number::<TokenId, u32>();
    fn from_text<T: FromStr<Err = ParseTokenError>>() {}
    from_text::<Token>();
}

#[test]
fn failures_are_errors() {
    each!(failure: CurrencyOverflow, InvalidKeyLength, InvalidMeterNumber, InvalidWord, NonDigit, OutOfRange,
        ParseTokenError, Rejection, Underivable, sta::InvalidTables);
    // What was keyed becomes a refusal with `?`.
    let refused: Result<Keyed, Rejection> = Keyed::parse("12x").map_err(Rejection::from);
    assert_eq!(refused, Err(Rejection::NonDigit { position: 2, found: 'x' }));
}

/// A refusal goes in two registers; a meter, its memory of fifty included, in half a kilobyte.
#[test]
fn sizes_stay_small() {
    assert!(size_of::<Rejection>() <= 16);
    assert!(size_of::<Option<Rejection>>() <= 16);
    assert!(size_of::<Token>() <= 16);
    assert!(size_of::<Payload>() <= 32, "{}", size_of::<Payload>());
    assert!(size_of::<DecoderKey>() <= 24, "{}", size_of::<DecoderKey>());
    assert!(size_of::<Meter<'_>>() <= 512, "{}", size_of::<Meter<'_>>());
    assert_eq!(size_of::<Meter<'_, 50>>() - size_of::<Meter<'_, 10>>(), 40 * size_of::<TokenId>());
}

/// No key is shown, whatever holds it.
#[test]
fn debug_of_keys_shows_no_key() {
    let decoder = DecoderKey::sta([0x11; 8]);
    assert_eq!(format!("{decoder:?}"), "DecoderKey(Sta, ..)");
    assert_eq!(format!("{:?}", VendingKey::dkga04([0x11; 20])), "VendingKey(Dkga04, ..)");
    let digits = "18446744073843772416";
    let opened = Token::parse(digits).map(|token| token.open(&decoder));
    assert_eq!(format!("{opened:?}"), "Ok(Opened { class: NonMeterSpecificManagement, .. })");
}
