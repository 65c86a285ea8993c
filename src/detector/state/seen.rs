//! What the control file says, and whether that is news.

use std::sync::{Mutex, PoisonError};

use crate::config::Control;

/// What the control file said when it was read last.
#[derive(Debug, Default)]
pub(in crate::detector) struct Seen(Mutex<Option<Control>>);

impl Seen {
    /// What the file says now, if that is news. A file that is not there at first is none.
    pub(in crate::detector) fn news(&self, now: Control) -> Option<Control> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *last.as_ref().unwrap_or(&Control::Nothing) != now;
        *last = Some(now.clone());
        is_news.then_some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news() {
        let seen = Seen::default();
        let bad = |words: &str| Control::Bad(words.to_owned());
        assert_eq!(seen.news(Control::Nothing), None, "there is none, as before there was a program");
        assert_eq!(seen.news(bad("a")), Some(bad("a")));
        assert_eq!(seen.news(bad("a")), None);
        assert_eq!(seen.news(Control::Nothing), Some(Control::Nothing));
    }
}
