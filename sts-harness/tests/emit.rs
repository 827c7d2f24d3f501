//! Profiles as constant data: what is emitted compiles, and is the profile it was made from.

use std::path::{Path, PathBuf};

use sts_core::Profile;
use sts_harness::emit;
use sts_harness::profiles::{self, ProfileFile};

#[expect(unreachable_pub, reason = "emitted for any crate")]
#[path = "emit/conlog.rs"]
mod conlog;
#[expect(unreachable_pub, reason = "emitted for any crate")]
#[path = "emit/mangaung.rs"]
mod mangaung;
#[expect(unreachable_pub, reason = "emitted for any crate")]
#[path = "emit/standard.rs"]
mod standard;

const EMITTED: [(&str, &str); 3] = [
    ("conlog-bec62-078", "conlog.rs"),
    ("mangaung-2024-reconstruction", "mangaung.rs"),
    ("standard", "standard.rs"),
];

fn family(name: &str) -> ProfileFile {
    profiles::load(name, Path::new(".")).expect("a built-in profile")
}

/// Compares with a file of the tree, or writes it where `EMIT_WRITE` is set.
fn is_as_checked_in(path: &Path, text: &str) {
    if std::env::var_os("EMIT_WRITE").is_some() {
        std::fs::write(path, text).expect("a file of the tree");
    }
    let held = std::fs::read_to_string(path).expect("a file of the tree");
    assert!(held == text, "{} is not what is emitted; EMIT_WRITE=1 writes it", path.display());
}

#[test]
fn rust_files_are_as_checked_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emit");
    for (name, file) in EMITTED {
        is_as_checked_in(&folder.join(file), &emit::rust(&family(name)));
    }
}

#[test]
fn rust_constants_are_the_profiles() {
    let is = |made: &Profile<'_>, name: &str, place: usize| {
        assert_eq!(made, family(name).compile(place), "{name}");
    };
    let mangaung = "mangaung-2024-reconstruction";
    is(&mangaung::MANGAUNG_2024_RECONSTRUCTION_BEFORE, mangaung, 0);
    is(&mangaung::MANGAUNG_2024_RECONSTRUCTION_AFTER, mangaung, 1);
    is(&conlog::CONLOG_BEC62_078_08, "conlog-bec62-078", 0);
    is(&standard::STANDARD_1, "standard", 0);
    assert_eq!(standard::STANDARD_1.framings, Profile::STANDARD.framings);
}

#[test]
fn the_c_header_is_as_checked_in() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sts-capi/c/mangaung.h");
    // The packaged crate comes without its neighbour.
    if path.parent().is_some_and(Path::exists) {
        is_as_checked_in(&path, &emit::c(&family("mangaung-2024-reconstruction")));
    }
}

#[test]
fn every_profile_can_be_emitted() {
    for (name, _) in profiles::builtin() {
        let family = family(name);
        for text in [emit::rust(&family), emit::c(&family)] {
            assert!(text.is_ascii(), "{name}");
            assert!(text.contains("sts"), "{name}");
        }
    }
}
