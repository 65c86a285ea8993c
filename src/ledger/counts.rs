//! A row, as read.

/// A row as read at one moment. `released + leaked + untracked <= created`, and likewise the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) created_bytes: u64,
    pub(crate) released: u64,
    pub(crate) released_bytes: u64,
    pub(crate) leaked: u64,
    pub(crate) leaked_bytes: u64,
    pub(crate) untracked: u64,
    pub(crate) untracked_bytes: u64,
}

impl Counts {
    /// Both together.
    pub(crate) fn plus(&self, other: &Counts) -> Counts {
        Counts {
            created: self.created + other.created,
            created_bytes: self.created_bytes + other.created_bytes,
            released: self.released + other.released,
            released_bytes: self.released_bytes + other.released_bytes,
            leaked: self.leaked + other.leaked,
            leaked_bytes: self.leaked_bytes + other.leaked_bytes,
            untracked: self.untracked + other.untracked,
            untracked_bytes: self.untracked_bytes + other.untracked_bytes,
        }
    }

    /// Handles created and neither released, lost nor given up.
    pub(crate) fn live(&self) -> u64 {
        self.created - self.gone()
    }

    /// The bytes of the live handles.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.created_bytes.saturating_sub(self.released_bytes + self.leaked_bytes + self.untracked_bytes)
    }

    /// Handles that are alive no more, whatever became of them.
    pub(crate) fn gone(&self) -> u64 {
        self.released + self.leaked + self.untracked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_is_what_is_neither_released_lost_nor_given_up() {
        let counts = Counts {
            created: 10,
            created_bytes: 1_000,
            released: 1,
            released_bytes: 100,
            leaked: 2,
            leaked_bytes: 200,
            untracked: 3,
            untracked_bytes: 300,
        };
        assert_eq!((counts.gone(), counts.live(), counts.live_bytes()), (6, 4, 400));
        assert_eq!(counts.plus(&counts).live(), 8);
    }
}
