//! What the parts said.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use leaktrail_benches::rows::median;

/// Each figure of every run.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    all: BTreeMap<String, Vec<f64>>,
}

impl Figures {
    /// Runs a part, a program beside this one, and takes what it says.
    pub(crate) fn part(&mut self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) {
        let path = env::current_exe().expect("this program has a path").with_file_name(program);
        let output = Command::new(&path)
            .args(arguments)
            .envs(environment.iter().copied())
            .stderr(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be started ({error}): use benches/table", path.display()));
        assert!(output.status.success(), "{program} {arguments:?} failed");
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let Some((name, figure)) = line.split_once('\t') {
                self.set([(name.to_owned(), figure.parse().expect("a figure"))]);
            }
        }
    }

    /// Adds figures of one run.
    pub(crate) fn set(&mut self, figures: impl IntoIterator<Item = (String, f64)>) {
        for (name, figure) in figures {
            self.all.entry(name).or_default().push(figure);
        }
    }

    /// The median of the runs. NaN where there is none, which meets no goal.
    pub(crate) fn of(&self, name: &str) -> f64 {
        median(&mut self.all.get(name).cloned().unwrap_or_default())
    }

    /// One figure against another.
    pub(crate) fn ratio(&self, name: &str, floor: &str) -> f64 {
        self.of(name) / self.of(floor)
    }
}

/// As many digits as mean something: `0.48`, `5.0`, `29`, `2,985`.
pub(crate) fn shown(figure: f64) -> String {
    if figure.is_nan() {
        return "not measured".to_owned();
    }
    if figure < 0.995 {
        return format!("{figure:.2}");
    }
    if figure < 9.95 {
        return format!("{figure:.1}");
    }
    // Three digits are more than two runs agree on.
    let step = 10_f64.powi(((figure.log10() as i32) - 2).max(0));
    let digits = format!("{:.0}", (figure / step).round() * step);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
