//! Updates to clients: the changed rows' present state, encoded on demand under the client's credit.

use crate::assign::{push_cell, push_unless, push_unless_uniform};
use crate::engine::Engine;
use crate::id::{ClientId, PAGE_ROWS, ProcId, Task};
use crate::layer::NO_PAGE;
use crate::row::{BLOB, Row, STORED, WANTED};
use crate::state::State;
use crate::update::{RowState, UpdateOut, UpdateSection};

/// Bytes a row costs in an update besides its value, about.
const ROW_BYTES: usize = 4;

/// Rows of one update.
const ROWS_MAX: u32 = 1 << 16;

impl Engine {
    /// Clients with something to be told and credit to be told it, in order.
    pub fn updates_due(&self) -> impl Iterator<Item = ClientId> + '_ {
        self.clients
            .values()
            .filter(|client| !client.dirty.is_empty() && client.has_credit())
            .map(|client| client.id)
    }

    /// Fills `update` with the present state of rows that changed for `client`, about `bytes_max` bytes at most.
    /// False: nothing to say, or no credit. Call again until it is false.
    pub fn next_update(&mut self, id: ClientId, bytes_max: usize, update: &mut UpdateOut) -> bool {
        update.clear();
        let mut bytes = 0;
        let mut rows = 0;
        loop {
            let Some(client) = self.clients.get_mut(&id) else {
                return false;
            };
            let Some(&slot) = client.dirty.front() else {
                break;
            };
            if !client.has_credit() {
                return false;
            }
            let from = update.used();
            while bytes < bytes_max && rows < ROWS_MAX {
                let Some((start, count)) =
                    self.layers[slot].dirty.take_run(1024.min(ROWS_MAX - rows))
                else {
                    break;
                };
                rows += count;
                bytes += self.tell_run(slot, start, count, from, update);
            }
            if !self.layers[slot].dirty.is_empty() {
                break;
            }
            self.layers[slot].dirty_listed = false;
            if let Some(client) = self.clients.get_mut(&id) {
                client.dirty.pop_front();
            }
        }
        if update.used() == 0 {
            return false;
        }
        let Some(client) = self.clients.get_mut(&id) else {
            return false;
        };
        client.seq_sent += 1;
        update.seq = client.seq_sent;
        let named = update
            .sections()
            .iter()
            .flat_map(|section| section.procs.iter());
        let mut peers: Vec<ProcId> = named
            .filter(|&&proc| proc != 0 && client.peers.insert(ProcId(proc)))
            .map(|&proc| ProcId(proc))
            .collect();
        peers.sort_unstable();
        update.peers = peers;
        true
    }

    /// Adds rows of one page to the sections of their states; returns about how many bytes.
    fn tell_run(
        &self,
        slot: u32,
        start: u32,
        count: u32,
        from: usize,
        update: &mut UpdateOut,
    ) -> usize {
        let layer = &self.layers[slot];
        let Some(cell) = layer.cell(start).filter(|cell| cell.slot != NO_PAGE) else {
            return 0;
        };
        let mut bytes = 0;
        for index in start..start + count {
            let task = Task::new(cell.slot, index % PAGE_ROWS);
            let row = &self.rows[task];
            if !row.is(WANTED) {
                continue;
            }
            let state = match row.state() {
                State::Memory => RowState::Done,
                State::Erred if self.failures.get(row.at).is_some_and(|f| f.cancelled) => {
                    RowState::Cancelled
                }
                State::Erred => RowState::Failed,
                State::Forgotten => continue,
                _ => RowState::Pending,
            };
            let section = update.section(from, layer.number, layer.serial.0, state);
            let before = section.bytes.len();
            let seen = section.rows as usize;
            section.push_index(index);
            match state {
                RowState::Done => self.tell_value(section, row, task, seen),
                RowState::Failed | RowState::Cancelled => self.tell_failure(section, row, seen),
                RowState::Pending => {}
            }
            bytes += ROW_BYTES + section.bytes.len() - before;
        }
        bytes
    }

    fn tell_value(&self, section: &mut UpdateSection, row: &Row, task: Task, seen: usize) {
        let stored = row.is(STORED);
        let size = if stored {
            row.value as u32
        } else if row.len == BLOB {
            let bytes = self.blobs.get(row.value as u32);
            section.bytes.extend_from_slice(bytes);
            bytes.len() as u32
        } else {
            push_cell(&mut section.bytes, row);
            u32::from(row.len)
        };
        push_unless_uniform(&mut section.codecs, &mut section.codec, seen, row.codec);
        push_unless_uniform(&mut section.sizes, &mut section.stride, seen, size);
        push_unless(&mut section.homes, 0, seen, u8::from(stored));
        push_unless(&mut section.procs, 0, seen, if stored { row.at } else { 0 });
        push_unless(&mut section.attempts, 1, seen, self.pages.attempt(task));
    }

    fn tell_failure(&self, section: &mut UpdateSection, row: &Row, seen: usize) {
        let Some(failure) = self.failures.get(row.at) else {
            return;
        };
        section.bytes.extend_from_slice(&failure.bytes);
        push_unless_uniform(&mut section.codecs, &mut section.codec, seen, failure.codec);
        let size = failure.bytes.len() as u32;
        push_unless_uniform(&mut section.sizes, &mut section.stride, seen, size);
        section.blame_serials.push(failure.blame.serial.0);
        section.blame_indices.push(failure.blame.index);
    }
}
