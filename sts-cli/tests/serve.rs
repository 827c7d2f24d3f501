//! `sts serve` from outside: who is let in, what is refused, and what is answered.
#![cfg(all(unix, feature = "serve"))]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn example() -> PathBuf {
    root().join("examples/mangaung-2024")
}

/// A server that ends with the test.
struct Server {
    process: Child,
    at: SocketAddr,
    /// The token of the printed address.
    once: String,
    bearer: String,
    folder: PathBuf,
}

impl Server {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("serve-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let token = folder.join("api.token");
        let mut process = Command::new(env!("CARGO_BIN_EXE_sts"))
            .arg("serve")
            .args(arguments)
            .arg("--token-file")
            .arg(&token)
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        let out = process.stdout.as_mut().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("an address");
        let (address, once) = line.trim().split_once("/?t=").expect("a token in the address");
        let at = address.strip_prefix("http://").and_then(|at| at.parse().ok()).expect(address);
        let bearer = std::fs::read_to_string(&token).expect("the token").trim().to_owned();
        Self { process, at, once: once.to_owned(), bearer, folder }
    }

    fn with_case(name: &str) -> Self {
        Self::start(name, &[example().to_str().expect("UTF-8")])
    }

    /// Sends bytes and reads until the server closes, or has said all.
    fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.at).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        // The server may have answered and closed before all is sent.
        let _ = stream.write_all(bytes);
        Answer::read(stream)
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !has_host {
            head += &format!("Host: {}\r\n", self.at);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// As a program with the token.
    fn api(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.bearer);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.send(method, path, &headers, body)
    }

    fn explain(&self, question: &Value) -> Answer {
        self.api("POST", "/api/v1/explain", question.to_string().as_bytes())
    }

    /// Replays a file to its end.
    fn replay(&self, name: &str, file: &[u8]) -> Value {
        let started = self.api("POST", &format!("/api/v1/replays?name={name}"), file);
        assert_eq!(started.status, 202, "{}", started.body);
        let id = started.json()["id"].as_str().expect("an id").to_owned();
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let state = self.api("GET", &format!("/api/v1/replays/{id}"), b"").json();
            if state["state"] != "running" {
                return state;
            }
            assert!(Instant::now() < end, "{state}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The cookie of a browser that opens the printed address.
    fn cookie(&self) -> String {
        let answer = self.send("GET", &format!("/?t={}", self.once), &[], b"");
        assert_eq!((answer.status, answer.header("location")), (303, "/"));
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().expect("a cookie").to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut piece = [0; 65536];
        // A reset after the answer is no fault: the server did not want the rest of the request.
        while let Ok(length) = stream.read(&mut piece) {
            if length == 0 {
                break;
            }
            bytes.extend_from_slice(&piece[..length]);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.unwrap_or_default(),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

const PATHS: [&str; 8] = [
    "/",
    "/page.js",
    "/page.css",
    "/api/openapi.json",
    "/api/v1/health",
    "/api/v1/texts/en",
    "/api/v1/meters/01202401012",
    "/api/v1/replays/1",
];

#[test]
fn without_cookie_or_token_there_is_nothing_but_401() {
    let server = Server::with_case("outside");
    for path in PATHS.iter().chain(&["/nothing", "/?t=", "/?t=0"]) {
        let answer = server.send("GET", path, &[], b"");
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(!answer.body.contains(&server.once) && !answer.body.contains(&server.bearer));
    }
    let wrong = format!("Bearer {}", "0".repeat(64));
    for headers in [
        ("Authorization", wrong.as_str()),
        ("Authorization", "Bearer "),
        ("Authorization", server.bearer.as_str()),
        ("Cookie", "sts=1"),
    ] {
        assert_eq!(server.send("POST", "/api/v1/explain", &[headers], b"{}").status, 401);
    }
    // The token of the address is none of the others.
    let once = format!("Bearer {}", server.once);
    assert_eq!(server.send("GET", "/", &[("Authorization", &once)], b"").status, 401);
}

#[test]
fn whoever_guesses_is_slowed_down_and_others_are_not() {
    let server = Server::with_case("guessing");
    let statuses: Vec<u16> = (0..60).map(|_| server.send("GET", "/", &[], b"").status).collect();
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(server.api("GET", "/api/v1/health", b"").status, 200);
}

#[test]
fn the_printed_address_works_once_and_leaves_a_cookie() {
    let server = Server::with_case("once");
    let cookie = server.cookie();
    assert!(!cookie.contains(&server.once));
    let again = server.send("GET", &format!("/?t={}", server.once), &[], b"");
    assert_eq!(again.status, 401);
    for path in &PATHS[..6] {
        let answer = server.send("GET", path, &[("Cookie", &cookie)], b"");
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(
            !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        for elsewhere in ["src=\"http", "href=\"http", "url(", "@import"] {
            assert!(!answer.body.contains(elsewhere), "{path}: {elsewhere}");
        }
    }
    // An old address in the history of the same browser.
    let stale = server.send("GET", &format!("/?t={}", server.once), &[("Cookie", &cookie)], b"");
    assert_eq!((stale.status, stale.header("location")), (303, "/"));
    let tokens = server.folder.join("api.token");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(tokens).expect("the token").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_host_that_is_not_ours_is_refused() {
    let server = Server::with_case("hosts");
    let bearer = format!("Bearer {}", server.bearer);
    let with = |host: &str| {
        let headers = [("Host", host), ("Authorization", bearer.as_str())];
        server.send("GET", "/api/v1/health", &headers, b"").status
    };
    let port = server.at.port();
    for own in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
        assert_eq!(with(&own), 200, "{own}");
    }
    for other in [
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("localhost.evil.example:{port}"),
        String::new(),
    ] {
        assert_eq!(with(&other), 421, "{other}");
    }
    let without = format!("GET / HTTP/1.1\r\nConnection: close\r\nAuthorization: {bearer}\r\n\r\n");
    assert!([400, 421].contains(&server.raw(without.as_bytes()).status));
}

#[test]
fn requests_of_other_sites_are_refused() {
    let server = Server::with_case("origins");
    let cookie = server.cookie();
    let own = format!("http://{}", server.at);
    let body = json!({"text": "18446744073843772416"}).to_string();
    let with = |others: &[(&str, &str)]| {
        let mut headers = vec![("Cookie", cookie.as_str()), ("Content-Type", "application/json")];
        headers.extend(others);
        server.send("POST", "/api/v1/explain", &headers, body.as_bytes()).status
    };
    assert_eq!(with(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(with(&[]), 403, "a browser always says where a POST comes from");
    for origin in ["http://evil.example", "null", "http://localhost", "https://127.0.0.1"] {
        assert_eq!(with(&[("Origin", origin)]), 403, "{origin}");
    }
    assert_eq!(with(&[("Origin", &own), ("Sec-Fetch-Site", "cross-site")]), 403);
    let plain = [("Cookie", cookie.as_str()), ("Origin", &own), ("Content-Type", "text/plain")];
    assert_eq!(server.send("POST", "/api/v1/explain", &plain, body.as_bytes()).status, 415);
    // Not even to be read.
    let read = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(server.send("GET", "/api/v1/health", &read, b"").status, 403);
}

#[test]
fn no_path_leads_to_a_file() {
    let server = Server::with_case("paths");
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/page.js/../../Cargo.toml",
        "//etc/passwd",
        "/etc/passwd%00.css",
        "/keys.toml",
        "/entries.csv",
        "/api/v1/texts/..%2f..%2fkeys",
        "/api/v1/replays/..%2f..%2f/report",
        "/api/v1/replays/1%2f../report",
    ] {
        let answer = server.api("GET", path, b"");
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(!answer.body.contains("root:") && !answer.body.contains("vending"), "{path}");
    }
    let question = json!({"text": "1", "meter": "01202401012", "profile": "/etc/passwd"});
    assert_eq!(server.explain(&question).status, 400);
    for name in ["../../x.csv", "/etc/passwd", "a.csv/../../b", "x.toml", "x"] {
        let answer = server.api("POST", &format!("/api/v1/replays?name={name}"), b"x");
        assert!([202, 400, 409].contains(&answer.status), "{name}: {}", answer.status);
    }
    assert!(!server.folder.join("x.csv").exists() && !server.folder.join("../x.csv").exists());
}

#[test]
fn methods_and_fields_that_do_not_exist_are_named() {
    let server = Server::with_case("fields");
    let answer = server.api("PUT", "/api/v1/explain", b"{}");
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let questions = [
        (json!({}), "text"),
        (json!({"text": " "}), "text"),
        (json!({"text": 5}), "text"),
        (json!({"text": "1", "meter": 7}), "meter"),
        (json!({"text": "1", "meter": "01202401013"}), "meter"),
        (json!({"text": "1", "meter": "01202401012", "sold_at": "yesterday"}), "sold_at"),
        (json!({"text": "1", "meter": "01202401012", "quantity": "much"}), "quantity"),
        (json!({"text": "1", "meter": "01202401012", "at": "31 October"}), "at"),
        (json!({"text": "1", "meter": "01202401012", "krn": "2"}), "krn"),
        (json!({"text": "1", "colour": "red"}), "colour"),
        (json!([]), "body"),
    ];
    for (question, field) in questions {
        let answer = server.explain(&question);
        assert_eq!(answer.status, 400, "{question}");
        let problem = answer.json();
        assert_eq!(problem["field"], field, "{question}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    assert_eq!(server.api("POST", "/api/v1/explain", b"{").json()["field"], "body");
    let many = "70630503470028726114\n".repeat(21);
    assert_eq!(server.explain(&json!({"text": many})).json()["field"], "text");
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let server = Server::with_case("sizes");
    let bearer = server.bearer.clone();
    let head = |path: &str, length: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {bearer}\r\n\
             Content-Type: application/json\r\nConnection: close\r\n{length}\r\n\r\n",
            server.at
        )
    };
    let hundred = 100 << 20;
    for path in ["/api/v1/explain", "/api/v1/replays?name=a.csv"] {
        // Declared, and nothing of it sent.
        let begun = Instant::now();
        let answer = server.raw(head(path, &format!("Content-Length: {hundred}")).as_bytes());
        assert_eq!(answer.status, 413, "{path}");
        assert!(begun.elapsed() < Duration::from_secs(5), "it waited for a body");
        assert_eq!(answer.json()["field"], "body");
    }
    // Sent without being declared, in pieces.
    let mut stream = TcpStream::connect(server.at).expect("a connection");
    stream
        .write_all(head("/api/v1/explain", "Transfer-Encoding: chunked").as_bytes())
        .expect("sent");
    let piece = [b"10000\r\n".as_slice(), &[b'1'; 0x10000], b"\r\n"].concat();
    for _ in 0..(hundred >> 16) {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    drop(stream);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    assert!([0, 400, 414, 431].contains(&server.raw(long.as_bytes()).status));
    assert_eq!(server.api("GET", "/api/v1/health", b"").status, 200);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id()));
    if let Ok(status) = status {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 =
            peak.and_then(|peak| peak.trim().split(' ').next()?.parse().ok()).expect("a number");
        assert!(kib < 64 << 10, "{kib} KiB");
    }
}

#[test]
fn slow_clients_are_let_go() {
    let server = Server::with_case("slow");
    let begun = Instant::now();
    let half_a_head = TcpStream::connect(server.at).expect("a connection");
    (&half_a_head).write_all(b"GET / HTTP/1.1\r\nHost: 127").expect("sent");
    let mut silent = TcpStream::connect(server.at).expect("a connection");
    let mut half_a_body = TcpStream::connect(server.at).expect("a connection");
    let head = format!(
        "POST /api/v1/explain HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"text\"",
        server.at, server.bearer
    );
    half_a_body.write_all(head.as_bytes()).expect("sent");
    // Others are answered meanwhile.
    assert_eq!(server.api("GET", "/api/v1/health", b"").status, 200);
    let mut rest = Vec::new();
    for stream in [&half_a_head, &half_a_body, &silent] {
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    }
    half_a_body.read_to_end(&mut rest).expect("an answer and the end");
    assert!(rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    let mut rest = Vec::new();
    let _ = (&half_a_head).read_to_end(&mut rest);
    let _ = silent.read_to_end(&mut rest);
    let waited = begun.elapsed();
    assert!(waited < Duration::from_secs(25), "{waited:?}");
}

/// The verdicts of a replay, by entry.
fn verdicts() -> BTreeMap<String, Value> {
    let done = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(["replay", "--format", "ndjson"])
        .arg(example())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    objects.map(|one| (one["id"].as_str().expect("an id").to_owned(), one)).collect()
}

#[test]
fn each_refusal_of_the_example_is_explained_as_it_is_replayed() {
    let server = Server::with_case("explain");
    let schema = std::fs::read_to_string(root().join("docs/schemas/replay.schema.json"));
    let schema: Value = serde_json::from_str(&schema.expect("the schema")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let replayed = verdicts();
    let entries = std::fs::read_to_string(example().join("entries.csv")).expect("the entries");
    let mut refused = 0;
    for line in entries.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let of = &replayed[fields[0]];
        if of["cause"].is_null() {
            continue;
        }
        refused += 1;
        let answer = server.explain(&json!({
            "text": fields[3], "meter": fields[2], "at": fields[1], "sold_at": fields[4],
            "quantity": fields[5], "displayed": fields[8],
        }));
        assert_eq!(answer.status, 200, "{line}: {}", answer.body);
        let answer = answer.json();
        let only = &answer["answers"][0];
        assert!(schema.is_valid(&only["verdict"]), "{}", only["verdict"]);
        for name in ["result", "display", "reproduced", "cause", "action"] {
            assert_eq!(only["verdict"][name], of[name], "{line}: {name}");
        }
        let said = &only["explanation"];
        assert_eq!(said["taken"], false);
        let cause = of["cause"].as_str().expect("a cause");
        assert_eq!(said["customer"]["id"], format!("cause.{cause}.customer"), "{line}");
        if cause.starts_with("typed.") {
            let fitting = &said["readings"]["fitting"][0];
            assert_eq!(fitting["token"], "63853003577264016202", "{line}");
            assert_eq!(fitting["marks"]["keyed"].as_array().map(Vec::len), Some(1));
            assert_eq!(only["anatomy"]["opened"]["key"], "meter");
        }
        if cause.starts_with("krn.") {
            let fields = only["anatomy"]["opened"]["fields"].as_array().expect("fields");
            assert!(fields.iter().any(|field| field["name"] == "tid" && !field["means"].is_null()));
        }
    }
    assert_eq!(refused, 15);
}

#[test]
fn a_meter_has_a_history_and_no_key_is_told() {
    let server = Server::with_case("meter");
    let answer = server.api("GET", "/api/v1/meters/01202401012?at=2024-11-03T00:00:00Z", b"");
    let status = answer.json();
    assert_eq!((&status["meter"]["krn"], &status["meter"]["base_date"]), (&json!(2), &json!(2014)));
    let kinds: Vec<&str> = status["timeline"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["kind"].as_str())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "key_change").count(), 1, "{kinds:?}");
    assert!(kinds.contains(&"taken") && kinds.contains(&"refused") && kinds.contains(&"code"));
    let codes = json!({"text": "5714 3750 1354 0508 6188", "meter": "01202401012",
                       "at": "2024-10-31T09:00:00Z"});
    let codes = server.explain(&codes).body;
    for text in [&answer.body, &codes] {
        assert!(!text.contains("abababab") && !text.contains("4949"), "{text}");
    }
}

#[test]
fn without_records_a_meter_is_as_the_question_says() {
    let keys = example().join("keys.toml");
    let server = Server::start("keys", &["--keys", keys.to_str().expect("UTF-8")]);
    let token = "0443 4137 6791 7902 4103";
    let question = |krn: &str| json!({"text": token, "meter": "01202401012", "krn": krn, "ti": "01", "ea": "07"});
    let cause =
        |krn: &str| server.explain(&question(krn)).json()["answers"][0]["verdict"]["cause"].clone();
    assert_eq!((cause("1"), cause("2")), (json!("krn.ahead"), Value::Null));
    let without = server.explain(&json!({"text": token})).json();
    assert!(without["meter"].is_null() && without["answers"][0]["verdict"].is_null());
    let other = json!({"text": token, "meter": "01202401012", "profile": "x.toml"});
    let problem = server.explain(&other).json();
    assert_eq!(problem["field"], "profile");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("standard")));
}

#[test]
fn a_dropped_file_is_replayed_to_its_report() {
    let server = Server::with_case("replay");
    let entries = std::fs::read(example().join("entries.csv")).expect("the entries");
    let state = server.replay("entries.csv", &entries);
    assert_eq!(state["state"], "done", "{state}");
    assert_eq!((&state["accepted"], &state["refused"]), (&json!(17), &json!(15)));
    let id = state["id"].as_str().expect("an id");
    let report = server.api("GET", &format!("/api/v1/replays/{id}/report"), b"");
    assert_eq!(report.status, 200);
    assert!(report.body.starts_with("<!DOCTYPE html>") && report.body.contains("krn.behind"));
    assert!(!report.body.contains("01202401012"), "a report tells no meter");
    let policy = report.header("content-security-policy");
    assert!(policy.contains("sandbox") && !policy.contains("script-src"), "{policy}");

    // An export of sales, which says all of its meter.
    let sales = "drn,sold_at,sgc,krn,ti,ea,kt,base_date,token,quantity\n\
                 01202401012,2024-11-01T09:12:00Z,600457,1,01,07,2,1993,04434137679179024103,10\n";
    let state = server.replay("sales.csv", sales.as_bytes());
    assert_eq!((&state["state"], &state["rows"]), (&json!("done"), &json!(1)), "{state}");

    let state = server.replay("nothing.csv", b"a,b\n1,2\n");
    assert_eq!(state["state"], "failed");
    let problem = state["problem"].as_str().expect("a problem");
    assert!(problem.contains("nothing.csv") && !problem.contains("sts-serve"), "{problem}");

    // A profile that a row names is not read from a file.
    let secret = server.folder.join("secret.toml");
    std::fs::write(&secret, "secret = 1\n").expect("a file");
    let sales = format!(
        "drn,sold_at,sgc,krn,ti,ea,kt,base_date,token,quantity,profile\n\
         01202401012,2024-11-01T09:12:00Z,600457,1,01,07,2,1993,04434137679179024103,10,{}\n",
        secret.display()
    );
    let state = server.replay("sales.csv", sales.as_bytes());
    assert!(!state.to_string().contains("secret ="), "{state}");
    let forgotten = server.api("DELETE", &format!("/api/v1/replays/{id}"), b"");
    assert_eq!(forgotten.status, 204);
    assert_eq!(server.api("GET", &format!("/api/v1/replays/{id}"), b"").status, 404);
    // What was dropped is gone.
    let left = std::fs::read_dir(&server.folder).expect("the folder").flatten();
    let left = left.filter(|entry| entry.path().is_dir());
    for folder in left {
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}

#[test]
fn it_ends_when_told_and_leaves_nothing_behind() {
    let mut server = Server::with_case("end");
    let pid = server.process.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
    assert!(told.success());
    assert!(server.process.wait().expect("an end").success());
    assert_eq!(std::fs::read_dir(&server.folder).expect("the folder").count(), 0);
    let mut warnings = String::new();
    let stderr = server.process.stderr.as_mut().expect("its errors");
    stderr.read_to_string(&mut warnings).expect("UTF-8");
    assert!(!warnings.contains("other machines"), "{warnings}");
}

#[test]
fn another_address_is_taken_loudly() {
    let case = example();
    let arguments = [case.to_str().expect("UTF-8"), "--listen", "0.0.0.0:0"];
    let mut server = Server::start("loud", &arguments);
    server.process.kill().expect("killed");
    let mut warnings = String::new();
    let stderr = server.process.stderr.as_mut().expect("its errors");
    stderr.read_to_string(&mut warnings).expect("UTF-8");
    assert!(warnings.contains("other machines can reach this page"), "{warnings}");
}

/// The commands of `docs/serve.md`, at a server with the keys of the example.
#[test]
fn the_documented_requests_are_answered_as_shown() {
    let page = std::fs::read_to_string(root().join("docs/serve.md"));
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let (Ok(page), true) = (page, has_curl) else { return };
    let keys = example().join("keys.toml");
    let server = Server::start("docs", &["--keys", keys.to_str().expect("UTF-8")]);
    let sales = "drn,sold_at,sgc,krn,ti,ea,kt,base_date,token,quantity\n\
                 01202401012,2024-11-01T09:12:00Z,600457,1,01,07,2,1993,04434137679179024103,10\n";
    std::fs::write(server.folder.join("sales.csv"), sales).expect("a file");
    let page = page.replace("127.0.0.1:8055", &server.at.to_string()).replace("\\\n", "");
    let blocks = page.split("```console\n").skip(1).filter_map(|block| block.split("```").next());
    let mut ran = 0;
    for block in blocks {
        for part in block.split("$ ").filter(|part| part.starts_with("curl ")) {
            let (command, shown) = part.split_once('\n').expect("a line");
            let done =
                Command::new("sh").args(["-c", command]).current_dir(&server.folder).output();
            let printed = String::from_utf8(done.expect("curl").stdout).expect("UTF-8");
            assert!(!printed.is_empty(), "{command}");
            assert!(shown.is_empty() || shown.trim() == printed.trim(), "{command}\n{printed}");
            assert!(!shown.is_empty() || !printed.contains("\"status\":4"), "{command}\n{printed}");
            ran += 1;
            // A replay of one row takes a moment.
            std::thread::sleep(Duration::from_millis(if command.contains("data-binary") {
                1500
            } else {
                0
            }));
        }
    }
    assert!(ran >= 7, "{ran}");
}
