//! Memory of a task that waits to be notified. parked COUNT

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use tokio::sync::Notify;

struct Event {
    waiting: AtomicUsize,
    happened: Notify,
}

async fn wait_for(event: Arc<Event>) {
    event.waiting.fetch_add(1, Relaxed);
    event.happened.notified().await;
}

fn main() {
    let count = bench::argument(1, 1_000_000);
    bench::runtime().block_on(async {
        let event = Arc::new(Event { waiting: AtomicUsize::new(0), happened: Notify::new() });
        let before = bench::memory_bytes();
        for _ in 0..count {
            tokio::spawn(wait_for(event.clone()));
        }
        while event.waiting.load(Relaxed) < count {
            tokio::task::yield_now().await;
        }
        bench::print("parked", (bench::memory_bytes() - before) / count as f64);
        event.happened.notify_waiters();
    });
}
