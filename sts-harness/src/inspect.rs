//! What a token says without a key.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sts_core::{Framing, Keyed, ParseTokenError, Rejection, Token};

use crate::describe::{self, TidReading};

/// What a form of 24 or more digits makes of them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FittingForm {
    /// The framing's name.
    pub framing: &'static str,
    /// The token inside, where the form has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The class of that token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_class: Option<u8>,
    /// The key revision that the entry claims, 0 where it claims none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_revision: Option<u8>,
    /// The class 0 subclass that the entry claims; 8 is no credit token, 9 is not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<u8>,
    /// Whether nothing vouches for this reading of the digits.
    pub unverified: bool,
}

/// What can be said of a token without a key, in the order of its schema.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// Version of the form; 1.
    pub schema: u8,
    /// Twenty digits where well-formed, else what was entered.
    pub token: String,
    /// `Authentic`, `Encrypted`, `CRCError`, `FunctionError`, `FormatError` or `LengthError`.
    pub result: &'static str,
    /// Class, and for an authentic token of class 1 every field.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// How many digits there are, where it is not twenty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<usize>,
    /// The forms that more than twenty digits fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub framings: Vec<FittingForm>,
    /// What is wrong, positions counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Inspection {
    fn new(token: String, result: &'static str) -> Self {
        Self {
            schema: 1,
            token,
            result,
            fields: Map::new(),
            digits: None,
            framings: Vec::new(),
            error: None,
        }
    }

    fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }
}

/// Looks at what was entered: twenty digits with separators anywhere between.
#[must_use]
pub fn inspect(text: &str) -> Inspection {
    let entered = text.trim();
    let token = match Token::parse(entered) {
        Ok(token) => token,
        Err(error @ ParseTokenError::Length { found }) => return lengthy(entered, found, error),
        Err(error) => {
            return Inspection::new(entered.to_owned(), "FormatError")
                .with_error(error.to_string());
        }
    };
    let digits = token.to_string();
    let class = token.class();
    let with_class = |result| {
        let mut inspection = Inspection::new(digits.clone(), result);
        inspection.fields.insert("token_class".into(), json!(class.bits()));
        inspection
    };
    match token.open_without_key().map(sts_core::Opened::authenticate) {
        Some(Ok(payload)) => Inspection {
            fields: describe::fields(&payload, &TidReading::default()),
            ..Inspection::new(digits, "Authentic")
        },
        Some(Err(_)) => with_class("CRCError").with_error(Rejection::Crc.to_string()),
        None if class.is_encrypted() => with_class("Encrypted"),
        None => with_class("FunctionError").with_error(Rejection::ReservedClass.to_string()),
    }
}

fn lengthy(entered: &str, count: usize, error: ParseTokenError) -> Inspection {
    let framings = Keyed::parse(entered).map(|keyed| forms(&keyed)).unwrap_or_default();
    Inspection {
        digits: Some(count),
        framings,
        ..Inspection::new(entered.to_owned(), "LengthError").with_error(error.to_string())
    }
}

fn forms(keyed: &Keyed) -> Vec<FittingForm> {
    let form = |framing: Framing| {
        let framed = keyed.frame_as(framing).ok();
        let first = || Token::from_digits(keyed.digits().first_chunk()?);
        let token = match framing {
            Framing::DupGroup => keyed.without_doubled_group(),
            Framing::Multi20 | Framing::Runon => first(),
            _ => framed.map(|framed| framed.token()),
        };
        let claims = framed.and_then(|framed| framed.claims());
        FittingForm {
            framing: framing.name(),
            token: token.map(|token| token.to_string()),
            token_class: token.map(|token| token.class().bits()),
            key_revision: claims.map(|claims| claims.key_revision),
            resource: claims.map(|claims| claims.resource),
            unverified: framing.is_unverified() || !framing.is_acceptable(),
        }
    };
    keyed.fitting().iter().map(form).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        serde_json::to_string(&inspect(text)).unwrap()
    }

    #[test]
    fn class_1_token_gives_the_golden_line() {
        let golden = r#"{"schema":1,"token":"18446744073843772416","result":"Authentic","token_class":1,"subclass":0,"name":"InitiateMeterTest/Display","control":"000000008","mfr_code":0,"tests":[4],"meaning":"show key revision number and key type"}"#;
        assert_eq!(line("18446744073843772416"), golden);
        assert_eq!(line("1844 6744-0738.4377_2416\n"), golden);
    }

    #[test]
    fn published_test_tokens_say_what_they_test() {
        let rows = [
            ("56493153725450313471", 0, 0, "fffffffff"),
            ("00000000000150997584", 0, 1, "000000001"),
            ("00000002199157475960", 0, 18, "000020000"),
            ("02305843005052951967", 1, 0, "fffffff"),
            ("01152921509036054672", 1, 1, "0000001"),
            ("01153484454694514832", 1, 18, "0020000"),
        ];
        for (token, subclass, test, control) in rows {
            let inspection = inspect(token);
            assert_eq!(inspection.result, "Authentic", "{token}");
            assert_eq!(inspection.fields["subclass"], json!(subclass), "{token}");
            assert_eq!(inspection.fields["tests"], json!([test]), "{token}");
            assert_eq!(inspection.fields["control"], json!(control), "{token}");
        }
        assert_eq!(inspect("02305843009347914912").fields["name"], json!("ExtendedTokenSet read"));
    }

    #[test]
    fn encrypted_token_tells_its_class_alone() {
        let golden =
            r#"{"schema":1,"token":"70630503470028726114","result":"Encrypted","token_class":0}"#;
        assert_eq!(line("7063 0503 4700 2872 6114"), golden);
    }

    #[test]
    fn refusals_have_their_names_and_reasons() {
        // One digit off a published test token; the class bits stay.
        let crc = inspect("18446744073843772417");
        assert_eq!((crc.result, &crc.fields["token_class"]), ("CRCError", &json!(1)));
        assert!(crc.error.is_some());
        let reserved = Token::from_class_and_block(sts_core::Class::Reserved, 5);
        let reserved = inspect(&reserved.to_string());
        assert_eq!(reserved.result, "FunctionError");
        assert_eq!(reserved.fields["token_class"], json!(3));
        let over = inspect("73786976294838206464");
        assert_eq!((over.result, over.fields.len()), ("FormatError", 0));
        assert_eq!(over.token, "73786976294838206464");
        let typed = inspect("1844 67x4 0738 4377 2416");
        assert_eq!(typed.result, "FormatError");
        assert_eq!(typed.error.unwrap(), "character 8 is 'x', expected a digit");
        let short = inspect("1844 6744 0738 4377 241");
        assert_eq!((short.result, short.digits), ("LengthError", Some(19)));
        assert!(short.framings.is_empty());
        assert_eq!(inspect("").result, "LengthError");
    }

    #[test]
    fn twenty_four_digits_list_their_forms() {
        let inspection = inspect("1844 6744 0738 4377 2416 2819");
        assert_eq!((inspection.result, inspection.digits), ("LengthError", Some(24)));
        let check = &inspection.framings[0];
        assert_eq!(check.framing, "w24-check");
        assert_eq!(check.token.as_deref(), Some("18446744073843772416"));
        assert_eq!((check.key_revision, check.resource), (Some(2), Some(8)));
        assert!(!check.unverified);
        let suffix = &inspection.framings[1];
        assert_eq!((suffix.framing, suffix.key_revision), ("w24-suffix", None));
        assert!(suffix.unverified);
        let doubled = inspect("1844 1844 6744 0738 4377 2416");
        let doubled = doubled.framings.iter().find(|form| form.framing == "dup-group").unwrap();
        assert_eq!(doubled.token.as_deref(), Some("18446744073843772416"));
        let forty = inspect(&"1".repeat(40));
        assert_eq!(forty.framings[0].framing, "multi20");
    }
}
