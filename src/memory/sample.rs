//! One line of a budget's monitor, and when it says that a budget only ever climbs.

use std::fmt;

use super::figures::MemoryFigures;
use crate::report::{Escaped, SiteStats};

/// From so many rises in a row on it is said in words. At one sample a second that is a minute: a load that swings has
/// been down by then, a leak has not.
const CLIMB_SAMPLES: u32 = 60;
/// Holders are asked in the middle of a climb, to be compared with those at its end: each answer is a walk over the ledger,
/// and most rises are over after one or two samples.
const BASE_SAMPLES: u32 = CLIMB_SAMPLES / 2;

/// A budget at one moment, as its [monitor](super::DirectMemory::monitor) tells it.
///
/// `Display` is one line:
///
/// ```text
/// used 491520 of 1048576 B, live 60, growth +8192 B
/// used 499712 of 1048576 B, live 61, growth +8192 B; up in each of the last 60 samples, 8192 B per ByteBuf created at src/filters.rs:41:22
/// ```
#[derive(Clone, Debug)]
pub struct MemorySample {
    figures: MemoryFigures,
    growth_bytes: i64,
    climb: Option<Climb>,
}

/// A budget that has only gone up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    samples: u32,
    holder: Option<SiteStats>,
    bytes_per_holder: u64,
}

impl MemorySample {
    /// All figures of that moment.
    #[must_use]
    pub fn figures(&self) -> &MemoryFigures {
        &self.figures
    }

    /// How many bytes more are reserved than at the sample before; below 0 if it was less, 0 at the first.
    #[must_use]
    pub fn growth(&self) -> i64 {
        self.growth_bytes
    }

    /// That it has gone up in each of the last sixty samples or more, where it has.
    #[must_use]
    pub fn climb(&self) -> Option<&Climb> {
        self.climb.as_ref()
    }
}

impl Climb {
    /// In how many samples in a row it has gone up.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Whose bytes have grown most meanwhile; known to the monitor of a leak-aware allocator.
    #[must_use]
    pub fn holder(&self) -> Option<&SiteStats> {
        self.holder.as_ref()
    }

    /// How many bytes each handle more of the [`holder`](Climb::holder) has, in the mean.
    #[must_use]
    pub fn bytes_per_holder(&self) -> u64 {
        self.bytes_per_holder
    }
}

impl fmt::Display for MemorySample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = &self.figures;
        write!(f, "used {}", figures.reserved())?;
        if let Some(limit) = figures.limit() {
            write!(f, " of {limit}")?;
        }
        f.write_str(" B")?;
        for (bytes, what) in
            [(figures.cached(), "cached"), (figures.overhead(), "overhead"), (figures.abandoned(), "abandoned")]
        {
            if bytes > 0 {
                write!(f, ", {bytes} B {what}")?;
            }
        }
        write!(f, ", live {}", figures.reservations())?;
        if figures.waiting() > 0 {
            write!(f, ", waiting {}", figures.waiting())?;
        }
        write!(f, ", growth {:+} B", self.growth_bytes)?;
        match &self.climb {
            Some(climb) => write!(f, "; {climb}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Climb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up in each of the last {} samples", self.samples)?;
        let Some(holder) = &self.holder else { return Ok(()) };
        let (bytes, resource) = (self.bytes_per_holder, Escaped(holder.resource()));
        write!(f, ", {bytes} B per {resource} {} at {}", holder.origin().word(), holder.site())
    }
}

/// Turns figures into samples.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    reserved_bytes: Option<u64>,
    rises: u32,
    /// Who held what in the middle of the climb.
    base: Vec<SiteStats>,
}

impl Sampler {
    /// The next sample. `holders` is asked twice in a climb at most before it is long enough to be told.
    pub(super) fn next(&mut self, figures: MemoryFigures, holders: &dyn Fn() -> Vec<SiteStats>) -> MemorySample {
        let reserved_bytes = figures.reserved();
        let before = self.reserved_bytes.replace(reserved_bytes).unwrap_or(reserved_bytes);
        self.rises = if reserved_bytes > before { self.rises.saturating_add(1) } else { 0 };
        match self.rises {
            0 => self.base.clear(),
            BASE_SAMPLES => self.base = holders(),
            _ => {}
        }
        let climb = (self.rises >= CLIMB_SAMPLES).then(|| self.climb(&holders()));
        // Exact for all but sums that no machine holds.
        let growth_bytes = reserved_bytes.wrapping_sub(before) as i64;
        MemorySample { figures, growth_bytes, climb }
    }

    fn climb(&self, holders: &[SiteStats]) -> Climb {
        let mut climb = Climb { samples: self.rises, holder: None, bytes_per_holder: 0 };
        let mut most_bytes = 0;
        for now in holders {
            let is_same = |base: &&SiteStats| {
                (base.site(), base.origin(), base.resource()) == (now.site(), now.origin(), now.resource())
            };
            let (base_bytes, base_live) =
                self.base.iter().find(is_same).map_or((0, 0), |base| (base.live_bytes(), base.live()));
            let bytes = now.live_bytes().saturating_sub(base_bytes);
            let handles = now.live().saturating_sub(base_live);
            if bytes > most_bytes && handles > 0 {
                most_bytes = bytes;
                climb.holder = Some(now.clone());
                climb.bytes_per_holder = bytes / handles;
            }
        }
        climb
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::cell::Cell;
    use std::panic::Location;

    use super::*;
    use crate::memory::DirectMemory;
    use crate::report::{Origin, Site};

    #[track_caller]
    fn holder(origin: Origin, live: u64, live_bytes: u64) -> SiteStats {
        SiteStats {
            resource: "ByteBuf".into(),
            site: Site::from_location(Location::caller()),
            origin,
            created: live,
            released: 0,
            leaked: 0,
            untracked: 0,
            live_bytes,
            leaked_bytes: 0,
            recent: None,
            nonzero_for: None,
        }
    }

    #[test]
    fn sixty_rises_in_a_row_are_said_in_words_with_the_line_that_grew() {
        let memory = DirectMemory::with_limit(1 << 20);
        let mut sampler = Sampler::default();
        let round = Cell::new(0_u64);
        let asked = Cell::new(0);
        let holders = || {
            asked.set(asked.get() + 1);
            // One that is large and stays, one that grows by 1024 B a round.
            vec![holder(Origin::Created, 7, 900_000), holder(Origin::Retained, round.get(), round.get() * 1024)]
        };
        let mut held = Vec::new();
        let first = sampler.next(memory.figures(), &holders);
        assert_eq!(first.to_string(), "used 0 of 1048576 B, live 0, growth +0 B");
        for rise in 1..=61 {
            round.set(rise);
            held.push(memory.try_reserve(1024).unwrap());
            let sample = sampler.next(memory.figures(), &holders);
            let plain = format!("used {} of 1048576 B, live {rise}, growth +1024 B", rise * 1024);
            if rise < 60 {
                assert_eq!(sample.to_string(), plain);
                continue;
            }
            let climb = sample.climb().unwrap();
            assert_eq!((u64::from(climb.samples()), climb.bytes_per_holder()), (rise, 1024));
            let site = climb.holder().unwrap().site();
            let words = format!("up in each of the last {rise} samples, 1024 B per ByteBuf retained at {site}");
            assert_eq!(sample.to_string(), format!("{plain}; {words}"));
        }
        assert_eq!(asked.get(), 3, "in the middle and at each line that tells it");

        // What stays or falls is no climb, and another one begins anew.
        assert!(sampler.next(memory.figures(), &holders).climb().is_none());
        held.pop();
        let sample = sampler.next(memory.figures(), &holders);
        assert_eq!((sample.growth(), sample.climb()), (-1024, None));
        held.push(memory.try_reserve(2048).unwrap());
        assert!(sampler.next(memory.figures(), &holders).climb().is_none());
    }

    #[test]
    fn a_line_has_what_there_is() {
        let memory = DirectMemory::unlimited();
        let chunk = memory.try_reserve(1000).unwrap();
        memory.try_reserve(24).unwrap().abandon();
        let stock = memory.stock();
        stock.add_cached(100);
        stock.add_overhead(5);
        let sample = Sampler::default().next(memory.figures(), &Vec::new);
        assert_eq!(sample.to_string(), "used 1024 B, 100 B cached, 5 B overhead, 24 B abandoned, live 1, growth +0 B");
        drop(chunk);
    }
}
