//! Hands the linker script to the linker, and turns vectors and example into Rust constants.

#[path = "build/constants.rs"]
mod constants;

use std::env;
use std::path::Path;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    let (board, script) = match &*arch {
        "riscv32" => ("virt", "riscv.ld"),
        _ if target.starts_with("thumbv6m") => ("microbit", "arm.ld"),
        _ => ("lm3s6965evb", "arm.ld"),
    };
    println!("cargo::rustc-cfg=board=\"{board}\"");
    println!("cargo::rustc-check-cfg=cfg(board, values(\"lm3s6965evb\", \"microbit\", \"virt\"))");
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
