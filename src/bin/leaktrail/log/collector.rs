//! What a collector puts before each line of a program: container runtimes, compose, syslog.

/// What a collector says of the process that wrote the line, and the line as the program wrote it.
///
/// | collector | before each line | the process |
/// |---|---|---|
/// | Kubernetes (CRI) | `2026-11-20T03:12:44.123456789Z stderr F ` | |
/// | docker compose | `gateway-1  \| ` | `gateway-1` |
/// | `kubectl logs --prefix` | `[pod/gateway-7d/app] ` | `pod/gateway-7d/app` |
/// | syslog, journald | `Nov 20 03:12:44 host gateway[4711]: ` | `host gateway[4711]` |
pub(super) fn split(line: &str) -> (&str, &str) {
    cri(line).or_else(|| compose(line)).or_else(|| kubectl(line)).or_else(|| syslog(line)).unwrap_or(("", line))
}

fn cri(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let rest = rest.strip_prefix("stderr ").or_else(|| rest.strip_prefix("stdout "))?;
    let rest = rest.strip_prefix("F ").or_else(|| rest.strip_prefix("P "))?;
    time.starts_with(|c: char| c.is_ascii_digit()).then_some(("", rest))
}

fn compose(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" | ")?;
    let name = name.trim_end_matches(' ');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, rest))
}

fn kubectl(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix('[')?.split_once("] ")?;
    (name.starts_with("pod/") && !name.contains(' ')).then_some((name, rest))
}

fn syslog(line: &str) -> Option<(&str, &str)> {
    let head = line.get(..line.len().min(160)).unwrap_or(line);
    let (before, _) = head.split_once("]: ")?;
    let (_, pid) = before.rsplit_once('[')?;
    if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest = &line[before.len() + 3..];
    // `host ident[pid]` are the last two words; before them stands the time.
    let (time, _) = before.rsplit_once(' ')?.0.rsplit_once(' ')?;
    // A logger's own brackets make it no collector's line.
    let is_time = time.len() >= 14 && time.contains(':') && !time.contains('[');
    is_time.then(|| (&line[time.len() + 1..=before.len()], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_above_holds() {
        for (line, expected) in [
            ("2026-11-20T03:12:44.123456789Z stderr F \t(dropped", ("", "\t(dropped")),
            ("gateway-1  | Created at:", ("gateway-1", "Created at:")),
            ("[pod/gateway-7d/app] LEAK: x", ("pod/gateway-7d/app", "LEAK: x")),
            ("Nov 20 03:12:44 host gateway[4711]: LEAK: x", ("host gateway[4711]", "LEAK: x")),
            ("2026-11-20T03:12:44+0000 host gateway[4711]: LEAK: x", ("host gateway[4711]", "LEAK: x")),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
    }

    #[test]
    fn what_no_collector_wrote_is_the_programs() {
        for line in [
            "",
            "LEAK: x",
            "[2026-11-20T03:12:44Z ERROR leaktrail] LEAK: x",
            "2026-11-20 03:12:44,123 [main] ERROR a[1]: x",
            "a b | c",
            "[main]: x",
            "Vec[12]: x",
            " | x",
        ] {
            assert_eq!(split(line), ("", line));
        }
    }
}
