//! A changed model changes the search.

use std::path::Path;

use sts_harness::case::{Case, Overrides};
use sts_harness::diagnose::{Model, Settings};
use sts_harness::keys::Locked;
use sts_harness::replay::Replay;

#[test]
fn search_at_its_cap_says_what_was_not_tried() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built_in = std::fs::read_to_string(root.join("diagnosis.toml"))?;
    let capped = built_in.replace("max_candidates = 20_000_000", "max_candidates = 50");
    let path = std::env::temp_dir().join(format!("sts-capped-{}.toml", std::process::id()));
    std::fs::write(&path, capped)?;
    let model = Model::load(&path);
    std::fs::remove_file(&path)?;
    let folder = root.join("../examples/mangaung-2024");
    let case = Case::load(&folder, Overrides::default(), &mut Locked)?;
    let settings = Settings { model: model?, ..Settings::default() };
    let mut replay = Replay::with_settings(&case, settings);
    let evidence = |entry| replay.step(entry).verdict.evidence.join("; ");
    let told: Vec<String> = case.entries.iter().map(evidence).collect();
    assert!(told.iter().any(|told| told.contains("cap of 50 candidates")), "{told:?}");
    Ok(())
}
