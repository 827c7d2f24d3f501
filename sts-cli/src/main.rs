//! The binary `sts`.
fn main() {}
