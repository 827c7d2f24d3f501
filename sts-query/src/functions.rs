//! What keys, profiles and beliefs say of columns.

use std::path::Path;

use arrow::array::{Array, StringArray, StringBuilder, StructArray};
use sha2::{Digest, Sha256};
use sts_harness::case::Case;
use sts_harness::diagnose::{Model, Settings};
use sts_harness::keys::KeyRing;
use sts_harness::verify::{Bulk, Fields, Verdict};

use crate::columns::{ColumnError, Text};
use crate::decode::Decoded;

/// The columns that say a token and its key, in the order of the functions' arguments. Those behind
/// the token may be missing from the end, or silent: then every value that the keys allow is tried.
pub const VERIFY_COLUMNS: [&str; 7] = ["token", "meter", "ea", "sgc", "krn", "ti", "kt"];

/// The result of a row: in the words of `sts verify`, or that a field cannot be read.
pub(crate) fn result(row: &Result<&Verdict<'_>, String>) -> &'static str {
    row.as_ref().map_or("FieldError", |verdict| verdict.result())
}

/// What the functions rest on: keys, profiles of meters, beliefs about causes.
#[derive(Debug)]
pub struct Functions {
    pub(crate) case: Case,
    pub(crate) settings: Settings,
}

impl Functions {
    /// Under the keys of a ring, with the built-in profiles and beliefs.
    ///
    /// # Errors
    ///
    /// What is wrong with a built-in profile, in words.
    pub fn new(keys: KeyRing) -> Result<Self, String> {
        Self::with(keys, &[], Model::default())
    }

    /// The same with profiles from files, each under the name that meters have it under, and with
    /// other beliefs.
    ///
    /// # Errors
    ///
    /// What is wrong with a profile, in words.
    pub fn with(keys: KeyRing, profiles: &[&str], model: Model) -> Result<Self, String> {
        let mut open = Case::new(keys);
        for profile in profiles {
            open.add_profile(profile, Path::new("."))?;
        }
        let settings = Settings { model, alone: true, ..Settings::default() };
        // Rows name profiles, and files they may not.
        Ok(Self { case: open.closed()?, settings })
    }

    /// What two holders compare, to know that they say the same of every row: 16 hexadecimal digits
    /// over the keys' fingerprints, the profiles, the beliefs and the version.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.case.keys.fingerprint());
        for profile in self.case.profiles() {
            digest.update(format!("{profile:?}\n"));
        }
        digest.update(format!("{:?}\n{}", self.settings.model, env!("CARGO_PKG_VERSION")));
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether each token authenticates: the words of `sts verify`, or `FieldError` where a field
    /// cannot be read. The columns are [`VERIFY_COLUMNS`]; null where there is no token.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] for a column that cannot be used.
    pub fn verify(&self, columns: &[&dyn Array]) -> Result<StringArray, ColumnError> {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut results = StringBuilder::with_capacity(rows, rows * 9);
        self.each(columns, |row| results.append_option(row.as_ref().map(result)))?;
        Ok(results.finish())
    }

    /// What each token says, with the fields of [`decoded_fields`](crate::decoded_fields). The
    /// columns are [`VERIFY_COLUMNS`].
    ///
    /// # Errors
    ///
    /// [`ColumnError`] for a column that cannot be used.
    pub fn decode(&self, columns: &[&dyn Array]) -> Result<StructArray, ColumnError> {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut decoded = Decoded::new(rows);
        self.each(columns, |row| decoded.push(row))?;
        Ok(decoded.finish())
    }

    /// Tells the verdict on every row in order; `None` where it has no token.
    fn each(
        &self,
        columns: &[&dyn Array],
        mut tell: impl FnMut(Option<Result<&Verdict<'_>, String>>),
    ) -> Result<(), ColumnError> {
        let mut texts = VERIFY_COLUMNS.map(|_| Text::Silent);
        for ((text, name), column) in texts.iter_mut().zip(VERIFY_COLUMNS).zip(columns) {
            *text = Text::of(name, *column)?;
        }
        let rows = columns.first().map_or(0, |column| column.len());
        let [token, meter, ea, sgc, krn, ti, kt] = &texts;
        let fields = |row| Fields {
            token: token.or_empty(row),
            meter: meter.or_empty(row),
            ea: ea.or_empty(row),
            sgc: sgc.or_empty(row),
            krn: krn.or_empty(row),
            ti: ti.or_empty(row),
            kt: kt.or_empty(row),
        };
        let mut row = 0;
        Bulk::new(&self.case.keys).fields((0..rows).map(fields), |verdict| {
            let is_there = token.get(row).is_some();
            row += 1;
            tell(is_there.then_some(verdict));
        });
        Ok(())
    }
}
