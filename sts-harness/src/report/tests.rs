use proptest::prelude::*;

use super::Report;
use super::text::{redacted, safe};
use super::work_list::guarded;

fn is_well_formed(page: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[test]
fn numbers_are_redacted_whatever_stands_between() {
    for text in
        ["6942 2342 7626 5488 7585", "01202401012", "0120-2401-012", "1.2.3.4.5.6.7.8.9.0.1"]
    {
        assert_eq!(redacted(text), "[redacted]");
    }
    assert_eq!(redacted("sale 12 of 2024"), "sale 12 of 2024");
}

#[test]
fn no_cell_is_a_formula() {
    assert_eq!(guarded("=1+1".into()), "'=1+1");
    assert_eq!(guarded("plain".into()), "plain");
}

proptest! {
    #[test]
    fn any_title_makes_a_well_formed_page(title in any::<String>()) {
        let report = Report::new(&title);
        prop_assert!(is_well_formed(&report.page()));
        prop_assert_eq!(report.page(), Report::new(&title).page());
        prop_assert!(!safe(&title).contains(['<', '>', '"']));
    }
}
