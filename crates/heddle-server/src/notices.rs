//! Notices are for people, so they wait a little: what is over before anybody could have read it is
//! not said at all. A worker that joins a moment after the first submission is no news.

use heddle_core::id::{ClientId, Millis};

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// To whom; `None`: every client.
    pub client: Option<ClientId>,
    pub code: &'static str,
    pub message: String,
    /// The matter is over.
    pub cleared: bool,
}

/// Notices that wait. One per client and code: bounded by the number of clients.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: Vec<(Millis, Notice)>,
}

impl Notices {
    /// Takes a notice; gives it back if it is to be told at once.
    pub fn take(&mut self, notice: Notice, due: Millis) -> Option<Notice> {
        let same = |(_, waiting): &(Millis, Notice)| {
            waiting.client == notice.client && waiting.code == notice.code
        };
        match self.waiting.iter().position(same) {
            Some(at) if notice.cleared => {
                self.waiting.remove(at);
                None
            }
            Some(at) => {
                self.waiting[at].1 = notice;
                None
            }
            None if notice.cleared => Some(notice),
            None => {
                self.waiting.push((due, notice));
                None
            }
        }
    }

    /// Forgets what waits for a client that is gone.
    pub fn forget(&mut self, client: ClientId) {
        self.waiting
            .retain(|(_, notice)| notice.client != Some(client));
    }

    /// The next notice that is due.
    pub fn next_due(&mut self, now: Millis) -> Option<Notice> {
        let at = self.waiting.iter().position(|(due, _)| *due <= now)?;
        Some(self.waiting.remove(at).1)
    }

    /// When the next notice is due.
    pub fn deadline(&self) -> Option<Millis> {
        self.waiting.iter().map(|(due, _)| *due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(client: u32, cleared: bool) -> Notice {
        let client = Some(ClientId(client));
        Notice {
            client,
            code: "ERR_NO_WORKERS",
            message: String::new(),
            cleared,
        }
    }

    #[test]
    fn tells_what_lasts_and_its_end() {
        let mut notices = Notices::default();
        assert_eq!(notices.take(notice(1, false), Millis(10)), None);
        assert_eq!(notices.deadline(), Some(Millis(10)));
        assert_eq!(notices.next_due(Millis(9)), None);
        assert_eq!(notices.next_due(Millis(10)), Some(notice(1, false)));
        assert_eq!(
            notices.take(notice(1, true), Millis(20)),
            Some(notice(1, true))
        );
        assert_eq!(notices.deadline(), None);
    }

    #[test]
    fn is_silent_about_what_is_over_or_gone() {
        let mut notices = Notices::default();
        notices.take(notice(1, false), Millis(10));
        notices.take(notice(2, false), Millis(10));
        assert_eq!(notices.take(notice(1, true), Millis(11)), None);
        notices.forget(ClientId(2));
        assert_eq!(notices.next_due(Millis(99)), None);
    }
}
