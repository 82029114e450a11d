//! Waiting for the store on a thread that has nothing else to do.

// Layer 1: Standard library imports
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks the thread until something is done that needs no executor.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_channel::oneshot;

    #[test]
    fn it_waits_for_another_thread() {
        let (send, receive) = oneshot::channel();
        let other = thread::spawn(move || send.send(7));
        assert_eq!(wait_for(receive), Ok(7));
        other.join().unwrap().unwrap();
    }
}
