//! Profile `mangaung-2024-reconstruction`, made by `sts profiles emit`; not to be edited.
//! Where it comes from: reconstruction.

/// Firmware `before`.
#[rustfmt::skip]
pub static MANGAUNG_2024_RECONSTRUCTION_BEFORE: sts_core::Profile<'static> = sts_core::Profile {
    framings: sts_core::FramingSet::EMPTY.with(sts_core::Framing::Sts20),
    resources: sts_core::NumberSet::from_bits(0x2),
    tests: sts_core::NumberSet::from_bits(0x7ffff),
    management: sts_core::NumberSet::from_bits(0x0),
    key_change_sets: sts_core::NumberSet::from_bits(0xc),
    section_order: sts_core::SectionOrder::Any,
    section_window_s: Some(600),
    lockout: Some(sts_core::LockoutRule { after: 5, durations_s: &[1800] }),
    register_max: None,
    checks_expiry: true,
    display: &[
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::Accept), only_pending: false, show: "ACCEPT", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::FirstKct).with(sts_core::TokenResult::SecondKct).with(sts_core::TokenResult::ThirdKct).with(sts_core::TokenResult::FourthKct), only_pending: false, show: "ACCEPT", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::CrcError).with(sts_core::TokenResult::LengthError), only_pending: false, show: "017", basis: sts_core::Basis::Hypothesis },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::UsedError), only_pending: false, show: "USED", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::OldError), only_pending: false, show: "OLD", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::ALL, only_pending: false, show: "Err {result}", basis: sts_core::Basis::Example },
    ],
};

/// Firmware `after`.
#[rustfmt::skip]
pub static MANGAUNG_2024_RECONSTRUCTION_AFTER: sts_core::Profile<'static> = sts_core::Profile {
    framings: sts_core::FramingSet::EMPTY.with(sts_core::Framing::Sts20).with(sts_core::Framing::W24Check),
    resources: sts_core::NumberSet::from_bits(0x2),
    tests: sts_core::NumberSet::from_bits(0x7ffff),
    management: sts_core::NumberSet::from_bits(0x0),
    key_change_sets: sts_core::NumberSet::from_bits(0x8),
    section_order: sts_core::SectionOrder::Any,
    section_window_s: Some(600),
    lockout: Some(sts_core::LockoutRule { after: 5, durations_s: &[1800] }),
    register_max: None,
    checks_expiry: true,
    display: &[
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::Accept), only_pending: false, show: "ACCEPT", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::FirstKct).with(sts_core::TokenResult::SecondKct).with(sts_core::TokenResult::ThirdKct).with(sts_core::TokenResult::FourthKct), only_pending: false, show: "ACCEPT", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::CrcError).with(sts_core::TokenResult::LengthError), only_pending: false, show: "017", basis: sts_core::Basis::Hypothesis },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::UsedError), only_pending: false, show: "USED", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::OldError), only_pending: false, show: "OLD", basis: sts_core::Basis::Borrowed },
        sts_core::DisplayRule { on: sts_core::ResultSet::ALL, only_pending: false, show: "Err {result}", basis: sts_core::Basis::Example },
    ],
};
