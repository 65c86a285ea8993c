//! What is held against a handle, as the first word of a line says it.

/// What is held against a handle, or what else a line of ours begins with. In the order in which lists show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Leak,
    Grow,
    Held,
    Pinned,
    Live,
    Refused,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [Kind::Leak, Kind::Grow, Kind::Held, Kind::Pinned, Kind::Live, Kind::Refused];

    /// The word that its lines begin with, without the colon.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Leak => "LEAK",
            Kind::Grow => "GROW",
            Kind::Held => "HELD",
            Kind::Pinned => "PINNED",
            Kind::Live => "LIVE",
            Kind::Refused => "REFUSED",
        }
    }

    /// The same word as `--only`, JSON and CSV have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Leak => "leak",
            Kind::Grow => "grow",
            Kind::Held => "held",
            Kind::Pinned => "pinned",
            Kind::Live => "live",
            Kind::Refused => "refused",
        }
    }

    /// The word that goes into a fingerprint, and that JSON reports have as their verdict.
    pub(crate) fn verdict(self) -> &'static str {
        match self {
            Kind::Leak => "unreleased",
            Kind::Grow => "growing",
            Kind::Held => "held_too_long",
            Kind::Pinned => "pinned",
            Kind::Live => "outstanding",
            Kind::Refused => "refused",
        }
    }

    /// The kind with this name, in any case; the verdicts of JSON reports are names too.
    pub(crate) fn named(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name) || kind.verdict().eq_ignore_ascii_case(name))
    }
}
