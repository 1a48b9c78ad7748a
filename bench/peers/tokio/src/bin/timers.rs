//! A task for each sleep. timers COUNT [warm]

use std::time::Duration;

async fn sleep_all(count: usize) {
    let mut random = bench::Random::new();
    let mut handles = Vec::with_capacity(count);
    for _ in 0..count {
        let duration = Duration::from_millis(random.milliseconds());
        handles.push(tokio::spawn(tokio::time::sleep(duration)));
    }
    for handle in handles {
        handle.await.unwrap();
    }
}

fn main() {
    let count = bench::argument(1, 100_000);
    let warm = std::env::args().len() > 2;
    let mut started = bench::cpu_seconds();
    bench::runtime().block_on(async {
        if warm {
            sleep_all(count).await;
            started = bench::cpu_seconds();
        }
        sleep_all(count).await;
        bench::print("timers", bench::cpu_seconds() - started);
    });
}
