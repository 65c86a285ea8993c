//! The gateway: a server whose filter chain ends in the proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use leaktrail::{DirectMemory, LeakDetector};
use tower::ServiceBuilder;

use crate::act::Revision;
use crate::body::Allocator;
use crate::filters::cache_body::CacheBodyLayer;
use crate::filters::debug_leaks::DebugLeaksLayer;
use crate::filters::read_body::ReadBodyLayer;
use crate::proxy::Proxy;
use crate::server::Server;

/// What a gateway is built from.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) allocator: Allocator,
    /// How long a request waits for memory before it is answered 503.
    pub(crate) wait: Duration,
    pub(crate) detector: LeakDetector,
    pub(crate) memory: DirectMemory,
    pub(crate) revision: Revision,
    pub(crate) upstream: SocketAddr,
    pub(crate) connections: usize,
    /// Counts the requests that got no memory.
    pub(crate) refused: Arc<AtomicU64>,
}

impl Gateway {
    /// Starts it on `address`.
    pub(crate) async fn start(self, address: SocketAddr) -> io::Result<Server> {
        let chain = ServiceBuilder::new()
            .layer(DebugLeaksLayer { detector: self.detector, memory: self.memory })
            .layer(ReadBodyLayer::new(self.allocator, self.wait, self.refused))
            .layer(CacheBodyLayer(self.revision))
            .service(Proxy::new(self.upstream, self.connections));
        Server::start(address, chain).await
    }
}
