#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sts_fuzz::conform_script(data));
