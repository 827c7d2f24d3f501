//! What the digits alone tell, without a key.

use serde_json::{Map, Value, json};
use sts_core::{Framing, Keyed, Rejection, Token, class};

use crate::describe::{TidReading, fields};

/// Looks at what was keyed: the published object.
///
/// `Authentic` for a class 1 token, which is not encrypted; `Encrypted` for a well-formed token of
/// class 0 or 2; else the result of a meter that takes twenty digits, with what is wrong.
#[must_use]
pub fn inspect(text: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("schema".into(), json!(1));
    let keyed = match Keyed::parse(text) {
        Ok(keyed) => keyed,
        Err(error) => return refused(object, text, "FormatError", &error.to_string()),
    };
    match keyed.frame_as(Framing::Sts20) {
        Ok(framed) => well_formed(object, framed.token()),
        Err(Rejection::OutOfRange) => {
            let error = "above 73786976294838206463, the largest token";
            refused(object, text, "FormatError", error)
        }
        Err(_) => {
            let error = format!("{} digits, expected 20", keyed.count());
            let mut object = refused(object, text, "LengthError", &error);
            object.insert("digits".into(), json!(keyed.count()));
            object.insert("framings".into(), json!(framings(&keyed)));
            object
        }
    }
}

fn refused(
    mut object: Map<String, Value>,
    text: &str,
    result: &str,
    error: &str,
) -> Map<String, Value> {
    object.insert("token".into(), json!(text.trim()));
    object.insert("result".into(), json!(result));
    object.insert("error".into(), json!(error));
    object
}

fn well_formed(mut object: Map<String, Value>, token: Token) -> Map<String, Value> {
    object.insert("token".into(), json!(token.to_string()));
    let class = token.class();
    if class.is_encrypted() {
        object.insert("result".into(), json!("Encrypted"));
        object.insert("token_class".into(), json!(class.bits()));
        return object;
    }
    let opened = token.open_without_key().map(sts_core::Opened::authenticate);
    match opened {
        Some(Ok(payload)) => {
            object.insert("result".into(), json!("Authentic"));
            object.extend(fields(&payload, &TidReading::default()));
        }
        Some(Err(rejection)) => {
            object.insert("result".into(), json!(rejection.code()));
            object.insert("token_class".into(), json!(class.bits()));
            object.insert("error".into(), json!("the check of a class 1 token does not hold"));
        }
        None => {
            object.insert("result".into(), json!("FunctionError"));
            object.insert("token_class".into(), json!(class.bits()));
            object.insert("error".into(), json!("class 3 is reserved"));
        }
    }
    object
}

/// Every form the digits fit, with the token inside and what they claim.
fn framings(keyed: &Keyed) -> Vec<Value> {
    keyed
        .fitting()
        .iter()
        .map(|framing| {
            let mut found = Map::new();
            found.insert("framing".into(), json!(framing.name()));
            if let Ok(framed) = keyed.frame_as(framing) {
                found.insert("token".into(), json!(framed.token().to_string()));
                if let Some(claims) = framed.claims() {
                    found.insert("claimed_krn".into(), json!(claims.key_revision));
                    found.insert("claimed_resource".into(), json!(claims.resource));
                    if claims.resource < 8 {
                        let name = class::name(sts_core::Class::Credit, claims.resource);
                        found.insert("claimed_name".into(), json!(name));
                    }
                }
                if framing.is_unverified() {
                    found.insert("unverified".into(), json!(true));
                }
            } else if framing == Framing::DupGroup
                && let Some(token) = keyed.without_doubled_group()
            {
                found.insert("token".into(), json!(token.to_string()));
            }
            Value::Object(found)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_1_token_is_the_published_line() {
        let line = serde_json::to_string(&inspect("1844 6744 0738 4377 2416")).unwrap();
        assert_eq!(
            line,
            r#"{"schema":1,"token":"18446744073843772416","result":"Authentic","token_class":1,"subclass":0,"name":"InitiateMeterTest/Display","control":"000000008","mfr_code":0,"tests":[4],"meaning":"show key revision number and key type"}"#
        );
    }

    #[test]
    fn other_entries_say_what_is_wrong() {
        for (text, result, says) in [
            ("1234567890123456789", "LengthError", "19 digits"),
            ("73786976294838206464", "FormatError", "largest token"),
            ("1844674407384377241O", "FormatError", "character 20 is 'O'"),
            ("１8446744073843772416", "FormatError", "character 1 is '１'"),
            ("1.8446744073843772E+19", "FormatError", "character 19 is 'E'"),
            ("18446744073843772417", "CRCError", "check"),
        ] {
            let object = inspect(text);
            assert_eq!(object["result"], result, "{text}");
            assert!(object["error"].as_str().unwrap().contains(says), "{object:?}");
        }
        let long = inspect("184467440738437724162819");
        assert_eq!(long["framings"][0]["claimed_krn"], 2);
        assert_eq!(inspect("65888845143544128525")["result"], "Encrypted");
    }
}
