//! Waves of 1,000 empty tasks, each wave joined. spawn_join WAVES

use std::time::Instant;
use tokio::task::JoinHandle;

const WAVE: usize = 1000;

async fn run_wave(handles: &mut Vec<JoinHandle<()>>) {
    for _ in 0..WAVE {
        handles.push(tokio::spawn(async {}));
    }
    for handle in handles.drain(..) {
        handle.await.unwrap();
    }
}

fn main() {
    let waves = bench::argument(1, 2000);
    bench::runtime().block_on(async {
        // In a task of its own: the root future of block_on is polled in a different, slower way.
        tokio::spawn(async move {
            let mut handles = Vec::with_capacity(WAVE);
            run_wave(&mut handles).await;
            let started = Instant::now();
            for _ in 0..waves {
                run_wave(&mut handles).await;
            }
            bench::print("spawn_join", started.elapsed().as_nanos() as f64 / (waves * WAVE) as f64);
        })
        .await
        .unwrap();
    });
}
