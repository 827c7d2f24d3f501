//! What is wrong with a request: problem details (RFC 9457) that name the field.

use hyper::StatusCode;
use serde_json::json;

use crate::ask::question;

/// A refused request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// The field of the request, where it is about one.
    field: Option<String>,
    /// What was found and what was expected.
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, field: None, detail: detail.into() }
    }

    /// A field that cannot be taken.
    pub(super) fn bad(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let field = Some(field.into());
        Self { field, ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    pub(super) fn too_long(most: u64) -> Self {
        Self {
            field: Some("body".into()),
            ..Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("too long, expected at most {most} bytes"),
            )
        }
    }

    pub(super) fn slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the request came too slowly")
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let mut body = json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(field) = &self.field {
            body["field"] = json!(field);
        }
        body.to_string().into_bytes()
    }
}

impl From<question::Problem> for Problem {
    fn from(problem: question::Problem) -> Self {
        Self::bad(problem.field, problem.problem)
    }
}
