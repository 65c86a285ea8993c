//! The filter chain of the gateway, as tower layers, outermost first:
//!
//! [`debug_leaks`] answers `/debug/leaks` and `/metrics`, [`read_body`] reads the body into a counted buffer or answers 503, and
//! [`cache_body`] is where the leaks of the story are.

pub(crate) mod cache_body;
pub(crate) mod debug_leaks;
pub(crate) mod read_body;

use std::convert::Infallible;
use std::pin::Pin;

use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::body::Answer;

/// What a filter's `call` returns when it has to wait for something.
pub(crate) type AnswerFuture = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

/// An answer of the gateway's own.
pub(crate) fn answer(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Either::Right(Full::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer of one line of plain text.
pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Answer {
    answer(status, "text/plain; charset=utf-8", text.into() + "\n")
}
