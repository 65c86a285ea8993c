//! What a log says of its causes, added up.

mod cause;
mod row;
mod run;
mod table;

pub(crate) use row::Row;
pub(crate) use table::{Causes, Wanted};
