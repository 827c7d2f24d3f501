//! Profiles, keys, scripts, slips and reports.

use sts_harness::conform;
use sts_harness::keys::seal_record;
use sts_harness::profiles;

use super::Seed;

pub(super) fn seeds() -> Vec<Seed> {
    let mut all = Vec::new();
    for (name, text) in profiles::builtin() {
        all.push(("profile_file", format!("built-in-{name}"), text.as_bytes().to_vec()));
    }
    let standard = profiles::builtin()[0].1;
    let changed = [
        ("empty", String::new()),
        ("no-toml", "[[[".to_owned()),
        ("unknown-key", format!("wrong = 1\n{standard}")),
        ("cut-off", standard[..standard.len() / 2].to_owned()),
        ("id-with-control-characters", standard.replacen("id = \"", "id = \"\\u0007*/\\n", 1)),
        (
            "show-that-ends-a-string",
            format!(
                "{standard}\n[[display]]\non = \"*\"\nshow = \"\\\"; */ {{result}} \\\\\"\nbasis = \"example\"\n"
            ),
        ),
    ];
    all.extend(changed.map(|(name, text)| ("profile_file", name.to_owned(), text.into_bytes())));
    keys(&mut all);
    scripts(&mut all);
    slips(&mut all);
    reports(&mut all);
    all
}

fn keys(all: &mut Vec<Seed>) {
    let example = include_str!("../../../examples/mangaung-2024/keys.toml");
    let clear = "id = \"a\"\npurpose = \"field\"\nsgc = \"600457\"\nkrn = 1\nkt = 2\ndkga = \"02\"\n\
                 base_date = 1993\nken = 255\nkey = \"abababababababab\"\n";
    let sealed = seal_record("vending_key", clear, &[0x11; 32]).expect("a record");
    let sealed = format!("schema = 1\n[seal]\nkdf = \"file\"\n[[vending_key]]\n{sealed}");
    let record = |text: &str| format!("schema = 1\n[[vending_key]]\n{text}");
    let seeds = [
        ("test-keys-in-clear", example.to_owned()),
        ("key-in-clear-that-is-no-test-key", record(clear)),
        ("sealed", sealed.clone()),
        ("sealed-and-an-attribute-changed", sealed.replace("krn = 1", "krn = 2")),
        ("sealed-and-locked", sealed.replace("\"file\"", "\"argon2id\"\nsalt = \"00112233445566778899aabbccddeeff\"\nmemory_kib = 65536\niterations = 3")),
        ("seal-that-asks-for-a-terabyte", sealed.replace("\"file\"", "\"argon2id\"\nsalt = \"00112233445566778899aabbccddeeff\"\nmemory_kib = 1073741824\niterations = 3")),
        ("key-of-the-wrong-length", record(&clear.replace("field", "test").replace("abababababababab", "ababababababababab"))),
        ("key-with-a-letter-too-much", record(&clear.replace("field", "test").replace("abababababababab", "ababababababababg"))),
        ("key-as-an-id", record(&clear.replace("\"a\"", "\"abababababababab\""))),
        ("id-twice", record(&clear.replace("field", "test")) + "[[vending_key]]\n" + &clear.replace("field", "test").replace("krn = 1", "krn = 2")),
        ("decoder-key", "[[decoder_key]]\nid = \"d\"\npurpose = \"test\"\npan = \"600727012024010121\"\nea = \"07\"\nkey = \"1111111111111111\"\n".to_owned()),
        ("unknown-schema", "schema = 2\n".to_owned()),
        ("empty", String::new()),
        ("no-toml", "key = abababababababab".to_owned()),
    ];
    all.extend(seeds.map(|(name, text)| ("key_file", name.to_owned(), text.into_bytes())));
}

fn scripts(all: &mut Vec<Seed>) {
    let cases = conform::builtin_suites().expect("the suites of this repository");
    let mut seen = Vec::new();
    for case in &cases {
        if !seen.contains(&case.suite) {
            seen.push(case.suite.clone());
            let name = case.suite.replace(|letter: char| !letter.is_alphanumeric(), "-");
            all.push(("conform_script", format!("first-of-{name}"), case.to_string().into_bytes()));
        }
    }
    let seeds = [
        ("empty", ""),
        ("no-case", "enter 1 -> Accept\n"),
        ("case-twice", "suite s\ncase a\ncase a\n"),
        (
            "markup-in-names",
            "suite <s a=\"'&\">\ncase ]]> & <b>\nsource \u{7}\nsetup ea=07 key=1111111111111111\nenter 1 -> Accept\n",
        ),
        ("unknown-verb", "suite s\ncase a\nwrong 1\n"),
        (
            "time-without-end",
            "suite s\ncase a\nsetup ea=07 key=1111111111111111\nadvance 18446744073709551615\nadvance 1\nreset\n",
        ),
    ];
    all.extend(seeds.map(|(name, text)| ("conform_script", name.to_owned(), text.into())));
}

fn slips(all: &mut Vec<Seed>) {
    let seeds = [
        ("empty", String::new()),
        ("token-alone", "6942 2342 7626 5488 7585".to_owned()),
        ("receipt", "CITY OF EXAMPLE\nMeter No: 01202401012  SGC 600457 KRN 1 TI 01\nDate 31/10/2024 10:01\nWater 10.0 kl\nAmount R 100.00\nToken:\n6942 2342 7626\n5488 7585\n".to_owned()),
        ("key-change", "1st key change: 5627 9897 8730 8749 3683\n2nd key change: 3850 7977 3475 1910 8350\nMeterPAN 600727012024010121\nkrn 1 -> 2\n".to_owned()),
        ("message", "STS: mtr 01202401012 tkn 69422342762654887585 units 10.0kWh R100,00 2024-10-31T10:01:00Z".to_owned()),
        ("columns", "Meter      SGC    KRN TI\n01202401012 600457 1   01\n".to_owned()),
        ("sixteen-digits", "6942 2342 7626 5488".to_owned()),
        ("twenty-one-digits", "694222342762654887585".to_owned()),
        ("twenty-four-digits", "1844 6744 0738 4377 2416 2819".to_owned()),
        ("other-scripts", "ｍｅｔｅｒ ٠١٢٠٢٤٠١٠١٢ token ６９４２２３４２７６２６５４８８７５８５".to_owned()),
        ("carriage-returns-alone", "Meter 01202401012\rToken 6942 2342 7626 5488 7585\r".to_owned()),
        ("byte-order-mark", "\u{FEFF}Token 69422342762654887585".to_owned()),
        ("letters-that-grow-in-lower-case", "\u{130}\u{130} Token: 69422342762654887585 \u{1E9E}".to_owned()),
        ("number-with-a-wrong-check-digit", "600727012024010122".to_owned()),
    ];
    all.extend(seeds.map(|(name, text)| ("slip", name.to_owned(), text.into_bytes())));
}

/// Texts and entries in the layout that the `arbitrary` crate reads, as far as any bytes are not.
fn reports(all: &mut Vec<Seed>) {
    let seeds = [
        ("nothing", "".repeat(0)),
        ("markup", "<script>&\"'>]]><!-- ".repeat(40)),
        ("formulas", "=1+1@x-2+3\t=".repeat(60)),
        ("control-characters", "\u{1}\u{7f}\u{b}\u{fffe}\u{0}a".repeat(60)),
        ("digits", "01202401012 69422342762654887585 ".repeat(30)),
        ("quotes-and-lines", "\"a\",\n\r\"b\"\"".repeat(60)),
    ];
    all.extend(seeds.map(|(name, text)| ("report", name.to_owned(), text.into_bytes())));
}
