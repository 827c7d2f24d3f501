//! Which column of an export is which field of a case.

use std::fmt;

use crate::input::nearest;

macro_rules! fields {
    ($($variant:ident $name:literal [$($alias:literal)*] $about:literal,)*) => {
        /// A field that a column can be taken as.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Field {
            $(#[doc = $about] $variant,)*
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as in the files of a case where they have it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// Other names that exports give it, in small letters and digits alone.
            #[must_use]
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias,)*],)* }
            }
        }
    };
}

fields! {
    Id "id" [] "name of the row",
    Receipt "receipt" [
        "receiptno" "receiptnum" "receiptnumber" "rct" "reference" "referenceno" "msgid"
    ] "number of the receipt; the id where no column is one",
    EnteredAt "entered_at" ["entrytime" "keyedat"] "when it was keyed",
    SoldAt "sold_at" [
        "respdatetime" "time" "trandate" "createdat" "transactiondate" "transactiontime" "datetime"
        "timestamp" "saledate" "transdate"
    ] "when it was sold",
    SoldDate "sold_date" ["date"] "day of the sale, where the time is a column of its own",
    SoldTime "sold_time" [] "time of day of the sale",
    Pan "pan" ["meterpan"] "meter, 18 digits",
    Drn "drn" [
        "meter" "meterno" "meternumber" "meterid" "msno" "msn" "serial" "serialno" "serialnumber"
        "meterserial" "meterserialno" "meterserialnumber" "decoderreferencenumber"
    ] "meter, 11 or 13 digits",
    Iin "iin" [] "issuer of the meter's number",
    Entered "entered" [] "what was keyed",
    Kct1 "kct1" ["1stkct" "set1stmeterkey"] "first key-change token",
    Kct2 "kct2" ["2ndkct" "set2ndmeterkey"] "second key-change token",
    Kct3 "kct3" ["3rdkct" "set3rdmeterkey"] "third key-change token",
    Kct4 "kct4" ["4thkct" "set4thmeterkey"] "fourth key-change token",
    Token "token" [
        "stscipher" "tokendec" "tokenno" "tokennumber" "ststoken"
    ] "token that was sold",
    Quantity "quantity" ["transferamount" "scaledamount" "kwh" "units"] "quantity on the receipt",
    Unit "unit" ["siunit" "uom"] "its unit",
    Paid "paid" ["amt" "value" "vendingamount" "amount" "tenderamt"] "money paid",
    Sgc "sgc" [
        "supplygroupcode" "supplygroup" "supplygrpref" "tosgc" "fromsgc"
    ] "supply group code",
    Krn "krn" ["keyrevisionnum" "kr" "keyrev" "keyrevision" "keyrevisionnumber"] "key revision number",
    Ti "ti" ["tariffindex"] "tariff index",
    Kt "kt" ["keytype"] "key type",
    Ea "ea" ["at" "algorithmcode" "alg" "encryptionalgorithm"] "encryption algorithm",
    Ken "ken" ["keyexpiry" "keyexpirynumber"] "key expiry number",
    BaseDate "base_date" ["bdt"] "base date of the meter's key",
    Displayed "displayed" ["display"] "what the meter showed",
    Event "event" [] "what happened, where it was no token",
    Value "value" [] "value of the event",
    Note "note" ["remark" "remarks" "comment"] "a note",
    Profile "profile" [] "profile of the meter",
    Firmware "firmware" [] "firmware of the meter",
    TidFloor "tid_floor" [] "what the meter's memory is filled with",
    TokenCarrier "tct" ["tt" "tokentechcode" "tokencarrier"] "token carrier; no place in a case",
    TokenType "token_type" ["tokentype"] "kind of token; no place in a case",
}

impl Field {
    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// Whether nothing in a case's files holds it.
    #[must_use]
    pub const fn is_unused(self) -> bool {
        matches!(self, Self::TokenCarrier | Self::TokenType)
    }

    /// Whether it is a token that was sold.
    #[must_use]
    pub const fn is_token(self) -> bool {
        matches!(self, Self::Token | Self::Kct1 | Self::Kct2 | Self::Kct3 | Self::Kct4)
    }

    const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column named by the user, and what to take it as.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Mapped {
    /// The column: its name, or `#` and its place from 1.
    pub column: String,
    /// The field; `None` leaves the column out.
    pub field: Option<Field>,
}

impl Mapped {
    /// From `column=field`; nothing or `-` behind the sign leaves the column out.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (column, name) = text
            .rsplit_once('=')
            .filter(|(column, _)| !column.trim().is_empty())
            .ok_or_else(|| format!("{text:?}, expected column=field"))?;
        let field = match name.trim() {
            "" | "-" => None,
            name => Some(field_named(name)?),
        };
        Ok(Self { column: column.trim().to_owned(), field })
    }

    fn is(&self, place: usize, name: &str) -> bool {
        let by_place = self.column.strip_prefix('#').and_then(|n| n.parse::<usize>().ok());
        by_place == Some(place + 1) || self.column == name || plain(&self.column) == plain(name)
    }
}

/// A field by its name.
///
/// # Errors
///
/// The names there are.
pub(super) fn field_named(name: &str) -> Result<Field, String> {
    Field::from_name(name).ok_or_else(|| {
        let names = || Field::ALL.iter().map(|field| field.name());
        match nearest(name, names()) {
            Some(near) => format!("{name:?} is no field; is {near:?} meant?"),
            None => format!("{name:?} is no field, expected one of: {}", list(names())),
        }
    })
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// A name in small letters and digits alone, as aliases are compared.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How well a name fits a field: the lower the better.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    /// The user says so.
    Said,
    /// It has the field's own name.
    Own,
    /// Another name of the field.
    Alias,
    /// The last part of a nested name is a name of the field.
    Last,
}

fn fit(name: &str) -> Option<(Field, Fit)> {
    let find = |name: &str| {
        let name = plain(name);
        let own = |field: &&Field| plain(field.name()) == name;
        let alias = |field: &&Field| field.aliases().contains(&name.as_str());
        let fields = Field::ALL.iter();
        fields.clone().find(own).map(|field| (*field, Fit::Own)).or_else(|| {
            let mut fields = fields;
            fields.find(alias).map(|field| (*field, Fit::Alias))
        })
    };
    find(name).or_else(|| {
        let (_, last) = name.rsplit_once('.')?;
        find(last).map(|(field, _)| (field, Fit::Last))
    })
}

/// How many names of a row are names of fields: how a header is told from a title.
pub(super) fn names_known(cells: &[String]) -> usize {
    cells.iter().filter(|name| fit(name.trim()).is_some()).count()
}

/// Which column each field is read from.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    /// The columns, as they are named.
    pub(super) names: Vec<String>,
    /// What each is taken as.
    pub(super) fields: Vec<Option<Field>>,
    /// Why a column that has a name of a field is not taken as it.
    pub(super) unused_for: Vec<Option<String>>,
    places: Vec<Option<usize>>,
}

impl Mapping {
    /// From the names of columns and what the user says.
    ///
    /// # Errors
    ///
    /// Two columns for one field, or a column named by the user that is not there.
    pub(super) fn new(names: &[String], said: &[Mapped]) -> Result<Self, String> {
        let mut fits: Vec<Option<(Field, Fit)>> = names.iter().map(|name| fit(name)).collect();
        let has = |wanted: &str| names.iter().any(|name| plain(name) == wanted);
        for (place, name) in names.iter().enumerate() {
            match plain(name).as_str() {
                // Without events, a value is money.
                "value" if !has("event") => fits[place] = Some((Field::Paid, Fit::Alias)),
                // A date beside a time: two halves of one.
                "time" if has("date") => fits[place] = Some((Field::SoldTime, Fit::Alias)),
                "date" if !has("time") => fits[place] = Some((Field::SoldAt, Fit::Alias)),
                _ => {}
            }
        }
        for mapped in said {
            let mut found = (0..names.len()).filter(|place| mapped.is(*place, &names[*place]));
            let Some(place) = found.next() else {
                let near = nearest(&mapped.column, names.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("is {near:?} meant?"),
                    None => format!("there are: {}", list(names.iter().map(String::as_str))),
                };
                return Err(format!("no column {:?} to map; {hint}", mapped.column));
            };
            if let Some(other) = found.next() {
                return Err(format!(
                    "column {:?} stands at {} and at {}, expected --map '#{}=field'",
                    mapped.column,
                    place + 1,
                    other + 1,
                    place + 1
                ));
            }
            fits[place] = mapped.field.map(|field| (field, Fit::Said));
        }
        let mut mapping = Self {
            names: names.to_vec(),
            fields: vec![None; names.len()],
            unused_for: vec![None; names.len()],
            places: vec![None; Field::ALL.len()],
        };
        for field in Field::ALL {
            mapping.choose(*field, &fits)?;
        }
        Ok(mapping)
    }

    fn choose(&mut self, field: Field, fits: &[Option<(Field, Fit)>]) -> Result<(), String> {
        let all: Vec<(Fit, usize)> = fits
            .iter()
            .enumerate()
            .filter_map(|(place, fits)| fits.filter(|fits| fits.0 == field).map(|f| (f.1, place)))
            .collect();
        let Some(best) = all.iter().map(|(fit, _)| *fit).min() else { return Ok(()) };
        let mut chosen = all.iter().filter(|(fit, _)| *fit == best).map(|(_, place)| *place);
        let first = chosen.next().unwrap_or_default();
        if let Some(second) = chosen.next() {
            let shown = |place: usize| {
                let name = &self.names[place];
                let twice = self.names.iter().filter(|other| *other == name).count() > 1;
                if twice { format!("{name:?} (#{})", place + 1) } else { format!("{name:?}") }
            };
            let example = match self.names.iter().filter(|n| **n == self.names[first]).count() {
                1 => self.names[first].clone(),
                _ => format!("#{}", first + 1),
            };
            return Err(format!(
                "columns {} and {} can both be {field} ({}), expected one: say --map '{example}={field}'",
                shown(first),
                shown(second),
                field.about(),
            ));
        }
        self.fields[first] = Some(field);
        self.places[field.place()] = Some(first);
        for (_, place) in all.iter().filter(|(_, place)| *place != first) {
            self.unused_for[*place] =
                Some(format!("{field} is taken from {:?}", self.names[first]));
        }
        Ok(())
    }

    /// The column of a field.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.places[field.place()]
    }

    /// The column's name, as it stands.
    pub(super) fn name(&self, field: Field) -> Option<&str> {
        self.place(field).map(|place| self.names[place].as_str())
    }

    /// Whether a column is read as the field.
    pub(super) fn has(&self, field: Field) -> bool {
        self.place(field).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(names: &[&str], said: &[&str]) -> Result<Mapping, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let said: Vec<Mapped> = said.iter().map(|said| Mapped::parse(said).unwrap()).collect();
        Mapping::new(&names, &said)
    }

    #[test]
    fn names_in_the_wild_are_known() {
        let taken = mapping(&["Meter No.", "KeyRevisionNum", "supply_group", "tokenDec"], &[]);
        let taken = taken.unwrap().fields;
        let wanted = [Field::Drn, Field::Krn, Field::Sgc, Field::Token].map(Some);
        assert_eq!(taken, wanted);
    }

    #[test]
    fn two_columns_for_one_field_are_both_named() {
        let error = mapping(&["msno", "meter_id", "token"], &[]).unwrap_err();
        assert!(error.contains("\"msno\"") && error.contains("\"meter_id\""), "{error}");
        let error = mapping(&["amount", "amount"], &[]).unwrap_err();
        assert!(error.contains("(#1)") && error.contains("#1=paid"), "{error}");
        let chosen = mapping(&["msno", "meter_id", "token"], &["meter_id=drn"]).unwrap();
        assert_eq!(chosen.place(Field::Drn), Some(1));
        assert!(chosen.unused_for[0].as_deref().unwrap().contains("meter_id"));
    }

    #[test]
    fn own_names_come_first_and_values_are_money_without_events() {
        let taken = mapping(&["serial", "drn"], &[]).unwrap();
        assert_eq!(taken.place(Field::Drn), Some(1));
        assert!(mapping(&["value"], &[]).unwrap().has(Field::Paid));
        assert!(mapping(&["value", "event"], &[]).unwrap().has(Field::Value));
        let halves = mapping(&["Date", "Time"], &[]).unwrap();
        assert!(halves.has(Field::SoldDate) && halves.has(Field::SoldTime));
        assert!(mapping(&["Date"], &[]).unwrap().has(Field::SoldAt));
        let nested = mapping(&["meter.meterId", "serviceType"], &[]).unwrap();
        assert_eq!(nested.name(Field::Drn), Some("meter.meterId"));
    }

    #[test]
    fn wishes_that_cannot_be_met_say_what_there_is() {
        assert!(mapping(&["msno"], &["msn0=drn"]).unwrap_err().contains("\"msno\""));
        assert!(Mapped::parse("a=drm").unwrap_err().contains("\"drn\""));
        assert!(Mapped::parse("drn").unwrap_err().contains("column=field"));
        assert_eq!(Mapped::parse("x=-").unwrap().field, None);
        assert!(!mapping(&["msno"], &["msno="]).unwrap().has(Field::Drn));
    }
}
