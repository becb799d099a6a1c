// SPDX-License-Identifier: MIT
// bench-crate: crossbeam-channel
// bench-package: librust-crossbeam-channel-dev

//! The bounded channel of crossbeam, between threads.

#[path = "../common/bench.rs"]
mod bench;

fn main() {
    let asked = bench::start();
    if asked.case != "cap128-threads" {
        bench::skip();
    }
    let count = 200000;
    let (sender, receiver) = crossbeam_channel::bounded::<u64>(128);
    bench::batches(&asked, count, || {
        std::thread::scope(|scope| {
            let sender = &sender;
            scope.spawn(move || {
                for n in 0..count as u64 {
                    sender.send(n).unwrap();
                }
            });
            let mut sum = 0;
            for _ in 0..count {
                sum += receiver.recv().unwrap();
            }
            assert_eq!(sum, count as u64 * (count as u64 - 1) / 2);
        });
    });
}
