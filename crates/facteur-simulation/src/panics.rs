//! Panics of the server's tasks, which tokio catches: each is a bug, and breaks a law.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on the panics of each thread are kept, besides what is done with them otherwise.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            LAST.with_borrow_mut(|last| *last = Some(info.to_string()));
            before(info);
        }));
    });
}

/// The last panic of this thread since this was asked.
pub(crate) fn take() -> Option<String> {
    LAST.with_borrow_mut(Option::take)
}
