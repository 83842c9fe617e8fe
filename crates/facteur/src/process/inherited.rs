//! Sockets that a service manager has opened for us (`LISTEN_FDS`), each taken by the listener of its address.

use facteur_mail::text::escaped;
use facteur_server::{Bound, ListenAddress};
use listenfd::ListenFd;

/// The sockets handed over that are at one of `places`. What nobody asked for is closed, with a word.
pub(super) fn places(places: &[ListenAddress]) -> Vec<Bound> {
    let mut handed = ListenFd::from_env();
    let mut open: Vec<Bound> = Vec::new();
    for number in 0..handed.len() {
        let Some(bound) = adopt(&mut handed, number) else {
            tracing::warn!(
                number,
                "a socket handed over by the service manager is of no kind that is served"
            );
            continue;
        };
        let address = bound.address();
        let wanted = places.contains(address);
        if wanted && open.iter().all(|other| other.address() != address) {
            tracing::info!(address = %escaped(&address.to_string()), "the service manager listens");
            open.push(bound);
        } else {
            tracing::warn!(
                address = %escaped(&address.to_string()),
                "no [[listen]] has the address of a socket handed over by the service manager; it is closed"
            );
        }
    }
    open
}

/// A socket that listens, by TCP or as a file.
fn adopt(handed: &mut ListenFd, number: usize) -> Option<Bound> {
    if let Ok(Some(listener)) = handed.take_tcp_listener(number) {
        return Bound::adopt_tcp(listener).ok();
    }
    let listener = handed.take_unix_listener(number).ok().flatten()?;
    Bound::adopt_unix(listener).ok()
}
