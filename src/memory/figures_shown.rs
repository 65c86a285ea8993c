//! A budget's figures as text and as data.

use std::fmt;

use super::figures::MemoryFigures;

/// One line for a person; each figure is a plain integer before its words, for grep and awk.
impl fmt::Display for MemoryFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory: reserved {}", self.reserved())?;
        if let Some(limit) = self.limit() {
            write!(f, " of {limit}")?;
        }
        write!(
            f,
            " B: {} B by buffers, {} B cached, {} B overhead; {} B abandoned, peak {} B, {} B given back by hooks; \
             {} reservations, {} refusals, {} waiting",
            self.by_buffers(),
            self.cached(),
            self.overhead(),
            self.abandoned(),
            self.peak(),
            self.given_back_by_hooks(),
            self.reservations(),
            self.refusals(),
            self.waiting()
        )
    }
}

/// The figures by the names of their methods; bytes are integers, and a budget without a limit has null.
#[cfg(feature = "serde")]
impl serde::Serialize for MemoryFigures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Shown {
            limit: Option<u64>,
            reserved: u64,
            by_buffers: u64,
            cached: u64,
            overhead: u64,
            abandoned: u64,
            peak: u64,
            given_back_by_hooks: u64,
            reservations: u64,
            refusals: u64,
            waiting: u64,
        }
        let shown = Shown {
            limit: self.limit(),
            reserved: self.reserved(),
            by_buffers: self.by_buffers(),
            cached: self.cached(),
            overhead: self.overhead(),
            abandoned: self.abandoned(),
            peak: self.peak(),
            given_back_by_hooks: self.given_back_by_hooks(),
            reservations: self.reservations(),
            refusals: self.refusals(),
            waiting: self.waiting(),
        };
        shown.serialize(serializer)
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use crate::memory::DirectMemory;

    #[test]
    fn figures_are_a_line_and_an_object() {
        let memory = DirectMemory::with_limit(1000);
        let (one, two) = (memory.try_reserve(600).unwrap(), memory.try_reserve(100).unwrap());
        assert!(memory.try_reserve(301).is_err());
        let stock = memory.stock();
        stock.add_cached(50);
        stock.add_overhead(7);
        drop(two);
        assert_eq!(
            memory.figures().to_string(),
            "memory: reserved 600 of 1000 B: 543 B by buffers, 50 B cached, 7 B overhead; 0 B abandoned, peak 700 B, \
             0 B given back by hooks; 1 reservations, 1 refusals, 0 waiting"
        );
        drop((one, stock));
        assert_eq!(
            DirectMemory::unlimited().figures().to_string(),
            "memory: reserved 0 B: 0 B by buffers, 0 B cached, 0 B overhead; 0 B abandoned, peak 0 B, 0 B given back by \
             hooks; 0 reservations, 0 refusals, 0 waiting"
        );
        #[cfg(feature = "serde")]
        assert_eq!(
            serde_json::to_string(&memory.figures()).unwrap(),
            r#"{"limit":1000,"reserved":0,"by_buffers":0,"cached":0,"overhead":0,"abandoned":0,"peak":700,"given_back_by_hooks":0,"reservations":0,"refusals":1,"waiting":0}"#
        );
    }
}
