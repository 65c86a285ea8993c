//! Lines that belong to no report and are told once.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::report::Severity;

/// Something that the operator should know once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::detector) enum Notice {
    /// This crate panicked, and is off.
    InternalFault,
    /// PARANOID has no room for another trail.
    ParanoidFallsBack,
    /// A level above the compiled ceiling was asked for.
    AboveCeiling,
    /// A sink panicked, and is no longer called.
    SinkPanicked,
    /// The logger panicked, and is no longer called.
    LogPanicked,
    /// A budget's reclaim hook panicked, and is no longer called.
    HookPanicked,
    /// The walker that was asked for cannot be had.
    WalkerNotHad,
    /// Three walks were wrong.
    WalkerGivenUp,
    /// Reports have no names: memory is short.
    WithoutNames,
    /// The recorder of crate `metrics` panicked, and is no longer called.
    #[cfg(feature = "metrics")]
    RecorderPanicked,
}

impl Notice {
    const ALL: &[Notice] = &[
        Notice::InternalFault,
        Notice::ParanoidFallsBack,
        Notice::AboveCeiling,
        Notice::SinkPanicked,
        Notice::LogPanicked,
        Notice::HookPanicked,
        Notice::WalkerNotHad,
        Notice::WalkerGivenUp,
        Notice::WithoutNames,
        #[cfg(feature = "metrics")]
        Notice::RecorderPanicked,
    ];

    /// What is told.
    pub(in crate::detector) fn text(self) -> &'static str {
        match self {
            Notice::InternalFault => {
                "the leak detector failed and is switched off: counts stay, nothing more is recorded (please report this)"
            }
            Notice::ParanoidFallsBack => {
                "PARANOID falls back to sampling: there is no room for another trail (65536 live trails or 32 MiB in \
                 the process); counts stay exact, and full trails come back when half of them are gone"
            }
            Notice::AboveCeiling => {
                "a level above this build's ceiling was asked for (cargo features max_level_* and release_max_level_*): \
                 the ceiling is used"
            }
            Notice::SinkPanicked => "a sink panicked and is not called again; the other sinks go on",
            Notice::WalkerNotHad => {
                "the walker that was asked for (LEAK_DETECTION_WALKER) cannot be had in this build or on this system: \
                 backtrace is used"
            }
            Notice::WalkerGivenUp => {
                "walks of the stack were found to be wrong three times: from now on backtrace is used; stacks recorded before may \
                 lack frames (please report this)"
            }
            Notice::LogPanicked => "the logger panicked and is not called again: reports go to standard error",
            Notice::HookPanicked => "a reclaim hook panicked and is not asked again; its budget goes on without it",
            Notice::WithoutNames => {
                "the control group has less than 128 MiB left: reports have module+0xoffset in the place of names until it has \
                 more (LEAK_DETECTION_SYMBOLS=off is that for good)"
            }
            #[cfg(feature = "metrics")]
            Notice::RecorderPanicked => "the recorder of metrics panicked and is not called again",
        }
    }

    /// How loudly.
    pub(in crate::detector) fn severity(self) -> Severity {
        Severity::Warn
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Notices posted, and those told already. Posting allocates nothing and formats nothing, so any thread may.
#[derive(Debug, Default)]
pub(in crate::detector) struct Bulletin {
    posted: AtomicU32,
    told: AtomicU32,
}

impl Bulletin {
    /// Posts a notice; true the first time.
    pub(in crate::detector) fn post(&self, notice: Notice) -> bool {
        // Relaxed: the bit is the whole message.
        self.posted.fetch_or(notice.bit(), Ordering::Relaxed) & notice.bit() == 0
    }

    /// True if there is something to tell.
    pub(in crate::detector) fn is_pending(&self) -> bool {
        self.posted.load(Ordering::Relaxed) != self.told.load(Ordering::Relaxed)
    }

    /// The notices not told yet; they count as told now.
    pub(in crate::detector) fn take(&self) -> Vec<Notice> {
        let posted = self.posted.load(Ordering::Relaxed);
        let told = self.told.fetch_or(posted, Ordering::Relaxed);
        Notice::ALL.iter().copied().filter(|notice| posted & !told & notice.bit() != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_is_told_once() {
        let bulletin = Bulletin::default();
        assert!(bulletin.take().is_empty());
        assert!(bulletin.post(Notice::SinkPanicked));
        assert!(!bulletin.post(Notice::SinkPanicked));
        assert!(bulletin.is_pending());
        assert_eq!(bulletin.take(), [Notice::SinkPanicked]);
        assert!(!bulletin.is_pending() && bulletin.take().is_empty());
    }
}
