// SPDX-License-Identifier: MIT

//! The contended loop for the Rust contenders: the same shape as shape.h, where it is explained.

#[path = "../common/bench.rs"]
mod bench;

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Barrier;
use std::time::Instant;

pub trait Lock: Sync + Default {
    fn with(&self, inside: impl FnOnce(&mut Guarded));
}

/// What the lock guards.
pub struct Guarded {
    value: u64,
    total: u64,
}

impl Default for Guarded {
    fn default() -> Self {
        Guarded { value: 1, total: 0 }
    }
}

#[derive(Clone, Copy, Default)]
struct Count {
    pairs: u64,
    longest: u64,
}

fn steps(mut x: u64, count: usize) -> u64 {
    for _ in 0..count {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

fn worker<L: Lock>(lock: &L, stop: &AtomicBool, index: usize, work: bool, timed: bool) -> Count {
    let mut count = Count::default();
    let mut own = index as u64 + 1;
    let private_steps = if work { 10 } else { 0 };
    while !stop.load(Ordering::Relaxed) {
        let before = if timed { Some(Instant::now()) } else { None };
        let longest = &mut count.longest;
        lock.with(|guarded| {
            if let Some(before) = before {
                *longest = (*longest).max(before.elapsed().as_nanos() as u64);
            }
            guarded.value = steps(guarded.value, 2);
            guarded.total += 1;
        });
        count.pairs += 1;
        own = steps(own, private_steps);
    }
    keep(own);
    count
}

/// As BENCH_KEEP: the value counts as used.
fn keep(value: u64) {
    let cell = UnsafeCell::new(0u64);
    unsafe { std::ptr::write_volatile(cell.get(), value) };
}

fn pass<L: Lock>(asked: &bench::Asked, tasks: usize, work: bool, timed: bool) {
    let lock = L::default();
    let stop = AtomicBool::new(false);
    let barrier = Barrier::new(tasks + 1);
    let (elapsed, counts) = std::thread::scope(|scope| {
        let (lock, stop, barrier) = (&lock, &stop, &barrier);
        let threads: Vec<_> = (0..tasks)
            .map(|i| {
                scope.spawn(move || {
                    barrier.wait();
                    worker(lock, stop, i, work, timed)
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        std::thread::sleep(asked.budget * if timed { 1 } else { 2 });
        stop.store(true, Ordering::SeqCst);
        let elapsed = start.elapsed();
        let counts: Vec<Count> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        (elapsed, counts)
    });
    let sum: u64 = counts.iter().map(|c| c.pairs).sum();
    lock.with(|guarded| assert_eq!(sum, guarded.total, "the lock let two in at once"));
    if timed {
        let longest = counts.iter().map(|c| c.longest).max().unwrap();
        println!("longest {:.1} us", longest as f64 / 1000.0);
    } else {
        let least = counts.iter().map(|c| c.pairs).min().unwrap();
        let most = counts.iter().map(|c| c.pairs).max().unwrap();
        println!("time {:.3} ns", elapsed.as_nanos() as f64 / sum as f64);
        println!("fair {:.3} ratio", least as f64 / most as f64);
    }
}

pub fn run<L: Lock>() {
    let asked = bench::start();
    if asked.case == "uncontended" {
        let lock = L::default();
        bench::batches(&asked, 10000, || {
            for i in 0..10000u64 {
                lock.with(|guarded| unsafe { std::ptr::write_volatile(&mut guarded.total, i) });
            }
        });
        return;
    }
    let (tasks, kind) = match asked.case.split_once('-') {
        Some((tasks, kind)) => (tasks.parse().unwrap_or(0), kind.to_string()),
        None => (0, String::new()),
    };
    if tasks == 0 || (kind != "work" && kind != "bare") {
        bench::skip();
    }
    pass::<L>(&asked, tasks, kind == "work", false);
    pass::<L>(&asked, tasks, kind == "work", true);
}
