//! The end of the chain: sends a request to the upstream through a pooled client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use leaktrail::ByteBuf;
use tower::Service;

use crate::body::{self, Answer};
use crate::filters::{AnswerFuture, plain};

/// A client that keeps its connections for the next request.
pub(crate) type PooledClient = Client<HttpConnector, Full<Bytes>>;

/// Makes a client that keeps up to `connections` idle connections to each host.
pub(crate) fn pooled_client(connections: usize) -> PooledClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(connections).build(connector)
}

/// Sends each request on to the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    client: PooledClient,
    upstream: SocketAddr,
}

impl Proxy {
    /// A proxy for the upstream at this address.
    pub(crate) fn new(upstream: SocketAddr, connections: usize) -> Proxy {
        Proxy { client: pooled_client(connections), upstream }
    }
}

impl Service<Request<ByteBuf>> for Proxy {
    type Response = Answer;
    type Error = Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ByteBuf>) -> AnswerFuture {
        let (mut head, body) = request.into_parts();
        // Before anything can be cancelled: from now on the drop of the body is its release.
        let body = body::to_hyper(body);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = match format!("http://{}{path}", self.upstream).parse::<Uri>() {
            Ok(uri) => uri,
            Err(error) => return Box::pin(std::future::ready(Ok(plain(StatusCode::BAD_REQUEST, error.to_string())))),
        };
        head.headers.remove(HOST);
        head.headers.remove(CONNECTION);
        let sent = self.client.request(Request::from_parts(head, body));
        Box::pin(async move {
            Ok(match sent.await {
                Ok(response) => response.map(Either::Left),
                Err(error) => plain(StatusCode::BAD_GATEWAY, format!("the upstream did not answer: {error}")),
            })
        })
    }
}
