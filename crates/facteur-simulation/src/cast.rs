//! Everybody but the server: clients, other servers, the weather. They live on when the server crashes, so they have an
//! executor of their own, which polls one of them at a time.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

type Part = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The actors.
#[derive(Default)]
pub(crate) struct Cast {
    parts: Mutex<Vec<Option<Part>>>,
    left: AtomicUsize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

/// Wakes one actor.
struct Call {
    number: usize,
    waits: AtomicBool,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Cast {
    /// One more actor; it is polled when its turn comes.
    pub(crate) fn enter(&self, part: impl Future<Output = ()> + Send + 'static) {
        let mut parts = lock(&self.parts);
        let number = parts.len();
        parts.push(Some(Box::pin(part)));
        drop(parts);
        self.left.fetch_add(1, Ordering::Relaxed);
        lock(&self.ready).push_back(number);
    }

    /// Polls one actor that is ready; false if none is.
    pub(crate) fn play_one(&self) -> bool {
        let Some(number) = lock(&self.ready).pop_front() else {
            return false;
        };
        let part = lock(&self.parts).get_mut(number).and_then(Option::take);
        let Some(mut part) = part else { return true };
        let waker = Waker::from(Arc::new(Call {
            number,
            waits: AtomicBool::new(true),
            ready: Arc::clone(&self.ready),
        }));
        if part
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            self.left.fetch_sub(1, Ordering::Relaxed);
        } else if let Some(place) = lock(&self.parts).get_mut(number) {
            *place = Some(part);
        }
        true
    }

    /// All go home.
    pub(crate) fn dismiss(&self) {
        let parts = std::mem::take(&mut *lock(&self.parts));
        drop(parts);
        lock(&self.ready).clear();
    }

    /// How many have not come to their end.
    pub(crate) fn len(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.waits.swap(false, Ordering::SeqCst) {
            lock(&self.ready).push_back(self.number);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
