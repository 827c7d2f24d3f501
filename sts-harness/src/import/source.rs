//! Files of any kind as rows of cells, one at a time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use encoding_rs::Encoding;

use super::columns::names_known;
use super::text::{Decoded, Lines, TextForm};
use super::{Options, delimited, json, sheet, xmlvend};
use crate::input::{InputError, Place};

/// A row as it stands in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct RawRow {
    /// The file, where it is one of several.
    pub(super) file: Option<Rc<str>>,
    /// Line or row, from 1.
    pub(super) line: u64,
    /// Its cells.
    pub(super) cells: Vec<String>,
    /// Why it is no row: the column where one is at fault, and words.
    pub(super) problem: Option<(Option<String>, String)>,
    /// The row as it was written, where cells do not say it all.
    pub(super) original: Option<String>,
}

/// Whether to go on reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flow {
    On,
    Stop,
}

/// Who takes the rows.
pub(super) type Each<'a> = &'a mut dyn FnMut(RawRow) -> Flow;

/// What kind of file it is, and how it is read.
#[derive(Debug)]
enum Kind {
    Delimited {
        text: TextForm,
        delimiter: u8,
    },
    Json {
        text: TextForm,
        array: bool,
    },
    Sheet {
        name: String,
        others: Vec<String>,
    },
    Xmlvend {
        files: Vec<PathBuf>,
        encoding: Option<&'static Encoding>,
    },
    #[cfg(feature = "parquet")]
    Parquet,
}

/// One export.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name, as the user gave it.
    pub(super) name: String,
    path: PathBuf,
    kind: Kind,
    /// The names of columns, where rows carry them; as far as rows were read.
    pub(super) names: Vec<String>,
    /// What was passed over in the last reading.
    pub(super) notes: Vec<String>,
}

/// How much of a file is looked at to tell what it is.
const HEAD: u64 = 4 << 20;

impl Source {
    /// The files and folders, each as it is to be read. Files in XML that follow each other are one
    /// source, as logs are.
    pub(super) fn all(paths: &[PathBuf], options: &Options) -> Result<Vec<Self>, InputError> {
        let mut sources: Vec<Self> = Vec::new();
        for path in paths {
            let mut files = Vec::new();
            walk(path, &mut files, 0)?;
            if files.is_empty() {
                let problem = "the folder holds no file, expected exports or logged messages";
                return Err(InputError::other(&path.display().to_string(), problem));
            }
            let folder = path.is_dir().then_some(path);
            for file in files {
                let source = Self::open(&file, options)?;
                let log = sources.last_mut().filter(|_| folder.is_some());
                match (log, source) {
                    (
                        Some(Self { kind: Kind::Xmlvend { files, .. }, name, .. }),
                        Self { kind: Kind::Xmlvend { files: mut more, .. }, .. },
                    ) if folder.is_some_and(|folder| *name == folder.display().to_string()) => {
                        files.append(&mut more);
                    }
                    (_, mut source) => {
                        if let (Some(folder), Kind::Xmlvend { .. }) = (folder, &source.kind) {
                            source.name = folder.display().to_string();
                        }
                        sources.push(source);
                    }
                }
            }
        }
        Ok(sources)
    }

    fn open(path: &Path, options: &Options) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let fail = |problem: &str| Err(InputError::other(&name, problem));
        let input = open_whole(path)?;
        let mut head = Vec::new();
        input
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(|error| InputError::unreadable(&name, &error.to_string()))?;
        let kind = match head.as_slice() {
            [b'P', b'K', 3 | 5, ..] => {
                let (sheet, others) = sheet::choose(path, options.sheet.as_deref())?;
                Kind::Sheet { name: sheet, others }
            }
            #[cfg(feature = "parquet")]
            [b'P', b'A', b'R', b'1', ..] => Kind::Parquet,
            #[cfg(not(feature = "parquet"))]
            [b'P', b'A', b'R', b'1', ..] => {
                return fail(
                    "is a Parquet file, which takes a build with the feature \"parquet\", expected \
                     CSV, JSON or XLSX",
                );
            }
            [0xD0, 0xCF, 0x11, 0xE0, ..] => {
                return fail(
                    "is a spreadsheet of the old kind (.xls) or one with a password, expected .xlsx \
                     without one, or CSV",
                );
            }
            [0x1F, 0x8B, ..] => return fail("is compressed (gzip), expected it unpacked"),
            b"" => return fail("the file is empty, expected a header and rows"),
            head => text_kind(head, options),
        };
        let mut source =
            Self { name, path: path.to_owned(), kind, names: Vec::new(), notes: Vec::new() };
        if let Kind::Xmlvend { files, .. } = &mut source.kind {
            files.push(path.to_owned());
        }
        Ok(source)
    }

    /// Gives every row, from the first.
    pub(super) fn for_each(&mut self, each: Each<'_>) -> Result<(), InputError> {
        self.names.clear();
        self.notes.clear();
        match &self.kind {
            Kind::Delimited { text, delimiter } => {
                let lines = lines(&self.path, *text)?;
                delimited::for_each(lines, *delimiter, text.is_utf8(), &self.name, each)
            }
            Kind::Json { text, array } => {
                let reader = decoded(&self.path, *text)?;
                json::for_each(reader, *text, *array, &self.name, &mut self.names, each)
            }
            Kind::Sheet { name, .. } => sheet::for_each(&self.path, name, each),
            Kind::Xmlvend { files, encoding } => {
                self.names = xmlvend::names();
                let (said, alone) = (*encoding, files.len() == 1);
                let mut passed = xmlvend::Passed::default();
                for path in files {
                    let mut head = Vec::new();
                    let name = path.display().to_string();
                    let read = open_file(path).and_then(|file| {
                        file.take(1024)
                            .read_to_end(&mut head)
                            .map_err(|error| InputError::unreadable(&name, &error.to_string()))
                    });
                    let text = TextForm::detect(&head, said.or_else(|| declared(&head)));
                    let done = read
                        .and_then(|_| decoded(path, text))
                        .and_then(|reader| xmlvend::for_each(reader, &name, each, &mut passed));
                    match done {
                        Ok(Flow::On) => {}
                        Ok(Flow::Stop) => break,
                        Err(error) if alone => return Err(error),
                        // One broken log does not stop the others.
                        Err(error) => {
                            let row = RawRow {
                                file: Some(Rc::from(name.as_str())),
                                line: error.place.line.unwrap_or_default(),
                                problem: Some((error.place.field.clone(), error.problem)),
                                ..RawRow::default()
                            };
                            if each(row) == Flow::Stop {
                                break;
                            }
                        }
                    }
                }
                self.notes = passed.notes();
                Ok(())
            }
            #[cfg(feature = "parquet")]
            Kind::Parquet => super::parquet::for_each(&self.path, &mut self.names, each),
        }
    }

    /// Whether rows carry the names of their columns, so that there is no header among them.
    pub(super) fn is_named(&self) -> bool {
        !matches!(self.kind, Kind::Delimited { .. } | Kind::Sheet { .. })
    }

    /// Whether a row may be shorter than the header.
    pub(super) fn may_be_short(&self) -> bool {
        !matches!(self.kind, Kind::Delimited { .. })
    }

    /// What a row's number counts.
    pub(super) fn counts(&self) -> &'static str {
        match self.kind {
            Kind::Delimited { .. } | Kind::Json { .. } | Kind::Xmlvend { .. } => "line",
            _ => "row",
        }
    }

    /// What kind of file it is.
    pub(super) fn kind_words(&self) -> String {
        match &self.kind {
            Kind::Delimited { delimiter: b'\t', .. } => "TSV".to_owned(),
            Kind::Delimited { .. } => "CSV".to_owned(),
            Kind::Json { array: false, .. } => "NDJSON, an object a line".to_owned(),
            Kind::Json { .. } => "JSON, an array of objects".to_owned(),
            Kind::Sheet { name, others } => {
                let others = match others.as_slice() {
                    [] => String::new(),
                    others => format!("; passed over: {}", others.join(", ")),
                };
                format!("XLSX, sheet {name:?}{others}")
            }
            Kind::Xmlvend { files, .. } => match files.len() {
                1 => "XMLVend messages".to_owned(),
                count => format!("XMLVend messages in {count} files"),
            },
            #[cfg(feature = "parquet")]
            Kind::Parquet => "Parquet".to_owned(),
        }
    }

    /// The encoding and how it is known, where the file is text.
    pub(super) fn encoding_words(&self) -> Option<String> {
        match &self.kind {
            Kind::Delimited { text, .. } | Kind::Json { text, .. } => Some(text.words()),
            _ => None,
        }
    }

    /// What stands between fields.
    pub(super) fn delimiter(&self) -> Option<char> {
        match self.kind {
            Kind::Delimited { delimiter, .. } => Some(char::from(delimiter)),
            _ => None,
        }
    }
}

/// The files of a folder, at any depth, in the order of their names; a file is itself.
fn walk(path: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<(), InputError> {
    let name = || path.display().to_string();
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > 16 {
        return Err(InputError::other(&name(), "folders in folders, expected at most 16"));
    }
    let unreadable = |error: std::io::Error| InputError::unreadable(&name(), &error.to_string());
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    entries.sort();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            walk(&entry, files, depth + 1)?;
        }
    }
    Ok(())
}

/// A file that can be read again and again.
fn open_whole(path: &Path) -> Result<File, InputError> {
    let name = path.display().to_string();
    let once = || InputError::other(&name, "cannot be read twice, expected a file on disk");
    if path == Path::new("-") {
        return Err(once());
    }
    // Told before it is opened: a pipe without a writer would keep us waiting.
    let is_file = std::fs::metadata(path).map(|of| of.is_file());
    match is_file.map_err(|error| InputError::unreadable(&name, &error.to_string()))? {
        true => open_file(path),
        false => Err(once()),
    }
}

pub(super) fn open_file(path: &Path) -> Result<File, InputError> {
    let name = path.display().to_string();
    let file =
        File::open(path).map_err(|error| InputError::unreadable(&name, &error.to_string()))?;
    Ok(file)
}

type Text = BufReader<Decoded<File>>;

fn decoded(path: &Path, text: TextForm) -> Result<Text, InputError> {
    Ok(BufReader::with_capacity(64 * 1024, Decoded::new(open_file(path)?, text)))
}

fn lines(path: &Path, text: TextForm) -> Result<Lines<Text>, InputError> {
    Ok(Lines::new(decoded(path, text)?, text.line_end))
}

/// The encoding that an XML declaration names.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&head[..head.len().min(200)]);
    let declaration = start.trim_start().strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let label = declaration.split_once("encoding=")?.1;
    let quote = label.chars().next()?;
    Encoding::for_label(label.strip_prefix(quote)?.split(quote).next()?.as_bytes())
}

/// JSON, XML or delimited text.
fn text_kind(head: &[u8], options: &Options) -> Kind {
    let text = TextForm::detect(head, options.encoding);
    let mut start = Vec::new();
    // Cannot fail: the bytes are in memory.
    let _ = Decoded::new(head, text).take(1 << 20).read_to_end(&mut start);
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
    match first {
        _ if options.delimiter.is_some() => {}
        Some(b'{') => return Kind::Json { text, array: false },
        Some(b'[') => return Kind::Json { text, array: true },
        Some(b'<') => return Kind::Xmlvend { files: Vec::new(), encoding: options.encoding },
        // A log line may stand in front of the first message.
        _ if looks_like_a_log(&start) => {
            return Kind::Xmlvend { files: Vec::new(), encoding: options.encoding };
        }
        _ => {}
    }
    let delimiter = options.delimiter.unwrap_or_else(|| guess_delimiter(&start, text.line_end));
    Kind::Delimited { text, delimiter }
}

fn looks_like_a_log(start: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&start[..start.len().min(4096)]);
    start.contains("<?xml") || start.contains(":Envelope")
}

/// The delimiter under which the first lines hold the most known names, then the most fields.
fn guess_delimiter(start: &[u8], line_end: u8) -> u8 {
    let text = String::from_utf8_lossy(start);
    let lines: Vec<&str> = text
        .split(char::from(line_end))
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.trim().is_empty())
        .take(30)
        .collect();
    let score = |delimiter: u8| {
        let rows = lines.iter().filter_map(|line| delimited::fields_of(line, delimiter));
        let rows: Vec<Vec<String>> = rows.collect();
        let known = rows.iter().map(|row| names_known(row)).max().unwrap_or_default();
        let widths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let usual = widths
            .iter()
            .max_by_key(|width| (widths.iter().filter(|other| other == width).count(), **width));
        (known, usual.copied().unwrap_or_default())
    };
    // The last of equals wins in max_by_key: a comma where there is one column.
    b"|\t;,".iter().copied().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

/// A file that cannot be read on.
pub(super) fn broken(name: &str, line: u64, problem: impl Into<String>) -> InputError {
    let place = if line == 0 { Place::file(name) } else { Place::line(name, line) };
    InputError::new(place, problem)
}
