//! What an act came to, and whether that is what it promises.

use std::fmt;
use std::str::FromStr;

use leaktrail::Level;

use crate::act::Act;
use crate::load::{Answers, MEAN_BODY};
use crate::tally::Tally;

/// The word that starts an outcome's line.
const WORD: &str = "RESULT:";

/// What the stage measured after everything was shut down.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) answers: Answers,
    pub(crate) used_bytes: u64,
    pub(crate) limit_bytes: u64,
    /// References that nobody gave back.
    pub(crate) live: u64,
    /// References that were lost.
    pub(crate) lost: u64,
}

/// The figures of one act; printed as one line of `key=value`, and read again by the process that tells the story.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) act: Act,
    pub(crate) level: Level,
    pub(crate) figures: Figures,
    pub(crate) refusals: u64,
    pub(crate) leaks: u64,
    pub(crate) growths: u64,
    pub(crate) clean: bool,
}

impl Outcome {
    /// Puts together what was measured and what the detector told.
    pub(crate) fn new(act: Act, level: Level, figures: Figures, tally: &Tally) -> Outcome {
        let (refusals, leaks, growths) = (tally.refusals(), tally.leaks(), tally.growths());
        Outcome { act, level, figures, refusals, leaks, growths, clean: tally.is_clean() }
    }

    /// Whether the act showed what it promises.
    pub(crate) fn is_as_promised(&self) -> bool {
        self.faults().is_empty()
    }

    /// What the act promised and did not show.
    pub(crate) fn faults(&self) -> Vec<String> {
        let counted = self.level != Level::Disabled;
        let mut faults = Vec::new();
        match self.act {
            Act::Hoard => {
                self.expect_refusal(&mut faults);
                if counted && self.growths == 0 {
                    faults.push("no GROW: was reported".to_owned());
                }
            }
            Act::Lost => self.expect_leak(&mut faults),
            Act::Abandon => {
                self.expect_leak(&mut faults);
                self.expect_refusal(&mut faults);
            }
            Act::Mended => {
                let Figures { answers, used_bytes, live, lost, .. } = self.figures;
                for (figure, name) in [
                    (self.refusals, "REFUSED: lists"),
                    (self.leaks, "LEAK: reports"),
                    (answers.unavailable, "requests answered 503"),
                    (used_bytes, "bytes still used"),
                    (live, "references still live"),
                    (lost, "references lost"),
                ] {
                    if figure > 0 {
                        faults.push(format!("{figure} {name}"));
                    }
                }
                if counted && !self.clean {
                    faults.push("not clean at exit".to_owned());
                }
            }
        }
        faults
    }

    fn expect_leak(&self, faults: &mut Vec<String>) {
        if self.level != Level::Disabled && self.leaks == 0 {
            faults.push("no LEAK: was reported".to_owned());
        }
    }

    /// At DISABLED the budget alone refuses; at any other level the holders must have been listed.
    fn expect_refusal(&self, faults: &mut Vec<String>) {
        let Figures { answers, limit_bytes, .. } = self.figures;
        if answers.unavailable == 0 {
            faults.push(format!(
                "no REFUSED: came; {} requests of {MEAN_BODY} bytes in the mean do not fill {limit_bytes} bytes: \
                 raise --requests or lower --limit",
                answers.ok
            ));
        } else if self.level != Level::Disabled && self.refusals == 0 {
            faults.push("requests were refused, but no REFUSED: list came".to_owned());
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { answers, used_bytes, limit_bytes, live, lost } = self.figures;
        write!(
            f,
            "{WORD} act={} level={} ok={} unavailable={}",
            self.act, self.level, answers.ok, answers.unavailable
        )?;
        write!(f, " refusals={} leaks={} growths={}", self.refusals, self.leaks, self.growths)?;
        write!(f, " lost={lost} live={live}")?;
        write!(f, " used={used_bytes} limit={limit_bytes} clean={}", self.clean)
    }
}

impl FromStr for Outcome {
    type Err = ();

    fn from_str(line: &str) -> Result<Outcome, ()> {
        let pairs = line.strip_prefix(WORD).ok_or(())?;
        let text = |key: &str| {
            let mut found = pairs.split_whitespace().filter_map(|pair| pair.split_once('='));
            found.find_map(|(name, value)| (name == key).then_some(value)).ok_or(())
        };
        let number = |key: &str| text(key)?.parse::<u64>().map_err(|_| ());
        Ok(Outcome {
            act: text("act")?.parse()?,
            level: text("level")?.parse().map_err(|_| ())?,
            figures: Figures {
                answers: Answers { ok: number("ok")?, unavailable: number("unavailable")? },
                used_bytes: number("used")?,
                limit_bytes: number("limit")?,
                live: number("live")?,
                lost: number("lost")?,
            },
            refusals: number("refusals")?,
            leaks: number("leaks")?,
            growths: number("growths")?,
            clean: text("clean")?.parse().map_err(|_| ())?,
        })
    }
}
