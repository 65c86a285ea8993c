//! Request bodies in counted buffers: read from hyper, and handed back to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use leaktrail::{AllocError, BudgetedAllocator, ByteBuf, ByteBufMut, LeakAware, PooledAllocator};
use tokio::time::timeout;

/// Where the bodies come from: places in a pool, each reference to one tracked.
pub(crate) type Allocator = Arc<LeakAware<PooledAllocator>>;

/// What the gateway answers: the upstream's body as it streams in, or a text of its own.
pub(crate) type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Larger bodies are refused before memory is asked for.
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// What is asked for when the client did not announce a length.
const FIRST_CAPACITY_BYTES: usize = 4 * 1024;

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The budget has no room: the answer is 503.
    NoMemory(AllocError),
    /// Longer than the gateway takes: the answer is 413.
    TooLong,
    /// The client went away or broke the protocol: nobody is left to be answered.
    Client(hyper::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::NoMemory(error) => error.fmt(f),
            ReadError::TooLong => write!(f, "the body is longer than {MAX_BODY_BYTES} bytes"),
            ReadError::Client(error) => error.fmt(f),
        }
    }
}

impl From<AllocError> for ReadError {
    fn from(error: AllocError) -> ReadError {
        ReadError::NoMemory(error)
    }
}

/// Reads a whole body into one buffer, for which it waits its turn, at most so long.
pub(crate) async fn read(mut body: Incoming, allocator: &Allocator, wait: Duration) -> Result<ByteBuf, ReadError> {
    let announced = body.size_hint().exact();
    if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(ReadError::TooLong);
    }
    let capacity = announced.map_or(FIRST_CAPACITY_BYTES, |length| length as usize);
    // While it waits the client waits too: nothing is read, so nothing piles up. A client that goes away drops this future,
    // which leaves the line.
    let mut waiting = allocator.allocate_async(capacity);
    let in_time = timeout(wait, &mut waiting).await;
    let mut draft = Draft(Some(in_time.unwrap_or_else(|_| waiting.give_up())?));
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(ReadError::Client)?.into_data() else { continue };
        length += data.remaining();
        if length as u64 > MAX_BODY_BYTES {
            return Err(ReadError::TooLong);
        }
        draft.append(&data)?;
    }
    Ok(draft.finish())
}

/// A buffer that is being filled, released when reading ends early.
///
/// `?` and a cancelled request (hyper drops the future when the client goes away) leave `read` in the middle;
/// without this the buffer would be lost there, and reported.
struct Draft(Option<ByteBufMut>);

impl Draft {
    fn append(&mut self, data: &[u8]) -> Result<(), AllocError> {
        let buffer = self.0.as_mut().expect("a draft has its buffer until it is finished");
        buffer.try_reserve(data.len())?;
        buffer.put_slice(data);
        Ok(())
    }

    fn finish(mut self) -> ByteBuf {
        self.0.take().expect("a draft is finished once").freeze()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.take() {
            buffer.release();
        }
    }
}

/// Hands a body to hyper, which drops what it has written.
///
/// As `Bytes` that drop is the release: the way out of explicit releasing for code that does not know it.
pub(crate) fn to_hyper(body: ByteBuf) -> Full<Bytes> {
    Full::new(Bytes::from(body))
}
