//! The way of answers from the work to whoever asked.

use tokio::sync::mpsc;

use super::protocol::{Answer, Refusal};

/// How many answers may wait for the one who asked: the work waits with them.
const WAITING: usize = 64;

/// Gives answers, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Answers(mpsc::Sender<Answer>);

/// Why work ends before it is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It cannot be done.
    Refused(Refusal),
    /// The one who asked has gone, or does not read.
    Deaf,
}

impl Answers {
    /// A way for answers, and its other end.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Answer>) {
        let (give, given) = mpsc::channel(WAITING);
        (Self(give), given)
    }

    /// Gives one answer. An error means that nobody listens: the work ends.
    pub(crate) async fn give(&self, answer: Answer) -> Result<(), Stop> {
        self.0.send(answer).await.map_err(|_| Stop::Deaf)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
