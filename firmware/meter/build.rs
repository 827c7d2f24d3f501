//! Hands the linker script to the linker, and turns vectors and example into Rust constants.

#[path = "build/constants.rs"]
mod constants;

use std::env;
use std::path::Path;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let script = if arch == "riscv32" { "riscv.ld" } else { "arm.ld" };
    println!("cargo::rustc-link-arg-bins=-T{folder}/{script}");
    println!("cargo::rustc-link-arg-bins=--gc-sections");
    println!("cargo::rerun-if-changed={script}");
    println!("cargo::rerun-if-changed=build");
    if env::var_os("CARGO_FEATURE_VECTORS").is_some() {
        let root = Path::new(&folder).join("../..");
        let out = env::var("OUT_DIR").unwrap_or_default();
        constants::write(&root, &Path::new(&out).join("constants.rs"));
    }
}
