//! `sts conform` against devices that work, and devices that do not.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

const STS: &str = env!("CARGO_BIN_EXE_sts");

fn conform(arguments: &[&str]) -> Output {
    Command::new(STS).arg("conform").args(arguments).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn temporary(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a temporary file");
    path
}

/// The built-in meter at the other end of a pipe.
fn served() -> String {
    format!("'{STS}' conform --serve")
}

/// A device that does `what` in a shell.
#[cfg(unix)]
fn shell(what: &str) -> Output {
    let begun = Instant::now();
    let command = format!("sh -c \"{what}\"");
    let output = conform(&["--timeout-s", "1", "--command", &command]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
    output
}

#[test]
fn a_device_at_a_pipe_passes() {
    for arguments in [vec![], vec!["--command"]] {
        let served = served();
        let mut arguments = arguments;
        if !arguments.is_empty() {
            arguments.push(&served);
        }
        let output = conform(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        assert!(text(&output.stdout).contains("Pre-compliance of the meter of sts-core"));
    }
}

#[test]
fn a_device_at_an_address_passes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        let input = BufReader::new(stream.try_clone().expect("a stream"));
        sts_harness::conform::builtin::Builtin::new(&sts_core::Profile::STANDARD)
            .serve(input, stream)
            .ok();
    });
    let output = conform(&["--tcp", &address]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
#[cfg(unix)]
fn a_device_that_breaks_the_protocol_is_an_error_and_never_a_hang() {
    for (what, said) in [
        ("exec sleep 60", "no reply to \"hello 1\" within 1 s"),
        ("exit 0", "ended before it replied"),
        ("read a; echo hello", "begins with ok or no"),
        ("read a; echo ok 2 result", "ok 1 CAPABILITIES NAME"),
        ("read a; echo ok 1 fly", "result, display"),
        ("read a; echo ok 1 reset", "result or display"),
        (
            "echo ok 1 result; read a; read b; echo ok Fine",
            "begins with ok or no|ended before|asked",
        ),
        ("exec yes ok 1 result", "without being asked|expected ok"),
        ("exec cat /dev/zero", "more than 1024 bytes"),
        ("tr '\\\\0' x < /dev/zero", "more than 1024 bytes"),
    ] {
        let output = shell(what);
        assert_eq!(output.status.code(), Some(3), "{what}: {}", text(&output.stdout));
        let error = text(&output.stderr);
        assert!(said.split('|').any(|said| error.contains(said)), "{what}: {error}");
        assert!(!error.contains('\0'), "{what}");
    }
}

#[test]
fn what_cannot_be_reached_is_an_error() {
    for arguments in
        [["--command", "/no/such/program"], ["--command", "'open"], ["--tcp", "127.0.0.1:1"]]
    {
        let output = conform(&arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(text(&output.stderr).contains("cannot be reached"), "{arguments:?}");
    }
}

#[test]
fn usage_is_told_apart() {
    let bad = temporary("bad-sequence.txt", "suite a\ncase b\nenter nothing -> Accept\n");
    let bad = bad.to_str().expect("UTF-8");
    for arguments in [
        &["--suite", "nothing"][..],
        &["--sequence", "/no/such/file"],
        &["--sequence", bad],
        &["--profile", "no-such-profile"],
        &["--differential", "0"],
        &["--command", "a", "--tcp", "b"],
    ] {
        let output = conform(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
    }
}

/// A device whose water register shows a digit too many.
fn miscounting() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            let mut meter =
                sts_harness::conform::builtin::Builtin::new(&sts_core::Profile::STANDARD);
            let input = BufReader::new(stream.try_clone().expect("a stream"));
            for line in input.lines().map_while(Result::ok) {
                let reply = meter.reply(&line);
                let reply = match reply.split_once(" r1=") {
                    Some((before, after)) if !after.starts_with('0') => {
                        format!("{before} r1=9{after}")
                    }
                    _ => reply,
                };
                if stream.write_all(format!("{reply}\n").as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn failures_are_reported_in_every_form() {
    let address = miscounting();
    let xml = temporary("results.xml", "");
    let xml_name = xml.to_str().expect("UTF-8");
    let output = conform(&["--tcp", &address, "--junit", xml_name]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("failed amounts/second-band"));
    let written = std::fs::read_to_string(xml).expect("the results");
    assert!(written.contains("<failure>expected r1=180214, got r1=9180214"), "{written}");

    let output = conform(&["--tcp", &address, "--format", "ndjson"]);
    check(&output.stdout);
    assert!(text(&output.stdout).contains("\"verdict\":\"failed\""));

    let list = ["--tcp", &address, "--differential", "5000", "--seed", "3"];
    let output = conform(&list);
    assert_eq!(output.status.code(), Some(1));
    let shortest = text(&output.stdout);
    assert!(shortest.lines().count() < 16, "{shortest}");
    let sequence = temporary("shortest.txt", &shortest);
    let sequence = sequence.to_str().expect("UTF-8");
    assert_eq!(conform(&["--tcp", &address, "--sequence", sequence]).status.code(), Some(1));
    assert_eq!(conform(&["--sequence", sequence]).status.code(), Some(0));
    // The same seed says the same.
    assert_eq!(text(&conform(&list).stdout), shortest);

    let output = conform(&[&list[..], &["--format", "ndjson"]].concat());
    check(&output.stdout);
}

#[test]
fn a_device_agrees_with_itself_at_random() {
    let output = conform(&["--command", &served(), "--differential", "2000", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("agree: 2000 entries"));
    check(&conform(&["--differential", "500", "--format", "ndjson"]).stdout);
}

/// Holds each line against the published schema.
fn check(lines: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas/conform.schema.json");
    let Ok(schema) = std::fs::read_to_string(path) else { return };
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for line in text(lines).lines() {
        let object: Value = serde_json::from_str(line).expect("one object a line");
        let errors: Vec<String> =
            validator.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}\n{errors:?}");
    }
}
