//! Rows that take turns, batch by batch, so that floors and rows meet the same machine.

use crate::bodies::Body;
use crate::clock::cpu_ns;
use crate::deep;

/// CPU time of one batch, about.
const BATCH_NS: u64 = 2_000_000;

/// One body and what its batches took.
struct Row {
    name: String,
    frames: usize,
    body: Body,
    count: u64,
    samples: Vec<f64>,
}

/// Rows of one run.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
}

impl Rows {
    /// A body, called from where the rows are measured.
    pub fn add(&mut self, name: &str, body: Body) {
        self.push(name, 0, body);
    }

    /// A body, called from that depth.
    pub fn add_at(&mut self, depth: usize, name: &str, body: Body) {
        self.push(name, deep::missing(depth), body);
    }

    fn push(&mut self, name: &str, frames: usize, body: Body) {
        self.rows.push(Row { name: name.to_owned(), frames, body, count: 1, samples: Vec::new() });
    }

    /// Measures so many batches of each row, and says the medians.
    pub fn measure(&mut self, rounds: usize) {
        self.rows.iter_mut().for_each(Row::choose_count);
        for _ in 0..rounds {
            self.rows.iter_mut().for_each(Row::batch);
        }
        for row in &mut self.rows {
            say(&row.name, median(&mut row.samples));
        }
    }
}

impl Row {
    fn run(&mut self) -> u64 {
        let start = cpu_ns();
        deep::below(self.frames, &mut *self.body, self.count);
        cpu_ns() - start
    }

    fn choose_count(&mut self) {
        loop {
            let taken = self.run();
            if taken > BATCH_NS * 3 / 4 {
                break;
            }
            let more = if taken < BATCH_NS / 40 { 8.0 } else { BATCH_NS as f64 / taken as f64 };
            self.count = (self.count as f64 * more) as u64 + 1;
        }
    }

    fn batch(&mut self) {
        let taken = self.run();
        self.samples.push(taken as f64 / self.count as f64);
    }
}

/// The middle one.
pub fn median(samples: &mut [f64]) -> f64 {
    at_share(samples, 0.5)
}

/// The one below which that share lies.
pub fn at_share(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get((samples.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

/// A figure for whoever started this program: `name`, a tab, the figure.
pub fn say(name: &str, figure: f64) {
    println!("{name}\t{figure:.3}");
}
