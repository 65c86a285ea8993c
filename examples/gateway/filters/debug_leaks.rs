//! What an operator asks of the running gateway: `GET /debug/leaks` who holds what, `GET /metrics` the figures for a scraper,
//! and `POST /debug/leaks/level?level=paranoid&for=10m` a look from nearer, for a time.
//!
//! Nobody is asked who he is: the gateway listens on loopback unless an address says otherwise. In a program that serves a
//! network this belongs on a listener of its own, as the level can be changed by it.

use std::future::ready;
use std::str::FromStr as _;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::{Method, Request, StatusCode};
use leaktrail::{DirectMemory, LeakDetector, Level, Metrics};
use tower::{Layer, Service};

use super::{AnswerFuture, answer, plain};
use crate::body::Answer;

/// Where the snapshot is.
pub(crate) const PATH: &str = "/debug/leaks";
/// Where the level is changed.
const LEVEL_PATH: &str = "/debug/leaks/level";
/// Where scrapers look.
const METRICS_PATH: &str = "/metrics";

/// No look from nearer takes longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Puts a [`DebugLeaks`] into the chain.
#[derive(Clone, Debug)]
pub(crate) struct DebugLeaksLayer {
    pub(crate) detector: LeakDetector,
    pub(crate) memory: DirectMemory,
}

/// Answers what is asked of the detector and passes everything else on.
#[derive(Clone, Debug)]
pub(crate) struct DebugLeaks<S> {
    detector: LeakDetector,
    memory: DirectMemory,
    inner: S,
}

impl<S> DebugLeaks<S> {
    /// The answer to what is asked of the detector; `None` for what is the upstream's.
    fn answer(&self, request: &Request<Incoming>) -> Option<Answer> {
        let (path, allowed) = match request.uri().path() {
            PATH => (PATH, Method::GET),
            METRICS_PATH => (METRICS_PATH, Method::GET),
            LEVEL_PATH => (LEVEL_PATH, Method::POST),
            _ => return None,
        };
        if request.method() != allowed {
            return Some(plain(StatusCode::METHOD_NOT_ALLOWED, format!("{allowed} only")));
        }
        Some(match path {
            PATH => self.snapshot(request),
            METRICS_PATH => self.metrics(),
            _ => self.set_level(request),
        })
    }

    fn metrics(&self) -> Answer {
        let metrics = Metrics::of(&self.detector.snapshot()).budget("bodies", &self.memory);
        answer(StatusCode::OK, Metrics::CONTENT_TYPE, metrics.to_string())
    }

    fn set_level(&self, request: &Request<Incoming>) -> Answer {
        let level = parameter(request, "level").and_then(|level| Level::from_str(level).ok());
        let time = parameter(request, "for").and_then(|time| humantime::parse_duration(time).ok());
        match (level, time.filter(|time| !time.is_zero() && *time <= LONGEST)) {
            (Some(level), Some(time)) => {
                self.detector.set_level_for(level, time);
                // A ceiling of the build may have made it less.
                let (level, time) = (self.detector.level(), humantime::format_duration(time));
                plain(StatusCode::OK, format!("level {level} for {time}"))
            }
            _ => plain(
                StatusCode::BAD_REQUEST,
                "level=disabled|simple|advanced|paranoid and for=10m are needed, a day at most",
            ),
        }
    }

    fn snapshot(&self, request: &Request<Incoming>) -> Answer {
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

/// A parameter of the query; names and values here need no decoding.
fn parameter<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    let mut pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}

fn wants_json(request: &Request<Incoming>) -> bool {
    let asked = parameter(request, "format") == Some("json");
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    asked || accept.is_some_and(|value| value.contains("application/json"))
}

impl<S> Layer<S> for DebugLeaksLayer {
    type Service = DebugLeaks<S>;

    fn layer(&self, inner: S) -> DebugLeaks<S> {
        DebugLeaks { detector: self.detector.clone(), memory: self.memory.clone(), inner }
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
        match self.answer(&request) {
            Some(answer) => Box::pin(ready(Ok(answer))),
            None => self.inner.call(request),
        }
    }
}
