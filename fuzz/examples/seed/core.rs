//! What is keyed, states and batches.

use sts_capi::journal::{Journal, Storage};
use sts_core::{
    DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode,
    Meter, Profile, SupplyGroupCode, TariffIndex, TokenId,
};

use super::Seed;

pub(super) fn seeds() -> Vec<Seed> {
    let mut all = Vec::new();
    let token = "69422342762654887585";
    let texts = [
        ("empty", String::new()),
        ("twenty", token.to_owned()),
        ("grouped-with-spaces", "6942 2342 7626 5488 7585".to_owned()),
        ("grouped-with-every-separator", "6942-2342.7626_5488/7585\r\n".to_owned()),
        ("no-break-spaces", "6942\u{A0}2342\u{A0}7626\u{A0}5488\u{2013}7585".to_owned()),
        ("grouped-in-threes", "694 223 427 626 548 875 85".to_owned()),
        ("nineteen", token[1..].to_owned()),
        ("largest", "73786976294838206463".to_owned()),
        ("above-the-largest", "73786976294838206464".to_owned()),
        ("twenty-four-with-check", "1844 6744 0738 4377 2416 2819".to_owned()),
        ("twenty-four-with-a-wrong-check", "184467440738437724162820".to_owned()),
        ("twenty-four-check-97-apart", "000000000000000000000098".to_owned()),
        ("group-doubled", "184418446744073843772416".to_owned()),
        ("two-tokens", token.repeat(2)),
        ("run-on", format!("{token}6942")),
        ("thirty-three", "1".repeat(33)),
        ("letter-o-for-zero", "6942234276265488758O".to_owned()),
        ("arabic-indic", "٦٩٤٢ ٢٣٤٢ ٧٦٢٦ ٥٤٨٨ ٧٥٨٥".to_owned()),
        ("full-width-and-ascii", "１８４４ 6744 0738 4377 2416".to_owned()),
        ("a-control-character", "6942\u{7}2342".to_owned()),
    ];
    all.extend(texts.map(|(name, text)| ("digits", name.to_owned(), text.into_bytes())));
    all.push(("digits", "half-a-letter".to_owned(), b"6942 2342 76\xE2\x80".to_vec()));
    for (class, subclass) in (0..4).flat_map(|class| [0_u8, 3, 4, 8, 9].map(|sub| (class, sub))) {
        let block = u64::from(subclass) << 60 | 0x0123_4567_89AB_CDEF;
        let bytes = [[0x11; 8].as_slice(), &[class], &block.to_be_bytes()].concat();
        all.push(("open_any", format!("block-of-class-{class}-subclass-{subclass}"), bytes));
    }
    states(&mut all);
    batches(&mut all);
    all
}

fn meter<const TIDS: usize>(key: DecoderKey) -> Meter<'static, TIDS> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(600_457).expect("a code"),
        krn: KeyRevisionNumber::new(1).expect("a revision"),
        ti: TariffIndex::new(7).expect("an index"),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let maker = ManufacturerCode::new(0, 2).expect("a code");
    let floor = TokenId::new(0x1234).expect("24 bits");
    Meter::new(&Profile::STANDARD, maker, key, attributes, floor)
}

fn words<const TIDS: usize>(meter: &Meter<'_, TIDS>) -> Vec<u8> {
    (0..Meter::<TIDS>::WORDS).flat_map(|index| meter.word(index).to_le_bytes()).collect()
}

struct Flash([[u64; 64]; 2]);

impl Storage for Flash {
    type Error = std::convert::Infallible;

    fn read(&mut self, area: u8, place: u16) -> Result<u64, Self::Error> {
        Ok(self.0[usize::from(area)][usize::from(place)])
    }

    fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Self::Error> {
        self.0[usize::from(area)][usize::from(place)] = word;
        Ok(())
    }

    fn erase(&mut self, area: u8) -> Result<(), Self::Error> {
        self.0[usize::from(area)].fill(u64::MAX);
        Ok(())
    }
}

impl Flash {
    fn bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }
}

fn states(all: &mut Vec<Seed>) {
    let mut push = |name: &str, kind: u8, bytes: Vec<u8>| {
        all.push(("saved_state", name.to_owned(), [vec![kind], bytes].concat()));
    };
    for (name, key) in [
        ("words-of-ea07", DecoderKey::sta([0x11; 8])),
        ("words-of-ea09", DecoderKey::dea([0x11; 8])),
        ("words-of-ea11", DecoderKey::misty1([0x11; 16])),
    ] {
        push(name, 0, words(&meter::<50>(key)));
    }
    let mut odd = meter::<3>(DecoderKey::sta([0x11; 8]));
    odd.set_tampered();
    odd.remember(TokenId::MAX);
    push("words-of-three-identifiers", 1, words(&odd));
    let mut high = words(&odd);
    *high.last_mut().expect("words") = 1;
    push("words-with-a-fourth-of-three", 1, high);
    let mut staged = words(&meter::<50>(DecoderKey::sta([0x11; 8])));
    // The third section of a 64-bit key in its place, and a second where the first belongs.
    staged[8 * 8..9 * 8].copy_from_slice(&0x8123_4560_0000_0000_u64.to_le_bytes());
    push("words-with-a-third-section", 0, staged.clone());
    staged[6 * 8..7 * 8].copy_from_slice(&0x4123_4560_0000_0000_u64.to_le_bytes());
    push("words-with-a-section-out-of-place", 0, staged);
    push("words-of-zeros", 0, Vec::new());
    push("words-with-flags-of-no-meaning", 0, vec![0xFF; 400]);

    push("image-erased", 2, vec![0xFF; 1024]);
    push("image-of-zeros", 2, vec![0; 1024]);
    let mut held = meter(DecoderKey::sta([0x11; 8]));
    let mut flash = Flash([[0; 64]; 2]);
    let mut journal = Journal::<50>::format(&mut flash, 64, &held).expect("memory");
    push("image-new", 2, flash.bytes());
    for credit in 1..=9 {
        held.registers_mut().units[0] = credit;
        held.remember(TokenId::new(0x2000 + credit as u32).expect("24 bits"));
        journal.save(&mut flash, &held).expect("memory");
        if [3, 9].contains(&credit) {
            push(&format!("image-after-{credit}-credits"), 2, flash.bytes());
        }
    }
    let mut torn = flash.bytes();
    torn[8] ^= 1;
    push("image-with-a-bit-of-the-first-area-turned", 2, torn);

    // Events by the layout of the fuzzer's own program: any bytes are a life.
    for (name, step) in [("life-one", 37_u8), ("life-two", 101), ("life-three", 203)] {
        let bytes = (0..240_u8).scan(7_u8, |state, _| {
            *state = state.wrapping_mul(13).wrapping_add(step);
            Some(*state)
        });
        push(name, 3, bytes.collect());
    }
}

fn batches(all: &mut Vec<Seed>) {
    let mut push = |name: &str, rows: u16, kind: u8, words: &[u64]| {
        let mut bytes = rows.to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(0..40);
        bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        all.push(("batch", name.to_owned(), bytes));
    };
    let words = [0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 0x0564_80DE_0100_22F7];
    push("no-rows-ea07", 0, 0, &words);
    push("one-row-ea09", 1, 1, &words);
    push("sixty-five-rows-of-every-class", 65, 8, &words);
    push("rows-of-the-widest-and-one-ea09", 513, 1, &words);
    push("tariffs-of-class-0-ea07", 3, 128, &words);
    push("tariffs-of-class-0-ea09", 3, 129, &words);
    push("tariffs-of-class-2-ea07", 3, 128 | 4, &words);
    push("tariffs-of-class-1", 3, 128 | 2, &words);
    push("tariffs-of-class-3-ea09", 3, 128 | 7, &words);
    push("tariffs-of-currency", 3, 128, &[0x4123_4567_89AB_CDEF]);
    push("zeros", 64, 128, &[0]);
    push("ones", 64, 128, &[u64::MAX]);
}
