// SPDX-License-Identifier: MIT
// bench-crate: tokio rt rt-multi-thread sync time
// bench-package: librust-tokio-dev

//! Tasks of tokio's single-threaded runtime.

#[path = "../common/bench.rs"]
mod bench;

fn main() {
    let asked = bench::start();
    let count = match asked.case.as_str() {
        "fibers-2" => 2,
        "fibers-1000" => 1000,
        _ => bench::skip(),
    };
    let rounds = 20000 / count;
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    bench::batches(&asked, rounds * count, || {
        rt.block_on(async {
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    tokio::spawn(async move {
                        for _ in 0..rounds {
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
    });
}
