//! One published token, step by step from its digits to what it says: the numbers of
//! `docs/token.md`.

use std::error::Error;
use std::fmt::Write as _;

use sts_core::cipher::sta::{self, Tables};
use sts_core::key::{control_block, dkga04_data_block};
use sts_core::{
    Amount, BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, Payload, SupplyGroupCode, TariffIndex, Token, VendingKey,
    crc,
};

/// Of the test list STS 531-1-07; so are the meter, the key and its attributes.
const DIGITS: &str = "2166 8945 0305 1739 5874";
const PAN: &str = "600727000000000009";
const VENDING_KEY: [u8; 20] = [
    0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94,
    0x01, 0x23, 0x45, 0x67,
];

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", walk()?);
    Ok(())
}

/// The whole walk as text, a paragraph a step.
pub(crate) fn walk() -> Result<String, Box<dyn Error>> {
    let mut out = String::new();

    let token: Token = DIGITS.parse()?;
    let bits = token.bits();
    writeln!(out, "digits     {token:#}")?;
    writeln!(out, "number     {bits} of at most {}", (1_u128 << 66) - 1)?;
    let (high, low) = (bits >> 64, bits & u128::from(u64::MAX));
    writeln!(out, "66 bits    {high:02b} {}\n", binary(low))?;

    let class = bits >> 27 & 3;
    writeln!(out, "bits 28, 27         {class:02b}   the class: {class}")?;
    writeln!(out, "bits 65, 64         {high:02b}   go to bits 28, 27")?;
    writeln!(out, "block               {:016x}\n", token.block())?;

    let pan = MeterPan::parse(PAN)?;
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(201_457)?,
        krn: KeyRevisionNumber::new(1)?,
        ti: TariffIndex::new(1)?,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let base = BaseDate::Y2014;
    let vending = VendingKey::dkga04(VENDING_KEY);
    let data = dkga04_data_block(&pan, EncryptionAlgorithm::Sta, &attributes, base);
    let key = vending.derive(&pan, EncryptionAlgorithm::Sta, &attributes, base)?;
    writeln!(out, "vending key         {}", hex(&VENDING_KEY))?;
    writeln!(out, "data block          {}", hex(&data[..25]))?;
    writeln!(out, "                    {}", hex(&data[25..]))?;
    writeln!(out, "decoder key         {}\n", hex(key.expose_bytes()))?;

    let older = VendingKey::dkga02([0xab; 8]);
    let of_older = KeyAttributes { sgc: SupplyGroupCode::new(123_456)?, ..attributes };
    let derived = older.derive(&pan, EncryptionAlgorithm::Sta, &of_older, base)?;
    writeln!(out, "PANBlock            {:016x}", pan.block(of_older.kt))?;
    writeln!(out, "CONTROLBlock        {:016x}", control_block(&of_older))?;
    let both = pan.block(of_older.kt) ^ control_block(&of_older);
    writeln!(out, "X, one xor other    {both:016x}")?;
    writeln!(out, "DKGA02 gives        {}\n", hex(derived.expose_bytes()))?;

    let number = u64::from_be_bytes(key.expose_bytes().try_into()?);
    let plain = decrypt(&sta::DEPLOYED, number, token.block(), &mut out)?;
    assert_eq!(plain, token.open(&key).unauthenticated_bits(), "as the library");
    writeln!(out)?;

    writeln!(out, "block               {plain:016x}")?;
    writeln!(out, "subclass  63..60    {:x}", plain >> 60)?;
    writeln!(out, "RND       59..56    {:x}", plain >> 56 & 0xf)?;
    writeln!(out, "TID       55..32    {:06x}", plain >> 32 & 0xff_ffff)?;
    writeln!(out, "amount    31..16    {:04x}", plain >> 16 & 0xffff)?;
    writeln!(out, "CRC       15..0     {:04x}\n", plain & 0xffff)?;

    let class = token.class().bits();
    let covered = [[class].as_slice(), &plain.to_be_bytes()[..6]].concat();
    let field = crc::crc(class, plain);
    writeln!(out, "covered             {}", hex(&covered))?;
    writeln!(out, "register            {:04x}", field.swap_bytes())?;
    writeln!(out, "low byte first      {field:04x}")?;
    writeln!(out, "in the token        {:04x}\n", plain & 0xffff)?;

    let payload = token.open(&key).authenticate()?;
    let Payload::Credit { tid, amount, .. } = payload else { return Err("no credit".into()) };
    let minutes = tid.get();
    writeln!(out, "name                {}", payload.name())?;
    writeln!(out, "minutes since 2014  {minutes}")?;
    writeln!(
        out,
        "days, hours, min    {}, {}, {}",
        minutes / 1440,
        minutes / 60 % 24,
        minutes % 60
    )?;
    writeln!(out, "tenths of a kWh     {}\n", amount.units())?;

    for asked in [1, 16_383, 16_384, 20_000, 1_818_623] {
        let amount = Amount::round_up(asked)?;
        let (field, e, m) = (amount.field(), amount.field() >> 14, amount.field() & 0x3fff);
        writeln!(
            out,
            "asked {asked:>7}   field {field:04x}   e {e}   m {m:>5}   holds {:>7}",
            amount.units()
        )?;
    }
    writeln!(out)?;

    let mistyped: Token = "2166 8945 0305 1739 5875".parse()?;
    show_refused(&mut out, "last digit 5", mistyped, &key)?;
    let next = KeyAttributes { krn: KeyRevisionNumber::new(2)?, ..attributes };
    let next = vending.derive(&pan, EncryptionAlgorithm::Sta, &next, base)?;
    show_refused(&mut out, "KRN 2", token, &next)?;
    let long = vending.derive(&pan, EncryptionAlgorithm::Misty1, &attributes, base)?;
    show_refused(&mut out, "EA11", token, &long)?;
    let bytes = key.expose_bytes().try_into()?;
    let sample = DecoderKey::sta_with_tables(bytes, &sta::SAMPLE);
    show_refused(&mut out, "sample tables", token, &sample)?;
    writeln!(out)?;

    let test: Token = "1844 6744 0738 4377 2416".parse()?;
    writeln!(out, "digits              {test:#}")?;
    writeln!(out, "66 bits             {:017x}", test.bits())?;
    writeln!(out, "class               {}", test.class().bits())?;
    writeln!(out, "block               {:016x}", test.block())?;
    writeln!(
        out,
        "CRC over 01 {}  {:04x}",
        hex(&test.block().to_be_bytes()[..6]),
        crc::crc(1, test.block())
    )?;
    Ok(out)
}

/// EA07 as it is described, bit by bit; writes the block after each few of the sixteen rounds.
fn decrypt(tables: &Tables, key: u64, block: u64, out: &mut String) -> Result<u64, Box<dyn Error>> {
    let (mut key, mut block) = (key, block);
    writeln!(out, "in                  {block:016x}   key {key:016x}")?;
    for round in 1..=16 {
        let mut moved = 0;
        for (to, from) in tables.permutation().iter().enumerate() {
            moved |= (block >> from & 1) << to;
        }
        block = 0;
        for place in (0..64).step_by(4) {
            // A key bit of 1 undoes the first substitution, 0 the second.
            let table = tables.substitutions()[usize::from(key >> place & 1 == 0)];
            let nibble = (moved >> place & 15) as usize;
            let undone = table.iter().position(|&to| usize::from(to) == nibble);
            block |= u64::try_from(undone.ok_or("no permutation")?)? << place;
        }
        key = key.rotate_right(1);
        if matches!(round, 1 | 2 | 8 | 15 | 16) {
            writeln!(out, "after round {round:>2}      {block:016x}   key {key:016x}")?;
        }
    }
    Ok(block)
}

/// What a key that is not the token's makes of it.
fn show_refused(
    out: &mut String,
    what: &str,
    token: Token,
    key: &DecoderKey,
) -> Result<(), Box<dyn Error>> {
    let plain = token.open(key).unauthenticated_bits();
    let field = crc::crc(token.class().bits(), plain);
    let refusal = token.open(key).authenticate().err().ok_or("authentic")?;
    let result = refusal.result();
    writeln!(out, "{what:<18}  {plain:016x}   CRC would be {field:04x}: {result}")?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sixty-four bits, in groups of eight.
fn binary(bits: u128) -> String {
    let groups = (0..8).rev().map(|place| format!("{:08b}", bits >> (8 * place) & 0xff));
    groups.collect::<Vec<_>>().join(" ")
}
