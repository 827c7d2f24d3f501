//! Circuits of S-boxes, found by `examples/circuits.rs` in 16 tries each.
//!
//! Generated: do not edit. The first input and the first output are the most
//! significant bit.

/// Gates of two inputs: 375 for the boxes of DEA together.
pub(crate) mod two {
    use crate::lanes::Word;

    /// The outputs of each box that come out complemented.
    pub(crate) const OUTPUTS_INVERTED: [u8; 8] = [14, 15, 10, 7, 2, 12, 4, 13];

    /// 55 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s1<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = e.and(c);
        let g1 = b.xor(a);
        let g2 = d.and_not(g1);
        let g3 = g0.xor(g2);
        let g4 = d.xor(c);
        let g5 = g0.or(g4);
        let g6 = g5.and(f);
        let g7 = e.and(g3);
        let g8 = g1.and_not(g7);
        let g9 = g4.xor(g8);
        let g10 = g9.and_not(b);
        let g11 = g10.xor(e);
        let g12 = g11.xor(b);
        let g13 = g12.or(g9);
        let g14 = g13.xor(g0);
        let g15 = g12.or(f);
        let g16 = g4.and(a);
        let g17 = g14.and_not(g11);
        let g18 = g17.or(g16);
        let g19 = g18.and_not(d);
        let g20 = g3.xor(g19);
        let g21 = g19.xor(g13);
        let g22 = f.and_not(g21);
        let g23 = a.and_not(g22);
        let g24 = g23.xor(g9);
        let g25 = g24.xor(g11);
        let g26 = g25.and(f);
        let g27 = g24.or(g4);
        let g28 = g24.or(g1);
        let g29 = a.and_not(g28);
        let g30 = g18.xor(g1);
        let g31 = g30.xor(e);
        let g32 = g20.xor(g26);
        let g33 = g26.and(e);
        let g34 = g31.and(g18);
        let g35 = g6.and_not(g31);
        let g36 = c.and_not(g35);
        let g37 = g34.or(g14);
        let g38 = g32.and(b);
        let g39 = g15.or(g38);
        let g40 = g39.xor(g21);
        let g41 = g36.xor(g40);
        let g42 = g41.xor(g34);
        let g43 = g7.and_not(g42);
        let g44 = g42.xor(g32);
        let g45 = g33.or(g44);
        let g46 = g29.xor(g45);
        let g47 = g46.and_not(c);
        let g48 = g47.xor(g6);
        let g49 = g27.and(g48);
        let g50 = g49.or(g43);
        let g51 = g48.xor(g37);
        let g52 = g50.xor(g37);
        let g53 = g52.xor(g45);
        let g54 = g53.xor(b);
        [g51, g42, g54, g32]
    }

    /// 47 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s2<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = f.and_not(c);
        let g1 = g0.xor(d);
        let g2 = g1.xor(e);
        let g3 = e.and(d);
        let g4 = f.or(a);
        let g5 = g2.xor(f);
        let g6 = g2.and_not(g3);
        let g7 = g6.xor(a);
        let g8 = g0.xor(c);
        let g9 = g3.xor(g8);
        let g10 = g4.xor(g9);
        let g11 = g9.xor(d);
        let g12 = a.and_not(g10);
        let g13 = g12.xor(g0);
        let g14 = e.and_not(g13);
        let g15 = g4.and_not(g14);
        let g16 = g6.xor(g14);
        let g17 = g15.xor(g10);
        let g18 = g16.and_not(f);
        let g19 = g18.xor(c);
        let g20 = g19.and(e);
        let g21 = b.and_not(g19);
        let g22 = g21.xor(g7);
        let g23 = g15.or(g20);
        let g24 = g23.and_not(b);
        let g25 = g24.xor(d);
        let g26 = g24.or(g20);
        let g27 = g16.and_not(g24);
        let g28 = f.and_not(g27);
        let g29 = g12.and_not(g28);
        let g30 = g26.and(g17);
        let g31 = g25.and_not(g16);
        let g32 = g25.xor(g17);
        let g33 = g29.xor(g32);
        let g34 = g31.or(c);
        let g35 = g11.and_not(g18);
        let g36 = g30.xor(g8);
        let g37 = g11.and_not(b);
        let g38 = g5.and_not(g30);
        let g39 = g38.or(g0);
        let g40 = g39.and_not(a);
        let g41 = a.and_not(g36);
        let g42 = g37.xor(g41);
        let g43 = g5.xor(g42);
        let g44 = g40.xor(b);
        let g45 = g44.xor(g35);
        let g46 = g45.xor(g34);
        [g43, g22, g46, g33]
    }

    /// 45 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s3<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = c.and(b);
        let g1 = f.xor(c);
        let g2 = g1.xor(b);
        let g3 = d.xor(c);
        let g4 = g2.xor(a);
        let g5 = b.and_not(g4);
        let g6 = g3.or(a);
        let g7 = g3.and(e);
        let g8 = g7.xor(g4);
        let g9 = g5.and(a);
        let g10 = g5.xor(a);
        let g11 = g9.xor(g6);
        let g12 = g11.and(e);
        let g13 = g12.xor(g4);
        let g14 = g12.and_not(g4);
        let g15 = e.xor(a);
        let g16 = e.xor(d);
        let g17 = g16.xor(g14);
        let g18 = g14.or(f);
        let g19 = f.and_not(g0);
        let g20 = g19.xor(g6);
        let g21 = g17.xor(g19);
        let g22 = g8.xor(g0);
        let g23 = g22.or(a);
        let g24 = g23.and_not(d);
        let g25 = g24.xor(g18);
        let g26 = d.and_not(g15);
        let g27 = g3.and_not(g26);
        let g28 = g20.and_not(d);
        let g29 = g28.and(a);
        let g30 = g29.xor(g11);
        let g31 = g30.xor(g13);
        let g32 = g27.and_not(g2);
        let g33 = g32.or(g28);
        let g34 = g10.and(g33);
        let g35 = g27.or(g25);
        let g36 = g35.and_not(g33);
        let g37 = g36.and_not(g21);
        let g38 = g8.xor(g37);
        let g39 = g15.xor(g25);
        let g40 = g39.xor(g0);
        let g41 = g40.and_not(g21);
        let g42 = g41.or(g15);
        let g43 = g42.xor(g20);
        let g44 = g43.xor(g34);
        [g40, g38, g44, g31]
    }

    /// 31 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s4<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = e.xor(c);
        let g1 = e.xor(d);
        let g2 = c.and_not(g1);
        let g3 = g0.and(g1);
        let g4 = g3.or(b);
        let g5 = g3.xor(d);
        let g6 = g4.xor(g0);
        let g7 = d.xor(b);
        let g8 = g2.or(g4);
        let g9 = g8.and_not(g5);
        let g10 = a.and_not(g9);
        let g11 = g9.xor(a);
        let g12 = g10.xor(g1);
        let g13 = g12.xor(g8);
        let g14 = g6.or(g12);
        let g15 = g14.and_not(g4);
        let g16 = g15.xor(g11);
        let g17 = g7.and(g16);
        let g18 = b.xor(g13);
        let g19 = g13.xor(g17);
        let g20 = g19.or(g5);
        let g21 = g20.xor(g6);
        let g22 = g21.xor(f);
        let g23 = g22.xor(g19);
        let g24 = f.and_not(g23);
        let g25 = g18.xor(g24);
        let g26 = g25.xor(g16);
        let g27 = g22.or(f);
        let g28 = g27.xor(g18);
        let g29 = g26.xor(g23);
        let g30 = g28.xor(g22);
        [g29, g26, g28, g30]
    }

    /// 55 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s5<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = f.xor(a);
        let g1 = d.and_not(b);
        let g2 = g1.xor(g0);
        let g3 = c.and_not(d);
        let g4 = d.and_not(f);
        let g5 = b.and_not(d);
        let g6 = g2.xor(c);
        let g7 = g4.xor(g6);
        let g8 = a.xor(e);
        let g9 = g8.xor(g7);
        let g10 = g7.or(b);
        let g11 = b.and_not(g3);
        let g12 = a.xor(c);
        let g13 = g12.and(g0);
        let g14 = g13.and_not(e);
        let g15 = g10.xor(g14);
        let g16 = g13.or(a);
        let g17 = a.or(g6);
        let g18 = g16.and_not(d);
        let g19 = g18.and(g15);
        let g20 = g16.and_not(c);
        let g21 = e.and_not(g20);
        let g22 = g21.xor(g6);
        let g23 = g5.xor(g22);
        let g24 = g10.xor(g9);
        let g25 = g24.and_not(f);
        let g26 = g16.and_not(g23);
        let g27 = c.and_not(g26);
        let g28 = g17.and(g2);
        let g29 = g25.xor(g17);
        let g30 = g29.xor(g3);
        let g31 = g30.xor(g27);
        let g32 = g31.and_not(e);
        let g33 = g11.xor(g32);
        let g34 = g33.xor(g13);
        let g35 = g34.xor(g28);
        let g36 = g34.and_not(g10);
        let g37 = g34.and_not(g2);
        let g38 = g37.and(g22);
        let g39 = g9.and_not(g38);
        let g40 = g39.or(g6);
        let g41 = g39.and(e);
        let g42 = g41.or(g36);
        let g43 = g42.xor(g16);
        let g44 = g39.and_not(g20);
        let g45 = g20.or(g3);
        let g46 = g44.xor(g12);
        let g47 = g43.and_not(g25);
        let g48 = g45.and_not(g47);
        let g49 = g43.xor(g5);
        let g50 = g46.and_not(g48);
        let g51 = g50.and_not(g19);
        let g52 = g19.xor(g22);
        let g53 = g40.xor(g51);
        let g54 = g53.xor(g23);
        [g54, g52, g49, g35]
    }

    /// 47 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s6<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = e.xor(a);
        let g1 = g0.xor(f);
        let g2 = f.and(a);
        let g3 = a.and_not(g1);
        let g4 = c.and_not(g3);
        let g5 = g4.xor(c);
        let g6 = g5.xor(b);
        let g7 = g6.xor(g1);
        let g8 = g0.xor(d);
        let g9 = g2.or(c);
        let g10 = g9.and_not(g6);
        let g11 = g8.xor(g10);
        let g12 = g11.and_not(e);
        let g13 = g12.xor(g6);
        let g14 = g13.and_not(c);
        let g15 = g0.and_not(g12);
        let g16 = g4.and_not(g15);
        let g17 = f.and_not(g12);
        let g18 = g17.xor(g3);
        let g19 = g14.or(g17);
        let g20 = g19.and_not(g2);
        let g21 = g14.xor(g8);
        let g22 = g8.xor(f);
        let g23 = g3.or(g22);
        let g24 = g20.xor(g0);
        let g25 = g23.and_not(g7);
        let g26 = g24.and(d);
        let g27 = g26.xor(g11);
        let g28 = g16.xor(g25);
        let g29 = g16.xor(g7);
        let g30 = g28.and(e);
        let g31 = g30.xor(g22);
        let g32 = g18.and(b);
        let g33 = g32.xor(g10);
        let g34 = g33.xor(g21);
        let g35 = d.and_not(g34);
        let g36 = g29.xor(g35);
        let g37 = g9.or(g0);
        let g38 = g37.and_not(b);
        let g39 = g9.xor(g0);
        let g40 = g31.and_not(g39);
        let g41 = g31.xor(g9);
        let g42 = g38.xor(g41);
        let g43 = g41.and_not(g18);
        let g44 = g40.or(g43);
        let g45 = f.and_not(g44);
        let g46 = g21.xor(g45);
        [g46, g36, g42, g27]
    }

    /// 50 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s7<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = b.xor(a);
        let g1 = f.and_not(g0);
        let g2 = c.and_not(f);
        let g3 = f.and_not(c);
        let g4 = g3.xor(d);
        let g5 = g4.xor(b);
        let g6 = g2.or(e);
        let g7 = g5.xor(g6);
        let g8 = g7.and(d);
        let g9 = g8.xor(b);
        let g10 = g1.or(g8);
        let g11 = g2.or(d);
        let g12 = g5.and_not(c);
        let g13 = g12.xor(g11);
        let g14 = g9.xor(g13);
        let g15 = f.and_not(g14);
        let g16 = g14.xor(e);
        let g17 = g16.xor(g2);
        let g18 = g17.and(e);
        let g19 = g11.and_not(g17);
        let g20 = g19.and_not(g10);
        let g21 = g20.xor(g9);
        let g22 = g21.xor(g11);
        let g23 = g22.or(d);
        let g24 = g23.xor(g18);
        let g25 = g24.xor(g3);
        let g26 = g23.xor(g19);
        let g27 = g23.xor(g7);
        let g28 = g27.and(g22);
        let g29 = g10.and_not(g28);
        let g30 = a.and_not(g25);
        let g31 = g15.xor(a);
        let g32 = g31.xor(g26);
        let g33 = g32.and(g15);
        let g34 = g33.xor(g12);
        let g35 = g34.and(g5);
        let g36 = g34.xor(g21);
        let g37 = g6.and_not(g36);
        let g38 = g26.or(a);
        let g39 = g38.and_not(g1);
        let g40 = g39.and_not(g32);
        let g41 = g39.or(g35);
        let g42 = g38.xor(g30);
        let g43 = g42.xor(g37);
        let g44 = g41.xor(g27);
        let g45 = g27.xor(a);
        let g46 = g45.xor(g30);
        let g47 = g29.xor(g44);
        let g48 = g47.xor(g40);
        let g49 = g48.xor(c);
        [g46, g44, g43, g49]
    }

    /// 45 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s8<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = c.xor(a);
        let g1 = g0.and_not(e);
        let g2 = g0.and(a);
        let g3 = g2.or(b);
        let g4 = g2.xor(d);
        let g5 = g4.or(c);
        let g6 = g5.and_not(e);
        let g7 = g1.or(d);
        let g8 = g7.xor(g6);
        let g9 = b.and_not(g8);
        let g10 = g4.or(e);
        let g11 = g10.xor(g9);
        let g12 = g11.xor(g0);
        let g13 = g4.xor(g1);
        let g14 = g3.and(g13);
        let g15 = g14.xor(c);
        let g16 = g14.and(a);
        let g17 = f.and_not(g16);
        let g18 = g4.and_not(a);
        let g19 = g9.xor(g18);
        let g20 = g15.xor(g19);
        let g21 = g20.xor(e);
        let g22 = g21.and_not(g20);
        let g23 = g21.and_not(b);
        let g24 = d.and_not(g23);
        let g25 = g22.xor(g24);
        let g26 = g23.xor(g19);
        let g27 = g26.and_not(b);
        let g28 = g26.xor(g13);
        let g29 = g27.xor(g7);
        let g30 = g28.xor(g17);
        let g31 = g29.and(f);
        let g32 = g31.or(g4);
        let g33 = g32.xor(g5);
        let g34 = g33.or(g9);
        let g35 = g25.and_not(g32);
        let g36 = g25.xor(g1);
        let g37 = g36.and_not(f);
        let g38 = g31.xor(g12);
        let g39 = f.and_not(g12);
        let g40 = g39.xor(g37);
        let g41 = g34.xor(g30);
        let g42 = g35.or(g40);
        let g43 = g41.xor(g38);
        let g44 = g43.xor(g42);
        [g40, g30, g44, g38]
    }

    /// 26 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn inverse_pair<W: Word>([a, b, c, d, e]: [W; 5]) -> [W; 4] {
        let g0 = c.not();
        let g1 = g0.and(d);
        let g2 = e.xor(d);
        let g3 = g2.and_not(a);
        let g4 = g3.or(g1);
        let g5 = g4.xor(b);
        let g6 = b.and(a);
        let g7 = g0.and_not(g6);
        let g8 = e.xor(c);
        let g9 = g7.or(g8);
        let g10 = g9.xor(g5);
        let g11 = g8.or(a);
        let g12 = g2.and_not(g10);
        let g13 = g12.and_not(g7);
        let g14 = g13.xor(e);
        let g15 = c.and_not(g12);
        let g16 = g12.xor(a);
        let g17 = g10.xor(g6);
        let g18 = g16.or(g17);
        let g19 = g15.xor(g17);
        let g20 = g19.xor(g11);
        let g21 = g18.xor(g0);
        let g22 = g21.xor(a);
        let g23 = g21.or(g6);
        let g24 = g14.and(g23);
        let g25 = g24.xor(g2);
        [g10, g20, g25, g22]
    }
}

/// Gates of three inputs: 199 for the boxes of DEA together.
pub(crate) mod three {
    use crate::lanes::Word;

    /// 27 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s1<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0xb6>(d, b, a);
        let g1 = W::lut::<0x87>(g0, f, c);
        let g2 = W::lut::<0x97>(g1, b, a);
        let g3 = W::lut::<0x96>(g2, d, a);
        let g4 = W::lut::<0x64>(g1, d, a);
        let g5 = W::lut::<0x68>(g3, g0, c);
        let g6 = W::lut::<0xc9>(g5, g1, f);
        let g7 = W::lut::<0x7a>(g4, g1, b);
        let g8 = W::lut::<0x61>(g4, e, c);
        let g9 = W::lut::<0x58>(g6, g8, e);
        let g10 = W::lut::<0x61>(g7, g3, e);
        let g11 = W::lut::<0x67>(g9, g3, f);
        let g12 = W::lut::<0xbe>(g11, e, b);
        let g13 = W::lut::<0xcf>(g12, g9, g8);
        let g14 = W::lut::<0xb6>(g10, g12, g1);
        let g15 = W::lut::<0xac>(g10, g7, g11);
        let g16 = W::lut::<0x9d>(g7, g1, e);
        let g17 = W::lut::<0xd8>(g15, g6, e);
        let g18 = W::lut::<0x91>(g16, g15, g8);
        let g19 = W::lut::<0x8d>(g13, g18, c);
        let g20 = W::lut::<0xca>(g17, g8, c);
        let g21 = W::lut::<0x1e>(g20, g10, g16);
        let g22 = W::lut::<0x69>(g19, g16, b);
        let g23 = W::lut::<0xe4>(g22, g21, f);
        let g24 = W::lut::<0x43>(g23, g19, e);
        let g25 = W::lut::<0x96>(g24, g17, b);
        let g26 = W::lut::<0x72>(g25, g14, f);
        [g26, g23, g19, g17]
    }

    /// 26 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s2<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x95>(e, d, b);
        let g1 = W::lut::<0x69>(e, d, a);
        let g2 = W::lut::<0x6c>(g1, g0, a);
        let g3 = W::lut::<0xb6>(e, c, a);
        let g4 = W::lut::<0x8c>(g2, g3, d);
        let g5 = W::lut::<0x76>(g4, g0, d);
        let g6 = W::lut::<0xe4>(g5, g2, f);
        let g7 = W::lut::<0xb4>(g1, g0, c);
        let g8 = W::lut::<0x0e>(g0, g1, e);
        let g9 = W::lut::<0x6d>(g3, g8, f);
        let g10 = W::lut::<0x59>(g8, d, c);
        let g11 = W::lut::<0xa8>(g8, e, c);
        let g12 = W::lut::<0xe4>(g4, g1, b);
        let g13 = W::lut::<0x39>(g10, g1, b);
        let g14 = W::lut::<0x4e>(g6, g12, a);
        let g15 = W::lut::<0x69>(g10, g14, b);
        let g16 = W::lut::<0xd8>(g15, g9, f);
        let g17 = W::lut::<0xd8>(g14, g9, b);
        let g18 = W::lut::<0x78>(g17, g7, b);
        let g19 = W::lut::<0xe4>(g7, g12, f);
        let g20 = W::lut::<0xd8>(g18, g6, c);
        let g21 = W::lut::<0x26>(g13, g16, g4);
        let g22 = W::lut::<0xd8>(g21, g13, e);
        let g23 = W::lut::<0x7d>(g22, g14, e);
        let g24 = W::lut::<0x2c>(g23, g11, g6);
        let g25 = W::lut::<0xd8>(g22, g24, f);
        [g16, g19, g20, g25]
    }

    /// 25 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s3<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x69>(f, e, c);
        let g1 = W::lut::<0xac>(e, d, c);
        let g2 = W::lut::<0x85>(g0, e, b);
        let g3 = W::lut::<0x8f>(f, c, b);
        let g4 = W::lut::<0x96>(g1, f, b);
        let g5 = W::lut::<0x9c>(g3, g2, d);
        let g6 = W::lut::<0xe4>(g5, g4, a);
        let g7 = W::lut::<0x62>(g5, g0, g4);
        let g8 = W::lut::<0xe5>(g7, g1, c);
        let g9 = W::lut::<0x6a>(g6, g7, f);
        let g10 = W::lut::<0x96>(g4, c, a);
        let g11 = W::lut::<0x9c>(g10, d, c);
        let g12 = W::lut::<0x63>(g9, g4, e);
        let g13 = W::lut::<0xe2>(g12, g11, g0);
        let g14 = W::lut::<0x59>(g0, g3, d);
        let g15 = W::lut::<0x4b>(g14, g3, g2);
        let g16 = W::lut::<0xd8>(g15, g14, e);
        let g17 = W::lut::<0xb8>(g8, g9, d);
        let g18 = W::lut::<0xdc>(g13, g15, g2);
        let g19 = W::lut::<0x3c>(g18, g8, g7);
        let g20 = W::lut::<0x20>(g17, g13, g15);
        let g21 = W::lut::<0xf1>(g20, g17, g7);
        let g22 = W::lut::<0x86>(g20, g10, d);
        let g23 = W::lut::<0xd8>(g19, g13, a);
        let g24 = W::lut::<0x8d>(g21, g16, a);
        [g24, g22, g23, g6]
    }

    /// 19 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s4<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0xa9>(e, d, b);
        let g1 = W::lut::<0x9c>(g0, e, d);
        let g2 = W::lut::<0xb4>(g1, c, b);
        let g3 = W::lut::<0xbc>(g2, e, a);
        let g4 = W::lut::<0xd8>(g2, g0, c);
        let g5 = W::lut::<0x96>(g0, c, a);
        let g6 = W::lut::<0xd8>(g3, g5, b);
        let g7 = W::lut::<0x49>(g4, g1, g5);
        let g8 = W::lut::<0xd8>(g6, g7, d);
        let g9 = W::lut::<0x96>(g3, d, a);
        let g10 = W::lut::<0x72>(g9, g2, g1);
        let g11 = W::lut::<0x94>(g9, g4, g0);
        let g12 = W::lut::<0xd8>(g10, g4, a);
        let g13 = W::lut::<0x87>(g7, g12, g3);
        let g14 = W::lut::<0x9c>(g11, g13, a);
        let g15 = W::lut::<0xb1>(g8, g12, f);
        let g16 = W::lut::<0xd8>(g8, g12, f);
        let g17 = W::lut::<0xd8>(g14, g11, f);
        let g18 = W::lut::<0x4e>(g14, g11, f);
        [g17, g18, g16, g15]
    }

    /// 27 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s5<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0xb6>(e, c, a);
        let g1 = W::lut::<0x69>(g0, f, b);
        let g2 = W::lut::<0x65>(e, c, a);
        let g3 = W::lut::<0xe4>(g2, g0, f);
        let g4 = W::lut::<0x1a>(g1, g2, c);
        let g5 = W::lut::<0xd9>(g3, f, c);
        let g6 = W::lut::<0x92>(g5, g0, e);
        let g7 = W::lut::<0x6a>(g6, g2, b);
        let g8 = W::lut::<0x6d>(g0, g2, f);
        let g9 = W::lut::<0xcb>(g8, g1, g2);
        let g10 = W::lut::<0xb4>(g9, g5, e);
        let g11 = W::lut::<0x58>(g6, g10, g0);
        let g12 = W::lut::<0x8d>(g11, g6, b);
        let g13 = W::lut::<0x36>(g12, g8, g3);
        let g14 = W::lut::<0x4f>(g13, e, a);
        let g15 = W::lut::<0xd8>(g14, g7, e);
        let g16 = W::lut::<0x4e>(g14, g8, b);
        let g17 = W::lut::<0x27>(g4, g3, b);
        let g18 = W::lut::<0xb1>(g12, g17, d);
        let g19 = W::lut::<0x52>(g18, g9, f);
        let g20 = W::lut::<0x38>(g19, g15, g5);
        let g21 = W::lut::<0x4a>(g20, g18, g0);
        let g22 = W::lut::<0xad>(g21, g4, g12);
        let g23 = W::lut::<0xb8>(g22, g11, g3);
        let g24 = W::lut::<0xe4>(g21, g10, d);
        let g25 = W::lut::<0xd8>(g23, g1, d);
        let g26 = W::lut::<0xd8>(g16, g15, d);
        [g24, g25, g26, g18]
    }

    /// 25 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s6<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x69>(e, d, a);
        let g1 = W::lut::<0xb2>(d, b, a);
        let g2 = W::lut::<0x8d>(g1, d, a);
        let g3 = W::lut::<0xe4>(g2, g1, e);
        let g4 = W::lut::<0x96>(g0, f, b);
        let g5 = W::lut::<0x1e>(g4, g2, g0);
        let g6 = W::lut::<0xc9>(g5, g2, e);
        let g7 = W::lut::<0xe4>(g3, g0, f);
        let g8 = W::lut::<0x43>(g7, g4, f);
        let g9 = W::lut::<0x72>(g8, g5, e);
        let g10 = W::lut::<0x1e>(g9, d, a);
        let g11 = W::lut::<0xd8>(g10, g5, f);
        let g12 = W::lut::<0x86>(g11, e, a);
        let g13 = W::lut::<0xb1>(g12, g0, g1);
        let g14 = W::lut::<0xd8>(g13, g11, c);
        let g15 = W::lut::<0x86>(g11, g1, f);
        let g16 = W::lut::<0x96>(g12, g4, b);
        let g17 = W::lut::<0xb1>(g15, g16, e);
        let g18 = W::lut::<0xc7>(g17, g12, f);
        let g19 = W::lut::<0xe4>(g18, g4, d);
        let g20 = W::lut::<0x27>(g19, g16, g3);
        let g21 = W::lut::<0xe4>(g20, g19, c);
        let g22 = W::lut::<0x2a>(g12, g7, g6);
        let g23 = W::lut::<0xe4>(g22, g17, c);
        let g24 = W::lut::<0xd8>(g9, g7, c);
        [g24, g21, g23, g14]
    }

    /// 26 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s7<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x59>(f, c, b);
        let g1 = W::lut::<0x78>(e, d, b);
        let g2 = W::lut::<0x29>(g0, e, d);
        let g3 = W::lut::<0xfb>(g2, f, d);
        let g4 = W::lut::<0x71>(g3, g1, d);
        let g5 = W::lut::<0x3c>(g4, g0, c);
        let g6 = W::lut::<0xdc>(g5, g2, c);
        let g7 = W::lut::<0x94>(g5, f, c);
        let g8 = W::lut::<0x96>(g7, g5, g1);
        let g9 = W::lut::<0x86>(g8, g3, c);
        let g10 = W::lut::<0x8d>(g8, g1, g0);
        let g11 = W::lut::<0xd4>(g10, g6, g0);
        let g12 = W::lut::<0x2c>(g11, g9, g5);
        let g13 = W::lut::<0xb1>(g11, g10, d);
        let g14 = W::lut::<0x2d>(g13, g11, g7);
        let g15 = W::lut::<0xd8>(g12, g8, f);
        let g16 = W::lut::<0x9b>(g15, g1, d);
        let g17 = W::lut::<0x99>(g13, g16, g5);
        let g18 = W::lut::<0xc3>(g15, g3, g0);
        let g19 = W::lut::<0xbe>(g16, g12, g0);
        let g20 = W::lut::<0xb1>(g18, g12, a);
        let g21 = W::lut::<0xa7>(g19, g15, g8);
        let g22 = W::lut::<0xe4>(g6, g8, a);
        let g23 = W::lut::<0xe4>(g21, g13, a);
        let g24 = W::lut::<0x9e>(g17, g14, g22);
        let g25 = W::lut::<0xe4>(g24, g17, a);
        [g22, g23, g25, g20]
    }

    /// 24 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s8<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0xa9>(e, d, c);
        let g1 = W::lut::<0xa9>(g0, e, b);
        let g2 = W::lut::<0x69>(g1, f, d);
        let g3 = W::lut::<0xe1>(g2, g0, b);
        let g4 = W::lut::<0xd2>(g2, e, d);
        let g5 = W::lut::<0xd8>(g4, g3, a);
        let g6 = W::lut::<0x85>(g5, g1, g0);
        let g7 = W::lut::<0x73>(g6, g2, d);
        let g8 = W::lut::<0x96>(g7, f, e);
        let g9 = W::lut::<0x72>(g4, g3, e);
        let g10 = W::lut::<0x63>(g6, g4, f);
        let g11 = W::lut::<0x4e>(g10, g3, a);
        let g12 = W::lut::<0x96>(g11, g0, a);
        let g13 = W::lut::<0xd2>(g12, g5, d);
        let g14 = W::lut::<0xb9>(g13, g0, a);
        let g15 = W::lut::<0x2d>(g14, g1, d);
        let g16 = W::lut::<0x39>(g15, g5, e);
        let g17 = W::lut::<0x60>(g12, g8, g11);
        let g18 = W::lut::<0x21>(g17, g5, e);
        let g19 = W::lut::<0x5c>(g18, g9, g1);
        let g20 = W::lut::<0xe4>(g19, g8, a);
        let g21 = W::lut::<0xc9>(g17, g11, g6);
        let g22 = W::lut::<0x27>(g21, g16, f);
        let g23 = W::lut::<0xb1>(g13, g16, f);
        [g22, g11, g20, g23]
    }

    /// 13 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn inverse_pair<W: Word>([a, b, c, d, e]: [W; 5]) -> [W; 4] {
        let g0 = W::lut::<0x9b>(e, c, a);
        let g1 = W::lut::<0x15>(g0, e, d);
        let g2 = W::lut::<0x96>(e, d, a);
        let g3 = W::lut::<0x35>(g2, e, b);
        let g4 = W::lut::<0x96>(g3, g0, e);
        let g5 = W::lut::<0x19>(g2, g0, b);
        let g6 = W::lut::<0x71>(g2, g0, b);
        let g7 = W::lut::<0x9c>(g6, g3, c);
        let g8 = W::lut::<0x4b>(g5, g1, g4);
        let g9 = W::lut::<0x38>(g4, g7, c);
        let g10 = W::lut::<0xd7>(g1, g9, a);
        let g11 = W::lut::<0xc5>(g10, g4, c);
        let g12 = W::lut::<0x6d>(g10, g1, b);
        [g12, g7, g8, g11]
    }
}
