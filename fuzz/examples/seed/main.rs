//! Writes corpus files that are made rather than found: `cargo run --example seed`, in `fuzz/`.

use std::fs;
use std::path::Path;

mod capi;
mod core;
mod exports;
mod parquet;
mod texts;

/// A file of the corpus: target, name, bytes.
type Seed = (&'static str, String, Vec<u8>);

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let all = [core::seeds(), capi::seeds(), exports::seeds(), parquet::seeds(), texts::seeds()];
    for (target, name, bytes) in all.concat() {
        let path = corpus.join(target).join(name);
        // What is sealed has a nonce that was drawn, and would be another each time.
        if target == "key_file" && path.exists() {
            continue;
        }
        fs::create_dir_all(corpus.join(target))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
