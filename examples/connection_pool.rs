//! A pool of real TCP connections that runs dry because `?` skips the way back into it.
//!
//! Look at two things. `LEAK:` names the line that checked the lost connection out. And the error of the exhausted
//! pool does not only say that it is exhausted: it lists who holds the connections, by line
//! (`detector.holders("Connection")`), and which lines lost the others.
//!
//! ```text
//! cargo run --example connection_pool
//! LEAK_DETECTION_LEVEL=paranoid cargo run --example connection_pool
//! ```

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use leaktrail::{LeakDetector, SiteStats, Tracked};

/// How many connections each pool may have open.
const POOL_SIZE: usize = 4;

/// A server that does not answer is an error, and no reason to wait for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A connection to the server of ages.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Connection(BufReader::new(stream)))
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        writeln!(self.0.get_mut(), "{question}")?;
        let mut answer = String::new();
        self.0.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

/// Keeps up to [`POOL_SIZE`] connections and hands them out.
struct Pool {
    address: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Connection>,
    /// Handed out and not handed back.
    out: usize,
}

/// Every connection is out.
#[derive(Debug)]
struct Exhausted {
    holders: Vec<SiteStats>,
    lost: Vec<SiteStats>,
}

impl Pool {
    fn new(address: SocketAddr) -> Pool {
        Pool { address, state: Mutex::default() }
    }

    /// Hands out a connection. With `#[track_caller]` the site of a report is the caller's line, not one in here.
    #[track_caller]
    fn check_out(&self) -> Result<Tracked<Connection>, Box<dyn Error>> {
        let mut state = self.state();
        if state.out == POOL_SIZE {
            drop(state);
            return Err(Box::new(Exhausted::now(LeakDetector::global())));
        }
        let connection = match state.idle.pop_front() {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        state.out += 1;
        Ok(leaktrail::track(connection))
    }

    /// Takes a connection back.
    fn check_in(&self, connection: Tracked<Connection>) {
        let connection = Tracked::release(connection);
        let mut state = self.state();
        state.idle.push_back(connection);
        state.out -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exhausted {
    fn now(detector: &LeakDetector) -> Exhausted {
        let sites = detector.snapshot();
        let lost = sites.sites().iter().filter(|site| site.resource() == "Connection" && site.leaked() > 0);
        Exhausted { holders: detector.holders("Connection"), lost: lost.cloned().collect() }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {POOL_SIZE} connections are out")?;
        for site in &self.holders {
            write!(f, "\n  {} still held, checked out at {}", site.live(), site.site())?;
        }
        for site in &self.lost {
            write!(f, "\n  {} lost, checked out at {}", site.leaked(), site.site())?;
        }
        Ok(())
    }
}

impl Error for Exhausted {}

/// An age, or why there is none.
type Answer = Result<u32, Box<dyn Error>>;

/// As it was written: an answer that is no number leaves before the connection is back.
fn age_of(pool: &Pool, name: &str) -> Answer {
    let mut connection = pool.check_out()?; // every report names this line
    let answer = connection.ask(name)?;
    let age = answer.parse()?; // `?` drops the connection here
    pool.check_in(connection);
    Ok(age)
}

/// As it should be: back first, `?` after.
fn age_of_mended(pool: &Pool, name: &str) -> Answer {
    let mut connection = pool.check_out()?;
    let answer = connection.ask(name);
    pool.check_in(connection);
    Ok(answer?.parse()?)
}

fn ask_all(pool: &Pool, names: &[&str], age_of: fn(&Pool, &str) -> Answer) {
    for name in names {
        match age_of(pool, name) {
            Ok(age) => println!("{name}: {age}"),
            Err(error) => println!("{name}: {error}"),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The log goes where the program's own lines go, so that a pipe shows them in order.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
        .target(env_logger::Target::Stdout)
        .init();
    let _guard = leaktrail::guard();
    let address = start_server()?;
    let names = ["ada", "bob", "eve", "mallory", "trent", "carol", "dave"];

    println!("== a pool of {POOL_SIZE}, one connection kept for a long report, and a `?` that skips the way back");
    let pool = Pool::new(address);
    let for_the_report = pool.check_out()?;
    ask_all(&pool, &names, age_of);
    pool.check_in(for_the_report);
    // A report may take some milliseconds; this one is to come before the next headline.
    LeakDetector::global().flush();

    println!("== the same questions, mended");
    ask_all(&Pool::new(address), &names, age_of_mended);

    println!("== exit");
    Ok(())
}

/// A real server on a free port of loopback; it answers until the process ends.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(stream));
        }
    });
    Ok(address)
}

fn answer(stream: TcpStream) -> io::Result<()> {
    let mut questions = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut name = String::new();
    while questions.read_line(&mut name)? > 0 {
        let age = match name.trim_end() {
            "ada" => "36",
            "bob" => "41",
            "carol" => "27",
            "dave" => "58",
            _ => "unknown",
        };
        writeln!(stream, "{age}")?;
        name.clear();
    }
    Ok(())
}
