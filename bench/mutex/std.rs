// SPDX-License-Identifier: MIT
// bench-package: rustc

//! The mutex of Rust's standard library.

#[path = "shape.rs"]
mod shape;

#[derive(Default)]
struct Std(std::sync::Mutex<shape::Guarded>);

impl shape::Lock for Std {
    #[inline]
    fn with(&self, inside: impl FnOnce(&mut shape::Guarded)) {
        inside(&mut self.0.lock().unwrap())
    }
}

fn main() {
    shape::run::<Std>()
}
