//! The settings of a detector.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{AgeLimit, DirectMemoryLimit, FrameLimit, GrowthRule, ReportTo, Symbols, Walker};
use crate::level::Level;

/// The settings of a detector and of its budget, each of them valid.
///
/// Made by [`new`](Config::new) from the defaults or by [`from_env`](Config::from_env) from the environment, and
/// changed by value. Each type admits only what has a meaning, so nothing is left to check later.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use leaktrail::{Config, Level, ReportTo};
///
/// let config = Config::new()
///     .level(Level::Advanced)
///     .sampling_interval(NonZeroU32::new(10).unwrap())
///     .target_records(20)
///     .report(ReportTo::Stderr);
/// assert_eq!(config.configured_level(), Level::Advanced);
/// assert_eq!(config.configured_target_records(), 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    level: Level,
    sampling_interval: NonZeroU32,
    target_records: u32,
    max_frames: FrameLimit,
    max_direct_memory: DirectMemoryLimit,
    report: ReportTo,
    growth: Option<GrowthRule>,
    held_too_long: AgeLimit,
    /// What is said of single resources, each once.
    held_too_long_of: Vec<(&'static str, AgeLimit)>,
    pinned: AgeLimit,
    walker: Walker,
    report_file: Option<PathBuf>,
    symbols: Symbols,
    control_file: Option<PathBuf>,
}

impl Config {
    /// The defaults; the environment is not read.
    ///
    /// Level `SIMPLE`, one handle in 128 sampled, 4 records, 32 frames, half of the memory that the process may
    /// have, reports to where they are seen and to no file, with names, stacks walked by the fastest means, and no file that
    /// changes the level; sites that grow in ten minutes and small parts that keep large buffers for one are told, what is
    /// held for long is not.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{Config, Level};
    ///
    /// assert_eq!(Config::new().configured_level(), Level::Simple);
    /// assert_eq!(Config::new().configured_sampling_interval().get(), 128);
    /// assert_eq!(Config::new(), Config::default());
    /// ```
    #[must_use]
    pub const fn new() -> Config {
        Config {
            level: Level::Simple,
            // Netty's `DEFAULT_SAMPLING_INTERVAL`.
            sampling_interval: NonZeroU32::new(128).expect("128 is not 0"),
            // Netty's `DEFAULT_TARGET_RECORDS`.
            target_records: 4,
            max_frames: FrameLimit::DEFAULT,
            max_direct_memory: DirectMemoryLimit::Inherit,
            report: ReportTo::Auto,
            growth: Some(GrowthRule::DEFAULT),
            held_too_long: AgeLimit::NEVER,
            held_too_long_of: Vec::new(),
            pinned: AgeLimit::after(Duration::from_secs(60)),
            walker: Walker::Auto,
            report_file: None,
            symbols: Symbols::On,
            control_file: None,
        }
    }

    /// Sets the level (`LEAK_DETECTION_LEVEL`). A ceiling of the build, [`Level::CEILING`], is applied by the detector.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Config {
        self.level = level;
        self
    }

    /// Sets how many handles come to one that is sampled, on average (`LEAK_DETECTION_SAMPLING_INTERVAL`).
    ///
    /// 1 samples every handle. The default, 128, is Netty's.
    #[must_use]
    pub const fn sampling_interval(mut self, interval: NonZeroU32) -> Config {
        self.sampling_interval = interval;
        self
    }

    /// Sets up to how many access records of a handle are all kept (`LEAK_DETECTION_TARGET_RECORDS`).
    ///
    /// Beyond it touches are thinned out at random. 0 keeps the creation and the drop only.
    #[must_use]
    pub const fn target_records(mut self, records: u32) -> Config {
        self.target_records = records;
        self
    }

    /// Sets how many frames of a stack are kept (`LEAK_DETECTION_MAX_FRAMES`).
    #[must_use]
    pub const fn max_frames(mut self, frames: FrameLimit) -> Config {
        self.max_frames = frames;
        self
    }

    /// Sets the limit of the budget that is made from this configuration (`LEAK_DETECTION_MAX_DIRECT_MEMORY`).
    #[must_use]
    pub const fn max_direct_memory(mut self, limit: DirectMemoryLimit) -> Config {
        self.max_direct_memory = limit;
        self
    }

    /// Sets where reports are written (`LEAK_DETECTION_REPORT`). Sinks and subscribers are not touched by it.
    #[must_use]
    pub const fn report(mut self, to: ReportTo) -> Config {
        self.report = to;
        self
    }

    /// Sets when a site counts as growing (`GROW:`); `None` if that is never told.
    #[must_use]
    pub const fn growth(mut self, rule: Option<GrowthRule>) -> Config {
        self.growth = rule;
        self
    }

    /// Sets for how long a handle may be held before it is told (`HELD:`, `LEAK_DETECTION_HELD_TOO_LONG`).
    ///
    /// At PARANOID every handle is seen, below it those that have a trail, and the text says so.
    #[must_use]
    pub const fn held_too_long(mut self, limit: AgeLimit) -> Config {
        self.held_too_long = limit;
        self
    }

    /// The same for the handles of one resource, by its name, whatever holds for the others. Said twice, the later holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use leaktrail::{AgeLimit, Config};
    ///
    /// let config = Config::new()
    ///     .held_too_long(AgeLimit::after(Duration::from_secs(30)))
    ///     .held_too_long_of("Listener", AgeLimit::NEVER);
    /// assert_eq!(config.configured_held_too_long_of("Listener"), AgeLimit::NEVER);
    /// assert_eq!(config.configured_held_too_long_of("PgConnection"), config.configured_held_too_long());
    /// ```
    #[must_use]
    pub fn held_too_long_of(mut self, resource: &'static str, limit: AgeLimit) -> Config {
        self.held_too_long_of.retain(|(known, _)| *known != resource);
        self.held_too_long_of.push((resource, limit));
        self
    }

    /// Sets for how long a small part of a buffer may keep the whole of it alive before it is told (`PINNED:`).
    ///
    /// Small is a sixty-fourth of the buffer or less. It is seen of buffers that have had a trail from their creation on.
    #[must_use]
    pub const fn pinned(mut self, limit: AgeLimit) -> Config {
        self.pinned = limit;
        self
    }

    /// Sets by what means stacks are walked (`LEAK_DETECTION_WALKER`).
    ///
    /// A process has one walker, chosen when the first of its detectors counts a handle, or by [`install`](crate::install): the one
    /// that the environment names, or else this of that detector.
    #[must_use]
    pub const fn walker(mut self, walker: Walker) -> Config {
        self.walker = walker;
        self
    }

    /// Sets the file that gets each report as a line of JSON (`LEAK_DETECTION_REPORT_FILE`), beside the log and whatever
    /// becomes of that. It is written as the process's own user, and through no link that somebody else can have made.
    #[must_use]
    pub fn report_file(mut self, file: impl Into<PathBuf>) -> Config {
        self.report_file = Some(file.into());
        self
    }

    /// Sets whether reports name the functions of their stacks (`LEAK_DETECTION_SYMBOLS`).
    #[must_use]
    pub const fn symbols(mut self, symbols: Symbols) -> Config {
        self.symbols = symbols;
        self
    }

    /// Sets the file that changes the level while the program runs (`LEAK_DETECTION_CONTROL_FILE`); it is read once a second.
    #[must_use]
    pub fn control_file(mut self, file: impl Into<PathBuf>) -> Config {
        self.control_file = Some(file.into());
        self
    }

    /// The same without anything that is written or read outside of the process: for a test's own detector.
    pub(crate) fn secluded(mut self) -> Config {
        self.report = ReportTo::Off;
        self.report_file = None;
        self.control_file = None;
        self
    }

    /// The same with these files, or without; what the environment says.
    pub(super) fn with_report_file(self, report_file: Option<PathBuf>) -> Config {
        Config { report_file, ..self }
    }

    /// As above, for the file that changes the level.
    pub(super) fn with_control_file(self, control_file: Option<PathBuf>) -> Config {
        Config { control_file, ..self }
    }

    /// The level that is asked for.
    #[must_use]
    pub const fn configured_level(&self) -> Level {
        self.level
    }

    /// How many handles come to one that is sampled.
    #[must_use]
    pub const fn configured_sampling_interval(&self) -> NonZeroU32 {
        self.sampling_interval
    }

    /// Up to how many access records of a handle are all kept.
    #[must_use]
    pub const fn configured_target_records(&self) -> u32 {
        self.target_records
    }

    /// How many frames of a stack are kept.
    #[must_use]
    pub const fn configured_max_frames(&self) -> FrameLimit {
        self.max_frames
    }

    /// The limit of the budget that is made from this configuration.
    #[must_use]
    pub const fn configured_max_direct_memory(&self) -> DirectMemoryLimit {
        self.max_direct_memory
    }

    /// Where reports are written.
    #[must_use]
    pub const fn configured_report(&self) -> ReportTo {
        self.report
    }

    /// When a site counts as growing; `None` if that is never told.
    #[must_use]
    pub const fn configured_growth(&self) -> Option<GrowthRule> {
        self.growth
    }

    /// For how long a handle may be held before it is told.
    #[must_use]
    pub const fn configured_held_too_long(&self) -> AgeLimit {
        self.held_too_long
    }

    /// For how long a handle of that resource may be held before it is told.
    #[must_use]
    pub fn configured_held_too_long_of(&self, resource: &str) -> AgeLimit {
        let own = self.held_too_long_of.iter().find(|(known, _)| *known == resource);
        own.map_or(self.held_too_long, |(_, limit)| *limit)
    }

    /// The shortest time for which some handle may be held, of whatever resource; nothing if none is ever told.
    pub(crate) fn shortest_held_too_long(&self) -> Option<Duration> {
        let own = self.held_too_long_of.iter().map(|(_, limit)| *limit);
        own.chain([self.held_too_long]).filter_map(AgeLimit::get).min()
    }

    /// For how long a small part may keep a large buffer alive before it is told.
    #[must_use]
    pub const fn configured_pinned(&self) -> AgeLimit {
        self.pinned
    }

    /// By what means stacks are walked, if this configuration decides.
    #[must_use]
    pub const fn configured_walker(&self) -> Walker {
        self.walker
    }

    /// The file that gets each report as a line of JSON, if there is one.
    #[must_use]
    pub fn configured_report_file(&self) -> Option<&Path> {
        self.report_file.as_deref()
    }

    /// Whether reports name the functions of their stacks.
    #[must_use]
    pub const fn configured_symbols(&self) -> Symbols {
        self.symbols
    }

    /// The file that changes the level while the program runs, if there is one.
    #[must_use]
    pub fn configured_control_file(&self) -> Option<&Path> {
        self.control_file.as_deref()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}
