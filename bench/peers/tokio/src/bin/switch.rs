//! Two tasks that yield to each other. switch SWITCHES

use std::time::Instant;

async fn yield_times(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

fn main() {
    let switches = bench::argument(1, 4_000_000);
    bench::runtime().block_on(async {
        let started = Instant::now();
        let one = tokio::spawn(yield_times(switches / 2));
        let other = tokio::spawn(yield_times(switches / 2));
        one.await.unwrap();
        other.await.unwrap();
        bench::print("switch", started.elapsed().as_nanos() as f64 / switches as f64);
    });
}
