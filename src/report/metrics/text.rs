//! The OpenMetrics text: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::fmt;

use super::{Kind, Metrics};

impl fmt::Display for Metrics {
    /// The text with its end, each line with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for family in &self.families {
            let (name, kind) = (family.name, family.kind);
            writeln!(f, "# TYPE {name} {}", kind.word())?;
            if let Some(unit) = family.unit() {
                writeln!(f, "# UNIT {name} {unit}")?;
            }
            writeln!(f, "# HELP {name} {}", family.help)?;
            for figure in &family.figures {
                write!(f, "{name}{}", kind.suffix())?;
                for (index, (label, value)) in figure.labels.iter().enumerate() {
                    let before = if index == 0 { '{' } else { ',' };
                    write!(f, "{before}{label}=\"{}\"", Label(value))?;
                }
                f.write_str(if figure.labels.is_empty() { "" } else { "}" })?;
                match kind {
                    Kind::Time => writeln!(f, " {}.{:06}", figure.value / 1_000_000, figure.value % 1_000_000)?,
                    Kind::Counter | Kind::Gauge | Kind::Info => writeln!(f, " {}", figure.value)?,
                }
            }
        }
        f.write_str("# EOF\n")
    }
}

/// A label's value: three characters are escaped, and nothing else has to be.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_str("\\n"),
            '"' | '\\' => write!(f, "\\{c}"),
            c => write!(f, "{c}"),
        })
    }
}
