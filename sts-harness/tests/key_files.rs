//! Key files that are changed: by damage, by an attacker, and by the functions that are for it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use sts_harness::keys::{Argon2id, KeyRing, NewKey, Seal, Unlock, add, create, rotate, save};
use sts_harness::zeroize::Zeroizing;

const VENDING: [u8; 8] = *b"\xC1\xA7\x0E\x5D\x3B\x86\x92\xF4";
const LONG: [u8; 20] =
    *b"\x9d\x11\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13";
const DECODER: [u8; 16] = *b"\x21\x43\x65\x87\xa9\xcb\xed\x0f\x10\x32\x54\x76\x98\xba\xdc\xfe";

/// Opens with this passphrase and this key-encryption key.
#[derive(Clone)]
struct With(&'static str, u8);

impl Unlock for With {
    fn passphrase(&mut self, _file: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn key_encryption_key(&mut self, _file: &str) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(vec![self.1; 32]))
    }
}

fn vending(id: &str, krn: i64, dkga: &str) -> NewKey {
    let mut new = NewKey::default();
    new.id = id.to_owned();
    new.sgc = Some("600457".to_owned());
    new.krn = Some(krn);
    new.kt = Some(2);
    new.dkga = Some(dkga.to_owned());
    new.base_date = Some(2014);
    new.ken = Some(255);
    new.tid_zone = Some("+02:00".to_owned());
    new
}

fn decoder(id: &str) -> NewKey {
    let mut new = vending(id, 3, "02");
    new.dkga = None;
    new.pan = Some("600727000000000009".to_owned());
    new.ea = Some("11".to_owned());
    new.ti = Some("07".to_owned());
    new
}

/// A file with three sealed keys, all attributes told.
fn three(seal: &Seal, with: &With) -> String {
    let mut text = "# Ours. Ask Thandi before you change anything.\nschema = 1\n".to_owned();
    for (new, key) in [
        (vending("first", 1, "02"), &VENDING[..]),
        (vending("second", 2, "04"), &LONG),
        (decoder("third"), &DECODER),
    ] {
        let mut with = with.clone();
        text =
            add("keys.toml", &text, &new, key, Some((seal, &mut with))).unwrap().text.to_string();
    }
    text
}

fn cheap() -> Seal {
    let Seal::Passphrase(kdf) = Seal::passphrase().unwrap() else { panic!("another seal") };
    let mut kdf: Argon2id = kdf;
    (kdf.memory_kib, kdf.iterations) = (8 * 1024, 1);
    Seal::Passphrase(kdf)
}

/// All that a file says, keys included, its lines apart.
fn told(ring: &KeyRing) -> String {
    let mut told = String::new();
    for entry in &ring.vending {
        let mut entry = entry.clone();
        entry.line = 0;
        told.push_str(&format!("{entry:?} {:?}\n", entry.key.expose_bytes()));
    }
    for entry in &ring.decoders {
        let mut entry = entry.clone();
        entry.line = 0;
        told.push_str(&format!("{entry:?} {:?}\n", entry.key.expose_bytes()));
    }
    told
}

#[test]
fn keys_that_were_added_open_and_say_what_they_said() {
    for (seal, with) in [(Seal::key_file().unwrap(), With("", 7)), (cheap(), With("horse", 0))] {
        let text = three(&seal, &with);
        assert!(text.starts_with("# Ours."));
        let ring = KeyRing::parse("keys.toml", &text, &mut with.clone()).unwrap();
        assert_eq!(ring.vending[0].key.expose_bytes(), VENDING);
        assert_eq!(ring.vending[1].key.expose_bytes(), LONG);
        assert_eq!(ring.decoders[0].key.expose_bytes(), DECODER);
        assert!(ring.decoders[0].tid_zone.is_some() && ring.decoders[0].ti.unwrap().get() == 7);
        let listed = KeyRing::list("keys.toml", &text).unwrap();
        assert!(listed.iter().all(|about| about.fingerprint.is_none() && !about.in_clear));
        for (listed, checked) in listed.iter().zip(&ring.about) {
            assert_eq!((&listed.id, listed.line), (&checked.id, checked.line));
            assert_eq!(
                (listed.sgc, listed.krn, listed.ken),
                (checked.sgc, checked.krn, checked.ken)
            );
        }
    }
}

/// What one damaged byte may do: have the file refused, or change nothing that it says. Comments,
/// blanks, the case of hexadecimal digits and the order of nothing else are such bytes.
#[test]
fn no_damaged_byte_changes_a_key_or_an_attribute_in_silence() {
    let with = With("", 7);
    let text = three(&Seal::key_file().unwrap(), &with);
    let (seal, new) = (Seal::key_file().unwrap(), With("", 9));
    let sound = told(&KeyRing::parse("keys.toml", &text, &mut with.clone()).unwrap());
    let (mut refused, mut unchanged) = (0, 0);
    for place in 0..text.len() {
        let there = text.as_bytes()[place];
        let flips = (0..8).map(|bit| there ^ (1 << bit));
        let others = [
            0, b'\t', b'\n', b'\r', b' ', b'"', b'#', b'\'', b'0', b'1', b'9', b'=', b'[', b'\\',
            b'a', b'f', 0xff,
        ];
        for value in flips.chain(others).filter(|value| *value != there) {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = value;
            let Ok(damaged) = String::from_utf8(bytes) else {
                refused += 1;
                continue;
            };
            let listed = KeyRing::list("keys.toml", &damaged);
            let rotated =
                rotate("keys.toml", &damaged, &mut with.clone(), seal.clone(), &mut new.clone());
            match KeyRing::parse("keys.toml", &damaged, &mut with.clone()) {
                Ok(ring) => {
                    assert_eq!(told(&ring), sound, "byte {place} as {value:#04x}");
                    assert!(listed.is_ok(), "byte {place} as {value:#04x}");
                    if let Ok(rotated) = rotated {
                        let ring = KeyRing::parse("k", &rotated, &mut new.clone()).unwrap();
                        assert_eq!(told(&ring), sound, "byte {place} as {value:#04x}, rotated");
                    }
                    unchanged += 1;
                }
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.starts_with("keys.toml"), "byte {place}: {error}");
                    assert!(rotated.is_err(), "byte {place} as {value:#04x}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 10 * unchanged && unchanged > 0, "{refused} {unchanged}");
}

#[test]
fn a_file_that_is_cut_loses_whole_records_at_most() {
    let with = With("", 7);
    let text = three(&Seal::key_file().unwrap(), &with);
    let sound = told(&KeyRing::parse("keys.toml", &text, &mut with.clone()).unwrap());
    for end in 0..text.len() {
        if let Ok(ring) = KeyRing::parse("keys.toml", &text[..end], &mut with.clone()) {
            let told = told(&ring);
            assert!(told.lines().all(|line| sound.contains(line)), "cut at {end}");
        }
    }
}

#[test]
fn records_of_another_file_or_table_are_refused_by_name() {
    let with = With("", 7);
    let one = three(&Seal::key_file().unwrap(), &with);
    let other = three(&Seal::key_file().unwrap(), &with);
    let record = |text: &str| text[text.find("[[vending_key]]").unwrap()..].to_owned();
    let head = |text: &str| text[..text.find("[[vending_key]]").unwrap()].to_owned();
    // The same key-encryption key, the same attributes, the same keys: another file.
    let moved = head(&one) + &record(&other);
    let error = KeyRing::parse("keys.toml", &moved, &mut with.clone()).unwrap_err();
    assert!(error.is_about_keys(), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("sealed: first: does not open") && error.contains("keys.toml:18:"),
        "{error}"
    );
    // The ciphertext of another record of the same file.
    let sealed: Vec<&str> = one.lines().filter(|line| line.starts_with("sealed")).collect();
    let swapped = one.replace(sealed[0], "@").replace(sealed[1], sealed[0]).replace('@', sealed[1]);
    let error = KeyRing::parse("keys.toml", &swapped, &mut with.clone()).unwrap_err().to_string();
    assert!(error.contains("first: does not open"), "{error}");
    // A vending key as a decoder key, the attributes as far as they may stand there.
    let mut new = vending("d", 1, "02");
    (new.dkga, new.ea) = (None, Some("07".to_owned()));
    new.pan = Some("600727000000000009".to_owned());
    let text = add("k", "", &new, &VENDING, Some((&Seal::key_file().unwrap(), &mut with.clone())));
    let text = text.unwrap().text.replace("decoder_key", "vending_key");
    assert!(KeyRing::parse("k", &text, &mut with.clone()).is_err());
}

#[test]
fn keys_that_are_none_are_not_added() {
    let with = With("", 7);
    let seal = Seal::key_file().unwrap();
    let try_one = |new: &NewKey, key: &[u8]| {
        add("keys.toml", "", new, key, Some((&seal, &mut with.clone())))
            .map(|added| added.warnings)
            .map_err(|error| error.to_string() + &error.place.field.unwrap_or_default())
    };
    for weak in [
        "0101010101010101",
        "fefefefefefefefe",
        "1f1f1f1f0e0e0e0e",
        "e0e0e0e0f1f1f1f1",
        "01fe01fe01fe01fe",
        "e01fe01ff10ef10e",
        "FEE0FEE0FEF1FEF1",
        "0000000000000000",
        "1e1e1e1e0f0f0f0f",
    ] {
        let key = hex(weak);
        let error = try_one(&vending("k", 1, "02"), &key).unwrap_err();
        assert!(error.contains("weak") && !error.contains(weak), "{error}");
    }
    let even = hex("c0a70e5d3b8692f4");
    assert!(try_one(&vending("k", 1, "02"), &even).unwrap()[0].problem.contains("parity"));
    assert!(try_one(&vending("k", 1, "02"), &LONG).unwrap_err().contains("40 hexadecimal digits"));
    assert!(try_one(&vending("k", 0, "02"), &VENDING).unwrap_err().ends_with("krn"));
    let mut bare = vending("k", 1, "02");
    bare.kt = None;
    assert!(try_one(&bare, &VENDING).unwrap_err().ends_with("kt"));
    let mut bare = decoder("k");
    bare.ea = None;
    assert!(try_one(&bare, &DECODER).unwrap_err().ends_with("ea"));
    let mut both = decoder("k");
    both.dkga = Some("02".to_owned());
    assert!(try_one(&both, &DECODER).unwrap_err().ends_with("dkga"));
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |c: u8| u8::try_from(char::from(c).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[test]
fn one_place_takes_one_key_and_one_seal() {
    let with = With("", 7);
    let seal = Seal::key_file().unwrap();
    let text = three(&seal, &with);
    let again = |new: &NewKey, with: &With| {
        add("keys.toml", &text, new, &VENDING, Some((&seal, &mut with.clone())))
            .unwrap_err()
            .to_string()
    };
    assert!(again(&vending("first", 9, "02"), &with).contains("is there already"));
    assert!(again(&vending("new", 1, "02"), &with).contains("first and new"));
    let other = again(&vending("new", 9, "02"), &With("", 8));
    assert!(other.contains("first: does not open"), "{other}");
    // In clear beside locked ones.
    let mut test = vending("t", 1, "02");
    test.purpose = Some(sts_harness::keys::Purpose::Test);
    assert!(add("keys.toml", &text, &test, &VENDING, None).is_err());
    test.krn = Some(9);
    let added = add("keys.toml", &text, &test, &VENDING, None).unwrap();
    assert!(added.about.in_clear && added.about.fingerprint.is_some());
}

#[test]
fn drawn_keys_are_of_odd_parity_and_differ() {
    for (dkga, length) in [("02", 8), ("04", 20)] {
        let new = vending("t", 1, dkga);
        let (one, other) = (new.draw().unwrap(), new.draw().unwrap());
        assert_eq!(one.len(), length);
        assert_ne!(*one, *other);
        assert!(dkga == "04" || one.iter().all(|byte| byte.count_ones() % 2 == 1));
    }
}

#[test]
fn a_rotation_changes_the_seal_and_nothing_else() {
    let kek = (Seal::key_file().unwrap(), With("", 7));
    let words = (cheap(), With("horse", 0));
    for (before, after) in [(&kek, &words), (&words, &kek), (&kek, &kek), (&words, &words)] {
        for text in [three(&before.0, &before.1), three(&before.0, &before.1).replace('\n', "\r\n")]
        {
            let new = With(if after.1.1 == 0 { "other horse" } else { "" }, after.1.1 + 1);
            let ring = KeyRing::parse("k", &text, &mut before.1.clone()).unwrap();
            let rotated =
                rotate("k", &text, &mut before.1.clone(), after.0.clone(), &mut new.clone())
                    .unwrap();
            let after = KeyRing::parse("k", &rotated, &mut new.clone()).unwrap();
            assert_eq!(told(&after), told(&ring));
            assert!(KeyRing::parse("k", &rotated, &mut before.1.clone()).is_err());
            assert_eq!(rotated.contains('\r'), text.contains('\r'));
            assert!(rotated.lines().all(|line| rotated.contains("\r\n") || !line.contains('\r')));
            let kept = |text: &str| {
                let of_seal = ["sealed", "kdf", "salt", "memory", "iterations", "parallelism"];
                let lines =
                    text.lines().filter(|line| !of_seal.iter().any(|it| line.starts_with(it)));
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(kept(&rotated), kept(&text));
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            assert!(
                lines(&rotated)
                    .iter()
                    .filter(|line| line.starts_with("sealed"))
                    .all(|line| !text.contains(line))
            );
        }
    }
}

#[test]
fn a_rotation_that_cannot_be_changes_nothing() {
    let with = With("horse", 0);
    let text = three(&cheap(), &with);
    let wrong = rotate("k", &text, &mut With("house", 0), cheap(), &mut With("new", 0));
    assert!(wrong.unwrap_err().is_about_keys());
    let inline = text.replacen("[seal]\n", "", 1);
    let fields: Vec<&str> =
        inline.lines().skip_while(|line| !line.starts_with("kdf")).take(5).collect();
    let inline = format!(
        "seal = {{ {} }}\n{}",
        fields.join(", "),
        inline.replacen(&(fields.join("\n") + "\n"), "", 1)
    );
    assert!(KeyRing::parse("k", &inline, &mut with.clone()).is_ok());
    let refused =
        rotate("k", &inline, &mut with.clone(), cheap(), &mut With("new", 0)).unwrap_err();
    assert!(refused.to_string().contains("one field a line"), "{refused}");
    let empty = rotate("k", "schema = 1\n", &mut with.clone(), cheap(), &mut With("new", 0));
    assert!(empty.unwrap_err().to_string().contains("no sealed key"));
    let bom = format!("\u{FEFF}{text}");
    let rotated = rotate("k", &bom, &mut with.clone(), cheap(), &mut With("new", 0)).unwrap();
    assert!(KeyRing::parse("k", &rotated, &mut With("new", 0)).is_ok());
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("key-files-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_file_is_written_whole_for_its_owner_and_never_over_another() {
    let folder = folder("save");
    let path = folder.join("keys.toml");
    create(&path, b"one").unwrap();
    assert!(create(&path, b"two").is_err());
    save(&path, "one", "two").unwrap();
    let changed = save(&path, "one", "three").unwrap_err().to_string();
    assert!(changed.contains("changed meanwhile"), "{changed}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    assert!(save(&folder.join("none"), "", "x").is_err());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("keys.toml", folder.join("link")).unwrap();
        save(&folder.join("link"), "two", "three").unwrap();
        assert_eq!((mode(), std::fs::read_to_string(&path).unwrap().as_str()), (0o640, "three"));
        assert!(folder.join("link").is_symlink());
    }
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, if cfg!(unix) { 2 } else { 1 }, "nothing is left beside");
}
