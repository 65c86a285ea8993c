//! The lines that follow a first line, put together again.

use super::id::CauseId;
use super::kind::Kind;
use super::moment::Moment;
use super::netty::is_users;
use super::sighting::Trail;

/// A trail longer than this is cut off: a log may have anything in it.
const LONGEST: usize = 256 << 10;

/// Whose block it is. Netty's cause is known when its creation was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Ours(Kind, CauseId),
    Netty { resource: String, at: Option<Moment> },
}

/// Which part was read last.
///
/// ```text
/// Start ─► Recent ─► Record(1) ─► Record(2) … ─► Created ─► References ─► Trailer
///   └─────────────────────────────────────────────────────────▲
/// ```
/// Anything that goes back belongs to another report, and so tells that two are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Start,
    Recent,
    Record(u64),
    Created,
    References,
    Trailer,
}

/// One report whose lines are still coming.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) owner: Owner,
    pub(super) process: String,
    /// Lines come one by one in JSON lines of their own.
    pub(super) is_wrapped: bool,
    /// Lines since the last one of its own.
    pub(super) strangers: u32,
    part: Part,
    keeps_text: bool,
    text: String,
    records: usize,
    created_at: Option<Moment>,
    has_creation: bool,
    is_interleaved: bool,
    is_too_long: bool,
    line: u64,
    /// Netty's: the first frame of the creation, and the first that is the user's.
    creation: Frames,
    /// The same of the record read last: the creation's, when that was left out as its duplicate.
    oldest: Frames,
    has_duplicates: bool,
}

#[derive(Debug, Default)]
struct Frames {
    first: Option<String>,
    users: Option<String>,
}

impl Frames {
    fn take(&mut self, frame: &str) {
        if self.first.is_none() {
            self.first = Some(frame.to_owned());
        }
        if self.users.is_none() && is_users(frame) {
            self.users = Some(frame.to_owned());
        }
    }

    fn site(&self) -> Option<&str> {
        self.users.as_deref().or(self.first.as_deref())
    }
}

/// Which text a block keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Text,
    Facts,
}

impl Block {
    pub(super) fn new(owner: Owner, process: &str, line: u64, keep: Keep) -> Block {
        Block {
            owner,
            process: process.to_owned(),
            is_wrapped: false,
            strangers: 0,
            part: Part::Start,
            keeps_text: keep == Keep::Text,
            text: String::new(),
            records: 0,
            created_at: None,
            has_creation: false,
            is_interleaved: false,
            is_too_long: false,
            line,
            creation: Frames::default(),
            oldest: Frames::default(),
            has_duplicates: false,
        }
    }

    /// Takes a line if it is one of its own.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let Some(part) = self.part_of(line) else { return false };
        // A first line without a block has nothing after it to be mixed with.
        let lines_between = std::mem::take(&mut self.strangers) > 0 && self.part > Part::Start;
        self.is_interleaved |= lines_between || part < self.part;
        self.enter(part, line);
        if self.keeps_text {
            if self.text.len() + line.len() > LONGEST {
                self.is_too_long = true;
            } else {
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
        true
    }

    /// The part that a line begins or goes on with. `None` for a line that is no block's.
    fn part_of(&self, line: &str) -> Option<Part> {
        let head = line.trim_end();
        if line.starts_with('\t') {
            let goes_on = matches!(self.part, Part::Record(_) | Part::Created | Part::References);
            return goes_on.then_some(self.part);
        }
        match head {
            "Recent access records:" => return Some(Part::Recent),
            "Created at:" => return Some(Part::Created),
            "Other references:" => return Some(Part::References),
            _ => {}
        }
        if let Some(number) = head.strip_prefix('#').and_then(|head| head.strip_suffix(':')) {
            return number.parse().ok().map(Part::Record);
        }
        let is_trailer = head.starts_with(": ") && head.contains(" leak records were discarded because ");
        is_trailer.then_some(Part::Trailer)
    }

    fn enter(&mut self, part: Part, line: &str) {
        if line.starts_with('\t') {
            return self.detail(line.trim());
        }
        match part {
            Part::Record(number) => {
                self.records += 1;
                self.oldest = Frames::default();
                let next = match self.part {
                    Part::Record(before) => before.saturating_add(1),
                    _ => 1,
                };
                self.is_interleaved |= number != next;
            }
            Part::Created => {
                self.records += 1;
                self.has_creation = true;
            }
            Part::Trailer => self.has_duplicates |= line.contains("they were duplicates"),
            // A second head without a first line of its own.
            Part::Recent => self.is_interleaved |= self.part == Part::Recent,
            Part::Start | Part::References => {}
        }
        self.part = part;
    }

    /// A line below a head: a hint, what and when, or a frame.
    fn detail(&mut self, line: &str) {
        if self.part == Part::Created && line.starts_with('(') && self.created_at.is_none() {
            self.created_at = Moment::find(line);
        }
        if matches!(self.owner, Owner::Netty { .. }) && !line.starts_with("Hint: ") {
            match self.part {
                Part::Created => self.creation.take(line),
                Part::Record(_) => self.oldest.take(line),
                _ => {}
            }
        }
    }

    /// Whether all that a report must have is there.
    pub(super) fn is_whole(&self) -> bool {
        let has_end = match &self.owner {
            Owner::Ours(..) => self.created_at.is_some() || self.records == 0 || self.part == Part::Trailer,
            Owner::Netty { .. } => self.creation.first.is_some() || self.has_duplicates,
        };
        has_end && self.part != Part::Recent && !self.is_too_long
    }

    /// Whether a line that is not its own ends it.
    pub(super) fn ends_with_a_stranger(&self) -> bool {
        self.part > Part::Start && self.is_whole()
    }

    /// Where Netty's creation was.
    pub(super) fn netty_site(&self) -> &str {
        let unknown = "(creation not recorded)";
        if self.has_creation {
            return self.creation.site().unwrap_or(unknown);
        }
        // Netty leaves out a creation whose text an access record already has. It does not say which; the oldest is the
        // most likely one.
        let oldest = if self.has_duplicates { self.oldest.site() } else { None };
        oldest.unwrap_or(unknown)
    }

    /// Whether so many lines of others mean that no more of its own will come. A record is one write, so others in between
    /// are rare, and between a first line and its block rarer.
    pub(super) fn is_given_up(&self) -> bool {
        self.strangers > if self.has_lines() { 64 } else { 8 }
    }

    /// Whether anything followed the first line.
    fn has_lines(&self) -> bool {
        self.part > Part::Start
    }

    /// What was read, for this cause.
    pub(super) fn into_trail(self, key: (Kind, CauseId)) -> Trail {
        // A first line of ours may stand without a block; of Netty's a traced one never does.
        let needs_lines = matches!(self.owner, Owner::Netty { .. });
        let is_cut_off = (self.has_lines() || needs_lines) && !self.is_whole();
        Trail {
            key: Some(key),
            is_cut_off,
            text: self.text,
            records: self.records,
            created_at: self.created_at,
            is_interleaved: self.is_interleaved,
            line: self.line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (Kind, CauseId) = (Kind::Leak, CauseId(1));

    fn block(owner: Owner, lines: &[&str]) -> Block {
        let mut block = Block::new(owner, "", 1, Keep::Text);
        for line in lines {
            if !block.take(line) {
                block.strangers += 1;
            }
        }
        block
    }

    fn ours(lines: &[&str]) -> Trail {
        block(Owner::Ours(KEY.0, KEY.1), lines).into_trail(KEY)
    }

    const CREATED: [&str; 3] =
        ["Created at:", "\t(2026-11-20T03:12:44Z, thread worker-3)", "\tgateway::keep (src/filters.rs:41:22)"];

    #[test]
    fn a_whole_block() {
        let lines =
            [&["Recent access records:", "#1:", "\tHint: x", "\t(touched +1 ms, thread a)"], &CREATED[..]].concat();
        let trail = ours(&lines);
        assert!(!trail.is_cut_off && !trail.is_interleaved, "{trail:?}");
        assert_eq!((trail.records, trail.created_at), (2, Moment::find("2026-11-20T03:12:44Z")));
        assert_eq!(trail.text.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn what_ends_early_is_cut_off() {
        let lines = [&["Recent access records:", "#1:", "\t(touched +1 ms, thread a)"], &CREATED[..]].concat();
        for length in 1..=4 {
            assert!(ours(&lines[..length]).is_cut_off, "{length}");
        }
        assert!(!ours(&lines[..5]).is_cut_off);
        // No block at all: this minute's were used up.
        assert!(!ours(&[]).is_cut_off);
    }

    #[test]
    fn what_goes_back_or_has_others_in_between_is_mixed() {
        let whole = [&["Recent access records:", "#1:", "\t(touched +1 ms, thread a)"], &CREATED[..]].concat();
        let mut other = whole.clone();
        other.insert(2, "2026-11-20 a line of somebody else's");
        assert!(ours(&other).is_interleaved && !ours(&other).is_cut_off);
        assert!(ours(&["Recent access records:", "#1:", "\tx", "#1:", "\ty"]).is_interleaved);
        assert!(ours(&["Recent access records:", "#2:", "\tx"]).is_interleaved);
        assert!(ours(&["Recent access records:", "Recent access records:"]).is_interleaved);
        assert!(ours(&[&whole[..], &["#1:"]].concat()).is_interleaved);
    }

    #[test]
    fn nettys_site_is_the_users_first_frame_of_the_creation() {
        let netty = || Owner::Netty { resource: "ByteBuf".into(), at: None };
        let records = ["Recent access records: ", "#1:", "\tHint: h", "\tb.B.read(B.java:2)"];
        let creation =
            ["Created at:", "\tio.netty.buffer.X.y(X.java:1)", "\ta.A.keep(A.java:9)", "\ta.A.main(A.java:1)"];
        let whole = block(netty(), &[&records[..], &creation].concat());
        assert_eq!((whole.netty_site(), whole.is_whole()), ("a.A.keep(A.java:9)", true));
        assert_eq!(
            block(netty(), &[&records[..], &creation[..2]].concat()).netty_site(),
            "io.netty.buffer.X.y(X.java:1)"
        );

        let duplicates = ": 1 leak records were discarded because they were duplicates";
        let without = block(netty(), &[&records[..], &[duplicates]].concat());
        assert_eq!((without.netty_site(), without.is_whole()), ("b.B.read(B.java:2)", true));
        let cut = block(netty(), &records);
        assert_eq!((cut.netty_site(), cut.is_whole()), ("(creation not recorded)", false));
        assert!(block(netty(), &[]).into_trail(KEY).is_cut_off);
    }

    #[test]
    fn a_log_of_frames_alone_does_not_fill_the_memory() {
        let mut block = block(Owner::Ours(KEY.0, KEY.1), &["Recent access records:", "#1:"]);
        let line = format!("\t{}", "x".repeat(1_000));
        assert!((0..1_000).all(|_| block.take(&line)));
        let trail = block.into_trail(KEY);
        assert!(trail.is_cut_off && trail.text.len() <= LONGEST);
    }
}
