//! The command `leaktrail`: what it makes of logs, of real ones and of broken ones.
//!
//! `logs/` has logs as they were written: by the gateway of `examples/` under env_logger, by a program of a few
//! lines under tracing's formats, and by Netty 4.1.48 under logback, java.util.logging and slf4j's simple logger.

mod counts;
mod diff;
mod documented;
mod follow;
mod formats;
mod harness;
mod hostile;
mod limits;
mod show;
mod symbolize;
