//! Exports, and entries as they stand in a case.

use super::Seed;

/// Options of a seed, by their bits.
const SORT: u16 = 1;
const DISTINCT: u16 = 1 << 1;
const ZEROS: u16 = 1 << 2;
const REJECT_DAMAGED: u16 = 1 << 3;
const DAY_FIRST: u16 = 1 << 4;
const MONTH_FIRST: u16 = 1 << 5;
const COMMA: u16 = 1 << 6;
const ZONE: u16 = 1 << 7;
const CONSTANTS: u16 = 1 << 8;
const TWO_REJECTS: u16 = 1 << 10;
const LATIN: u16 = 1 << 11;
const KEYS: u16 = 1 << 12;
const LITTLE_MEMORY: u16 = 1 << 13;
const NO_HEADER: u16 = 1 << 15;

const CSV: &str = include_str!("../../../sts-harness/tests/import/sales.csv");
const TSV: &[u8] = include_bytes!("../../../sts-harness/tests/import/sales.tsv");
const DAMAGED: &str = include_str!("../../../sts-harness/tests/import/damaged.csv");
const TWICE: &str = include_str!("../../../sts-harness/tests/import/twice.csv");
const NDJSON: &str = include_str!("../../../sts-harness/tests/import/sales.ndjson");
const XML: &str = include_str!("../../../sts-harness/tests/import/xmlvend/0001.xml");
const XLSX: &[u8] = include_bytes!("../../../sts-harness/tests/import/sales.xlsx");

pub(super) fn seeds() -> Vec<Seed> {
    let mut all = Vec::new();
    delimited(&mut all);
    json(&mut all);
    xmlvend(&mut all);
    workbooks(&mut all);
    entries(&mut all);
    all
}

fn export(target: &'static str, name: &str, options: u16, file: &[u8]) -> Seed {
    (target, name.to_owned(), [&options.to_le_bytes(), file].concat())
}

fn delimited(all: &mut Vec<Seed>) {
    let rows = |rows: &str| format!("meter,token,date,units\n{rows}");
    let row = "01202401012,69422342762654887585,2024-10-31 10:01,10.0\n";
    let utf16: Vec<u8> =
        [0xFEFF].into_iter().chain(rows(row).encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut push = |name: &str, options: u16, text: &str| {
        all.push(export("import_csv", name, options, text.as_bytes()));
    };
    push("semicolons-and-comma-decimals", ZONE, CSV);
    push("digits-a-spreadsheet-has-damaged", ZONE | ZEROS, DAMAGED);
    push("damaged-digits-rejected", ZONE | REJECT_DAMAGED, DAMAGED);
    push("rows-twice", ZONE | DISTINCT, TWICE);
    push("sorted-through-files", ZONE | SORT | LITTLE_MEMORY, CSV);
    push("settings-given-for-all", ZONE | CONSTANTS, &rows(row));
    push("settings-told-by-tokens", ZONE | KEYS, &rows(&row.repeat(3)));
    push("no-zone", 0, &rows(row));
    push("more-rejects-than-may-be", ZONE | TWO_REJECTS, &rows(&"x,y,z,\n".repeat(4)));
    push("no-header", ZONE | NO_HEADER, row);
    push("empty", 0, "");
    push("header-alone", 0, &rows(""));
    push("nul-bytes", ZONE, &rows("\0\0\0,\0,\0,\0\n"));
    push(
        "quoted-newline-in-note",
        ZONE,
        &format!(
            "meter,token,date,note\n01202401012,69422342762654887585,2024-10-31 10:01,\"two\nlines\"\n{row}"
        ),
    );
    push("quote-never-closed", ZONE, &rows(&format!("01202401012,\"6942,2024-10-31,10\n{row}")));
    push("carriage-returns-alone", ZONE, &rows(row).replace('\n', "\r"));
    push("formulas", ZONE, &rows("=1+1,@x,-2-3,+4\n=cmd|' /C calc'!A0,,,\n"));
    push(
        "day-and-month-in-doubt",
        ZONE,
        &rows("01202401012,69422342762654887585,03/04/2024 10:00,1\n"),
    );
    push(
        "day-first",
        ZONE | DAY_FIRST,
        &rows("01202401012,69422342762654887585,03/04/2024 10:00,1\n"),
    );
    push(
        "month-first",
        ZONE | MONTH_FIRST,
        &rows("01202401012,69422342762654887585,03/04/24 9:05 PM,1\n"),
    );
    push(
        "numbers-in-groups",
        ZONE | COMMA,
        &rows("01202401012,69422342762654887585,31.12.2024 10:00:01,\"1.234,5\"\n"),
    );
    push("numbers-of-days", ZONE, &rows("01202401012,69422342762654887585,45597.417,1\n"));
    push("exponents", ZONE, &rows("1.20E+09,6.94223E+19,2024-10-31 10:01,1E1\n"));
    push(
        "columns-that-changed-places",
        ZONE,
        &rows(&"69422342762654887585,01202401012,2024-10-31 10:01,1\n".repeat(3)),
    );
    push(
        "two-tokens-in-a-cell",
        ZONE,
        &rows("01202401012,69422342762654887585 04434137679179024103,2024-10-31 10:01,1\n"),
    );
    push("latin-1", ZONE | LATIN, &rows(row));
    all.push(export("import_csv", "tabs-and-latin-1", ZONE, TSV));
    all.push(export("import_csv", "utf-16", ZONE, &utf16));
    all.push(export(
        "import_csv",
        "not-utf-8",
        ZONE,
        &[rows(row).as_bytes(), b"\xE9,\xFF\xFE,,\n"].concat(),
    ));
}

fn json(all: &mut Vec<Seed>) {
    let mut push = |name: &str, options: u16, text: &str| {
        all.push(export("import_json", name, options, text.as_bytes()));
    };
    let first = NDJSON.lines().next().expect("a line");
    let lines: Vec<&str> = NDJSON.lines().take(3).collect();
    push("object-a-line", 0, NDJSON);
    push("array", 0, &format!("[{}]", lines.join(",\n")));
    push("array-cut-off", 0, &format!("[{},", lines.join(",\n")));
    push("line-that-is-no-object", 0, &format!("{first}\n[1]\n\"x\"\n{first}\n"));
    push("line-cut-off", 0, &format!("{first}\n{}\n", &first[..80]));
    push("names-that-come-late", 0, &format!("{{\"token\": \"1\"}}\n{first}\n"));
    push(
        "numbers-too-long",
        ZONE,
        "{\"meter\":1202401012,\"token\":69422342762654887585,\"date\":\"2024-10-31 10:01\",\"units\":1e400}\n",
    );
    push("deeply-nested", 0, &format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200)));
    push("surrogate-alone", ZONE, "{\"meter\":\"\\ud800\",\"token\":\"\\u0036\",\"date\":null}\n");
    push(
        "name-twice",
        ZONE,
        "{\"meter\":\"01202401012\",\"meter\":\"01202401020\",\"token\":\"1\"}\n",
    );
    push("empty-array", 0, "[]");
}

fn xmlvend(all: &mut Vec<Seed>) {
    let mut push = |name: &str, options: u16, text: &str| {
        all.push(export("import_xmlvend", name, options, text.as_bytes()));
    };
    push("one-message", ZONE, XML);
    push(
        "two-messages-of-a-log",
        ZONE,
        &format!("2024-10-31 10:01 out: {XML}\n2024-10-31 10:02 {XML}"),
    );
    push("cut-off", ZONE, &XML[..700]);
    push("ends-that-do-not-match", ZONE, &XML.replace("</ns2:token>", "</token>"));
    push("entities", ZONE, &XML.replace("R1001", "&lt;R&#49;001&amp;&quot;"));
    push("unknown-entity", ZONE, &XML.replace("R1001", "&whatever;"));
    push("document-type", ZONE, &format!("<!DOCTYPE x [<!ENTITY a \"b\">]>\n{}", &XML[39..]));
    push("no-token", ZONE, &XML.replace("69422342762654887585", ""));
    push("attribute-twice", ZONE, &XML.replace("krn=\"1\"", "krn=\"1\" krn=\"2\""));
    push("cdata", ZONE, &XML.replace("69422342762654887585", "<![CDATA[69422342762654887585]]>"));
    push("declared-as-latin-1", ZONE, &XML.replace("UTF-8", "ISO-8859-1"));
    push("no-message", ZONE, "<html><body>504</body></html>");
}

const SHEET: &str = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" t=\"inlineStr\"><is><t>date</t></is></c></row>\
<row r=\"2\"><c r=\"A2\"><v>1202401012</v></c><c r=\"B2\" t=\"str\"><v>69422342762654887585</v></c><c r=\"C2\" s=\"1\"><v>45596.417</v></c></row>\
</sheetData></worksheet>";
const TEXTS: &str = "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>meter</t></si><si><r><t>to</t></r><r><t>ken</t></r></si></sst>";
const STYLES: &str = "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm\"/></numFmts><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>";

fn workbooks(all: &mut Vec<Seed>) {
    all.push(export("import_xlsx", "workbook", ZONE, XLSX));
    all.push(export("import_xlsx", "workbook-cut-off", ZONE, &XLSX[..2000]));
    let mut push = |name: &str, options: u16, parts: &[&str]| {
        all.push(export("import_xlsx", name, options, parts.join("\0").as_bytes()));
    };
    push("parts", ZONE | ZEROS, &[SHEET, TEXTS, STYLES]);
    push("parts-without-texts", ZONE, &[SHEET]);
    push("text-that-is-not-there", ZONE, &[&SHEET.replace("<v>1</v>", "<v>99</v>"), TEXTS]);
    push("number-of-a-text-below-zero", ZONE, &[&SHEET.replace("<v>1</v>", "<v>-1</v>"), TEXTS]);
    push("column-far-out", ZONE, &[&SHEET.replace("r=\"B2\"", "r=\"XFD2\""), TEXTS, STYLES]);
    push("column-past-the-last", ZONE, &[&SHEET.replace("r=\"B2\"", "r=\"ZZZZZZ2\""), TEXTS]);
    push("row-past-the-last", ZONE, &[&SHEET.replace("\"B2\"", "\"B4294967296\""), TEXTS]);
    push("cells-out-of-order", ZONE, &[&SHEET.replace("r=\"C2\"", "r=\"A1\""), TEXTS, STYLES]);
    push("date-far-off", ZONE, &[&SHEET.replace("45596.417", "1e300"), TEXTS, STYLES]);
    push("date-that-is-no-number", ZONE, &[&SHEET.replace("45596.417", "NaN"), TEXTS, STYLES]);
    push(
        "error-and-truth",
        ZONE,
        &[&SHEET.replace("t=\"str\"", "t=\"e\"").replace("inlineStr", "b"), TEXTS],
    );
    push("sheet-cut-off", ZONE, &[&SHEET[..300], TEXTS]);
    push("nothing", 0, &["", "", "", ""]);
}

fn entries(all: &mut Vec<Seed>) {
    let header = "id,entered_at,drn,entered,note\n";
    let row = |n: u32| {
        format!("{n},2024-11-0{}T09:00:00Z,01202401012,6942 2342 7626 5488 7585,\n", 9 - n % 9)
    };
    let rows: String = (1..7).map(row).collect();
    let mut push = |name: &str, at: u16, text: String| {
        all.push(("entries", name.to_owned(), [&at.to_le_bytes(), text.as_bytes()].concat()));
    };
    let strange = [
        (
            "quoted-newline-in-note",
            format!("{header}1,2024-11-01T09:00:00Z,01202401012,6942,\"two\nlines\"\n{rows}"),
        ),
        ("quote-never-closed", format!("{header}1,2024-11-01T09:00:00Z,\"0120,6942,\n{rows}")),
        (
            "quote-closed-within-a-field",
            format!("{header}1,\"2024\"-11-01T09:00:00Z,0120,6942,\n{rows}"),
        ),
        ("quote-closed-lines-later", format!("{header}1,\"x\n{rows}\"y,z\n{rows}")),
        ("carriage-return-alone", format!("{header}1,2024,0120,6942,\"x\"\r{rows}")),
        ("carriage-return-alone-between-quotes", format!("{header}\"a\nb\"\r\"c\nd\"x\n{rows}")),
        ("carriage-return-at-the-end", format!("{header}{rows}1,\"x\"\r")),
        ("crlf", format!("{header}{rows}").replace('\n', "\r\n")),
        ("blank-lines", format!("\n\n{header}\n{rows}\n\n{rows}\n")),
        ("semicolons", format!("{header}{rows}").replace(',', ";")),
        ("byte-order-mark", format!("\u{FEFF}{header}{rows}")),
        ("no-line-end", format!("{header}{}", rows.trim_end())),
        ("too-many-fields", format!("{header}1,2,3,4,5,6,7\n{rows}")),
        ("formulas", format!("{header}=1,+2,@3,-4-5,\n{rows}")),
        (
            "rejects-read-again",
            format!("{},reject_line,reject_reason\n1,2024,0120,6942,,7,why\n", header.trim_end()),
        ),
        ("unknown-column", format!("id,entered_att\n{rows}")),
    ];
    for (name, text) in strange {
        push(&format!("{name}-across-blocks"), 40, text.clone());
        push(name, 0, text);
    }
    push("empty", 0, String::new());
    push("header-alone", 0, header.to_owned());
    let latin =
        [&[0, 0], header.as_bytes(), b"1,2024-11-01T09:00:00Z,01202401012,6942,caf\xE9\n"].concat();
    all.push(("entries", "not-utf-8".to_owned(), latin));
}
