//! Circuits of S-boxes, found by `examples/circuits.rs` in 1 tries each.
//!
//! Generated: do not edit. The first input and the first output are the most
//! significant bit.

/// Gates of two inputs: 389 for the boxes of DEA together.
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

    /// 53 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s2<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = f.or(c);
        let g1 = b.and(g0);
        let g2 = f.xor(c);
        let g3 = g2.xor(e);
        let g4 = g1.xor(g3);
        let g5 = e.or(b);
        let g6 = g5.and(d);
        let g7 = g5.xor(a);
        let g8 = g4.xor(g6);
        let g9 = g8.or(b);
        let g10 = g9.xor(g7);
        let g11 = g10.and_not(f);
        let g12 = g11.xor(g2);
        let g13 = g12.and_not(g6);
        let g14 = g13.or(g3);
        let g15 = g13.and(f);
        let g16 = g14.or(g2);
        let g17 = g16.and_not(g12);
        let g18 = g15.xor(d);
        let g19 = f.and_not(g7);
        let g20 = g17.xor(g19);
        let g21 = a.and_not(g20);
        let g22 = g21.xor(g8);
        let g23 = g22.or(g19);
        let g24 = g23.and_not(e);
        let g25 = g24.xor(g12);
        let g26 = g18.xor(g7);
        let g27 = g22.or(g7);
        let g28 = g27.and(f);
        let g29 = g27.xor(g25);
        let g30 = g29.xor(d);
        let g31 = g30.and_not(g5);
        let g32 = g30.or(g18);
        let g33 = g28.and_not(b);
        let g34 = g33.xor(g25);
        let g35 = g31.xor(g34);
        let g36 = g34.and(g4);
        let g37 = g6.and_not(g36);
        let g38 = g14.and_not(g32);
        let g39 = g4.xor(g38);
        let g40 = g14.and(b);
        let g41 = g37.and_not(b);
        let g42 = g41.or(g40);
        let g43 = g33.xor(g42);
        let g44 = g37.and_not(c);
        let g45 = g39.xor(g44);
        let g46 = g45.and(b);
        let g47 = g26.xor(g46);
        let g48 = g47.and_not(g24);
        let g49 = g48.xor(g39);
        let g50 = g49.and(c);
        let g51 = g50.xor(g26);
        let g52 = g51.xor(g43);
        [g22, g47, g52, g35]
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

    /// 57 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s5<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = c.xor(a);
        let g1 = g0.xor(e);
        let g2 = g1.or(a);
        let g3 = g2.xor(d);
        let g4 = d.and_not(f);
        let g5 = g3.or(g4);
        let g6 = g5.and_not(a);
        let g7 = g6.xor(b);
        let g8 = g5.and(f);
        let g9 = g1.xor(g8);
        let g10 = g7.xor(f);
        let g11 = g7.and_not(e);
        let g12 = g11.xor(g9);
        let g13 = g12.and(a);
        let g14 = g10.or(g13);
        let g15 = g13.xor(g9);
        let g16 = g15.and_not(d);
        let g17 = g9.or(e);
        let g18 = g16.xor(g17);
        let g19 = g18.and(b);
        let g20 = g19.xor(g16);
        let g21 = g19.xor(g12);
        let g22 = g21.and(b);
        let g23 = g22.or(d);
        let g24 = g23.xor(g11);
        let g25 = b.and_not(g24);
        let g26 = g25.xor(g1);
        let g27 = g26.and(f);
        let g28 = g24.xor(g27);
        let g29 = g28.and(g12);
        let g30 = g28.xor(g15);
        let g31 = g30.or(g3);
        let g32 = g31.and(g20);
        let g33 = g32.xor(g22);
        let g34 = g30.and_not(e);
        let g35 = e.and_not(g28);
        let g36 = g35.xor(f);
        let g37 = c.and_not(g36);
        let g38 = g37.xor(g33);
        let g39 = g38.or(d);
        let g40 = g39.xor(g10);
        let g41 = g40.xor(g27);
        let g42 = g41.xor(g34);
        let g43 = g41.xor(g21);
        let g44 = g43.and(g15);
        let g45 = g44.xor(g14);
        let g46 = g43.xor(g18);
        let g47 = a.and_not(g46);
        let g48 = g47.xor(g29);
        let g49 = g45.xor(g9);
        let g50 = g49.or(g24);
        let g51 = g50.and_not(b);
        let g52 = g51.xor(g48);
        let g53 = g45.and(c);
        let g54 = g53.xor(g28);
        let g55 = g42.xor(c);
        let g56 = g55.xor(g38);
        [g56, g52, g21, g54]
    }

    /// 50 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s6<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = b.and_not(c);
        let g1 = g0.xor(f);
        let g2 = g1.xor(a);
        let g3 = c.and(a);
        let g4 = g2.or(g3);
        let g5 = c.or(a);
        let g6 = g5.xor(g4);
        let g7 = g4.and_not(g1);
        let g8 = g4.xor(b);
        let g9 = g8.xor(d);
        let g10 = g9.xor(g7);
        let g11 = g6.xor(g10);
        let g12 = g9.and(b);
        let g13 = g10.and(a);
        let g14 = g5.xor(g13);
        let g15 = g12.xor(g14);
        let g16 = f.and(a);
        let g17 = g1.and_not(g15);
        let g18 = c.and_not(g17);
        let g19 = g9.and_not(g18);
        let g20 = g16.xor(g19);
        let g21 = g20.or(c);
        let g22 = g13.or(f);
        let g23 = f.and(e);
        let g24 = g22.and(d);
        let g25 = g24.xor(g15);
        let g26 = g25.and(e);
        let g27 = g26.xor(g10);
        let g28 = g27.xor(g3);
        let g29 = g28.or(g15);
        let g30 = g29.or(g13);
        let g31 = g30.and(d);
        let g32 = g2.xor(e);
        let g33 = g32.xor(g22);
        let g34 = g29.and_not(g32);
        let g35 = g33.and_not(g3);
        let g36 = e.or(g20);
        let g37 = g31.xor(g36);
        let g38 = g37.xor(g2);
        let g39 = g21.xor(g38);
        let g40 = g39.and(d);
        let g41 = g40.and_not(g23);
        let g42 = g11.xor(g41);
        let g43 = g20.and_not(g40);
        let g44 = g35.xor(g42);
        let g45 = g42.xor(e);
        let g46 = g45.and_not(d);
        let g47 = g46.xor(g14);
        let g48 = g47.or(g43);
        let g49 = g34.xor(g48);
        [g38, g49, g28, g44]
    }

    /// 53 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s7<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = f.xor(d);
        let g1 = g0.xor(c);
        let g2 = g1.and(d);
        let g3 = b.and_not(g2);
        let g4 = d.and_not(c);
        let g5 = e.xor(c);
        let g6 = g5.xor(g3);
        let g7 = g5.and_not(d);
        let g8 = g4.xor(b);
        let g9 = g8.and_not(g6);
        let g10 = g9.or(g3);
        let g11 = g10.and_not(e);
        let g12 = g9.and(f);
        let g13 = g8.and_not(g0);
        let g14 = a.and_not(g12);
        let g15 = g11.xor(g14);
        let g16 = g1.and_not(g13);
        let g17 = g6.and_not(b);
        let g18 = g17.xor(g0);
        let g19 = g18.xor(g15);
        let g20 = g19.xor(g7);
        let g21 = g16.xor(g20);
        let g22 = g21.and_not(a);
        let g23 = g19.and(a);
        let g24 = g23.xor(g4);
        let g25 = g24.or(d);
        let g26 = g25.xor(g1);
        let g27 = g24.and(f);
        let g28 = g20.and_not(f);
        let g29 = g28.xor(g6);
        let g30 = g22.xor(g29);
        let g31 = g27.xor(g29);
        let g32 = g28.or(g17);
        let g33 = g32.xor(g30);
        let g34 = g19.xor(c);
        let g35 = g34.and(a);
        let g36 = g31.xor(g35);
        let g37 = g36.or(a);
        let g38 = g37.and_not(g18);
        let g39 = g37.xor(g17);
        let g40 = g39.or(c);
        let g41 = g40.and_not(g33);
        let g42 = g26.xor(g40);
        let g43 = g42.and_not(b);
        let g44 = g43.xor(g36);
        let g45 = g41.xor(a);
        let g46 = g41.xor(g11);
        let g47 = g46.or(c);
        let g48 = g47.xor(g20);
        let g49 = g48.xor(g38);
        let g50 = g45.xor(g34);
        let g51 = g50.and_not(d);
        let g52 = g51.xor(g49);
        [g44, g30, g52, g19]
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

    /// 29 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn inverse_pair<W: Word>([a, b, c, d, e]: [W; 5]) -> [W; 4] {
        let g0 = d.xor(a);
        let g1 = g0.and(c);
        let g2 = g1.xor(b);
        let g3 = g2.not();
        let g4 = g0.xor(e);
        let g5 = g0.xor(g3);
        let g6 = g1.and_not(g5);
        let g7 = e.and(a);
        let g8 = g7.or(g5);
        let g9 = g8.and_not(c);
        let g10 = g9.xor(g4);
        let g11 = g10.and(a);
        let g12 = g11.xor(g3);
        let g13 = g10.xor(g5);
        let g14 = g5.and_not(g12);
        let g15 = c.and_not(g14);
        let g16 = g13.or(e);
        let g17 = g16.and_not(g6);
        let g18 = g17.xor(g10);
        let g19 = g16.and_not(a);
        let g20 = g16.and_not(c);
        let g21 = g12.xor(g20);
        let g22 = g2.or(g13);
        let g23 = g2.and_not(g19);
        let g24 = d.and_not(g23);
        let g25 = g22.and_not(g15);
        let g26 = g22.and(e);
        let g27 = g24.xor(g26);
        let g28 = g25.xor(g19);
        [g21, g18, g27, g28]
    }
}

/// Gates of three inputs: 218 for the boxes of DEA together.
pub(crate) mod three {
    use crate::lanes::Word;

    /// 28 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s1<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x94>(f, e, d);
        let g1 = W::lut::<0xa7>(g0, e, c);
        let g2 = W::lut::<0x69>(g0, f, a);
        let g3 = W::lut::<0xe9>(g2, g0, e);
        let g4 = W::lut::<0x5c>(e, d, c);
        let g5 = W::lut::<0x16>(g4, g0, c);
        let g6 = W::lut::<0x69>(g3, g5, g4);
        let g7 = W::lut::<0xe1>(g2, g5, d);
        let g8 = W::lut::<0xc2>(g7, f, b);
        let g9 = W::lut::<0x5b>(g1, g6, a);
        let g10 = W::lut::<0x6c>(g6, g3, c);
        let g11 = W::lut::<0x87>(g9, g3, d);
        let g12 = W::lut::<0x8b>(g10, g7, g11);
        let g13 = W::lut::<0x3d>(g12, g11, g6);
        let g14 = W::lut::<0xe4>(g11, g6, a);
        let g15 = W::lut::<0xd8>(g13, g14, b);
        let g16 = W::lut::<0x9e>(g10, g9, b);
        let g17 = W::lut::<0x72>(g8, g16, e);
        let g18 = W::lut::<0x93>(g17, g1, d);
        let g19 = W::lut::<0x8b>(g18, g5, a);
        let g20 = W::lut::<0x1d>(g19, g9, g5);
        let g21 = W::lut::<0xe8>(g19, g14, g10);
        let g22 = W::lut::<0x72>(g21, g19, b);
        let g23 = W::lut::<0xb1>(g22, g17, c);
        let g24 = W::lut::<0x4d>(g20, g23, g10);
        let g25 = W::lut::<0x5a>(g24, g21, b);
        let g26 = W::lut::<0x1a>(g25, g17, g11);
        let g27 = W::lut::<0x39>(g26, g22, c);
        [g25, g23, g15, g27]
    }

    /// 28 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s2<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x69>(f, d, a);
        let g1 = W::lut::<0x43>(g0, e, a);
        let g2 = W::lut::<0xa4>(g1, f, d);
        let g3 = W::lut::<0xd8>(g2, g0, e);
        let g4 = W::lut::<0x4b>(g1, f, c);
        let g5 = W::lut::<0xc9>(f, c, a);
        let g6 = W::lut::<0xb4>(g5, e, d);
        let g7 = W::lut::<0xd8>(g6, g4, b);
        let g8 = W::lut::<0xe4>(g3, g4, b);
        let g9 = W::lut::<0x4b>(g8, g4, d);
        let g10 = W::lut::<0x96>(g4, f, b);
        let g11 = W::lut::<0xc6>(g8, g3, g10);
        let g12 = W::lut::<0xe4>(g5, g11, b);
        let g13 = W::lut::<0xbc>(g7, g10, b);
        let g14 = W::lut::<0x3c>(g13, g5, f);
        let g15 = W::lut::<0x72>(g9, g10, a);
        let g16 = W::lut::<0xd9>(g15, g12, g9);
        let g17 = W::lut::<0x69>(g16, f, d);
        let g18 = W::lut::<0x6a>(g17, g3, g10);
        let g19 = W::lut::<0xd8>(g14, g17, e);
        let g20 = W::lut::<0x97>(g18, g16, c);
        let g21 = W::lut::<0xe4>(g15, g8, c);
        let g22 = W::lut::<0x1e>(g7, g12, f);
        let g23 = W::lut::<0x1b>(g20, g22, e);
        let g24 = W::lut::<0x4e>(g23, g7, a);
        let g25 = W::lut::<0xa9>(g15, g24, g20);
        let g26 = W::lut::<0xd8>(g25, g18, a);
        let g27 = W::lut::<0xd8>(g26, g12, e);
        [g24, g19, g21, g27]
    }

    /// 29 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s3<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x1a>(f, d, b);
        let g1 = W::lut::<0xa5>(g0, b, a);
        let g2 = W::lut::<0x2d>(g1, f, d);
        let g3 = W::lut::<0xca>(e, g2, g1);
        let g4 = W::lut::<0x87>(g0, e, d);
        let g5 = W::lut::<0x6b>(g3, e, b);
        let g6 = W::lut::<0xc6>(g5, g3, g0);
        let g7 = W::lut::<0xd2>(g5, d, b);
        let g8 = W::lut::<0x59>(g7, g1, e);
        let g9 = W::lut::<0x97>(g2, e, a);
        let g10 = W::lut::<0x98>(g8, g4, g2);
        let g11 = W::lut::<0x6b>(g8, g2, b);
        let g12 = W::lut::<0xca>(b, g8, g9);
        let g13 = W::lut::<0x2d>(g12, g9, a);
        let g14 = W::lut::<0xca>(d, g13, g6);
        let g15 = W::lut::<0xca>(c, g12, g14);
        let g16 = W::lut::<0xd2>(g9, g7, f);
        let g17 = W::lut::<0xca>(c, g16, g11);
        let g18 = W::lut::<0xca>(a, g4, g7);
        let g19 = W::lut::<0xca>(c, g3, g18);
        let g20 = W::lut::<0x69>(f, e, d);
        let g21 = W::lut::<0x53>(e, d, c);
        let g22 = W::lut::<0xd6>(g21, g4, a);
        let g23 = W::lut::<0xca>(b, g22, g10);
        let g24 = W::lut::<0x69>(g21, f, b);
        let g25 = W::lut::<0x67>(g21, g3, f);
        let g26 = W::lut::<0xca>(a, g20, g25);
        let g27 = W::lut::<0xca>(c, g23, g26);
        let g28 = W::lut::<0xca>(a, g17, g24);
        [g27, g19, g15, g28]
    }

    /// 21 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s4<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0xb4>(d, c, b);
        let g1 = W::lut::<0x95>(g0, e, b);
        let g2 = W::lut::<0x38>(g0, e, b);
        let g3 = W::lut::<0x82>(g0, c, b);
        let g4 = W::lut::<0x56>(g2, g3, c);
        let g5 = W::lut::<0x13>(g4, g2, e);
        let g6 = W::lut::<0x61>(g5, g3, g1);
        let g7 = W::lut::<0x9e>(g6, g4, e);
        let g8 = W::lut::<0xd8>(g5, g4, a);
        let g9 = W::lut::<0xc7>(g8, g7, g1);
        let g10 = W::lut::<0xd8>(g7, g6, a);
        let g11 = W::lut::<0xeb>(g9, g6, g8);
        let g12 = W::lut::<0xb9>(g11, g6, a);
        let g13 = W::lut::<0xb1>(g10, g12, g5);
        let g14 = W::lut::<0x9c>(g11, g13, b);
        let g15 = W::lut::<0x69>(g14, g2, d);
        let g16 = W::lut::<0xa4>(g15, g11, g9);
        let g17 = W::lut::<0x72>(g10, g8, f);
        let g18 = W::lut::<0xe4>(g10, g8, f);
        let g19 = W::lut::<0x72>(g16, g14, f);
        let g20 = W::lut::<0xe4>(g16, g14, f);
        [g20, g19, g17, g18]
    }

    /// 29 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s5<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x65>(e, c, a);
        let g1 = W::lut::<0x6d>(g0, e, c);
        let g2 = W::lut::<0x69>(g1, f, b);
        let g3 = W::lut::<0x96>(g2, g0, b);
        let g4 = W::lut::<0x92>(g3, g0, c);
        let g5 = W::lut::<0x17>(g2, g1, g0);
        let g6 = W::lut::<0x4e>(g5, g4, b);
        let g7 = W::lut::<0xad>(g4, g1, g0);
        let g8 = W::lut::<0x83>(g7, g1, e);
        let g9 = W::lut::<0xe4>(g8, g7, b);
        let g10 = W::lut::<0xe4>(g9, g6, d);
        let g11 = W::lut::<0x2b>(g9, g3, a);
        let g12 = W::lut::<0x6a>(g8, g0, b);
        let g13 = W::lut::<0x69>(g12, g1, e);
        let g14 = W::lut::<0x6b>(g13, g8, f);
        let g15 = W::lut::<0xc7>(g10, g14, g1);
        let g16 = W::lut::<0x2f>(g15, g8, g1);
        let g17 = W::lut::<0xb0>(g16, g5, e);
        let g18 = W::lut::<0xe4>(g11, g15, b);
        let g19 = W::lut::<0x2d>(g15, g2, g3);
        let g20 = W::lut::<0xe9>(g11, g2, e);
        let g21 = W::lut::<0xe4>(g20, g13, f);
        let g22 = W::lut::<0x3c>(g14, g20, a);
        let g23 = W::lut::<0xe4>(g22, g19, a);
        let g24 = W::lut::<0x47>(g22, g21, g11);
        let g25 = W::lut::<0x27>(g24, g12, e);
        let g26 = W::lut::<0xd8>(g23, g2, d);
        let g27 = W::lut::<0x4e>(g25, g18, d);
        let g28 = W::lut::<0xd8>(g21, g17, d);
        [g28, g26, g27, g10]
    }

    /// 28 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s6<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x3e>(d, b, a);
        let g1 = W::lut::<0x69>(f, d, a);
        let g2 = W::lut::<0x69>(g1, e, b);
        let g3 = W::lut::<0x65>(g0, g1, f);
        let g4 = W::lut::<0xd4>(g2, g3, d);
        let g5 = W::lut::<0x8d>(g4, g3, e);
        let g6 = W::lut::<0x1b>(g5, g4, f);
        let g7 = W::lut::<0xe4>(g3, g2, e);
        let g8 = W::lut::<0xd8>(g6, g7, c);
        let g9 = W::lut::<0xe6>(g7, g1, f);
        let g10 = W::lut::<0x2e>(g7, e, c);
        let g11 = W::lut::<0xb6>(g10, g2, g3);
        let g12 = W::lut::<0x68>(g9, g2, e);
        let g13 = W::lut::<0x78>(g1, e, c);
        let g14 = W::lut::<0x98>(g13, g11, f);
        let g15 = W::lut::<0xb4>(g14, g13, a);
        let g16 = W::lut::<0x97>(g15, g13, d);
        let g17 = W::lut::<0x69>(g15, g10, d);
        let g18 = W::lut::<0x2c>(g5, g17, g1);
        let g19 = W::lut::<0xa2>(g17, g0, d);
        let g20 = W::lut::<0x1a>(g19, g17, g2);
        let g21 = W::lut::<0x4e>(g16, g11, b);
        let g22 = W::lut::<0x75>(g18, g11, d);
        let g23 = W::lut::<0x60>(g12, g22, g5);
        let g24 = W::lut::<0x85>(g23, g21, g14);
        let g25 = W::lut::<0xe5>(g24, g18, b);
        let g26 = W::lut::<0x95>(g24, g19, g12);
        let g27 = W::lut::<0x1b>(g26, g20, c);
        [g21, g27, g8, g25]
    }

    /// 27 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s7<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x61>(f, e, c);
        let g1 = W::lut::<0x89>(g0, f, d);
        let g2 = W::lut::<0xb6>(e, d, b);
        let g3 = W::lut::<0x6b>(g1, e, b);
        let g4 = W::lut::<0xda>(g2, g3, e);
        let g5 = W::lut::<0xd2>(g4, g0, c);
        let g6 = W::lut::<0x69>(g0, b, a);
        let g7 = W::lut::<0x1f>(g1, g6, c);
        let g8 = W::lut::<0xa9>(g7, g5, g0);
        let g9 = W::lut::<0x82>(g8, g1, f);
        let g10 = W::lut::<0x6c>(g9, g5, c);
        let g11 = W::lut::<0x8d>(g8, g6, d);
        let g12 = W::lut::<0xa3>(g5, g3, d);
        let g13 = W::lut::<0xf4>(g12, g5, e);
        let g14 = W::lut::<0xe4>(g13, g11, a);
        let g15 = W::lut::<0x66>(g14, g3, g6);
        let g16 = W::lut::<0xb8>(g15, g12, g0);
        let g17 = W::lut::<0x72>(g16, g5, e);
        let g18 = W::lut::<0x62>(g16, g2, a);
        let g19 = W::lut::<0xe8>(g8, g6, g2);
        let g20 = W::lut::<0x87>(g15, g12, b);
        let g21 = W::lut::<0x8d>(g20, g18, f);
        let g22 = W::lut::<0x96>(g10, g21, g8);
        let g23 = W::lut::<0x5e>(g22, g20, g12);
        let g24 = W::lut::<0x1b>(g23, g19, b);
        let g25 = W::lut::<0x99>(g17, g21, c);
        let g26 = W::lut::<0xe4>(g17, g10, a);
        [g14, g24, g26, g25]
    }

    /// 28 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn s8<W: Word>([a, b, c, d, e, f]: [W; 6]) -> [W; 4] {
        let g0 = W::lut::<0x4a>(f, e, d);
        let g1 = W::lut::<0x7c>(g0, c, b);
        let g2 = W::lut::<0x96>(e, d, b);
        let g3 = W::lut::<0x3b>(g1, f, e);
        let g4 = W::lut::<0x96>(g3, g1, g2);
        let g5 = W::lut::<0xa8>(g2, e, d);
        let g6 = W::lut::<0x46>(g4, c, b);
        let g7 = W::lut::<0xb2>(e, c, b);
        let g8 = W::lut::<0x61>(g4, f, c);
        let g9 = W::lut::<0x96>(g7, g5, f);
        let g10 = W::lut::<0x1e>(g8, g5, g9);
        let g11 = W::lut::<0x94>(g10, g7, d);
        let g12 = W::lut::<0x96>(g6, g11, a);
        let g13 = W::lut::<0xe4>(g11, g6, e);
        let g14 = W::lut::<0x99>(g13, g6, g0);
        let g15 = W::lut::<0xe4>(g14, g13, a);
        let g16 = W::lut::<0x99>(g15, g12, g0);
        let g17 = W::lut::<0xb2>(g13, g12, g4);
        let g18 = W::lut::<0x4e>(g9, g4, a);
        let g19 = W::lut::<0xd8>(g18, g9, b);
        let g20 = W::lut::<0x2b>(g18, g9, g4);
        let g21 = W::lut::<0x69>(g16, g7, g4);
        let g22 = W::lut::<0xb4>(g21, g19, d);
        let g23 = W::lut::<0xe4>(g16, g18, e);
        let g24 = W::lut::<0x6c>(g21, g14, e);
        let g25 = W::lut::<0x17>(g22, g24, g23);
        let g26 = W::lut::<0x8d>(g25, g22, f);
        let g27 = W::lut::<0xd8>(g17, g23, f);
        [g27, g20, g15, g26]
    }

    /// 14 gates.
    #[inline(always)]
    #[rustfmt::skip]
    pub(crate) fn inverse_pair<W: Word>([a, b, c, d, e]: [W; 5]) -> [W; 4] {
        let g0 = W::lut::<0x9d>(e, c, a);
        let g1 = W::lut::<0x67>(g0, e, b);
        let g2 = W::lut::<0x1e>(g1, g0, d);
        let g3 = W::lut::<0xc6>(d, c, a);
        let g4 = W::lut::<0x98>(g3, b, a);
        let g5 = W::lut::<0xf9>(g4, e, d);
        let g6 = W::lut::<0x7b>(e, d, a);
        let g7 = W::lut::<0x92>(g1, g3, g6);
        let g8 = W::lut::<0x3b>(g7, g5, e);
        let g9 = W::lut::<0x47>(g5, g2, a);
        let g10 = W::lut::<0xc3>(g9, c, a);
        let g11 = W::lut::<0x68>(g10, g7, b);
        let g12 = W::lut::<0xca>(g6, g2, b);
        let g13 = W::lut::<0x67>(g8, g11, g6);
        [g12, g13, g8, g10]
    }
}
