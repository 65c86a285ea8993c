//! Reports as JSON, one to a line. Read field by field: a later version's verdicts and fields are no reason to stop.

use std::borrow::Cow;

use leaktrail::LeakReport;
use serde_json::{Map, Value};

use super::envelope::circumstances;
use super::id::CauseId;
use super::kind::Kind;
use super::moment::Moment;
use super::sighting::{Figure, Sighting, Source, Totals, Trail};

/// What one JSON line says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) sightings: Vec<Sighting<'static>>,
    pub(super) trail: Option<Trail>,
}

/// Reads a report, a refusal or a summary, which may lie one level deep. `None` for any other value.
pub(super) fn read(value: &Value) -> Option<Read> {
    let fields = value.as_object()?;
    let (at, process) = circumstances(fields);
    read_object(value, at, &process).or_else(|| fields.values().find_map(|inner| read_object(inner, at, &process)))
}

fn read_object(value: &Value, at: Option<Moment>, process: &str) -> Option<Read> {
    let fields = value.as_object()?;
    let at = fields.get("at").and_then(Value::as_str).and_then(Moment::find).or(at);
    let sighting = |kind, id, resource: &str, site: String, figure| Sighting {
        source: Source::Leaktrail,
        kind,
        id,
        resource: Cow::Owned(resource.to_owned()),
        site: site.into(),
        figure,
        at,
        process: Cow::Owned(process.to_owned()),
    };
    if let Some(verdict) = text(fields, "verdict") {
        let kind = Kind::ALL.into_iter().find(|kind| kind.verdict() == verdict)?;
        let (id, site) = (CauseId::parse(text(fields, "fingerprint")?)?, site(fields.get("site")?)?);
        let seen = sighting(kind, id, text(fields, "resource")?, site, figure(kind, fields)?);
        return Some(Read { trail: trail(kind, id, value), sightings: vec![seen] });
    }
    if fields.contains_key("reports_dropped") {
        let rows = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
        let lost = rows("causes").filter_map(|pair| {
            let stats = pair.get(1)?.as_object()?;
            let (count, bytes) = (number(stats, "leaked")?, number(stats, "leaked_bytes")?);
            let totals = Totals { count, bytes, created: number(stats, "created"), since: None, is_last: true };
            let (id, site) = (CauseId::parse(pair.get(0)?.as_str()?)?, site(stats.get("site")?)?);
            Some(sighting(Kind::Leak, id, text(stats, "resource")?, site, Figure::Total(totals)))
        });
        let live = rows("live_sites").filter_map(|stats| {
            let stats = stats.as_object()?;
            let (resource, site) = (text(stats, "resource")?, site(stats.get("site")?)?);
            let figure = Figure::Now { count: number(stats, "live")?, bytes: number(stats, "live_bytes") };
            Some(sighting(Kind::Live, CauseId::of(resource, Kind::Live, &site), resource, site, figure))
        });
        return Some(Read { sightings: lost.chain(live).collect(), trail: None });
    }
    let (requested, site) = (number(fields, "requested")?, site(fields.get("site")?)?);
    let (resource, kind) = (super::refusals::RESOURCE, Kind::Refused);
    let id = CauseId::of(resource, kind, &site);
    let mut sightings = vec![sighting(kind, id, resource, site, Figure::More { count: 1, bytes: Some(requested) })];
    if let Some(count @ 1..) = number(fields, "suppressed") {
        let site = super::refusals::NOT_LISTED;
        let id = CauseId::of(resource, kind, site);
        sightings.push(sighting(kind, id, resource, site.to_owned(), Figure::More { count, bytes: None }));
    }
    Some(Read { sightings, trail: None })
}

fn figure(kind: Kind, fields: &Map<String, Value>) -> Option<Figure> {
    let (count, bytes) = (number(fields, "count")?, number(fields, "bytes"));
    if kind != Kind::Leak {
        return Some(Figure::Now { count, bytes });
    }
    let again = fields.get("form").and_then(|form| form.get("again")?.get("since")?.as_str());
    let since = again.and_then(Moment::find).map(Moment::second_of_day);
    let (bytes, created) = (bytes.unwrap_or(0), number(fields, "created"));
    Some(Figure::Total(Totals { count, bytes, created, since, is_last: false }))
}

/// The same text as the log would have, where this version knows all that the report says.
fn trail(kind: Kind, id: CauseId, value: &Value) -> Option<Trail> {
    let report: LeakReport = serde::Deserialize::deserialize(value).ok()?;
    let text = report.to_string();
    let (_, block) = text.split_once('\n')?;
    let created = report.records().iter().find(|record| record.access() == leaktrail::Access::Created);
    let created_at = created.and_then(|record| {
        let since = record.at().duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Moment)
    });
    let records = report.records().len();
    Some(Trail { key: Some((kind, id)), text: format!("{block}\n"), records, created_at, ..Trail::default() })
}

fn site(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let file = text(fields, "file")?;
    match number(fields, "line")? {
        0 => Some(file.to_owned()),
        line => Some(format!("{file}:{line}:{}", number(fields, "column")?)),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    fields.get(name)?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report that the documentation shows.
    fn documented() -> Value {
        let page = include_str!("../../../../docs/REPORT-FORMAT.md");
        let example = page.split_once("```json\n").and_then(|(_, rest)| rest.split_once("```")).expect("an example").0;
        serde_json::from_str(example).expect("JSON")
    }

    #[test]
    fn the_documented_report_is_read() {
        let read = read(&documented()).expect("a report");
        let seen = &read.sightings[0];
        assert_eq!(
            (seen.kind, seen.id.to_string().as_str(), &*seen.site),
            (Kind::Leak, "5b1c09e2a4f7d310", "src/filters.rs:41:22")
        );
        let totals = Totals { count: 1, bytes: 4096, created: Some(5312), since: None, is_last: false };
        assert_eq!((seen.figure, seen.at), (Figure::Total(totals), Moment::find("2026-11-20T03:12:44.212Z")));
        assert!(read.trail.expect("a trail").text.starts_with("Recent access records:\n#1:\n\t(dropped +12 ms"));
    }

    #[test]
    fn what_a_later_version_adds_is_read_as_far_as_it_goes() {
        let mut value = documented();
        value["verdict"] = "growing".into();
        value["form"] = "a_new_form".into();
        let read_once = read(&value).expect("a report");
        assert_eq!((read_once.sightings[0].kind, read_once.trail), (Kind::Grow, None));
        value["verdict"] = "a_new_verdict".into();
        assert!(read(&value).is_none());
        // Wrapped, with what stands beside it.
        let wrapped = serde_json::json!({"schema": 1, "pid": 12, "report": documented()});
        assert_eq!(read(&wrapped).expect("a report").sightings[0].process, "12");
    }

    #[test]
    fn a_summary_and_a_refusal() {
        let stats = serde_json::json!({"resource": "ByteBuf", "site": {"file": "src/a.rs", "line": 1, "column": 2},
            "leaked": 7, "leaked_bytes": 70, "created": 9, "live": 2, "live_bytes": 20});
        let summary =
            serde_json::json!({"reports_dropped": 0, "causes": [["5b1c09e2a4f7d310", stats]], "live_sites": [stats]});
        let read_summary = read(&summary).expect("a summary");
        let figures: Vec<Figure> = read_summary.sightings.iter().map(|seen| seen.figure).collect();
        let last = Totals { count: 7, bytes: 70, created: Some(9), since: None, is_last: true };
        assert_eq!(figures, [Figure::Total(last), Figure::Now { count: 2, bytes: Some(20) }]);

        let refusal = serde_json::json!({"error": "", "requested": 5, "site": {"file": "src/a.rs", "line": 1, "column": 2}, "suppressed": 3});
        let figures: Vec<Figure> =
            read(&refusal).expect("a refusal").sightings.iter().map(|seen| seen.figure).collect();
        assert_eq!(figures, [Figure::More { count: 1, bytes: Some(5) }, Figure::More { count: 3, bytes: None }]);
    }
}
