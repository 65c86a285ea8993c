//! `GET /debug/leaks`: who holds what, asked of the running gateway.

use std::future::ready;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::{Method, Request, StatusCode};
use leaktrail::LeakDetector;
use tower::{Layer, Service};

use super::{AnswerFuture, answer, plain};
use crate::body::Answer;

/// Where it answers.
pub(crate) const PATH: &str = "/debug/leaks";

/// Puts a [`DebugLeaks`] into the chain.
#[derive(Clone, Debug)]
pub(crate) struct DebugLeaksLayer(pub(crate) LeakDetector);

/// Answers [`PATH`] with the detector's snapshot and passes everything else on.
#[derive(Clone, Debug)]
pub(crate) struct DebugLeaks<S> {
    detector: LeakDetector,
    inner: S,
}

impl<S> DebugLeaks<S> {
    fn snapshot(&self, request: &Request<Incoming>) -> Answer {
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "GET only");
        }
        let snapshot = self.detector.snapshot();
        if !wants_json(request) {
            return plain(StatusCode::OK, snapshot.to_string().trim_end());
        }
        match serde_json::to_string_pretty(&snapshot) {
            Ok(json) => answer(StatusCode::OK, "application/json", json + "\n"),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

fn wants_json(request: &Request<Incoming>) -> bool {
    let asked = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "format=json"));
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    asked || accept.is_some_and(|value| value.contains("application/json"))
}

impl<S> Layer<S> for DebugLeaksLayer {
    type Service = DebugLeaks<S>;

    fn layer(&self, inner: S) -> DebugLeaks<S> {
        DebugLeaks { detector: self.0.clone(), inner }
    }
}

impl<S> Service<Request<Incoming>> for DebugLeaks<S>
where
    S: Service<Request<Incoming>, Response = Answer, Error = std::convert::Infallible, Future = AnswerFuture>,
{
    type Response = Answer;
    type Error = std::convert::Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> AnswerFuture {
        if request.uri().path() == PATH {
            return Box::pin(ready(Ok(self.snapshot(&request))));
        }
        self.inner.call(request)
    }
}
