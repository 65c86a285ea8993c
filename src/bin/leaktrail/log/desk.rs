//! Where lines come together again that belong together.

use memchr::memchr2;

use super::ansi;
use super::block::{Block, Keep, Owner};
use super::collector;
use super::envelope::{self, Opened};
use super::id::CauseId;
use super::json;
use super::kind::Kind;
use super::moment::Moment;
use super::ours::{self, Said};
use super::refusals::{Place, Refusals};
use super::sighting::{Figure, Listener, Sighting, Source};
use super::tally::Tally;
use super::words::first_word;

/// Reports whose lines may be coming at the same time, one for each process. One more ends the oldest.
const MOST_OPEN: usize = 16;

/// The site of a report of Netty's that has no stack.
const UNTRACED: &str = "(no stack)";

#[derive(Debug, Default)]
pub(super) struct Desk {
    open: Vec<Block>,
    refusals: Refusals,
    pub(super) tally: Tally,
}

/// One log record: a first line from wherever it stood, and what it had with it.
struct Record<'a> {
    text: &'a str,
    process: &'a str,
    at: Option<Moment>,
    is_wrapped: bool,
    line: u64,
}

impl Desk {
    /// Whether lines without a word of ours matter now.
    pub(super) fn is_waiting(&self) -> bool {
        !self.open.is_empty()
    }

    /// A line that has one of the words in it, and the one before it.
    pub(super) fn candidate(&mut self, line: &[u8], before: &[u8], number: u64, listener: &mut impl Listener) {
        let text = String::from_utf8_lossy(line);
        let text = ansi::plain(text.trim_end_matches('\r'));
        let (process, rest) = collector::split(&text);
        let outer = Moment::find(&text[..text.len() - rest.len()]);
        let understood = match envelope::open(rest) {
            Some(Opened::Value(value)) => self.value(&value, listener),
            Some(Opened::Text { text, at, process: inner }) => {
                let process = [process, &inner].join(" ");
                let at = at.or(outer);
                self.record(
                    &Record { text: &text, process: process.trim(), at, is_wrapped: true, line: number },
                    b"",
                    listener,
                )
            }
            None => self.record(
                &Record { text: rest, process, at: outer, is_wrapped: false, line: number },
                before,
                listener,
            ),
        };
        if understood {
            self.tally.understood += 1;
        } else {
            self.stranger(&text, listener);
        }
    }

    /// A report as data.
    fn value(&mut self, value: &serde_json::Value, listener: &mut impl Listener) -> bool {
        let Some(read) = json::read(value) else { return false };
        for sighting in &read.sightings {
            listener.sighting(sighting);
        }
        if let Some(trail) = read.trail {
            listener.trail(trail);
        }
        true
    }

    fn record(&mut self, record: &Record<'_>, before: &[u8], listener: &mut impl Listener) -> bool {
        let (first, more) = record.text.split_once('\n').unwrap_or((record.text, ""));
        let Some((kind, place)) = first_word(first) else { return false };
        let (prefix, first) = first.split_at(place);
        if let Some(quote) = envelope::open_quote(prefix) {
            let text = envelope::unquoted(&record.text[quote..]);
            let at = record.at.or_else(|| Moment::find(&prefix[..quote]));
            let inner = Record { text: &text, at, is_wrapped: true, ..*record };
            return self.record(&inner, b"", listener);
        }
        let mut at = Moment::find(prefix).or(record.at);
        if at.is_none() && is_of_jul(prefix) {
            // Its record has a line of its own for time and logger.
            let before = String::from_utf8_lossy(before);
            at = Moment::find(&before).filter(|_| first_word(&before).is_none());
            self.tally.understood += u64::from(at.is_some());
        }
        let Some(said) = ours::read(kind, first) else { return false };
        self.end_of(record.process, listener);
        match said {
            Said::NoCause => {}
            Said::CutOff => self.tally.cut_off += 1,
            Said::Refusal(piece) => {
                let place = Place { process: record.process, at, line: record.line };
                self.refusals.take(piece, first.trim_end(), place, listener);
            }
            Said::Cause(mention) => {
                if mention.is_head {
                    self.begin(Owner::Ours(kind, mention.id), record, listener);
                }
                listener.sighting(&Sighting {
                    source: Source::Leaktrail,
                    kind,
                    id: mention.id,
                    resource: mention.resource,
                    site: mention.site,
                    figure: mention.figure,
                    at,
                    process: record.process.into(),
                });
            }
            Said::Netty { resource, is_traced: true } => {
                self.begin(Owner::Netty { resource: resource.to_owned(), at }, record, listener);
            }
            Said::Netty { resource, is_traced: false } => {
                netty(resource, UNTRACED, at, record.process, listener);
            }
        }
        for line in more.lines() {
            // One record may have said several things, as a refusal with its holders does.
            let is_another =
                first_word(line).is_some() && self.record(&Record { text: line, ..*record }, b"", listener);
            if !is_another {
                self.follow(line, listener);
            }
        }
        if !more.is_empty() {
            self.end_of(record.process, listener);
        }
        true
    }

    fn begin(&mut self, owner: Owner, record: &Record<'_>, listener: &mut impl Listener) {
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.remove(0);
            self.end(oldest, listener);
        }
        let keep = if listener.keeps_trails() { Keep::Text } else { Keep::Facts };
        let mut block = Block::new(owner, record.process, record.line, keep);
        block.is_wrapped = record.is_wrapped;
        self.open.push(block);
    }

    /// A line without a word of ours, while some report's lines may still come.
    pub(super) fn other(&mut self, line: &[u8], listener: &mut impl Listener) {
        if self.open.iter().any(|block| block.is_wrapped) || may_belong(line) {
            let text = String::from_utf8_lossy(line);
            let text = ansi::plain(text.trim_end_matches('\r'));
            self.stranger(&text, listener);
        } else {
            self.nobodys(listener);
        }
    }

    /// The next line of a report whose lines came together.
    fn follow(&mut self, line: &str, listener: &mut impl Listener) {
        let is_taken = self.open.last_mut().is_some_and(|block| block.take(content(line)));
        if !is_taken && let Some(block) = self.open.last_mut() {
            block.strangers += 1;
            if block.ends_with_a_stranger() {
                let block = self.open.remove(self.open.len() - 1);
                self.end(block, listener);
            }
        }
    }

    fn stranger(&mut self, line: &str, listener: &mut impl Listener) {
        let (process, rest) = collector::split(line);
        let inner = if self.open.iter().any(|block| block.is_wrapped) { envelope::inner_line(rest) } else { None };
        let is_wrapped = inner.is_some();
        let content = content(inner.as_deref().unwrap_or(rest));
        // Of a wrapped line the process is not looked for again: whoever wraps one line wraps all of its file.
        let block = self
            .open
            .iter_mut()
            .rev()
            .find(|block| block.is_wrapped == is_wrapped && (is_wrapped || block.process == process));
        if block.is_some_and(|block| block.take(content)) {
            self.tally.understood += 1;
        } else {
            self.nobodys(listener);
        }
    }

    /// A line that no open report wants.
    fn nobodys(&mut self, listener: &mut impl Listener) {
        let mut index = 0;
        while let Some(block) = self.open.get_mut(index) {
            block.strangers += 1;
            if block.ends_with_a_stranger() || block.is_given_up() {
                let block = self.open.remove(index);
                self.end(block, listener);
            } else {
                index += 1;
            }
        }
    }

    /// The next report of a process ends the one before.
    fn end_of(&mut self, process: &str, listener: &mut impl Listener) {
        if let Some(index) = self.open.iter().position(|block| block.process == process) {
            let block = self.open.remove(index);
            self.end(block, listener);
        }
    }

    fn end(&mut self, block: Block, listener: &mut impl Listener) {
        let key = match &block.owner {
            Owner::Ours(kind, id) => (*kind, *id),
            Owner::Netty { resource, at } => {
                let id = netty(resource, block.netty_site(), *at, &block.process, listener);
                (Kind::Leak, id)
            }
        };
        let trail = block.into_trail(key);
        self.tally.cut_off += u64::from(trail.is_cut_off);
        self.tally.interleaved += u64::from(trail.is_interleaved);
        listener.trail(trail);
    }

    /// No more lines will come.
    pub(super) fn finish(&mut self, listener: &mut impl Listener) {
        for block in std::mem::take(&mut self.open) {
            self.end(block, listener);
        }
        self.refusals.end_all(listener);
    }
}

/// A report of Netty's: one distinct text, of who knows how many losses.
fn netty(resource: &str, site: &str, at: Option<Moment>, process: &str, listener: &mut impl Listener) -> CauseId {
    let id = CauseId::of_netty(resource, site);
    listener.sighting(&Sighting {
        source: Source::Netty,
        kind: Kind::Leak,
        id,
        resource: resource.into(),
        site: site.into(),
        figure: Figure::More { count: 1, bytes: None },
        at,
        process: process.into(),
    });
    id
}

/// `SEVERE: `, after which java.util.logging has the message; the time stands in the line before.
fn is_of_jul(prefix: &str) -> bool {
    matches!(prefix, "SEVERE: " | "WARNING: ")
}

/// A line of a block without what a logger put before it: env_logger indents what follows a first line.
fn content(line: &str) -> &str {
    line.trim_start_matches(' ')
}

/// Whether a line could be a block's, by its look: below a head everything begins with a tab, heads end with a colon, and
/// the sentences at the end with a full stop or the word `duplicates`.
fn may_belong(line: &[u8]) -> bool {
    let end = line.trim_ascii_end().last();
    // Colours may stand before and after all of that.
    matches!(end, Some(b':' | b'.' | b's')) || memchr2(b'\t', 0x1b, line).is_some()
}
