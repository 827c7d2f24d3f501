//! Every case of the repository's vector files that a batch can express, through a batch of every
//! width: the right candidate is found, and nothing that the core does not find.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sts_batch::{Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, Lanes, Question};
use sts_core::key::control_block;
use sts_core::{BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyDerivation};
use sts_core::{KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode};
use sts_core::{TariffIndex, Token, VendingKey};

/// Tokens or blocks of each kind, derivation and cipher: one that is lost is noticed.
const COUNTS: [(&str, usize); 19] = [
    ("credit-token 02 07", 35),
    ("credit-token 04 07", 50),
    ("credit-token 04 11", 37),
    ("currency-token 02 07", 27),
    ("currency-token 04 07", 30),
    ("currency-token 04 11", 28),
    ("des-ecb - -", 4),
    ("dkga 04 07", 5),
    ("dkga 04 11", 1),
    ("extended-token 04 07", 1),
    ("extended-token 04 11", 1),
    ("key-change-set 02 07", 63),
    ("key-change-set 04 07", 96),
    ("key-change-set 04 11", 144),
    ("management-token 02 07", 34),
    ("management-token 04 07", 38),
    ("management-token 04 11", 38),
    ("meter-entry 04 07", 44),
    ("sta-block - -", 1),
];

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn hex(case: &Value, field: &str) -> u64 {
    u64::from_str_radix(text(case, field), 16).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn batches() -> impl Iterator<Item = Batch> {
    Lanes::ALL.into_iter().filter_map(Batch::with_lanes)
}

/// A key's parameters, as the vectors give them.
struct Params {
    dkga: KeyDerivation,
    ea: EncryptionAlgorithm,
    vending: Vec<u8>,
    pan: MeterPan,
    attributes: KeyAttributes,
    base_date: BaseDate,
}

impl Params {
    fn of(params: &Value) -> Self {
        let small = |field: &str| u8::try_from(params[field].as_u64().unwrap()).unwrap();
        Self {
            dkga: KeyDerivation::from_code(text(params, "dkga")).unwrap(),
            ea: EncryptionAlgorithm::from_code(text(params, "ea")).unwrap(),
            vending: bytes(text(params, "vk")),
            pan: MeterPan::parse(text(params, "pan")).unwrap(),
            attributes: KeyAttributes {
                sgc: SupplyGroupCode::new(text(params, "sgc").parse().unwrap()).unwrap(),
                krn: KeyRevisionNumber::new(small("krn")).unwrap(),
                ti: TariffIndex::new(text(params, "ti").parse().unwrap()).unwrap(),
                kt: KeyType::from_code(small("kt")).unwrap(),
                ken: KeyExpiryNumber::NEVER,
            },
            base_date: BaseDate::ALL
                .into_iter()
                .find(|base| base.code() == text(params, "bdt"))
                .unwrap(),
        }
    }

    /// A neighbour of another supply group, whose keys are wrong.
    fn decoy(&self) -> Self {
        let sgc = SupplyGroupCode::new((self.attributes.sgc.get() + 1) % 1_000_000).unwrap();
        let attributes = KeyAttributes { sgc, ..self.attributes };
        Self { attributes, vending: self.vending.clone(), ..*self }
    }

    fn key(&self, ti: TariffIndex) -> DecoderKey {
        VendingKey::from_bytes(self.dkga, &self.vending)
            .unwrap()
            .derive(&self.pan, self.ea, &KeyAttributes { ti, ..self.attributes }, self.base_date)
            .unwrap()
    }

    /// For DKGA02: the vending key, and the block for this tariff index.
    fn group(&self, ti: TariffIndex) -> Group {
        let attributes = KeyAttributes { ti, ..self.attributes };
        let vending = u64::from_be_bytes(self.vending.as_slice().try_into().unwrap());
        let block = self.pan.block(attributes.kt) ^ control_block(&attributes);
        Group { vending, block }
    }
}

/// What the core authenticates under every candidate of a decoy and of the right group.
fn expected(params: &Params, token: Token) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (group, params) in [&params.decoy(), params].into_iter().enumerate() {
        for ti in 0..100 {
            let opened = token.open(&params.key(TariffIndex::new(ti).unwrap()));
            let plain = opened.unauthenticated_bits();
            if opened.authenticate().is_ok() {
                hits.push(Hit { index: 100 * group + usize::from(ti), plain });
            }
        }
    }
    hits
}

/// What a batch finds of the same, by each of its ways.
fn found(batch: Batch, params: &Params, question: &Question) -> Vec<Vec<Hit>> {
    let (mut search, mut stored) = (Vec::new(), Vec::new());
    let both = [&params.decoy(), params];
    if params.dkga == KeyDerivation::Dkga02 {
        let groups = both.map(|params| params.group(TariffIndex::new(0).unwrap()));
        batch.search_tariffs(question, Cipher::Sta, &groups, &mut search);
        batch.derive_tariffs(&groups).open(question, Cipher::Sta, &mut stored);
    } else {
        let cipher = match params.ea {
            EncryptionAlgorithm::Sta => Dkga04Cipher::Sta,
            _ => Dkga04Cipher::Misty1,
        };
        let key = Dkga04Key::new(params.vending.as_slice().try_into().unwrap());
        let groups = both.map(|Params { pan, attributes, base_date, .. }| {
            Dkga04Group::new(&key, pan, cipher, attributes, *base_date)
        });
        batch.search_tariffs_dkga04(question, cipher, &groups, &mut search);
        batch.derive_tariffs_dkga04(cipher, &groups).open(question, &mut stored);
    }
    vec![search, stored]
}

/// One token; `right` where it must authenticate under the key of its parameters.
fn check_token(params: &Params, token: Token, right: Option<u64>, id: &str) {
    let expected = expected(params, token);
    if let Some(plain) = right {
        let index = 100 + usize::from(params.attributes.ti.get());
        assert!(expected.contains(&Hit { index, plain }), "{id}");
    }
    let question = Question { class_bits: token.class().bits(), block: token.block() };
    for batch in batches() {
        for found in found(batch, params, &question) {
            assert_eq!(found, expected, "{id} {}", batch.lanes());
        }
        if params.dkga == KeyDerivation::Dkga02 {
            check_row(batch, params, token, right, id);
        }
    }
}

/// The same token as a row with a key of its own.
fn check_row(batch: Batch, params: &Params, token: Token, right: Option<u64>, id: &str) {
    let ti = params.attributes.ti;
    let Group { vending, block } = params.group(ti);
    let mut key = [0];
    batch.derive_dkga02(&[vending], &[block], &mut key);
    let core = params.key(ti);
    assert_eq!(key[0].to_be_bytes(), core.expose_bytes(), "{id}");
    let (mut plain, mut holds) = ([0], [false]);
    let (classes, blocks) = ([token.class().bits()], [token.block()]);
    batch.open_rows(Cipher::Sta, &[vending], &[block], &classes, &blocks, &mut plain, &mut holds);
    let opened = token.open(&core);
    assert_eq!(plain[0], opened.unauthenticated_bits(), "{id}");
    assert_eq!(holds[0], opened.authenticate().is_ok(), "{id}");
    if let Some(right) = right {
        assert!(holds[0] && plain[0] == right, "{id}");
    }
}

/// A block cipher's case: the plain text out of every lane.
fn check_block(cipher: Cipher, case: &Value) {
    let (key, plain) = (hex(case, "key"), hex(case, "plaintext"));
    for batch in batches() {
        let mut out = [0; 3];
        let blocks = [hex(case, "expected_ciphertext"); 3];
        batch.decrypt(cipher, &[key; 3], &blocks, &mut out);
        assert_eq!(out, [plain; 3], "{case}");
        if matches!(cipher, Cipher::Dea) {
            batch.derive_dkga02(&[key; 3], &[plain; 3], &mut out);
            assert_eq!(out.map(|out| out ^ key ^ plain), blocks, "{case}");
        }
    }
}

/// How many tokens or blocks of a case went through; 0 where it has none for a batch.
fn check(case: &Value) -> usize {
    let id = text(case, "id");
    match text(case, "kind") {
        "credit-token" | "currency-token" | "management-token" | "extended-token" => {
            let token = Token::parse(text(case, "expected_token")).unwrap();
            let plain = hex(case, "derived_plain_block");
            check_token(&Params::of(&case["key_params"]), token, Some(plain), id);
            1
        }
        "key-change-set" => {
            let params = Params::of(&case["key_params"]);
            let tokens = case["expected_tokens"].as_array().unwrap();
            for token in tokens {
                let token = Token::parse(token.as_str().unwrap()).unwrap();
                let plain = token.open(&params.key(params.attributes.ti)).unauthenticated_bits();
                check_token(&params, token, Some(plain), id);
            }
            tokens.len()
        }
        "meter-entry" => {
            let params = Params::of(&case["key_params"]);
            let before = case["before"].as_array().into_iter().flatten();
            let entries = before.chain([&case["token"]]).filter_map(Value::as_str);
            let tokens = entries.filter_map(|text| Token::parse(text).ok());
            let sealed = tokens.filter(|token| token.class().is_encrypted());
            sealed.map(|token| check_token(&params, token, None, id)).count()
        }
        "dkga" => {
            // A token made under the key as published is found under the right candidate.
            let params = Params::of(&case["key_params"]);
            let key = bytes(text(case, "expected_decoder_key"));
            let key = DecoderKey::from_bytes(params.ea, &key).unwrap();
            let payload = Token::parse("65888845143544128525")
                .unwrap()
                .open(&DecoderKey::sta(0x8fbf_a995_248b_f7f8_u64.to_be_bytes()))
                .authenticate()
                .unwrap();
            let token = Token::seal(&payload, &key);
            let plain = token.open(&key).unauthenticated_bits();
            check_token(&params, token, Some(plain), id);
            1
        }
        "des-ecb" => {
            check_block(Cipher::Dea, case);
            1
        }
        "sta-block" if text(case, "tables") == "real" => {
            check_block(Cipher::Sta, case);
            1
        }
        _ => 0,
    }
}

#[test]
fn vectors_every_case_for_batches_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: the vectors are in the repository, not in the packaged crate");
        return;
    };
    let mut counts = BTreeMap::new();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension().is_none_or(|it| it != "json") || name == "schema.json" {
            continue;
        }
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let count = check(case);
            if count > 0 {
                let of = |field: &str| case["key_params"][field].as_str().unwrap_or("-").to_owned();
                let what = [text(case, "kind").to_owned(), of("dkga"), of("ea")].join(" ");
                *counts.entry(what).or_insert(0) += count;
            }
        }
    }
    let expected = COUNTS.map(|(what, count)| (what.to_owned(), count)).into();
    assert_eq!(counts, expected);
}
