//! One act in this process: servers up, load through, servers down, figures taken.

use std::error::Error;
use std::io::{self, BufRead as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use leaktrail::{ChunkSize, DirectMemory, LeakAware, LeakDetector, PooledAllocator};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::act::{Act, what_it_knows};
use crate::args::Args;
use crate::filters::{cache_body, debug_leaks};
use crate::gateway::Gateway;
use crate::load::{Answers, Load};
use crate::monitor::{self, Teller};
use crate::outcome::Figures;
use crate::say::say;
use crate::signal;
use crate::upstream;

/// An act that takes longer has failed.
const ACT_WITHIN: Duration = Duration::from_secs(120);

/// The threads of the servers and of the load. Few, so that a first screen shows one trail and not eight.
const WORKERS: usize = 2;

/// Plays `act` and says what it came to; `None` when it stayed up for somebody, which promises nothing.
pub(crate) fn play(act: Act, args: &Args, detector: &LeakDetector) -> Result<Option<Figures>, Box<dyn Error>> {
    say!("{}", act.headline());
    say!("Level {}: {}", detector.level(), what_it_knows(detector.level()));
    say!("");

    let memory = DirectMemory::with_limit(args.limit_bytes);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("worker")
        .enable_all()
        .build()?;
    let answers = runtime.block_on(drive(act, args, detector, &memory))?;
    // Every task and every connection ends here, and with the last of them the pool: what is still alive is held by the
    // program itself.
    drop(runtime);
    cache_body::release_all(act.revision());

    let snapshot = detector.snapshot();
    let figures = Figures {
        answers,
        used_bytes: memory.used(),
        limit_bytes: args.limit_bytes,
        live: snapshot.live(),
        lost: snapshot.leaked(),
    };
    Ok(args.serve.is_none().then_some(figures))
}

async fn drive(
    act: Act,
    args: &Args,
    detector: &LeakDetector,
    memory: &DirectMemory,
) -> Result<Answers, Box<dyn Error>> {
    // Small chunks for a small limit: `used` climbs in steps of one.
    let pool = PooledAllocator::builder(memory.clone()).chunk_size(ChunkSize::KIB_64).build();
    let allocator = LeakAware::new(pool, detector.clone()).drop_policy(act.drop_policy());
    let refused = Arc::new(AtomicU64::new(0));
    let upstream = upstream::start().await?;
    let allocator = Arc::new(allocator);
    let gateway = Gateway {
        allocator: Arc::clone(&allocator),
        wait: args.wait.unwrap_or(act.wait()),
        detector: detector.clone(),
        memory: memory.clone(),
        revision: act.revision(),
        upstream: upstream.address(),
        connections: args.connections,
        refused: Arc::clone(&refused),
    };
    let address = args.serve.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let gateway = gateway.start(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;

    let answered = Arc::new(AtomicU64::new(0));
    let teller = Teller::new(Arc::clone(&answered), refused, args.requests);
    let monitor = allocator.monitor(monitor::INTERVAL, move |sample| teller.tell(sample));
    let load = Load {
        target: gateway.address(),
        requests: args.requests,
        connections: args.connections,
        rate: args.rate,
        keys: act.keys(),
        slow_requests: act.slow_requests(),
    };
    let answers = timeout(ACT_WITHIN, load.run(answered))
        .await
        .map_err(|_| format!("the load did not end within {ACT_WITHIN:?}"))??;
    drop(monitor);
    say!("memory: {}", memory.figures().waited());

    if args.serve.is_some() {
        stay_up(gateway.address()).await?;
    }
    gateway.stop().await;
    upstream.stop().await;
    Ok(answers)
}

/// Waits for somebody to press Enter, or for the signal by which a service is told to end. An end of input is no Enter: a
/// service in the background has none.
async fn stay_up(address: SocketAddr) -> io::Result<()> {
    // Before anybody is told that it serves: from then on a signal may come.
    let asked_to_end = signal::asked_to_end()?;
    say!("serving: http://{address}{}  (?format=json for JSON); Enter or SIGTERM stops it", debug_leaks::PATH);
    let (pressed, enter) = oneshot::channel();
    // A thread of its own: a blocking task of the runtime would keep the runtime from ending.
    std::thread::spawn(move || {
        let read = std::io::stdin().lock().read_line(&mut String::new());
        if read.is_ok_and(|length| length > 0) {
            let _ = pressed.send(());
        } else {
            std::mem::forget(pressed);
        }
    });
    tokio::select! {
        _ = enter => {}
        () = asked_to_end => say!("asked to end"),
    }
    Ok(())
}
