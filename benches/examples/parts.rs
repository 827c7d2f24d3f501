use std::hint::black_box; use std::time::Instant;
use sts_benches::*; use sts_core::*;
fn t<T>(n:&str, mut f: impl FnMut()->T){ let mut best=f64::MAX; for _ in 0..2000{ let s=Instant::now(); for _ in 0..200{black_box(f());} best=best.min(s.elapsed().as_nanos() as f64/200.0);} println!("{n}: {best:.1}"); }
fn main(){ let key=ready_key(); let tok=Token::parse(TOKEN).unwrap(); let k=Keyed::parse(TOKEN).unwrap(); let d:[u8;20]=k.digits().try_into().unwrap();
t("keyed", ||Keyed::parse(black_box(TOKEN)));
t("from_digits", ||Token::from_digits(black_box(&d)));
t("parse", ||Token::parse(black_box(TOKEN)));
t("open", ||black_box(tok).open(black_box(&key)));
t("decrypt", ||cipher::sta::DEPLOYED.decrypt(black_box(KEY),black_box(0x1234567)));
t("crc", ||crc::crc(black_box(0),black_box(0x1234567)));
t("auth", ||black_box(tok.open(&key)).authenticate());
t("open+auth", ||black_box(tok).open(black_box(&key)).authenticate());
t("s.decrypt", ||decrypt(black_box(KEY),black_box(0x1234567)));
t("s.crc", ||sts_benches::crc(black_box(0),black_box(0x1234567)));
t("s.open", ||open(black_box(TOKEN),black_box(KEY)));
}
