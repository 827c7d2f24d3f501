//! Profile `standard`, made by `sts profiles emit`; not to be edited.
//! Where it comes from: example.

/// Firmware `1`.
#[rustfmt::skip]
pub static STANDARD_1: sts_core::Profile<'static> = sts_core::Profile {
    framings: sts_core::FramingSet::EMPTY.with(sts_core::Framing::Sts20),
    resources: sts_core::NumberSet::from_bits(0xff),
    tests: sts_core::NumberSet::from_bits(0x7ffff),
    management: sts_core::NumberSet::from_bits(0x0),
    key_change_sets: sts_core::NumberSet::from_bits(0x1c),
    section_order: sts_core::SectionOrder::Any,
    section_window_s: None,
    lockout: None,
    register_max: None,
    checks_expiry: true,
    display: &[
        sts_core::DisplayRule { on: sts_core::ResultSet::ALL, only_pending: false, show: "{result}", basis: sts_core::Basis::Documented },
    ],
};
