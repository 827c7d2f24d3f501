//! Profile `conlog-bec62-078`, made by `sts profiles emit`; not to be edited.
//! Where it comes from: maker-manual.

/// Firmware `08`.
#[rustfmt::skip]
pub static CONLOG_BEC62_078_08: sts_core::Profile<'static> = sts_core::Profile {
    framings: sts_core::FramingSet::EMPTY.with(sts_core::Framing::Sts20),
    resources: sts_core::NumberSet::from_bits(0x1),
    tests: sts_core::NumberSet::from_bits(0x7ffff),
    management: sts_core::NumberSet::from_bits(0x0),
    key_change_sets: sts_core::NumberSet::from_bits(0x4),
    section_order: sts_core::SectionOrder::Any,
    section_window_s: None,
    lockout: None,
    register_max: None,
    checks_expiry: true,
    display: &[
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::Accept), only_pending: false, show: "1", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::FirstKct), only_pending: false, show: "2", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::SecondKct), only_pending: false, show: "3", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::OverflowError), only_pending: false, show: "4", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::KeyTypeError), only_pending: false, show: "5", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::FormatError), only_pending: false, show: "6", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::RangeError), only_pending: false, show: "7", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::FunctionError), only_pending: false, show: "8", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::OldError), only_pending: false, show: "9", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::UsedError), only_pending: false, show: "10", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::KeyExpiredError), only_pending: false, show: "11", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::DdtkError), only_pending: false, show: "12", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::CrcError), only_pending: false, show: "13", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::MfrCodeError), only_pending: false, show: "14", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::Lockout), only_pending: false, show: "15", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::EMPTY.with(sts_core::TokenResult::NotReady), only_pending: false, show: "16", basis: sts_core::Basis::Documented },
        sts_core::DisplayRule { on: sts_core::ResultSet::ALL, only_pending: false, show: "{result}", basis: sts_core::Basis::Example },
    ],
};
