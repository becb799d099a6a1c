// SPDX-License-Identifier: MIT
// bench-crate: rayon
// bench-package: librust-rayon-dev

//! Rayon scopes: tasks that cannot be joined one by one.

#[path = "../common/bench.rs"]
mod bench;

use std::time::{Duration, Instant};

fn pool(workers: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap()
}

fn tasks(asked: bench::Asked, workers: usize) {
    pool(workers).install(|| {
        bench::batches(&asked, 10000, || {
            rayon::scope(|scope| {
                for _ in 0..10000 {
                    scope.spawn(|_| {});
                }
            })
        })
    });
}

fn outside(asked: bench::Asked, pause: Option<Duration>) {
    let pool = pool(2);
    let mut samples = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < asked.budget || samples.len() < 3 {
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
        let before = Instant::now();
        pool.install(|| {});
        samples.push(before.elapsed().as_nanos() as f64);
    }
    bench::print(&mut samples, "ns");
}

fn main() {
    let asked = bench::start();
    match asked.case.as_str() {
        "tasks-1" => tasks(asked, 1),
        "tasks-2" => tasks(asked, 2),
        "outside-awake" => outside(asked, None),
        "outside-asleep" => outside(asked, Some(Duration::from_millis(2))),
        _ => bench::skip(),
    }
}
