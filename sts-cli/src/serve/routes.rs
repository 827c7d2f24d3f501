//! What is where: the paths of the page and the API, and what answers them.

use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::answers::{self, Asked};
use super::problem::Problem;
use super::{Server, limits, page};

type Answer = Response<Full<Bytes>>;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// A page of ours loads what this server gives and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
/// A report brings its styles along, runs nothing and is of no origin.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Route {
    Page,
    Style,
    Script,
    Openapi,
    Health,
    Texts,
    Explain,
    Meter,
    StartReplay,
    Replay,
    ForgetReplay,
    Report,
}

/// Every path there is; braces stand for one segment.
const ROUTES: [(Method, &str, Route); 12] = [
    (Method::GET, "/", Route::Page),
    (Method::GET, "/page.css", Route::Style),
    (Method::GET, "/page.js", Route::Script),
    (Method::GET, "/api/openapi.json", Route::Openapi),
    (Method::GET, "/api/v1/health", Route::Health),
    (Method::GET, "/api/v1/texts/{language}", Route::Texts),
    (Method::POST, "/api/v1/explain", Route::Explain),
    (Method::GET, "/api/v1/meters/{number}", Route::Meter),
    (Method::POST, "/api/v1/replays", Route::StartReplay),
    (Method::GET, "/api/v1/replays/{id}", Route::Replay),
    (Method::DELETE, "/api/v1/replays/{id}", Route::ForgetReplay),
    (Method::GET, "/api/v1/replays/{id}/report", Route::Report),
];

/// The segment that stands where a pattern has braces, empty where it has none; `None` where the path
/// does not fit.
fn fit<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let mut variable = "";
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(variable),
            (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                variable = value;
            }
            (Some(name), Some(value)) if name == value => {}
            _ => return None,
        }
    }
}

/// Answers one request.
pub(super) async fn answer(
    server: Arc<Server>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Answer {
    let path = request.uri().path().to_owned();
    match within(&server, peer, request).await {
        Ok(answer) => answer,
        Err(problem) => {
            let mut answer = respond(problem.status, "application/problem+json", problem.body());
            let headers = answer.headers_mut();
            match problem.status {
                StatusCode::UNAUTHORIZED => {
                    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                StatusCode::METHOD_NOT_ALLOWED => {
                    if let Ok(value) = HeaderValue::from_str(&allowed(&path)) {
                        headers.insert(header::ALLOW, value);
                    }
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                }
                _ => {}
            }
            answer
        }
    }
}

fn allowed(path: &str) -> String {
    let fitting = ROUTES.iter().filter(|(_, pattern, _)| fit(pattern, path).is_some());
    fitting.map(|(method, ..)| method.as_str()).collect::<Vec<_>>().join(", ")
}

async fn within(
    server: &Arc<Server>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Answer, Problem> {
    let access = &server.access;
    let headers = request.headers();
    let is_inside = access.admits(headers);
    if !server.rate.allows(peer, is_inside) {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests; wait a little",
        ));
    }
    if !access.is_own_host(headers) {
        let detail = "the Host header names another server, expected localhost or an address, and \
                      our port";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }
    let query = Query::of(request.uri().query().unwrap_or_default());
    if request.method() == Method::GET
        && request.uri().path() == "/"
        && let Some(cookie) = query.get("t").and_then(|token| access.exchange(token))
    {
        return Ok(let_in(&cookie));
    }
    if !is_inside {
        let detail = "open the address that sts serve printed (it works once), or send the token of \
                      --token-file as Authorization: Bearer";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    }
    // An old address in the history of a browser that is let in already.
    if request.uri().path() == "/" && request.uri().query().is_some() {
        return Ok(redirect());
    }
    if !access.is_own_origin(request.method(), headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the request comes from another site"));
    }
    let path = request.uri().path().to_owned();
    let (route, variable) = route_of(request.method(), &path)?;
    dispatch(server, route, variable, &query, request).await
}

/// What is at a path, and the segment of it that varies.
fn route_of<'p>(method: &Method, path: &'p str) -> Result<(Route, &'p str), Problem> {
    let mut is_known = false;
    for (own, pattern, route) in &ROUTES {
        if let Some(variable) = fit(pattern, path) {
            is_known = true;
            if own == method {
                return Ok((*route, variable));
            }
        }
    }
    Err(if is_known {
        let detail = format!("expected {}", allowed(path));
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
    } else {
        Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")
    })
}

async fn dispatch(
    server: &Arc<Server>,
    route: Route,
    variable: &str,
    query: &Query,
    request: Request<Incoming>,
) -> Result<Answer, Problem> {
    let variable = decoded(variable);
    let asset = |kind, text: &'static str| Ok(respond(StatusCode::OK, kind, text));
    match route {
        Route::Page => asset(HTML, page::HTML),
        Route::Style => asset("text/css; charset=utf-8", page::STYLE),
        Route::Script => asset("text/javascript; charset=utf-8", page::SCRIPT),
        Route::Openapi => asset(JSON, page::OPENAPI),
        Route::Health => {
            let version = env!("CARGO_PKG_VERSION");
            Ok(json_of(&json!({"schema": 1, "status": "ok", "version": version})))
        }
        Route::Texts => {
            let texts = page::texts(&variable);
            texts
                .map(json_of)
                .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "expected one of: en, af, st"))
        }
        Route::Explain => {
            let asked = asked(request).await?;
            let shelf = Arc::clone(&server.shelf);
            server.work(move || answers::explain(&shelf, &asked).map(|said| json_of(&said))).await
        }
        Route::Meter => {
            let shelf = Arc::clone(&server.shelf);
            let at = query.get("at").map(str::to_owned);
            let status = move || {
                answers::status(&shelf, &variable, at.as_deref()).map(|said| json_of(&said))
            };
            server.work(status).await
        }
        Route::StartReplay => {
            let name = query
                .get("name")
                .ok_or_else(|| Problem::bad("name", "missing, expected the name of the file"))?;
            let (shelf, zone) = (&server.shelf, query.get("tz"));
            let state = server.jobs.start(shelf, name, zone, request.into_body()).await?;
            let mut answer = json_of(&state);
            *answer.status_mut() = StatusCode::ACCEPTED;
            Ok(answer)
        }
        Route::Replay => server.jobs.state(&variable).map(|state| json_of(&state)),
        Route::ForgetReplay => {
            server.jobs.forget(&variable)?;
            Ok(respond(StatusCode::NO_CONTENT, JSON, ""))
        }
        Route::Report => {
            let mut answer = respond(StatusCode::OK, HTML, server.jobs.report(&variable)?);
            let policy = HeaderValue::from_static(REPORT_POLICY);
            answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            Ok(answer)
        }
    }
}

/// The question in a body, each field judged by itself.
async fn asked(request: Request<Incoming>) -> Result<Asked, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(JSON)) {
        let detail = "expected Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let body = limits::question(request.into_body()).await?;
    let value: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad("body", format!("no JSON: {error}")))?;
    let Value::Object(fields) = &value else {
        return Err(Problem::bad("body", "expected an object"));
    };
    for (name, value) in fields {
        if !(value.is_string() || value.is_null() && name != "text") {
            return Err(Problem::bad(name, "expected a string"));
        }
    }
    if !fields.contains_key("text") {
        return Err(Problem::bad("text", "missing, expected a token, a slip or a message"));
    }
    serde_json::from_value(value).map_err(|error| {
        // Everything else is checked above.
        let field = error.to_string().split('`').nth(1).unwrap_or("body").to_owned();
        Problem::bad(field, "no such field")
    })
}

/// A query, its parts decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(query: &str) -> Self {
        let parts = query.split('&').filter(|part| !part.is_empty());
        let parts = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        Self(
            parts.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Text with `%` and two hex digits put back to bytes; what is no such escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let escaped = others.get(..2).filter(|_| *first == b'%');
        let byte = escaped
            .and_then(|digits| hex::decode(digits).ok())
            .and_then(|one| one.first().copied());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first visit: a cookie, and an address without the token.
fn let_in(cookie: &str) -> Answer {
    let mut answer = redirect();
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

fn redirect() -> Answer {
    let mut answer = respond(StatusCode::SEE_OTHER, HTML, "");
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    answer
}

fn json_of(value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => respond(StatusCode::OK, JSON, body),
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, JSON, "{}"),
    }
}

/// An answer with the headers that all have.
fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let all: [(HeaderName, &str); 8] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in all {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paths_fit_whole_segments() {
        assert_eq!(fit("/api/v1/replays/{id}/report", "/api/v1/replays/7/report"), Some("7"));
        assert_eq!(fit("/", "/"), Some(""));
        for path in
            ["/api/v1/replays//report", "/api/v1/replays/7/report/", "/api/v1/replays/a/b/report"]
        {
            assert_eq!(fit("/api/v1/replays/{id}/report", path), None, "{path}");
        }
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(decoded("a%20b%2Fc%252e"), "a b/c%2e");
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
        let query = Query::of("name=sales+2024.csv&tz=%2B02%3A00&&flag");
        assert_eq!((query.get("name"), query.get("tz")), (Some("sales 2024.csv"), Some("+02:00")));
        assert_eq!(query.get("flag"), Some(""));
    }

    #[test]
    fn the_openapi_file_has_the_routes_of_the_api_and_no_others() {
        let file: Value = serde_json::from_str(page::OPENAPI).expect("JSON");
        let paths = file["paths"].as_object().expect("paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().expect("methods").keys();
                let methods = methods.filter(|name| *name != "parameters");
                methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
            })
            .collect();
        let routes: BTreeSet<(String, String)> = ROUTES
            .iter()
            .filter(|(_, path, _)| path.starts_with("/api/"))
            .map(|(method, path, _)| (method.to_string(), (*path).to_owned()))
            .collect();
        assert_eq!(described, routes);
    }
}
