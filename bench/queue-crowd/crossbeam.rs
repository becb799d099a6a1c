// SPDX-License-Identifier: MIT
// bench-crate: crossbeam-channel
// bench-crate: crossbeam-queue
// bench-package: librust-crossbeam-channel-dev

//! The bounded channel of crossbeam; its ArrayQueue where nobody waits.

#[path = "../common/bench.rs"]
mod bench;

use std::sync::atomic::{AtomicU64, Ordering};

/// Tries before others are let run, as in shape.h.
const TRIES: u32 = 64;

trait Queue: Sync {
    fn put(&self, n: u64);
    fn get(&self) -> u64;
}

struct Channel(crossbeam_channel::Sender<u64>, crossbeam_channel::Receiver<u64>);

impl Queue for Channel {
    #[inline]
    fn put(&self, n: u64) {
        self.0.send(n).unwrap()
    }
    #[inline]
    fn get(&self) -> u64 {
        self.1.recv().unwrap()
    }
}

impl Queue for crossbeam_queue::ArrayQueue<u64> {
    #[inline]
    fn put(&self, n: u64) {
        let mut tries = 0u32;
        while self.push(n).is_err() {
            tries += 1;
            if tries % TRIES == 0 {
                std::thread::yield_now();
            }
        }
    }
    #[inline]
    fn get(&self) -> u64 {
        let mut tries = 0u32;
        loop {
            if let Some(n) = self.pop() {
                return n;
            }
            tries += 1;
            if tries % TRIES == 0 {
                std::thread::yield_now();
            }
        }
    }
}

fn crowd<Q: Queue>(asked: &bench::Asked, queue: &Q, pairs: usize) {
    let each = 200000 / pairs;
    bench::batches(asked, each * pairs, || {
        let total = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..pairs {
                scope.spawn(|| {
                    for n in 0..each as u64 {
                        queue.put(n);
                    }
                });
                scope.spawn(|| {
                    let mut sum = 0;
                    for _ in 0..each {
                        sum += queue.get();
                    }
                    total.fetch_add(sum, Ordering::Relaxed);
                });
            }
        });
        let each = each as u64;
        assert_eq!(total.into_inner(), pairs as u64 * (each * (each - 1) / 2));
    });
}

fn main() {
    let asked = bench::start();
    let (tries, name) = match asked.case.strip_prefix("try-") {
        Some(name) => (true, name),
        None => (false, asked.case.as_str()),
    };
    let pairs = match name.split_once('p') {
        Some((pairs, consumers)) if consumers == format!("{pairs}c") => pairs.parse().unwrap_or(0),
        _ => 0,
    };
    if pairs == 0 {
        bench::skip();
    }
    if tries {
        crowd(&asked, &crossbeam_queue::ArrayQueue::new(128), pairs);
    } else {
        let (sender, receiver) = crossbeam_channel::bounded(128);
        crowd(&asked, &Channel(sender, receiver), pairs);
    }
}
