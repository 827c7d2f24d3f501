//! What the page is made of, all of it built in.

use std::sync::OnceLock;

use crate::texts::{self, Texts};

pub(super) const HTML: &str = include_str!("page/page.html");
pub(super) const STYLE: &str = include_str!("page/page.css");
pub(super) const SCRIPT: &str = include_str!("page/page.js");
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// The sentences of a language, by its code.
pub(super) fn texts(language: &str) -> Option<&'static Texts> {
    static OTHERS: OnceLock<[Texts; 2]> = OnceLock::new();
    let [afrikaans, sesotho] = OTHERS.get_or_init(|| {
        [
            texts::parse(include_str!("../../texts/af.toml")),
            texts::parse(include_str!("../../texts/st.toml")),
        ]
    });
    match language {
        "en" => Some(texts::english()),
        "af" => Some(afrikaans),
        "st" => Some(sesotho),
        _ => None,
    }
}
