//! What a profile is made of.

use sts_core::{Framing, FramingSet, Keyed, NumberSet, Profile, Rejection, ResultSet, TokenResult};

#[test]
fn a_range_ends_at_63() {
    let all = NumberSet::range(0, 255);
    assert_eq!(NumberSet::range(0, 63), all);
    assert_eq!(NumberSet::range(1, 64), NumberSet::range(1, 63));
    assert!(!NumberSet::range(1, 64).contains(0));
    assert!((0..64).all(|number| all.contains(number)));
    assert!((64..=255).all(|number| !all.contains(number)));
    assert_eq!(NumberSet::range(9, 8), NumberSet::EMPTY);
}

#[test]
fn sets_hold_what_was_put_in_and_nothing_else() {
    let numbers = [0, 7, 63];
    let set: NumberSet = numbers.into_iter().collect();
    assert!((0..=255).all(|number| set.contains(number) == numbers.contains(&number)));

    for one in TokenResult::ALL {
        let set: ResultSet = [one].into_iter().collect();
        assert_eq!(set, ResultSet::EMPTY.with(one));
        assert!(TokenResult::ALL.into_iter().all(|other| set.contains(other) == (other == one)));
        assert!(ResultSet::ALL.contains(one));
        assert!(!ResultSet::EMPTY.contains(one));
    }
}

#[test]
fn digits_that_fit_two_framings_of_a_meter_are_refused() {
    let digits = "123456789012345678901234";
    let keyed = Keyed::parse(digits).unwrap();
    let framings = |all: &[Framing]| all.iter().fold(FramingSet::EMPTY, |set, it| set.with(*it));
    let frame =
        |all: &[Framing]| Profile { framings: framings(all), ..Profile::STANDARD }.frame(&keyed);
    assert!(frame(&[Framing::W24Suffix]).is_ok());
    assert!(frame(&[Framing::W24Prefix]).is_ok());
    let both = frame(&[Framing::W24Suffix, Framing::W24Prefix]);
    assert!(matches!(both, Err(Rejection::Length { .. })), "{both:?}");
}
