//! Reads each body into a counted buffer, or answers that there is no memory for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};
use leaktrail::{AllocError, ByteBuf};
use tower::{Layer, Service};

use super::{AnswerFuture, plain};
use crate::body::{self, Allocator, Answer, ReadError};

/// Puts a [`ReadBody`] into the chain.
#[derive(Clone, Debug)]
pub(crate) struct ReadBodyLayer {
    allocator: Allocator,
    /// How long a request waits for memory.
    wait: Duration,
    /// Requests that were answered 503.
    refused: Arc<AtomicU64>,
}

/// Turns a request with a stream into a request with a [`ByteBuf`].
#[derive(Clone, Debug)]
pub(crate) struct ReadBody<S> {
    layer: ReadBodyLayer,
    inner: S,
}

impl ReadBodyLayer {
    /// Bodies come from `allocator`, within `wait`; requests that got no memory are counted in `refused`.
    pub(crate) fn new(allocator: Allocator, wait: Duration, refused: Arc<AtomicU64>) -> ReadBodyLayer {
        ReadBodyLayer { allocator, wait, refused }
    }

    /// 503, counted; the client is not told how much memory the gateway has, the log is, once.
    fn refuse(&self, error: &AllocError) -> Answer {
        // A count that nothing else is ordered by.
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            log::warn!("answered 503: {error}; further ones are only counted");
        }
        let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "no memory for this body, please try again");
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        answer
    }
}

impl<S> Layer<S> for ReadBodyLayer {
    type Service = ReadBody<S>;

    fn layer(&self, inner: S) -> ReadBody<S> {
        ReadBody { layer: self.clone(), inner }
    }
}

impl<S> Service<Request<Incoming>> for ReadBody<S>
where
    S: Service<Request<ByteBuf>, Response = Answer, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> AnswerFuture {
        // The service that was polled ready is the one to call; its clone stays behind.
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (head, incoming) = request.into_parts();
            match body::read(incoming, &layer.allocator, layer.wait).await {
                // From here to the proxy there is no `await`, so a client that goes away cannot lose the buffer.
                Ok(body) => inner.call(Request::from_parts(head, body)).await,
                Err(ReadError::NoMemory(error)) => Ok(layer.refuse(&error)),
                Err(error @ ReadError::TooLong) => Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())),
                Err(error @ ReadError::Client(_)) => Ok(plain(StatusCode::BAD_REQUEST, error.to_string())),
            }
        })
    }
}
