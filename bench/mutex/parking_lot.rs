// SPDX-License-Identifier: MIT
// bench-crate: parking_lot
// bench-package: librust-parking-lot-dev

//! The mutex of parking_lot.

#[path = "shape.rs"]
mod shape;

#[derive(Default)]
struct ParkingLot(parking_lot::Mutex<shape::Guarded>);

impl shape::Lock for ParkingLot {
    #[inline]
    fn with(&self, inside: impl FnOnce(&mut shape::Guarded)) {
        inside(&mut self.0.lock())
    }
}

fn main() {
    shape::run::<ParkingLot>()
}
