//! Starts and cancels a sleep beside others that are live. timer_op LIVE OPERATIONS

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::{sleep, Sleep};

/// A sleep is registered with the timer wheel by its first poll, not when it is made.
struct Register<'a>(Pin<&'a mut Sleep>);

impl Future for Register<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<()> {
        assert!(self.0.as_mut().poll(context).is_pending());
        Poll::Ready(())
    }
}

fn main() {
    let live = bench::argument(1, 100);
    let operations = bench::argument(2, 1_000_000);
    let mut random = bench::Random::new();
    let mut duration = move || Duration::from_millis(60_000 + random.milliseconds());
    // Unconstrained: else the runtime's budget of 128 operations a turn would keep some from being registered.
    bench::runtime().block_on(tokio::task::unconstrained(async {
        let mut others = Vec::with_capacity(live);
        for _ in 0..live {
            let mut timer = Box::pin(sleep(duration()));
            Register(timer.as_mut()).await;
            others.push(timer);
        }
        let started = Instant::now();
        for _ in 0..operations {
            let timer = sleep(duration());
            tokio::pin!(timer);
            Register(timer).await;
        }
        bench::print("timer_op", started.elapsed().as_nanos() as f64 / operations as f64);
    }));
}
