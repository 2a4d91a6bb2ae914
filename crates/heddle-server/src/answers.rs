//! Answers to submissions that their client may not have heard: said again when it returns. Unlike the
//! state of rows they cannot be told from the engine: of a refused graph it keeps nothing.

use std::collections::VecDeque;

use heddle_wire::OutFrame;

/// Answers kept for one client. It confirms them with every heartbeat.
const ANSWERS_MAX: usize = 1 << 14;

/// Answers in the order they were given, by their graph.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    kept: VecDeque<(u32, OutFrame)>,
    /// The last graph whose answer had to be forgotten unconfirmed.
    forgotten: Option<u32>,
}

impl Answers {
    /// Keeps an answer; the oldest gives way beyond `ANSWERS_MAX`.
    pub fn keep(&mut self, graph: u32, frame: &OutFrame) {
        if self.kept.len() >= ANSWERS_MAX
            && let Some((graph, _)) = self.kept.pop_front()
        {
            self.forgotten = Some(graph);
        }
        self.kept.push_back((graph, frame.clone()));
    }

    /// The client has heard the answers up to that of `graph`: clients number graphs ascending.
    pub fn confirm(&mut self, graph: u32) {
        while self.kept.front().is_some_and(|(kept, _)| *kept <= graph) {
            self.kept.pop_front();
        }
    }

    /// Whether all answers after that of `graph` are still here.
    pub fn reach(&self, graph: u32) -> bool {
        self.forgotten.is_none_or(|forgotten| forgotten <= graph)
    }

    /// What is to be said again.
    pub fn frames(&self) -> impl Iterator<Item = OutFrame> + '_ {
        self.kept.iter().map(|(_, frame)| frame.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{ANSWERS_MAX, Answers};
    use heddle_wire::OutFrame;

    #[test]
    fn keeps_what_is_not_confirmed() {
        let mut answers = Answers::default();
        for graph in 1..=3 {
            answers.keep(graph, &OutFrame::default());
        }
        answers.confirm(2);
        assert_eq!(answers.frames().count(), 1);
        assert!(answers.reach(0));
        answers.confirm(9);
        assert_eq!(answers.frames().count(), 0);
    }

    #[test]
    fn knows_what_it_had_to_forget() {
        let mut answers = Answers::default();
        for graph in 1..=ANSWERS_MAX as u32 + 2 {
            answers.keep(graph, &OutFrame::default());
        }
        assert_eq!(answers.frames().count(), ANSWERS_MAX);
        assert!(!answers.reach(1));
        assert!(answers.reach(2));
    }
}
