//! A hash of the logical state that does not depend on the order in which it came about or on where rows lie.

use crate::engine::Engine;
use crate::id::{PAGE_ROWS, Task};
use crate::layer::NO_PAGE;
use crate::row::{BLOB, STORED, WANTED};
use crate::state::State;

/// One round of a 64-bit mixer (splitmix64).
fn mix(hash: u64, value: u64) -> u64 {
    let mut x = hash.wrapping_add(value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(mix(hash, bytes.len() as u64), |hash, &byte| {
            mix(hash, u64::from(byte))
        })
}

impl Engine {
    /// Equal for equal logical states: clients, procs, lanes, layers and every row with its value and attempt.
    pub fn digest(&self) -> u64 {
        let mut sum = mix(1, u64::from(self.config.epoch));
        for client in self.clients.values() {
            let lost = client.deadline.map_or(0, |deadline| deadline.0 + 1);
            sum = sum.wrapping_add(mix(mix(2, u64::from(client.id.0)), lost));
        }
        for proc in self.procs.table.values() {
            let own = mix(mix(3, u64::from(proc.id.0)), u64::from(proc.incarnation.0));
            sum = sum.wrapping_add(own);
            for &slot in proc.lanes.iter().chain(&proc.asides) {
                let lane = &self.lanes[slot];
                let state = u64::from(lane.epoch) << 1 | u64::from(lane.up);
                sum = sum.wrapping_add(mix(mix(own, u64::from(lane.number)), state));
            }
        }
        for slot in self.layers.iter() {
            sum = sum.wrapping_add(self.layer_digest(slot));
        }
        sum
    }

    fn layer_digest(&self, slot: u32) -> u64 {
        let layer = &self.layers[slot];
        let own = mix(mix(4, u64::from(layer.serial.0)), u64::from(layer.client.0));
        let mut sum = mix(own, u64::from(layer.tasks));
        for (start, end) in layer.latent.iter().chain(layer.wanted.iter()) {
            sum = sum.wrapping_add(mix(mix(own, u64::from(start)), u64::from(end)));
        }
        for (cell, page) in layer.cells.iter().zip(layer.first_page..) {
            if cell.slot == NO_PAGE {
                continue;
            }
            for row in 0..self.rows.page(cell.slot).len() as u32 {
                let index = page * PAGE_ROWS + row;
                sum = sum.wrapping_add(
                    self.row_digest(mix(own, u64::from(index)), Task::new(cell.slot, row)),
                );
            }
        }
        sum
    }

    fn row_digest(&self, own: u64, task: Task) -> u64 {
        let row = &self.rows[task];
        let wanted = u64::from(row.is(WANTED));
        let mut hash = mix(
            mix(own, row.state() as u64 | wanted << 8),
            u64::from(self.pages.attempt(task)),
        );
        match row.state() {
            State::Memory if row.is(STORED) => {
                hash = mix(mix(hash, u64::from(row.at)), row.value & 0xffff_ffff);
            }
            State::Memory if row.len == BLOB => {
                hash = mix_bytes(hash, self.blobs.get(row.value as u32))
            }
            State::Memory => hash = mix(mix(hash, u64::from(row.len)), row.value),
            State::Erred => {
                if let Some(failure) = self.failures.get(row.at) {
                    hash = mix(hash, u64::from(failure.blame.serial.0));
                    hash = mix_bytes(mix(hash, u64::from(failure.blame.index)), &failure.bytes);
                }
            }
            State::Processing | State::Ahead => {
                let lane = &self.lanes[crate::id::LaneSlot(row.at)];
                hash = mix(mix(hash, u64::from(lane.proc.0)), u64::from(lane.number));
            }
            _ => {}
        }
        mix(hash, u64::from(row.codec))
    }
}
