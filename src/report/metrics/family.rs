//! Figures of one name.

/// What a scraper may make of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows: a rate means something.
    Counter,
    /// A counter of time: microseconds here, told in seconds.
    Time,
    /// It goes up and down.
    Gauge,
    /// Always 1: its labels are what it says.
    Info,
}

/// Figures of one name, told apart by their labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// Without what its kind adds to it.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it is, in a line.
    pub(crate) help: &'static str,
    pub(crate) figures: Vec<Figure>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: u64,
}

impl Kind {
    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Counter | Kind::Time => "counter",
            Kind::Gauge => "gauge",
            Kind::Info => "info",
        }
    }

    /// What stands behind the name of a figure.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Kind::Counter | Kind::Time => "_total",
            Kind::Gauge => "",
            Kind::Info => "_info",
        }
    }
}

impl Family {
    /// The unit that its name ends with, if it has one.
    pub(crate) fn unit(&self) -> Option<&'static str> {
        ["bytes", "seconds"].into_iter().find(|unit| self.name.ends_with(&format!("_{unit}")))
    }
}
