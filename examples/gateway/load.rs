//! Bounded HTTP load: POST bodies over kept-alive connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::act::Keys;
use crate::filters::cache_body::KEY;
use crate::proxy::{PooledClient, pooled_client};
use crate::upstream::receipt;

/// Bodies have 4, 8, 12 and 16 KiB in turn.
const BODY_STEP: usize = 4 * 1024;

/// The longest body that is sent.
pub(crate) const LARGEST_BODY: usize = 4 * BODY_STEP;

/// The mean length of a body.
pub(crate) const MEAN_BODY: usize = BODY_STEP * 5 / 2;

/// The pause between two requests of those that come slowly.
const SLOW_PAUSE: Duration = Duration::from_millis(40);

/// A request that is not answered by then fails the act.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What is sent, and where to.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) target: SocketAddr,
    pub(crate) requests: u64,
    pub(crate) connections: usize,
    /// Requests a second, at most.
    pub(crate) rate: u32,
    pub(crate) keys: Keys,
    /// How many come slowly at first.
    pub(crate) slow_requests: u64,
}

/// How the requests were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answers {
    /// 200, and the upstream's receipt was right.
    pub(crate) ok: u64,
    /// 503.
    pub(crate) unavailable: u64,
}

impl Load {
    /// Sends all requests; `answered` follows their number. The first answer that is neither 200 nor 503 ends it.
    pub(crate) async fn run(self, answered: Arc<AtomicU64>) -> Result<Answers, String> {
        let client = pooled_client(self.connections);
        let next = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..self.connections {
            let (next, answered) = (Arc::clone(&next), Arc::clone(&answered));
            clients.spawn(self.clone().send_in_turn(client.clone(), start, next, answered));
        }
        let mut sum = Answers::default();
        while let Some(ended) = clients.join_next().await {
            let answers = ended.map_err(|error| error.to_string())??;
            sum.ok += answers.ok;
            sum.unavailable += answers.unavailable;
        }
        Ok(sum)
    }

    /// One client: the next number is drawn, sent and answered, until all are drawn.
    async fn send_in_turn(
        self,
        client: PooledClient,
        start: Instant,
        next: Arc<AtomicU64>,
        answered: Arc<AtomicU64>,
    ) -> Result<Answers, String> {
        let mut answers = Answers::default();
        loop {
            // The counter alone hands out the numbers; nothing else is published with it.
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.requests {
                return Ok(answers);
            }
            sleep_until(start + self.due(number)).await;
            let sent = timeout(ANSWER_WITHIN, self.send(&client, number)).await;
            match sent.map_err(|_| format!("request {number}: no answer within {ANSWER_WITHIN:?}"))?? {
                StatusCode::OK => answers.ok += 1,
                _ => answers.unavailable += 1,
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// When a request is sent, after the first one.
    fn due(&self, number: u64) -> Duration {
        let slowly = number.min(self.slow_requests);
        SLOW_PAUSE * slowly as u32 + Duration::from_secs(number - slowly) / self.rate
    }

    async fn send(&self, client: &PooledClient, number: u64) -> Result<StatusCode, String> {
        let body = body_of(number);
        let expected = receipt(&body);
        let mut request = Request::builder().method(Method::POST).uri(format!("http://{}/orders", self.target));
        let keyed = match self.keys {
            Keys::None => false,
            Keys::All => true,
            Keys::Half => number.is_multiple_of(2),
        };
        if keyed {
            request = request.header(KEY, format!("order-{number:08}"));
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = client.request(request).await.map_err(|error| format!("request {number}: {error}"))?;
        let status = response.status();
        let text = response.into_body().collect().await.map_err(|error| format!("request {number}: {error}"))?;
        let text = String::from_utf8_lossy(&text.to_bytes()).trim_end().to_owned();
        match status {
            StatusCode::OK if text == expected => Ok(status),
            StatusCode::OK => Err(format!("request {number}: the upstream read {text:?} instead of {expected:?}")),
            StatusCode::SERVICE_UNAVAILABLE => Ok(status),
            _ => Err(format!("request {number}: answered {status}: {text}")),
        }
    }
}

/// The body of request `number`: its length and its bytes follow from the number.
fn body_of(number: u64) -> Bytes {
    let length = BODY_STEP * (1 + (number % 4) as usize);
    (0..length).map(|index| (index as u64 * 31 + number) as u8).collect()
}
