//! Figures for the recorder that the program has installed for crate `metrics`.

use metrics::{Key, Label, Level, Metadata};

use super::TARGET;
use crate::report::{Kind, Metrics};

impl Metrics {
    /// Hands the figures to the recorder that the program has installed for crate `metrics`; without one nothing happens.
    ///
    /// The names are those of the text, `leaktrail_created_total` and so on, and each counter is set to what it is, so it
    /// does not matter how often this is called. The reporter calls it once a second for the global detector; for others, and
    /// for budgets, a program calls it as often as it wants to be scraped.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{DirectMemory, Metrics};
    ///
    /// let memory = DirectMemory::with_limit(1 << 20);
    /// Metrics::new().budget("bodies", &memory).record();
    /// ```
    pub fn record(&self) {
        static METADATA: Metadata<'static> = Metadata::new(TARGET, Level::INFO, Some(module_path!()));
        metrics::with_recorder(|recorder| {
            for family in &self.families {
                let name = format!("{}{}", family.name, family.kind.suffix());
                for figure in &family.figures {
                    let labels: Vec<Label> =
                        figure.labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect();
                    let key = Key::from_parts(name.clone(), labels);
                    match family.kind {
                        Kind::Counter => recorder.register_counter(&key, &METADATA).absolute(figure.value),
                        // The facade's counters are whole numbers.
                        Kind::Time => {
                            recorder.register_counter(&key, &METADATA).absolute(figure.value / 1_000_000);
                        }
                        // Exact up to 2^53, which is more bytes than a machine has.
                        Kind::Gauge | Kind::Info => recorder.register_gauge(&key, &METADATA).set(figure.value as f64),
                    }
                }
            }
        });
    }
}
