// SPDX-License-Identifier: MIT
// bench-crate: rayon
// bench-package: librust-rayon-dev

//! rayon::join, as its documentation shows it.

#[path = "../common/bench.rs"]
mod bench;

fn fib(n: u32) -> u32 {
    if n < 2 {
        return n;
    }
    let (right, left) = rayon::join(|| fib(n - 2), || fib(n - 1));
    left + right
}

fn main() {
    let asked = bench::start();
    let workers = match asked.case.as_str() {
        "fork-1" => 1,
        "fork-2" => 2,
        _ => bench::skip(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
    pool.install(|| {
        bench::batches(&asked, 1346269, || {
            if fib(30) != 832040 {
                std::process::exit(1);
            }
        })
    });
}
