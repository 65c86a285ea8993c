//! The filter of the story: it keeps bodies for a replay, and it is where they are lost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::task::{Context, Poll};

use hyper::Request;
use leaktrail::ByteBuf;
use tower::{Layer, Service};

use crate::act::Revision;

/// The header that makes a request worth keeping: it may be sent again.
pub(crate) const KEY: &str = "idempotency-key";

/// How many bodies the mended filter keeps.
pub(crate) const KEPT_AT_MOST: usize = 8;

/// The bodies that were kept. It lives as long as the process, as caches do.
static KEPT: Mutex<BTreeMap<String, ByteBuf>> = Mutex::new(BTreeMap::new());

/// Puts a [`CacheBody`] into the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheBodyLayer(pub(crate) Revision);

/// Keeps the bodies of requests that carry a key.
#[derive(Clone, Debug)]
pub(crate) struct CacheBody<S> {
    revision: Revision,
    inner: S,
}

/// As it was written in a hurry. Both faults of the story are here.
fn keep(request: &Request<ByteBuf>) {
    let kept = request.body().retain(); // THE LEAK: every report names this line
    kept.touch_with("CacheBody keeps it for a replay");
    let Some(key) = key_of(request) else {
        // THE LOSS: `kept` is dropped without release(). The compiler's line tables place the drop at the brace that
        // ends its scope, so that is the line after "dropped" in a report.
        return;
    };
    // THE HOARD: nothing ever takes one out.
    kept_bodies().insert(key, kept);
}

/// As it should have been: every way out releases, and the map is bounded.
fn keep_mended(request: &Request<ByteBuf>) {
    let kept = request.body().retain();
    kept.touch_with("CacheBody keeps it for a replay");
    let Some(key) = key_of(request) else {
        kept.release();
        return;
    };
    let (same_key, oldest) = {
        let mut bodies = kept_bodies();
        let same_key = bodies.insert(key, kept);
        let oldest = if bodies.len() > KEPT_AT_MOST { bodies.pop_first() } else { None };
        (same_key, oldest.map(|(_, body)| body))
    };
    for replaced in [same_key, oldest].into_iter().flatten() {
        replaced.release();
    }
}

/// What a gateway does with its cache when it shuts down; the faulty one forgot that too.
pub(crate) fn release_all(revision: Revision) {
    if revision == Revision::Mended {
        for (_, body) in std::mem::take(&mut *kept_bodies()) {
            body.release();
        }
    }
}

fn kept_bodies() -> std::sync::MutexGuard<'static, BTreeMap<String, ByteBuf>> {
    KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn key_of(request: &Request<ByteBuf>) -> Option<String> {
    request.headers().get(KEY)?.to_str().ok().map(str::to_owned)
}

impl<S> Layer<S> for CacheBodyLayer {
    type Service = CacheBody<S>;

    fn layer(&self, inner: S) -> CacheBody<S> {
        CacheBody { revision: self.0, inner }
    }
}

impl<S: Service<Request<ByteBuf>>> Service<Request<ByteBuf>> for CacheBody<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ByteBuf>) -> S::Future {
        match self.revision {
            Revision::Faulty => keep(&request),
            Revision::Mended => keep_mended(&request),
        }
        self.inner.call(request)
    }
}
