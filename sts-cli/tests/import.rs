//! A utility's records: the same data in every form comes to the same verdicts.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::write::SimpleFileOptions;

/// Rows as text under the names of their columns.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Of a file that the simulation wrote, in which nothing is quoted.
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a file");
        assert!(!text.contains('"'));
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
        Self { header: lines.next().expect("a header"), rows: lines.collect() }
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).expect("a column")
    }

    /// Some columns under other names, of the rows in which one is not empty.
    fn with_columns(&self, names: &[(&str, &str)], filled: &str) -> Self {
        let places: Vec<usize> = names.iter().map(|(name, _)| self.column(name)).collect();
        let filled = self.column(filled);
        let rows = self.rows.iter().filter(|row| !row[filled].is_empty());
        Self {
            header: names.iter().map(|(_, name)| (*name).to_owned()).collect(),
            rows: rows.map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect(),
        }
    }

    fn delimited(&self, delimiter: &str) -> Vec<u8> {
        let lines = std::iter::once(&self.header).chain(&self.rows);
        lines.map(|row| row.join(delimiter) + "\r\n").collect::<String>().into_bytes()
    }

    /// Amounts as numbers, the rest as text.
    fn ndjson(&self) -> Vec<u8> {
        let mut out = String::new();
        for row in &self.rows {
            let fields = self.header.iter().zip(row).filter(|(_, value)| !value.is_empty());
            let fields = fields.map(|(name, value)| {
                if is_amount(name) {
                    format!("{name:?}:{value}")
                } else {
                    format!("{name:?}:{value:?}")
                }
            });
            let _ = writeln!(out, "{{{}}}", fields.collect::<Vec<_>>().join(","));
        }
        out.into_bytes()
    }

    /// A workbook with one sheet; amounts are numbers, the rest is text in the cells.
    fn xlsx(&self) -> Vec<u8> {
        let mut sheet = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/\
                         main\"><sheetData>"
            .to_owned();
        for (number, row) in std::iter::once(&self.header).chain(&self.rows).enumerate() {
            let _ = write!(sheet, "<row r=\"{}\">", number + 1);
            for (name, value) in self.header.iter().zip(row) {
                let _ = match (value.is_empty(), number > 0 && is_amount(name)) {
                    (true, _) => write!(sheet, "<c/>"),
                    (_, true) => write!(sheet, "<c><v>{value}</v></c>"),
                    _ => write!(sheet, "<c t=\"inlineStr\"><is><t>{value}</t></is></c>"),
                };
            }
            sheet += "</row>";
        }
        sheet += "</sheetData></worksheet>";
        let mut book = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("xl/worksheets/sheet1.xml", &sheet),
        ] {
            book.start_file(name, SimpleFileOptions::default()).expect("a part");
            book.write_all(text.as_bytes()).expect("a part");
        }
        book.finish().expect("a workbook").into_inner()
    }

    /// Responses of a vending server in a log, one a row.
    fn xmlvend(&self) -> Vec<u8> {
        let mut log = String::new();
        for row in &self.rows {
            let get = |name: &str| row[self.column(name)].as_str();
            let meter = ["msno", "sgc", "krn", "ti"];
            let meter: Vec<String> = meter
                .iter()
                .filter(|name| !get(name).is_empty())
                .map(|name| format!("{name}=\"{}\"", get(name)))
                .collect();
            let kind = if get("at").is_empty() {
                String::new()
            } else {
                format!("<meterType at=\"{}\" tt=\"02\"/>", get("at"))
            };
            let amount = if get("amt").is_empty() {
                String::new()
            } else {
                format!("<amt value=\"{}\" symbol=\"R\"/>", get("amt"))
            };
            let units = if get("units").is_empty() {
                String::new()
            } else {
                format!("<units value=\"{}\" siUnit=\"{}\"/>", get("units"), get("siUnit"))
            };
            let _ = writeln!(
                log,
                "INFO sent <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r:creditVendResp \
                 xmlns:r=\"r\"><respDateTime>{}</respDateTime>\n<r:creditVendReceipt \
                 receiptNo=\"{}\"><r:transactions><r:tx>{amount}<r:creditTokenIssue>\
                 <meterDetail {}>{kind}</meterDetail>\n<token><stsCipher>{}</stsCipher></token>\
                 {units}</r:creditTokenIssue></r:tx></r:transactions></r:creditVendReceipt>\
                 </r:creditVendResp>",
                get("respDateTime"),
                get("receiptNo"),
                meter.join(" "),
                get("stsCipher"),
            );
        }
        log.into_bytes()
    }

    /// Amounts as doubles, the rest as text, in two groups of rows.
    #[cfg(feature = "parquet")]
    fn parquet(&self) -> Vec<u8> {
        use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
        use parquet::file::properties::WriterProperties;
        use parquet::file::writer::SerializedFileWriter;
        use std::sync::Arc;

        let columns = self.header.iter().map(|name| match is_amount(name) {
            true => format!("OPTIONAL DOUBLE {name};"),
            false => format!("OPTIONAL BYTE_ARRAY {name} (STRING);"),
        });
        let schema = format!("message t {{ {} }}", columns.collect::<String>());
        let schema = parquet::schema::parser::parse_message_type(&schema).expect("a schema");
        let settings = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), Arc::new(schema), settings).expect("a file");
        for rows in self.rows.chunks(self.rows.len() / 2 + 1) {
            let mut group = writer.next_row_group().expect("a group");
            for (place, name) in self.header.iter().enumerate() {
                let there: Vec<i16> =
                    rows.iter().map(|row| i16::from(!row[place].is_empty())).collect();
                let values = || rows.iter().map(|row| &row[place]).filter(|it| !it.is_empty());
                let mut column = group.next_column().expect("a column").expect("a column");
                if is_amount(name) {
                    let values: Vec<f64> =
                        values().map(|it| it.parse().expect("a number")).collect();
                    let column = column.typed::<DoubleType>();
                    column.write_batch(&values, Some(&there), None).expect("values");
                } else {
                    let values: Vec<ByteArray> =
                        values().map(|it| ByteArray::from(it.as_str())).collect();
                    let column = column.typed::<ByteArrayType>();
                    column.write_batch(&values, Some(&there), None).expect("values");
                }
                column.close().expect("a column");
            }
            group.close().expect("a group");
        }
        writer.into_inner().expect("a file")
    }
}

fn is_amount(name: &str) -> bool {
    matches!(name, "quantity" | "paid" | "units" | "amt")
}

const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sales" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// A folder with a simulated case in `case`.
fn simulated(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    sts(&folder, &["simulate", "small", "--out", "case"], &[0]);
    folder
}

/// What the tool prints; it must end with one of these statuses.
fn sts(folder: &Path, arguments: &[&str], statuses: &[i32]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary runs");
    let status = done.status.code().expect("an exit status");
    assert!(statuses.contains(&status), "{arguments:?}: {status}: {done:?}");
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// The verdicts of the simulated meters under the entries of an export.
fn verdicts(folder: &Path, name: &str, bytes: &[u8]) -> Vec<String> {
    std::fs::write(folder.join(name), bytes).expect("an export");
    let case = format!("of-{name}");
    std::fs::create_dir_all(folder.join(&case)).expect("a folder");
    for file in ["keys.toml", "meters.csv"] {
        std::fs::copy(folder.join("case").join(file), folder.join(&case).join(file))
            .expect("a file");
    }
    let said = sts(folder, &["import", name, "--out", &case, "--tz", "UTC"], &[0]);
    assert!(said.contains("rejected: 0"), "{name}: {said}");
    replay(folder, &case)
}

fn replay(folder: &Path, case: &str) -> Vec<String> {
    let out = format!("{case}.ndjson");
    sts(folder, &["replay", case, "--sort", "--out", &out], &[0, 1]);
    let text = std::fs::read_to_string(folder.join(out)).expect("verdicts");
    text.lines().map(str::to_owned).collect()
}

fn assert_same(name: &str, found: &[String], expected: &[String]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn records_in_every_form_come_to_the_verdicts_of_the_case() {
    let folder = simulated("forms");
    let table = Table::read(&folder.join("case/entries.csv"));
    let expected = replay(&folder, "case");
    assert!(expected.iter().any(|line| line.contains("krn.ahead")), "{expected:?}");
    for (name, bytes) in [
        ("all.csv", table.delimited(",")),
        ("all.tsv", table.delimited("\t")),
        ("all.ndjson", table.ndjson()),
        ("all.xlsx", table.xlsx()),
        #[cfg(feature = "parquet")]
        ("all.parquet", table.parquet()),
    ] {
        assert_same(name, &verdicts(&folder, name, &bytes), &expected);
    }
}

#[test]
fn sales_in_every_form_come_to_the_same_verdicts() {
    let folder = simulated("sales");
    let columns = [
        ("sold_at", "respDateTime"),
        ("id", "receiptNo"),
        ("drn", "msno"),
        ("sgc", "sgc"),
        ("krn", "krn"),
        ("ti", "ti"),
        ("ea", "at"),
        ("entered", "stsCipher"),
        ("quantity", "units"),
        ("unit", "siUnit"),
        ("paid", "amt"),
    ];
    let case = Table::read(&folder.join("case/entries.csv"));
    let mut sales = case.with_columns(&columns, "sold_at");
    // As a server's clock would have it, without a zone.
    let time = sales.column("respDateTime");
    for row in &mut sales.rows {
        row[time] = row[time].trim_end_matches('Z').to_owned();
    }
    let expected = verdicts(&folder, "sales.csv", &sales.delimited(","));
    assert!(expected.len() > 150 && expected.iter().any(|line| line.contains("sgc.mismatch")));
    for (name, bytes) in [
        ("sales.tsv", sales.delimited("\t")),
        ("semicolons.csv", sales.delimited(";")),
        ("sales.ndjson", sales.ndjson()),
        ("sales.xlsx", sales.xlsx()),
        ("sales.log", sales.xmlvend()),
        #[cfg(feature = "parquet")]
        ("sales.parquet", sales.parquet()),
    ] {
        assert_same(name, &verdicts(&folder, name, &bytes), &expected);
    }
}
