use std::hint::black_box; use std::time::Instant;
use sts_benches::*;
fn t<T>(n:&str, mut f: impl FnMut()->T){ let mut best=f64::MAX; for _ in 0..2000{ let s=Instant::now(); for _ in 0..200{black_box(f());} best=best.min(s.elapsed().as_nanos() as f64/200.0);} println!("{n}: {best:.1}"); }
pub struct T{ m:[[u64;32];16], flat:[u64;512], inv:[u8;32], s2:[u8;16] }
fn build()->T{ 
 let s1:[u8;16]=[14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11];
 let s2:[u8;16]=[12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14];
 let p:[u8;64]=[55, 42, 10, 18, 24, 21, 44, 35,  2, 22, 56, 43, 27, 58,  9, 50,
     6, 36, 12, 61, 37, 38, 53, 16, 62,  3,  7,  4, 32, 20, 63, 25,
    51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13,  5,
    40, 60, 39, 11, 15, 17,  1,  0, 57, 34, 59,  8, 47, 14, 45, 26];
 let mut inv=[0u8;32]; for v in 0..16{inv[s2[v] as usize]=v as u8; inv[(s1[v]|16) as usize]=v as u8;}
 let mut back=[0u8;64]; for b in 0..64{back[p[b] as usize]=b as u8;}
 let mut m=[[0u64;32];16]; for n in 0..16{for i in 0..32{for b in 0..4{ m[n][i]|=((inv[i]>>b&1) as u64)<<back[4*n+b]; }}}
 let mut flat=[0;512]; for n in 0..16{for i in 0..32{flat[n*32+i]=m[n][i];}}
 T{m,flat,inv,s2}
}
const N:u64=0x0f0f_0f0f_0f0f_0f0f; const K:u64=0x1010_1010_1010_1010;
#[inline(always)] fn step_shift(t:&T, low:u64, high:u64)->u64{
 let mut a=0; let mut b=0;
 for i in 0..8{ a^=t.m[2*i][(low>>(8*i)&31) as usize]; b^=t.m[2*i+1][(high>>(8*i)&31) as usize]; }
 a^b }
#[inline(always)] fn last(t:&T,low:u64,high:u64)->u64{ let mut o=0; for i in 0..8{ o|=(t.inv[(low>>(8*i)&31) as usize] as u64)<<(8*i); o|=(t.inv[(high>>(8*i)&31) as usize] as u64)<<(8*i+4);} o}
#[inline(always)] fn first(t:&T,block:u64)->u64{ let mut s=0; for n in 0..16{ s^=t.m[n][(t.s2[(block>>(4*n)&15) as usize]&31) as usize]; } s}
#[inline(never)] fn va(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=step_shift(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
// tree
#[inline(always)] fn tree(t:&T,low:u64,high:u64)->u64{
 let g=|n:usize,v:u64,i:u32| t.m[n][(v>>(8*i)&31) as usize];
 ((g(0,low,0)^g(2,low,1))^(g(4,low,2)^g(6,low,3)))^((g(8,low,4)^g(10,low,5))^(g(12,low,6)^g(14,low,7)))
 ^((g(1,high,0)^g(3,high,1))^(g(5,high,2)^g(7,high,3)))^((g(9,high,4)^g(11,high,5))^(g(13,high,6)^g(15,high,7)))}
#[inline(never)] fn vb(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=tree(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
// first bit-by-bit
#[inline(always)] fn mix(t:&T,low:u64,high:u64)->u64{
 let g=|n:usize,v:u64,i:u32| t.m[n][(v>>(8*i)&31) as usize];
 (g(0,low,0)|g(2,low,1)|g(4,low,2)|g(6,low,3))^(g(8,low,4)|g(10,low,5)|g(12,low,6)|g(14,low,7))
 ^(g(1,high,0)|g(3,high,1)|g(5,high,2)|g(7,high,3))^(g(9,high,4)|g(11,high,5)|g(13,high,6)|g(15,high,7))}
#[inline(never)] fn vd(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=mix(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
#[inline(always)] fn pairs(t:&T,low:u64,high:u64)->u64{
 let mut s=0; for i in 0..8{ s^=t.m[2*i][(low>>(8*i)&31) as usize]|t.m[2*i+1][(high>>(8*i)&31) as usize]; } s}
#[inline(never)] fn ve(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=pairs(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
#[inline(always)] fn halves(t:&T,low:u64,high:u64)->u64{
 let (mut a,mut b)=(0,0); for i in 0..8{ a|=t.m[2*i][(low>>(8*i)&31) as usize]; b|=t.m[2*i+1][(high>>(8*i)&31) as usize]; } a^b}
#[inline(never)] fn vf(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=halves(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
#[inline(always)] fn quad(t:&T,s:u64,k0:u64,k1:u64)->u64{
 // k0: key bits at bit 4 of each byte for low nibbles
 let low=s&N|k0; let high=s>>4&N|k1;
 let lo=|n:usize,i:u32| t.m[n][(low>>(8*i)&31) as usize];
 let hi=|n:usize,i:u32| t.m[n][(high>>(8*i)&31) as usize];
 let a=(lo(0,0)|hi(1,0))^(lo(2,1)|hi(3,1));
 let b=(lo(4,2)|hi(5,2))^(lo(6,3)|hi(7,3));
 let c=(lo(8,4)|hi(9,4))^(lo(10,5)|hi(11,5));
 let d=(lo(12,6)|hi(13,6))^(lo(14,7)|hi(15,7));
 (a|b).wrapping_add(c|d)}
#[inline(never)] fn vg(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ s=quad(t,s,key<<4&K,key&K); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
#[inline(never)] fn vh(t:&T,mut key:u64,block:u64)->u64{
 // bytes via u8
 let mut s=first(t,block);
 for _ in 0..15{ 
  let mut acc=0; let low=(s&N|key<<4&K).to_le_bytes(); let high=(s>>4&N|key&K).to_le_bytes();
  for i in 0..8 { acc^= t.m[2*i][(low[i]&31) as usize]|t.m[2*i+1][(high[i]&31) as usize]; } s=acc; key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
#[inline(never)] fn chain()->u64{ let mut x=black_box(1u64); for _ in 0..1000{ x=x.rotate_left(1)^0x55; x=x.wrapping_mul(3);} x}
// u32 halves
#[inline(always)] fn tree32(t:&T,low:u64,high:u64)->u64{
 let (l0,l1,h0,h1)=(low as u32,(low>>32) as u32,high as u32,(high>>32) as u32);
 let g=|n:usize,v:u32,i:u32| t.m[n][((v>>(8*i)) as u8&31) as usize];
 ((g(0,l0,0)^g(2,l0,1))^(g(4,l0,2)^g(6,l0,3)))^((g(8,l1,0)^g(10,l1,1))^(g(12,l1,2)^g(14,l1,3)))
 ^((g(1,h0,0)^g(3,h0,1))^(g(5,h0,2)^g(7,h0,3)))^((g(9,h1,0)^g(11,h1,1))^(g(13,h1,2)^g(15,h1,3)))}
#[inline(never)] fn vc(t:&T,mut key:u64,block:u64)->u64{
 let mut s=first(t,block);
 for _ in 0..15{ let low=s&N|key<<4&K; let high=s>>4&N|key&K; s=tree32(t,low,high); key=key.rotate_right(1);} 
 let low=s&N|key<<4&K; let high=s>>4&N|key&K; last(t,low,high)}
// no mask variant: four words

pub struct S{ inv:[[u8;16];2], p:[u8;64] }
#[inline(never)] fn sd(t:&S,mut key:u64,mut block:u64)->u64{
 for _ in 0..16 { let mut permuted=0u64; for (bit,from) in t.p.iter().enumerate(){ permuted|=(block>>(from&63)&1)<<bit; }
 block=0; for shift in (0..64).step_by(4){ let tb=&t.inv[(key>>shift&1) as usize]; block|=u64::from(tb[(permuted>>shift&15) as usize])<<shift; } key=key.rotate_right(1);} block}
#[inline(never)] fn sd_p(t:&S,mut key:u64,mut block:u64)->u64{
 for _ in 0..16 { let mut permuted=0u64; for bit in 0..64 { if block>>(t.p[bit]&63)&1==1 {permuted|=1<<bit;} }
 block=0; for shift in (0..64).step_by(4){ let tb=&t.inv[(key>>shift&1) as usize]; block|=u64::from(tb[(permuted>>shift&15) as usize])<<shift; } key=key.rotate_right(1);} block}
fn main(){
 {let p:[u8;64]=[55, 42, 10, 18, 24, 21, 44, 35,  2, 22, 56, 43, 27, 58,  9, 50,
     6, 36, 12, 61, 37, 38, 53, 16, 62,  3,  7,  4, 32, 20, 63, 25,
    51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13,  5,
    40, 60, 39, 11, 15, 17,  1,  0, 57, 34, 59,  8, 47, 14, 45, 26];
 let b=build(); let st=Box::leak(Box::new(S{inv:[b.inv[..16].try_into().unwrap(),b.inv[16..].try_into().unwrap()],p}));
 assert_eq!(sd(st,KEY,77),decrypt(KEY,77)); assert_eq!(sd_p(st,KEY,77),decrypt(KEY,77));
 t("straight runtime tables",||sd(black_box(st),black_box(KEY),black_box(77)));
 t("straight runtime tables, if",||sd_p(black_box(st),black_box(KEY),black_box(77)));
 t("freq: 1000*(rot+xor+mul3)=5 cyc",||chain()); t("core encrypt",||sts_core::cipher::sta::DEPLOYED.encrypt(black_box(KEY),black_box(77)));
 }
 let tt=build(); let t0=Box::leak(Box::new(tt)); let e=decrypt(KEY,0x1234567);
 for (n,f) in [("a",va as fn(&T,u64,u64)->u64),("b",vb),("c",vc),("d mix4",vd),("e pairs",ve),("f halves",vf),("g quad",vg),("h bytes pairs",vh)] { assert_eq!(f(t0,KEY,0x1234567),e); t(n,||f(black_box(t0),black_box(KEY),black_box(0x1234567))); }
 t("core",||sts_core::cipher::sta::DEPLOYED.decrypt(black_box(KEY),black_box(0x1234567)));
 t("first",||first(black_box(t0),black_box(KEY)));
 t("last",||last(black_box(t0),black_box(KEY)&0x1f1f1f1f1f1f1f1f,black_box(KEY)&0x1f1f1f1f1f1f1f1f));
 let _=&t0.flat;
}
