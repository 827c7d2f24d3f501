//! A meter for a Cortex-M0, without std: it enters a token, and enters it again.

#![no_std]
#![no_main]

use sts_core::{
    DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode,
    Meter, OutOfRange, Profile, SupplyGroupCode, TariffIndex, TokenId, TokenResult,
};

// ------------------------------------------------------------------------------------- the board

/// An operation of the debugger's or the emulator's semihosting.
fn semihost(operation: u32, argument: usize) {
    // SAFETY: the callers pass what the operation asks for.
    unsafe {
        core::arch::asm!("bkpt 0xAB", inout("r0") operation => _, in("r1") argument);
    }
}

fn say(text: &str) {
    for byte in text.bytes() {
        // SYS_WRITEC
        semihost(3, &raw const byte as usize);
    }
}

fn stop(good: bool) -> ! {
    // SYS_EXIT
    semihost(0x18, if good { 0x20026 } else { 0x20023 });
    loop {}
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    stop(false)
}

// ------------------------------------------------------------------------------------- the meter

/// What a meter leaves its maker with. The key is a published test key.
fn new_meter() -> Result<Meter<'static>, OutOfRange> {
    let key = DecoderKey::sta([0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F]);
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(201_457)?,
        krn: KeyRevisionNumber::new(1)?,
        ti: TariffIndex::new(1)?,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let maker = ManufacturerCode::new(0, 2)?;
    Ok(Meter::new(&Profile::STANDARD, maker, key, attributes, TokenId::MIN))
}

/// What a customer keys.
fn enter(meter: &mut Meter<'_>, keyed: &str, now_s: u64) -> TokenResult {
    let result = match meter.enter(keyed, now_s) {
        Ok(admission) => admission.apply().result(),
        Err(refusal) => {
            meter.count_refusal(&refusal, now_s);
            refusal.result()
        }
    };
    say(result.name());
    say("\n");
    result
}

/// The processor starts here; see link.ld.
#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    const TOKEN: &str = "0569 1672 7840 2912 8412"; // 50.0 kWh
    let Ok(mut meter) = new_meter() else { stop(false) };
    let first = enter(&mut meter, TOKEN, 0);
    let again = enter(&mut meter, TOKEN, 0);
    stop(first == TokenResult::Accept && again == TokenResult::UsedError)
}
