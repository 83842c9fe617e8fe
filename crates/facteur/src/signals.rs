//! What the process is told by signals.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the process is told from outside.
pub(crate) enum Told {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals that are listened to. Without a handler a signal ends the process by itself.
pub(crate) struct Signals {
    term: Option<Signal>,
    int: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    /// Starts to listen, within a runtime.
    pub(crate) fn listen() -> Self {
        let listen = |kind| signal(kind).ok();
        Self {
            term: listen(SignalKind::terminate()),
            int: listen(SignalKind::interrupt()),
            hangup: listen(SignalKind::hangup()),
        }
    }

    /// The next thing that is told.
    pub(crate) async fn next(&mut self) -> Told {
        tokio::select! {
            () = comes(&mut self.term) => Told::Stop,
            () = comes(&mut self.int) => Told::Stop,
            () = comes(&mut self.hangup) => Told::Reload,
        }
    }
}

async fn comes(signal: &mut Option<Signal>) {
    let came = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending::<()>().await;
    }
}
