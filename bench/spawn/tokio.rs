// SPDX-License-Identifier: MIT
// bench-crate: tokio rt rt-multi-thread sync time
// bench-package: librust-tokio-dev

//! Tokio tasks: the single-threaded runtime for one worker, the multi-threaded one for two.

#[path = "../common/bench.rs"]
mod bench;

use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

fn runtime(workers: usize) -> Runtime {
    match workers {
        1 => Builder::new_current_thread().build().unwrap(),
        n => Builder::new_multi_thread().worker_threads(n).build().unwrap(),
    }
}

/// Everything is measured from within a task, so that spawning happens on a worker.
fn batch(asked: bench::Asked, workers: usize, count: usize, repeat: usize) {
    let rt = runtime(workers);
    let inside = async move {
        let handle = tokio::runtime::Handle::current();
        let mut samples = Vec::new();
        let mut joins = Vec::with_capacity(count);
        let begin = Instant::now();
        while begin.elapsed() < asked.budget * 6 / 5 || samples.len() < 3 {
            let before = Instant::now();
            for _ in 0..repeat {
                for _ in 0..count {
                    joins.push(handle.spawn(async {}));
                }
                for join in joins.drain(..) {
                    join.await.unwrap();
                }
            }
            if begin.elapsed() > asked.budget / 5 {
                samples.push(before.elapsed().as_nanos() as f64 / (count * repeat) as f64);
            }
        }
        bench::print(&mut samples, "ns");
    };
    rt.block_on(async move { tokio::spawn(inside).await.unwrap() });
}

fn outside(asked: bench::Asked, pause: Option<Duration>) {
    let rt = runtime(2);
    let mut samples = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < asked.budget || samples.len() < 3 {
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
        let before = Instant::now();
        let join = rt.spawn(async {});
        rt.block_on(join).unwrap();
        samples.push(before.elapsed().as_nanos() as f64);
    }
    bench::print(&mut samples, "ns");
}

fn main() {
    let asked = bench::start();
    match asked.case.as_str() {
        "one-1" => batch(asked, 1, 1, 100),
        "batch-1" => batch(asked, 1, 1000, 1),
        "batch-2" => batch(asked, 2, 1000, 1),
        "tasks-1" => batch(asked, 1, 10000, 1),
        "tasks-2" => batch(asked, 2, 10000, 1),
        "outside-awake" => outside(asked, None),
        "outside-asleep" => outside(asked, Some(Duration::from_millis(2))),
        _ => bench::skip(),
    }
}
