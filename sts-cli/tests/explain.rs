//! The screen of `sts explain` for each class of failure met around the TID rollover.
//!
//! Each folder of `tests/explain/` is one class: a case, the commands with the causes they must name
//! (`cmd`), and the screens (`expected.txt`). Odds and counts are masked, since they move with every
//! change of the judgement behind them; causes are compared as they are. With `STS_BLESS=1` the
//! screens, and `docs/explain.md` after them, are written anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain")
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/explain.md")
}

/// Writes the screens and the page anew, once, where that is asked for.
fn bless() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if std::env::var_os("STS_BLESS").is_none_or(|value| value != "1") {
        return;
    }
    ONCE.call_once(|| {
        for class in classes() {
            let path = folder().join(&class.id).join("expected.txt");
            std::fs::write(path, screens(&class)).expect("a screen");
        }
        std::fs::write(page(), documentation()).expect("the page");
    });
}

fn sts(arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .current_dir(folder())
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A command of a class, and the cause of each of its tokens.
struct Asked {
    line: String,
    causes: Vec<String>,
}

impl Asked {
    /// The words after `sts`; double quotes hold words together.
    fn arguments(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for (place, part) in self.line.split('"').enumerate() {
            if place % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        assert_eq!(words.first().map(String::as_str), Some("sts"));
        words.split_off(1)
    }
}

struct Class {
    id: String,
    title: String,
    about: String,
    asked: Vec<Asked>,
}

fn classes() -> Vec<Class> {
    (1..=22)
        .map(|number| {
            let id = format!("F{number:02}");
            let file = read(&folder().join(&id).join("cmd"));
            let mut lines = file.lines();
            let title = lines.next().and_then(|line| line.strip_prefix("# ")).expect("a title");
            let mut about = String::new();
            let mut asked = Vec::new();
            for line in lines {
                match line.strip_prefix("$ ") {
                    Some(command) => {
                        let (line, causes) = command.split_once(" # ").expect("its causes");
                        let causes = causes.split_whitespace().map(str::to_owned).collect();
                        asked.push(Asked { line: line.to_owned(), causes });
                    }
                    None => about.push_str(line),
                }
            }
            assert!(!asked.is_empty() && !about.is_empty(), "{id}");
            Class { title: title.to_owned(), about, asked, id }
        })
        .collect()
}

/// A class's screens, each after its command.
fn screens(class: &Class) -> String {
    let mut all = String::new();
    for asked in &class.asked {
        let output = sts(&asked.arguments());
        let good = asked.causes.iter().all(|cause| cause == "accepted");
        let status = if good { 0 } else { 1 };
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{}: {told}", asked.line);
        write!(all, "$ {}\n{}\n", asked.line, text(&output.stdout)).expect("a string takes it");
    }
    all
}

/// The words of a screen, odds and counts masked, however the lines are broken; lines of marks as
/// they are.
fn masked(screen: &str) -> Vec<String> {
    let words: Vec<&str> = screen.split_whitespace().collect();
    let mut masked: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(place, word)| {
            let next = words.get(place + 1).copied().unwrap_or_default();
            if next.starts_with('%') || next == "candidates" || next == "expected" {
                word.replace(|c: char| c.is_ascii_digit() || c == '.', "")
            } else {
                (*word).to_owned()
            }
        })
        .collect();
    masked.extend(screen.lines().filter(|line| line.contains('^')).map(str::to_owned));
    masked
}

#[test]
fn each_class_shows_its_screen() {
    bless();
    for class in classes() {
        let found = screens(&class);
        let expected = read(&folder().join(&class.id).join("expected.txt"));
        assert!(
            masked(&expected) == masked(&found),
            "{} differs; STS_BLESS=1 writes it anew\n--- expected\n{expected}\n--- found\n{found}",
            class.id
        );
    }
}

#[test]
fn each_class_names_its_cause() {
    for class in classes() {
        for asked in &class.asked {
            let mut arguments = asked.arguments();
            arguments.extend(["--format".to_owned(), "json".to_owned()]);
            let output = sts(&arguments);
            let objects: Value = serde_json::from_slice(&output.stdout).expect("one array");
            let causes: Vec<&str> = objects
                .as_array()
                .expect("one array")
                .iter()
                .map(|verdict| verdict["cause"].as_str().unwrap_or("accepted"))
                .collect();
            assert_eq!(causes, asked.causes, "{}: {}", class.id, asked.line);
        }
    }
}

#[test]
fn screens_fit_80_columns_and_are_plain_unless_asked() {
    for class in classes() {
        for asked in &class.asked {
            let screen = text(&sts(&asked.arguments()).stdout);
            for line in screen.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", class.id);
                assert!(!line.contains('\u{1b}'), "{}: {line:?}", class.id);
            }
            for heading in ["What happened", "Tell the customer", "What to do"] {
                assert!(screen.lines().any(|line| line == heading), "{}: {screen}", class.id);
            }
            let mut arguments = asked.arguments();
            arguments.extend(["--color".to_owned(), "always".to_owned()]);
            let coloured = text(&sts(&arguments).stdout);
            // Colour changes no line break.
            assert_eq!(coloured.lines().count(), screen.lines().count(), "{}", class.id);
            assert!(coloured.contains('\u{1b}'));
        }
    }
}

#[test]
fn tokens_of_the_classes_are_made_by_the_table_beside_them() {
    let arguments = ["issue", "--keys", "keys.toml", "--input", "issue.csv", "--format", "json"];
    let output = sts(&arguments.map(str::to_owned));
    let objects: Value = serde_json::from_slice(&output.stdout).expect("one array");
    let made: Vec<&str> = objects
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|object| object["tokens"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    // The wrong digits of F17 are made by no key.
    for class in classes().iter().filter(|class| class.id != "F17") {
        let entries = read(&folder().join(&class.id).join("entries.csv"));
        for line in entries.lines().skip(1) {
            let entered = line.split(',').nth(3).expect("four columns").replace(' ', "");
            assert!(entered.is_empty() || made.contains(&entered.as_str()), "{line}");
        }
    }
}

#[test]
fn odd_questions_are_answered_in_words() {
    let case = "--keys keys.toml --case F01 --at 2024-11-01T09:20:00Z";
    let token = "04434137679179024103";
    let sms = "Hi. Meter 01202401012 Token: 0443-4137-6791-7902-4103 10.0 m3 R250.00";
    for (words, status, says) in [
        // Nothing, or nothing that is a token.
        (format!("explain {case} --meter 01202401012"), 2, "no token given"),
        ("explain \"my token does not work\"".to_owned(), 1, "no token in this text"),
        (format!("explain {case} --meter 01202401012 \"it shows 017, help\""), 1, "no token"),
        (format!("explain {case} --meter 01202401012 \u{1f600}"), 1, "no token in this text"),
        (format!("explain {case} --meter 01202401012 01202401012"), 1, "number of a meter"),
        (format!("explain {case} --meter 01202401012 0515551234"), 1, "telephone"),
        (format!("explain {case} --meter 01202401012 0000000000000000"), 1, "trial sale"),
        (format!("explain {case} --meter 01202401012 1.23E+19"), 1, "spreadsheet"),
        (format!("explain {case} --meter 01202401012 99999999999999999999"), 1, "as large"),
        // No meter, or a wrong one.
        (format!("explain {token}"), 0, "--meter NUMBER"),
        ("explain 1234".to_owned(), 1, "expected 20"),
        ("explain 18446744073843772416".to_owned(), 0, "any meter answers"),
        (format!("explain --meter 01202401012 {token}"), 0, "--keys FILE"),
        (format!("explain {case} {token}"), 2, "--meter NUMBER"),
        (format!("explain {case} --meter 01202401013 {token}"), 2, "mean 01202401012?"),
        (format!("explain {case} --meter 01202401046 {token}"), 2, "not in meters.csv"),
        (format!("explain {case} --meter abc {token}"), 2, "not a digit"),
        // Whole messages, and tokens run together.
        (format!("explain {case} \"{sms}\""), 1, "krn.ahead"),
        (format!("explain {case} --meter 01202401012 {token}{token}"), 1, "Token 2 of 2"),
        // What was seen on the display.
        (format!("explain {case} --meter 01202401012 --seen 17 {token}"), 1, "leading zeros"),
        (format!("explain {case} --meter 01202401012 --seen USED {token}"), 1, "does not fit"),
        (format!("explain {case} --meter 01202401012 --seen xyz {token}"), 1, "looks like that"),
        (format!("explain {case} --meter 01202401012 --seen bAtt {token}"), 1, "a fault"),
        (format!("explain {case} --meter 01202401012 --seen ACCEPT {token}"), 1, "record.stale"),
    ] {
        let asked = Asked { line: format!("sts {words}"), causes: Vec::new() };
        let output = sts(&asked.arguments());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{words}: {out}{err}");
        // Lines may be broken anywhere.
        let told = format!("{out}{err}").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(says), "{words}: {out}{err}");
    }
}

/// A command over lines of at most 80 characters; options stay with their values, and the groups of
/// a token together.
fn broken(command: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for word in command.split(' ') {
        let joins = parts.last().is_some_and(|part| {
            let is_option = part.starts_with("--") && !part.contains(' ');
            let is_group = |text: &str| text.len() == 4 && text.parse::<u16>().is_ok();
            let is_open = part.matches('"').count() == 1;
            is_option || is_open || part.split(' ').all(is_group) || part == "sts"
        });
        match parts.last_mut() {
            Some(part) if joins && !word.starts_with("--") => {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    let mut lines = vec![String::from("$")];
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + part.len() <= 78 => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(format!("    {part}")),
        }
    }
    lines.join(" \\\n")
}

/// `docs/explain.md`, from the commands and screens of the classes.
fn documentation() -> String {
    let mut page = String::from(HOW_TO_READ);
    for class in classes() {
        let screens = read(&folder().join(&class.id).join("expected.txt"));
        write!(page, "\n## {}: {}\n\n{}\n", class.id, class.title, class.about)
            .expect("a string takes it");
        let mut rest = screens.as_str();
        for (place, asked) in class.asked.iter().enumerate() {
            let command = format!("$ {}\n", asked.line);
            rest = rest.strip_prefix(&command).expect("the screens follow the commands");
            let next = class.asked.get(place + 1).map(|next| format!("$ {}\n", next.line));
            let end = next.and_then(|next| rest.find(&next)).unwrap_or(rest.len());
            let screen = rest[..end].trim_end();
            write!(page, "\n```console\n{}\n{screen}\n```\n", broken(&asked.line))
                .expect("a string takes it");
            rest = &rest[end..];
        }
    }
    page
}

#[test]
fn the_page_shows_the_screens_as_they_are() {
    // The packaged crate comes without the documentation.
    if !page().parent().is_some_and(Path::exists) {
        return;
    }
    bless();
    assert!(
        read(&page()) == documentation(),
        "docs/explain.md differs; STS_BLESS=1 writes it anew"
    );
}

const HOW_TO_READ: &str = r#"# Reading the answer of `sts explain`

`sts explain` takes what a customer reads out or sends (a token, a slip, a whole message) and the
number of the meter, and says what to answer. It is made for someone with a customer on the line.

```console
$ sts explain --case FOLDER --meter NUMBER TOKEN
$ sts explain --keys FILE --meter NUMBER --slip message.txt --seen 017
```

`FOLDER` holds the meters, what was keyed at them, and the keys. `--at` is when the token was keyed,
now if left out. What else the slip and the customer say makes the answer surer: `--sold-at` the time
of the sale, `--quantity` what was bought, `--seen` what the display showed.

## The parts of the screen

| part | says |
|---|---|
| first lines | the token in groups of four; the meter as it stood at that moment, by the records |
| **What happened** | what the meter does with the token and what its display shows. A display text that rests on no maker's text for this meter says so. With `--seen`: whether that fits |
| **Why** | the cause, how sure it is, and what speaks for it. Missing where the token is accepted |
| **Tell the customer** | words to say as they are, without codes |
| **What to do** | the next step. For a slip of the finger, the keyed number with `^` under what is wrong, and the number without the slip |
| dim lines | for the ticket: the meter's result, the cause's and the action's fixed names, and how many candidates were tried |

A meter cannot know why a token does not authenticate: a wrong digit, the token of the meter next
door, and a token under another key look the same to it. Whoever holds the keys can find out by
trying, and what is found that way may be chance: one wrong candidate in 65 536 fits. So the answer
says how sure it is.

| words | odds of the cause named |
|---|---|
| Certain | it follows from the entry and the meter's answer alone |
| Almost certain | 99 % or more |
| Very likely | 90 % or more |
| Likely | 75 % or more |
| Not sure | less. Everything that fits is listed with its odds, and none of it is proven: ask the customer for the time and the amount on the slip, and ask again |

Exit status: 0 where every token is accepted, 1 where one is refused. `--format json` gives the same
objects as `sts replay`; `sts check` gives a short form of this answer.

The rest of this page is the screen for each class of failure known from the field around the TID
rollover of November 2024. Meters, keys and tokens are made up. The inputs are in
`sts-cli/tests/explain/`, where these commands can be run.
"#;
