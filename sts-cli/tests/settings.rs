//! Settings of a user, completions and manual pages.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Said {
    status: i32,
    out: String,
    err: String,
}

/// Runs the tool with a file of settings and variables.
fn sts(folder: &Path, variables: &[(&str, &str)], words: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sts"));
    for (name, _) in std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("STS_")))
    {
        command.env_remove(name);
    }
    let done = command
        .args(words.split(' '))
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder.join("home"))
        .env("APPDATA", folder.join("home"))
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    Said {
        status: done.status.code().expect("an exit status"),
        out: text(&done.stdout),
        err: text(&done.stderr),
    }
}

fn folder(name: &str, settings: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("settings-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(path.join("home/sts")).expect("a folder");
    std::fs::write(path.join("home/sts/config.toml"), settings).expect("a file");
    path
}

const KEYS: &str = "[[vending_key]]\nid = \"k1\"\npurpose = \"test\"\nsgc = \"123456\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\nkey = \"abababababababab\"\n";
const TOKEN: &str =
    "id,pan,ea,sgc,krn,ti,kt,token\n1,600727000000000009,07,123456,1,01,2,40305070312521662658\n";

#[test]
fn an_argument_is_above_a_variable_above_the_file_above_the_default() {
    let folder = folder("order", "# mine\nformat = \"json\"\nthreads = 2\n");
    let shown = |variables: &[(&str, &str)], words: &str| {
        let said = sts(&folder, variables, words);
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{words}: {}", said.out);
        said.out
    };
    let all = shown(&[], "config show --origin");
    assert!(all.contains(r#""name":"format","value":"json","origin":"file""#), "{all}");
    assert!(all.contains("config.toml:2\"") && all.contains("config.toml:3\""), "{all}");
    assert!(all.contains(r#""name":"color","value":"auto","origin":"default""#), "{all}");
    let all = shown(&[("STS_FORMAT", "ndjson")], "config show");
    assert!(all.contains(r#""value":"ndjson","origin":"variable","place":"STS_FORMAT""#), "{all}");
    let all = shown(&[("STS_FORMAT", "ndjson")], "config show --origin --format text");
    let line = |name: &str| {
        all.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap_or_default()
    };
    assert!(line("format").ends_with("# --format"), "{all}");
    assert!(
        line("threads").starts_with("threads = 2 ") && line("threads").ends_with("config.toml:3")
    );
    // What is shown can be kept as the file.
    let kept = shown(&[], "config show --format text");
    std::fs::write(folder.join("kept.toml"), kept).expect("a file");
    shown(&[("STS_CONFIG", "kept.toml")], "config show");
    let help = shown(&[], "inspect --help");
    assert!(help.contains("[default: json]"), "{help}");
}

#[test]
fn settings_are_the_defaults_of_arguments() {
    let folder = folder("used", "keys = \"mine.toml\"\nkek_file = \"none.bin\"\n");
    std::fs::write(folder.join("home/sts/mine.toml"), KEYS).expect("a file");
    std::fs::write(folder.join("t.csv"), TOKEN).expect("a file");
    // The file's folder is where its paths begin; a key-encryption key that nobody needs is not read.
    let said = sts(&folder, &[], "verify --input t.csv --format ndjson");
    assert!(said.status == 0 && said.out.contains("Authentic"), "{}{}", said.out, said.err);
    let said = sts(&folder, &[("STS_KEYS", "other.toml")], "verify --input t.csv");
    assert!(said.status == 4 && said.err.contains("other.toml"), "{}", said.err);
    let said = sts(
        &folder,
        &[("STS_KEYS", "other.toml")],
        "verify --keys home/sts/mine.toml --input t.csv",
    );
    assert_eq!(said.status, 0, "{}", said.err);
    // A case has its own keys.
    let case = folder.join("case");
    std::fs::create_dir_all(&case).expect("a folder");
    let meters = "pan,ea,sgc,krn,ti,kt,base_date\n600727000000000009,07,123456,1,01,2,2014\n";
    let entries = "id,entered_at,pan,entered\n1,2014-03-01T13:05:00Z,600727000000000009,40305070312521662658\n";
    for (file, text) in [("keys.toml", KEYS), ("meters.csv", meters), ("entries.csv", entries)] {
        std::fs::write(case.join(file), text).expect("a file");
    }
    let none = [("STS_KEYS", "none.toml")];
    for words in [
        "replay case",
        "check --case case --meter 600727000000000009 --at 2014-03-01T13:05:00Z 40305070312521662658",
    ] {
        let said = sts(&folder, &none, words);
        assert_eq!(said.status, 0, "{words}: {}{}", said.out, said.err);
    }
    let said = sts(&folder, &[("STS_LANES", "portable")], "replay case");
    assert_eq!(said.status, 0, "{}", said.err);
    // Verbs of keys go on with settings, and with none of their own arguments.
    let said = sts(&folder, &[], "keys list case/keys.toml");
    assert!(said.status == 0 && said.out.starts_with("k1"), "{}{}", said.out, said.err);
    assert_eq!(sts(&folder, &[], "keys").status, 2);
}

#[test]
fn settings_that_are_none_are_named_with_their_place() {
    for (text, says) in [
        ("fromat = \"json\"\n", "config.toml:1: unknown field `fromat`"),
        ("fromat = \"json\"\n", "format"),
        (
            "\nformat = \"jsn\"\n",
            "config.toml:2: format: \"jsn\", expected one of text, json, ndjson; did you mean json?",
        ),
        ("threads = 0\n", "config.toml:1: threads"),
        ("threads = \"many\"\n", "config.toml:1"),
        ("tz = \"Nowhere\"\n", "config.toml:1: tz"),
        ("format = \"json\n", "config.toml:1"),
    ] {
        let folder = folder("bad", text);
        let said = sts(&folder, &[], "config show");
        assert!(said.status == 3 && said.err.contains(says), "{says}: {}", said.err);
    }
    let folder = folder("variables", "");
    for (name, value) in
        [("STS_FORMAT", "jsno"), ("STS_THREADS", "-1"), ("STS_LANES", "1"), ("STS_CONFIG", "none")]
    {
        let said = sts(&folder, &[(name, value)], "drn 01202401012");
        let named = if name == "STS_CONFIG" { "none" } else { name };
        assert!(said.status == 3 && said.err.contains(named), "{name}: {}", said.err);
    }
}

/// Verbs as the help lists them.
fn verbs(folder: &Path) -> Vec<String> {
    let help = sts(folder, &[], "--help").out;
    let (_, verbs) = help.split_once("Commands:\n").expect("the verbs");
    verbs
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_shell_completes_every_verb() {
    let folder = folder("shells", "");
    let verbs = verbs(&folder);
    assert!(verbs.len() > 15, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = sts(&folder, &[("STS_FORMAT", "json")], &format!("completions {shell}"));
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{shell}");
        for verb in &verbs {
            assert!(said.out.contains(verb.as_str()), "{shell}: {verb}");
        }
        assert!(said.out.contains("passphrase-file") && said.out.contains("rotate"), "{shell}");
        assert!(!said.out.trim_end().ends_with(']') || shell == "powershell", "{shell}");
        let script = folder.join(shell);
        std::fs::write(&script, &said.out).expect("a file");
        // A shell that is here reads its script.
        if ["bash", "zsh", "fish"].contains(&shell)
            && Command::new(shell).args(["-c", "true"]).output().is_ok()
        {
            let done = Command::new(shell).arg("-n").arg(&script).output().expect("a shell");
            assert!(done.status.success(), "{shell}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
    if cfg!(unix) && Command::new("bash").args(["-c", "true"]).output().is_ok() {
        for (words, offered) in [("keys ro", "rotate"), ("verify --in", "--input")] {
            let count = words.split(' ').count();
            let last = words.rsplit(' ').next().expect("a word");
            let before = words.split(' ').rev().nth(1).expect("a word");
            let line = format!(
                "source ./bash; COMP_WORDS=(sts {words}); COMP_CWORD={count}; _sts sts '{last}' '{before}'; echo \"${{COMPREPLY[*]}}\""
            );
            let done = Command::new("bash")
                .args(["-c", &line])
                .current_dir(&folder)
                .output()
                .expect("bash");
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(
                said.contains(offered),
                "{words}: {said}{}",
                String::from_utf8_lossy(&done.stderr)
            );
        }
    }
    // Files are offered where a file belongs.
    assert!(std::fs::read_to_string(folder.join("bash")).expect("a file").contains("compgen -f"));
    assert!(std::fs::read_to_string(folder.join("zsh")).expect("a file").contains("_files"));
}

#[test]
fn every_verb_has_a_manual_page() {
    let folder = folder("man", "");
    let said = sts(&folder, &[], "man");
    assert!(said.status == 0 && said.out.contains(".TH sts 1"), "{}", said.err);
    for verb in verbs(&folder) {
        assert!(said.out.contains(&verb.replace('-', "\\-")), "{verb}");
    }
    let said = sts(&folder, &[], "man --dir pages");
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
    for verb in verbs(&folder).iter().map(String::as_str).chain(["keys-rotate", "profiles-emit"]) {
        let page = folder.join(format!("pages/sts-{verb}.1"));
        let text = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{verb}: {error}"));
        let synopsis = format!("sts {}", verb.replace('-', " "));
        assert!(text.contains(&synopsis) && text.contains("Example"), "{verb}: {text}");
    }
}
