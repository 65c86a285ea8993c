//! The service behind the gateway: answers each body with its length and its sum.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use crate::body::Answer;
use crate::filters::plain;
use crate::server::Server;

/// Starts an upstream on a free port of loopback.
pub(crate) async fn start() -> io::Result<Server> {
    Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tower::service_fn(receipt_of)).await
}

async fn receipt_of(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match request.into_body().collect().await {
        Ok(body) => plain(StatusCode::OK, receipt(&body.to_bytes())),
        Err(error) => plain(StatusCode::BAD_REQUEST, error.to_string()),
    })
}

/// What the upstream answers to `body`; the load compares, so that a buffer that was reused too early would show.
pub(crate) fn receipt(body: &[u8]) -> String {
    let sum = body.iter().fold(0u32, |sum, byte| sum.rotate_left(5).wrapping_add(u32::from(*byte)));
    format!("{} bytes, sum {sum:08x}", body.len())
}
