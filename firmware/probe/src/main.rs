//! The smallest meter: 20 keyed digits and a decoder key in, one code out.
//!
//! It is linked and looked at, and runs wherever the linker script fits. Its panic handler calls a
//! function that nobody defines: if the compiler cannot rule out every panic, it does not link.
//!
//! Without features, a token is opened and authenticated under EA07. With `meter`, it goes through
//! a whole meter: keypad, lock-out, TID memory, registers, key changes; the key may be of any
//! algorithm. Key derivation is no part of a meter.

#![no_std]
#![no_main]

/// 1: authentic, 2: refused, 3: not a token.
#[cfg(not(feature = "meter"))]
mod probe {
    use core::hint::black_box;

    use sts_core::{DecoderKey, Token};

    fn answer(digits: &[u8], key: [u8; 8]) -> u8 {
        let Ok(text) = core::str::from_utf8(digits) else { return 3 };
        let Ok(token) = Token::parse(text) else { return 3 };
        match token.open(&DecoderKey::sta(key)).authenticate() {
            Ok(_) => 1,
            Err(_) => 2,
        }
    }

    pub(crate) fn forever() -> ! {
        loop {
            // The keypad and the key store: what is in them, the compiler must not know.
            let code = answer(&black_box([b'0'; 20]), black_box([0x11; 8]));
            #[cfg(feature = "planted-panic")]
            assert!(code < 3, "planted");
            black_box(code);
        }
    }
}

/// The number of the meter's result among all results.
#[cfg(feature = "meter")]
mod probe {
    use core::hint::black_box;

    use sts_core::{
        DecoderKey, EncryptionAlgorithm, Framing, FramingSet, KeyAttributes, KeyExpiryNumber,
        KeyRevisionNumber, KeyType, LockoutRule, Meter, MeterPan, NumberSet, Profile, SectionOrder,
        SupplyGroupCode, TariffIndex, TokenId,
    };

    /// In flash. It asks for everything that a profile can ask for.
    static PROFILE: Profile<'static> = Profile {
        framings: FramingSet::EMPTY.with(Framing::Sts20).with(Framing::W24Check),
        management: NumberSet::EMPTY.with(2).with(7).with(10),
        section_order: SectionOrder::Strict,
        section_window_s: Some(600),
        lockout: Some(LockoutRule { after: 3, durations_s: &[60, 600] }),
        register_max: Some(1_000_000_000),
        ..Profile::STANDARD
    };

    fn answer(meter: &mut Meter<'_, 50>, digits: &[u8], now: u64) -> u8 {
        let Ok(text) = core::str::from_utf8(digits) else { return u8::MAX };
        match meter.enter(text, now) {
            Ok(admission) => admission.apply().result() as u8,
            Err(refusal) => {
                meter.count_refusal(&refusal, now);
                refusal.result() as u8
            }
        }
    }

    pub(crate) fn forever() -> ! {
        // Which algorithm and key, the compiler must not know.
        let ea = *black_box(&EncryptionAlgorithm::Misty1);
        let bytes = black_box([0x11_u8; 16]);
        let key = bytes.get(..ea.key_length()).map(|bytes| DecoderKey::from_bytes(ea, bytes));
        let pan = MeterPan::parse(black_box("600727000000000009"));
        let (Some(Ok(key)), Ok(pan)) = (key, pan) else { stop() };
        let attributes = KeyAttributes {
            sgc: SupplyGroupCode::MIN,
            krn: KeyRevisionNumber::MAX,
            ti: TariffIndex::MIN,
            kt: KeyType::Unique,
            ken: KeyExpiryNumber::NEVER,
        };
        let manufacturer = pan.manufacturer_code();
        let mut meter =
            Meter::<50>::new(black_box(&PROFILE), manufacturer, key, attributes, TokenId::MIN);
        loop {
            let code = answer(&mut meter, &black_box([b'0'; 24]), black_box(0));
            #[cfg(feature = "planted-panic")]
            assert!(code < 30, "planted");
            black_box(code);
            black_box(meter.registers());
        }
    }

    fn stop() -> ! {
        loop {
            black_box(());
        }
    }
}

/// Where the processor starts.
#[unsafe(no_mangle)]
pub extern "C" fn reset() -> ! {
    probe::forever()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never linked, hence never called; see the top of the file.
    unsafe { a_panic_is_reachable() }
}
