//! The lines of leaktrail, each read by the words around its values: `docs/REPORT-FORMAT.md` has them.

use std::borrow::Cow;

use super::escape::unescaped;
use super::id::CauseId;
use super::kind::Kind;
use super::moment::clock;
use super::sighting::{Figure, Totals};

/// What a line says that begins with one of the words.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said<'a> {
    /// It mentions a cause.
    Cause(Mention<'a>),
    /// It is Netty's first line.
    Netty { resource: &'a str, is_traced: bool },
    /// It belongs to a refused reservation.
    Refusal(Piece<'a>),
    /// It is ours and tells nothing of one cause: a head, or a count of rows that are not listed.
    NoCause,
    /// It is ours and ends before it has said anything.
    CutOff,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mention<'a> {
    pub(super) id: CauseId,
    pub(super) resource: Cow<'a, str>,
    pub(super) site: Cow<'a, str>,
    pub(super) figure: Figure,
    /// Whether a block may follow.
    pub(super) is_head: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Failed { requested: u64 },
    Short { site: &'a str },
    Unlisted { more: u64 },
    Row,
}

/// Reads one line, from its word on. `None` when it only looks like ours.
pub(super) fn read(kind: Kind, line: &str) -> Option<Said<'_>> {
    let text = line.strip_prefix(kind.word())?.strip_prefix(": ")?;
    match kind {
        Kind::Leak => leak(text),
        Kind::Live => live(text),
        Kind::Grow => growing(text),
        Kind::Held => held(text),
        Kind::Pinned => pinned(text),
        Kind::Refused => Some(Said::Refusal(refusal(text)?)),
    }
}

fn leak(text: &str) -> Option<Said<'_>> {
    if let Some((resource, rest)) = text.split_once(".release() was not called before it") {
        if rest.starts_with("'s garbage-collected") {
            return Some(Said::Netty { resource, is_traced: !rest.contains("Enable advanced leak reporting") });
        }
        let rest = rest.strip_prefix(" was dropped. created ")?;
        // A line that ends here has no whole site, so nobody can tell whose it is.
        let Some((site, rest)) = rest.split_once(", dropped ") else { return Some(Said::CutOff) };
        return Some(lost(resource, site, rest, Block::MayFollow));
    }
    if let Some((resource, rest)) = text.split_once(" again: created ") {
        let Some((site, rest)) = rest.split_once(", ") else { return Some(Said::CutOff) };
        return Some(lost(resource, site, rest, Block::Never));
    }
    if is_head_or_rest(text) {
        return Some(Said::NoCause);
    }
    let (count, rest) = text.split_once(" lost, ")?;
    let (bytes, rest) = rest.split_once(" B, ")?;
    let totals = Totals { count: number(count)?, bytes: number(bytes)?, is_last: true, ..Totals::default() };
    let Some((resource, rest)) = rest.split_once(" created ") else { return Some(Said::CutOff) };
    let (site, rest) = rest.split_once(", fp=").unwrap_or((rest, ""));
    Some(Said::Cause(mention(Kind::Leak, resource, site, digits(rest), Figure::Total(totals))))
}

enum Block {
    MayFollow,
    Never,
}

/// What a first line and an `again` line have in common: `1 of 5312 lost …, 4096 B given back, …, fp=…`.
fn lost<'a>(resource: &'a str, site: &'a str, rest: &'a str, block: Block) -> Said<'a> {
    let figure = match of_lost(rest) {
        Some((count, created, rest)) => {
            let bytes = rest.split(", ").find_map(|piece| number(piece.split_once(" B ")?.0)).unwrap_or(0);
            let since = rest.split(", ").find_map(|piece| clock(piece.strip_prefix("since ")?));
            Figure::Total(Totals { count, bytes, created: Some(created), since, is_last: false })
        }
        None => Figure::Mention,
    };
    let is_head = matches!(block, Block::MayFollow);
    Said::Cause(Mention { is_head, ..mention(Kind::Leak, resource, site, fingerprint(rest), figure) })
}

/// `17 of 5312 lost`, and what follows. A place that the line names before may have any words in it.
fn of_lost(text: &str) -> Option<(u64, u64, &str)> {
    text.match_indices(" lost").find_map(|(place, word)| {
        let (before, created) = text[..place].rsplit_once(" of ")?;
        let count = before.rsplit_once(' ').map_or(before, |(_, count)| count);
        Some((number(count)?, number(created)?, &text[place + word.len()..]))
    })
}

fn live(text: &str) -> Option<Said<'_>> {
    if is_head_or_rest(text) {
        return Some(Said::NoCause);
    }
    let (count, rest) = text.split_once(" live, ")?;
    let (bytes, rest) = rest.split_once(" B, ")?;
    let figure = Figure::Now { count: number(count)?, bytes: Some(number(bytes)?) };
    let made = [" created ", " retained ", " sliced "];
    let Some((resource, rest)) = made.iter().find_map(|made| rest.split_once(made)) else { return Some(Said::CutOff) };
    let (site, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    Some(Said::Cause(mention(Kind::Live, resource, site, fingerprint(rest), figure)))
}

/// `CachedBody at src/filters.rs:41:22: 12480 live (12779520 B), up in each …, fp=…`
fn growing(text: &str) -> Option<Said<'_>> {
    let (resource, rest) = text.split_once(" at ")?;
    let (site, rest) = rest.split_once(": ")?;
    let (count, rest) = rest.split_once(" live")?;
    let bytes = rest.strip_prefix(" (").and_then(|rest| number(rest.split_once(" B)")?.0));
    let figure = Figure::Now { count: number(count)?, bytes };
    Some(Said::Cause(mention(Kind::Grow, resource, site, fingerprint(rest), figure)))
}

/// `PgConnection for 41 s (threshold 30 s): created src/db.rs:88:30, …, 3 of 10 live here are over, fp=…`, and
/// `PgConnection came back after 64 s: created src/db.rs:88:30, fp=…`.
fn held(text: &str) -> Option<Said<'_>> {
    let (head, rest) = text.split_once(": created ")?;
    let (site, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    if let Some((resource, _)) = head.split_once(" came back after ") {
        return Some(Said::Cause(mention(Kind::Held, resource, site, fingerprint(rest), Figure::Mention)));
    }
    let (resource, _) = head.split_once(" for ")?;
    let over = rest.split(", ").find_map(|piece| number(piece.strip_suffix(" are over")?.split_once(" of ")?.0));
    let figure = Figure::Now { count: over.unwrap_or(1), bytes: None };
    Some(Said::Cause(mention(Kind::Held, resource, site, fingerprint(rest), figure)))
}

/// No version prints these yet. So no more is asked for than a resource, `created` and a site.
fn pinned(text: &str) -> Option<Said<'_>> {
    let (head, rest) = text.split_once("created ")?;
    let resource = head.split([' ', ':', ',']).next().filter(|resource| !resource.is_empty())?;
    let (site, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    let before = |words: &str, unit: &str| {
        words.match_indices(unit).find_map(|(at, _)| number(words[..at].rsplit([' ', '(']).next()?))
    };
    let figure = Figure::Now {
        count: before(head, " live").or_else(|| before(rest, " live")).unwrap_or(1),
        bytes: before(head, " B").or_else(|| before(rest, " B")),
    };
    Some(Said::Cause(mention(Kind::Pinned, resource, site, fingerprint(rest), figure)))
}

fn refusal(text: &str) -> Option<Piece<'_>> {
    if let Some(rest) = text.strip_prefix("failed to allocate ") {
        return Some(Piece::Failed { requested: number(rest.split_once(" byte(s) of direct memory (")?.0)? });
    }
    if text.starts_with("short by ") {
        let (_, rest) = text.split_once(" B at ")?;
        return Some(Piece::Short { site: rest.split_once(", ").map_or(rest, |(site, _)| site) });
    }
    if let Some((more, _)) = text.split_once(" more refusal") {
        return Some(Piece::Unlisted { more: number(more)? });
    }
    let is_row = text.starts_with('#') || text.starts_with("lost ") || text.starts_with("and ");
    (is_row || text.contains(" B abandoned")).then_some(Piece::Row)
}

fn is_head_or_rest(text: &str) -> bool {
    text.starts_with("summary at exit: ") || text.starts_with("and ") && text.contains(" more site")
}

fn mention<'a>(kind: Kind, resource: &'a str, site: &'a str, id: Option<CauseId>, figure: Figure) -> Mention<'a> {
    let (resource, site) = (unescaped(resource), unescaped(site));
    let id = id.unwrap_or_else(|| CauseId::of(&resource, kind, &site));
    Mention { id, resource, site, figure, is_head: false }
}

/// The digits after the last `fp=`: what comes before it may have words of the program in it.
fn fingerprint(text: &str) -> Option<CauseId> {
    digits(text.rsplit_once("fp=")?.1)
}

fn digits(text: &str) -> Option<CauseId> {
    CauseId::parse(text.get(..16)?)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
