//! What the caps kept out.

/// How often something was not kept because a cap was reached. The counts of handles are exact all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Discarded {
    pub(crate) trails: u64,
    pub(crate) records: u64,
    pub(crate) stacks: u64,
    pub(crate) sites: u64,
    pub(crate) fingerprints: u64,
    pub(crate) reports: u64,
    /// Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) walks: u64,
}

impl Discarded {
    /// How often a handle that should have had a trail got none.
    pub fn trails(&self) -> u64 {
        self.trails
    }

    /// How many records found no room.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How often a stack found no room.
    pub fn stacks(&self) -> u64 {
        self.stacks
    }

    /// How often a site found no row of its own; handles of such sites are counted together in one row.
    pub fn sites(&self) -> u64 {
        self.sites
    }

    /// How often a cause found no row of its own.
    pub fn fingerprints(&self) -> u64 {
        self.fingerprints
    }

    /// How often a loss was only counted, because the queue of the reporter was full, or who holds what was not listed, because
    /// this minute's lists were used up.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// How often a walk of the stack was compared with the system's unwinder and found to be wrong; what that says was kept. After
    /// the third it is the unwinder that walks.
    pub fn walks(&self) -> u64 {
        self.walks
    }

    /// Whether everything was kept. What the unwinder has put right was.
    pub fn is_empty(&self) -> bool {
        Discarded { walks: 0, ..*self } == Discarded::default()
    }

    /// Each figure that is not 0, with its noun in the singular.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (u64, &'static str)> {
        [
            (self.trails, "trail"),
            (self.records, "record"),
            (self.stacks, "stack"),
            (self.sites, "site"),
            (self.fingerprints, "fingerprint"),
            (self.reports, "report"),
        ]
        .into_iter()
        .filter(|&(figure, _)| figure > 0)
    }
}
