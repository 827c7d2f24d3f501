//! The functions as C calls them; `c/test.c` has the vectors and the edges.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use sts_capi::{
    STS_NO_TID, StsAnswer, StsDisplayRule, StsMeter, StsMeterSetup, StsOutcome, StsReason,
    StsResult, StsStage, StsStatus, StsStorage, StsStore, sts_meter_display, sts_meter_enter,
    sts_meter_enter_saved, sts_meter_init, sts_meter_preview, sts_meter_restore,
    sts_meter_set_tampered, sts_profile_standard, sts_store_format, sts_store_open, sts_store_save,
};
use sts_core::class::key_change;
use sts_core::{
    Amount, Commodity, CurrencyAmount, DecoderKey, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterTest, Payload, Setting, SupplyGroupCode, TariffIndex, Token,
    TokenId,
};

const KEY: [u8; 8] = [0x11; 8];

/// Two areas in memory, and how often they were written.
struct Flash {
    areas: [[u8; 1024]; 2],
    writes: usize,
}

/// # Safety
///
/// As the header says for `read`, with a `Flash` as context.
unsafe extern "C" fn read(context: *mut c_void, area: u8, offset: u32, bytes: *mut u8) -> c_int {
    let flash = unsafe { &*context.cast::<Flash>() };
    let from = &flash.areas[usize::from(area)][offset as usize..][..8];
    unsafe { bytes.copy_from_nonoverlapping(from.as_ptr(), 8) };
    0
}

/// # Safety
///
/// As the header says for `write`, with a `Flash` as context.
unsafe extern "C" fn write(context: *mut c_void, area: u8, offset: u32, bytes: *const u8) -> c_int {
    let flash = unsafe { &mut *context.cast::<Flash>() };
    let to = &mut flash.areas[usize::from(area)][offset as usize..][..8];
    to.copy_from_slice(unsafe { core::slice::from_raw_parts(bytes, 8) });
    flash.writes += 1;
    0
}

/// # Safety
///
/// As the header says for `erase`, with a `Flash` as context.
unsafe extern "C" fn erase(context: *mut c_void, area: u8) -> c_int {
    let flash = unsafe { &mut *context.cast::<Flash>() };
    flash.areas[usize::from(area)].fill(0xFF);
    0
}

fn storage(flash: &mut Flash) -> StsStorage {
    StsStorage {
        context: (&raw mut *flash).cast(),
        read: Some(read),
        write: Some(write),
        erase: Some(erase),
        area_size: 1024,
    }
}

fn setup() -> StsMeterSetup {
    StsMeterSetup {
        sgc: 600_457,
        tid_floor: 0,
        manufacturer_code: 0,
        manufacturer_digits: 2,
        ea: 7,
        krn: 1,
        ti: 1,
        kt: 2,
        ken: 255,
    }
}

const NO_ANSWER: StsAnswer = StsAnswer {
    value: 9,
    found: 9,
    expected: 9,
    tid: 9,
    result: StsResult::NotReady,
    register_number: 9,
    stage: StsStage::Keypad,
    reason: StsReason::Other,
    outcome: StsOutcome::Own,
    failed_checks: 9,
    token_class: 9,
    subclass: 9,
};

fn shown(meter: &mut StsMeter, result: StsResult) -> String {
    let mut text: [c_char; 32] = [0; 32];
    let mut length = 0;
    let status = unsafe {
        sts_meter_display(meter, result as u8, 0, text.as_mut_ptr(), 32, &raw mut length)
    };
    assert_eq!(status, StsStatus::Ok);
    text[..length].iter().map(|byte| char::from(byte.cast_unsigned())).collect()
}

/// Key sections of a set of three, as a vendor makes them.
fn sections() -> Vec<String> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::MAX,
        krn: KeyRevisionNumber::MAX,
        ti: TariffIndex::MIN,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let held = DecoderKey::sta(KEY);
    key_change(&DecoderKey::sta([0x23; 8]), &attributes, true, true)
        .map(|section| Token::seal(&section, &held).to_string())
        .collect()
}

#[test]
fn preview_changes_nothing_and_enter_saves_before_it_answers() {
    let mut profile = sts_profile_standard;
    let display =
        [StsDisplayRule { on: 1 << 1, only_pending: 1, show: c"one {result} more".as_ptr() }];
    profile.display = display.as_ptr();
    profile.display_count = 1;
    let mut flash = Flash { areas: [[0xFF; 1024]; 2], writes: 0 };
    let storage = storage(&mut flash);
    let (mut meter, mut store) = (StsMeter::zeroed(), StsStore::zeroed());
    let written = || unsafe { (*storage.context.cast::<Flash>()).writes };
    unsafe {
        let status = sts_meter_init(&mut meter, &raw const profile, &setup(), KEY.as_ptr(), 8);
        assert_eq!(status, StsStatus::Ok);
        assert_eq!(sts_store_open(&mut store, &storage), StsStatus::Empty);
        assert_eq!(sts_store_format(&mut store, &mut meter), StsStatus::Ok);
    }
    assert_eq!(shown(&mut meter, StsResult::Accept), "Accept");

    let sections = sections();
    let results = [StsResult::FirstKct, StsResult::SecondKct, StsResult::Accept];
    for (section, result) in sections.iter().zip(results) {
        let before = written();
        let mut answers = [NO_ANSWER; 2];
        let [preview, answer] = &mut answers;
        let (digits, length) = (section.as_ptr().cast::<c_char>(), section.len());
        unsafe {
            let status = sts_meter_preview(&mut meter, digits, length, 0, preview);
            assert_eq!(status, StsStatus::Ok);
            assert_eq!(sts_store_save(&mut store, &mut meter), StsStatus::Ok);
            assert_eq!(written(), before, "a preview changed the meter");
            let status = sts_meter_enter_saved(&mut meter, &mut store, digits, length, 0, answer);
            assert_eq!(status, StsStatus::Ok);
        }
        assert!(written() > before);
        assert_eq!(answers[0], answers[1]);
        assert_eq!((answers[1].result, answers[1].tid), (result, STS_NO_TID));

        // Power is lost after each: half a key change is kept.
        (meter, store) = (StsMeter::zeroed(), StsStore::zeroed());
        unsafe {
            assert_eq!(sts_store_open(&mut store, &storage), StsStatus::Ok);
            let status = sts_meter_restore(&mut meter, &mut store, &raw const profile, 0, 2);
            assert_eq!(status, StsStatus::Ok);
        }
        let pending = result != StsResult::Accept;
        let expected = if pending { "one Accept more" } else { "Accept" };
        assert_eq!(shown(&mut meter, StsResult::Accept), expected);
    }
    unsafe {
        assert_eq!(sts_meter_set_tampered(&mut meter), StsStatus::Ok);
        let before = written();
        assert_eq!(sts_store_save(&mut store, &mut meter), StsStatus::Ok);
        assert_eq!(written(), before + 3);
        let mut answer = NO_ANSWER;
        let status = sts_meter_preview(ptr::null_mut(), ptr::null(), 0, 0, &mut answer);
        assert_eq!(status, StsStatus::Null);
        assert_eq!(answer.result, StsResult::None);
    }
}

/// What `found` and `value` say of each outcome, as the header has it.
#[test]
fn each_outcome_has_its_numbers() {
    let tid = |tid| TokenId::new(tid).unwrap();
    let gas = |tid| Payload::Credit {
        commodity: Commodity::Gas,
        rnd: 3,
        tid,
        amount: Amount::round_up(150).unwrap(),
    };
    let water = |tid, units| Payload::CurrencyCredit {
        commodity: Commodity::Water,
        tid,
        amount: CurrencyAmount::round_up(units).unwrap(),
    };
    let test = Payload::MeterTest(MeterTest::new(0, 0b101, 0).unwrap());
    let setting = Setting::MaximumPowerLimit;
    let limit = Payload::Set { setting, rnd: 0, tid: tid(1005), value: 0x1234 };
    let held = DecoderKey::sta(KEY);
    let sealed = |payload: &Payload| Token::seal(payload, &held).to_string();
    let mut entries = vec![
        (sealed(&gas(tid(1001))), StsOutcome::Credited, 2, 150),
        (sealed(&gas(tid(1002))), StsOutcome::Credited, 2, 300),
        (sealed(&water(tid(1003), 700)), StsOutcome::CurrencyCredited, 5, 700),
        (sealed(&water(tid(1004), -900)), StsOutcome::CurrencyCredited, 5, -200),
        (sealed(&test), StsOutcome::Tested, 0, 0b101),
        (sealed(&limit), StsOutcome::Set, 0, 0x1234),
    ];
    let mut sections = sections();
    let last = sections.pop().unwrap();
    entries.extend((1..).zip(sections).map(|(at, it)| (it, StsOutcome::SectionStored, at, 0)));
    entries.push((last, StsOutcome::KeyChanged, 9, 1));

    let mut meter = StsMeter::zeroed();
    let profile = sts_profile_standard;
    unsafe {
        let status = sts_meter_init(&mut meter, &raw const profile, &setup(), KEY.as_ptr(), 8);
        assert_eq!(status, StsStatus::Ok);
    }
    for (token, outcome, found, value) in entries {
        let mut answer = NO_ANSWER;
        let status = unsafe {
            sts_meter_enter(&mut meter, token.as_ptr().cast(), token.len(), 0, &mut answer)
        };
        assert_eq!(status, StsStatus::Ok);
        assert_eq!(
            (answer.outcome, answer.found, answer.value.cast_signed()),
            (outcome, found, value),
            "{answer:?}"
        );
        assert_eq!((answer.expected, answer.reason), (0, StsReason::None));
    }
}
