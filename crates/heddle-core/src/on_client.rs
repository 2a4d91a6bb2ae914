//! Clients come, go, and say which rows they want.

use crate::client::Client;
use crate::engine::Engine;
use crate::event::{Demand, FunctionDefined, Malformed};
use crate::fault;
use crate::id::{ClientId, Millis, PAGE_ROWS, Task};
use crate::layer::NO_PAGE;
use crate::limits::FUNCTION_BODY_BYTES_MAX;
use crate::out::Out;
use crate::row::{DETACHED, STORED};
use crate::state::State;

impl Engine {
    pub(crate) fn client_joined(
        &mut self,
        client: ClientId,
        update_credit: u32,
    ) -> Result<(), Malformed> {
        if self.clients.contains_key(&client) {
            return Err(Malformed::Id);
        }
        self.clients
            .insert(client, Client::new(client, update_credit));
        Ok(())
    }

    /// Every row the client may still ask about is told again: updates are idempotent.
    pub(crate) fn client_resumed(
        &mut self,
        id: ClientId,
        update_credit: u32,
    ) -> Result<(), Malformed> {
        let client = self.clients.get_mut(&id).ok_or(Malformed::UnknownClient)?;
        client.deadline = None;
        client.update_credit = update_credit;
        // Numbers go on: a credit that was lost with the former connection may still follow.
        client.seq_digested = client.seq_sent;
        client.peers.clear();
        client.told_no_workers = false;
        let layers: Vec<u32> = client.layers.values().copied().collect();
        for layer in layers {
            self.tell_again(layer, 0, self.layers[layer].tasks);
        }
        Ok(())
    }

    pub(crate) fn client_lost(&mut self, id: ClientId, deadline: Millis) -> Result<(), Malformed> {
        let client = self.clients.get_mut(&id).ok_or(Malformed::UnknownClient)?;
        client.deadline = Some(deadline);
        Ok(())
    }

    pub(crate) fn function_defined(
        &mut self,
        f: &FunctionDefined<'_>,
        out: &mut Out,
    ) -> Result<(), Malformed> {
        if f.body.len() > FUNCTION_BODY_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        let client = self
            .clients
            .get_mut(&f.client)
            .ok_or(Malformed::UnknownClient)?;
        let serial = self.functions.define(&f.hash, f.name, f.body);
        if let Some(old) = client.functions.insert(f.function, serial) {
            self.release_function(old, out);
        }
        Ok(())
    }

    pub(crate) fn credited(&mut self, id: ClientId, seq: u32) -> Result<(), Malformed> {
        let client = self.clients.get_mut(&id).ok_or(Malformed::UnknownClient)?;
        if seq > client.seq_sent {
            return Err(Malformed::Id);
        }
        client.seq_digested = client.seq_digested.max(seq);
        Ok(())
    }

    pub(crate) fn wanted(&mut self, demand: &Demand<'_>) -> Result<(), Malformed> {
        self.each_range(demand, Engine::want)
    }

    pub(crate) fn released(&mut self, demand: &Demand<'_>) -> Result<(), Malformed> {
        self.each_range(demand, Engine::unwant)
    }

    pub(crate) fn gathered(&mut self, demand: &Demand<'_>) -> Result<(), Malformed> {
        self.each_range(demand, Engine::tell_again)
    }

    /// Cancels rows; what depends on them is cancelled with them.
    pub(crate) fn cancelled(&mut self, demand: &Demand<'_>) -> Result<(), Malformed> {
        let reason = if demand.reason.is_empty() {
            "cancelled by its client"
        } else {
            demand.reason
        };
        self.each_range(demand, |engine, layer, start, end| {
            engine.cancel(layer, start, end, reason);
        })
    }

    /// Calls `each` with every range of the demand, cut to the rows its layer has. Layers that are gone are
    /// passed over: their rows are forgotten.
    fn each_range(
        &mut self,
        demand: &Demand<'_>,
        mut each: impl FnMut(&mut Engine, u32, u32, u32),
    ) -> Result<(), Malformed> {
        let n = demand.layers.len();
        if demand.starts.len() != n || demand.counts.len() != n {
            return Err(Malformed::Columns);
        }
        if !self.clients.contains_key(&demand.client) {
            return Err(Malformed::UnknownClient);
        }
        for i in 0..n {
            let layer = self
                .clients
                .get(&demand.client)
                .and_then(|client| client.layers.get(&demand.layers.get(i)).copied());
            if let Some(layer) = layer {
                let start = demand.starts.get(i);
                let end = start
                    .saturating_add(demand.counts.get(i))
                    .min(self.layers[layer].tasks);
                if start < end {
                    each(self, layer, start, end);
                }
            }
        }
        Ok(())
    }

    /// The present state of these rows is told again.
    fn tell_again(&mut self, layer: u32, start: u32, end: u32) {
        for (s, e) in crate::demand::page_parts(start, end) {
            let exists = self.layers[layer]
                .cell(s)
                .is_some_and(|cell| cell.slot != NO_PAGE);
            if exists {
                self.layers[layer].dirty.insert_range(s, e - s);
            }
        }
        self.list_dirty(layer);
    }

    /// All rows of the range share one record of why.
    fn cancel(&mut self, layer: u32, start: u32, end: u32, reason: &str) {
        let mut record = None;
        for (s, e) in crate::demand::page_parts(start, end) {
            self.open_page(layer, s);
            let Some(cell) = self.layers[layer].cell(s).copied() else {
                continue;
            };
            if cell.slot == NO_PAGE {
                continue;
            }
            for row in s..e {
                let task = Task::new(cell.slot, row % PAGE_ROWS);
                let state = self.rows[task].state();
                if self.rows[task].active() || state == State::Released {
                    let failure = match record {
                        Some(failure) => failure,
                        None => self.declare(task, fault::CANCELLED, reason, true),
                    };
                    record = Some(failure);
                    self.fail_later(task, failure);
                }
            }
        }
        if let Some(failure) = record {
            self.failures.release(failure);
        }
    }

    /// The client is gone: no row of it is of use to anybody.
    pub(crate) fn client_left(&mut self, id: ClientId, out: &mut Out) -> Result<(), Malformed> {
        let client = self.clients.get(&id).ok_or(Malformed::UnknownClient)?;
        let layers: Vec<u32> = client.layers.values().copied().collect();
        for &layer in &layers {
            let slots: Vec<u32> = self.layers[layer]
                .cells
                .iter()
                .map(|cell| cell.slot)
                .collect();
            for slot in slots.into_iter().filter(|&slot| slot != NO_PAGE) {
                self.wipe_page(slot, out);
            }
        }
        for layer in layers {
            let order = self.layers[layer].order;
            self.ready.layers.remove(&(order, layer));
            self.ready.in_layers -= self.layers[layer].ready.len();
            self.uncount_cells(layer);
            self.drop_layer(layer, out);
        }
        if let Some(client) = self.clients.remove(&id) {
            for serial in client.functions.into_values() {
                self.release_function(serial, out);
            }
        }
        Ok(())
    }

    /// Drops a page of a client that is gone: all rows that can name its rows go with it.
    fn wipe_page(&mut self, slot: u32, out: &mut Out) {
        for row in 0..self.rows.page(slot).len() as u32 {
            let task = Task::new(slot, row);
            match self.rows[task].state() {
                State::Processing => self.take_back(task, true, out),
                State::Ahead => self.take_ahead_back(task, true, out),
                State::Queued | State::NoWorker => self.leave_queue(task),
                State::Memory if self.rows[task].is(STORED) => self.free_stored(task, out),
                _ => {}
            }
            let row = &mut self.rows[task];
            let list = row.list();
            if row.active() {
                row.set_state(task, State::Released, &mut self.ledger);
            }
            if row.state() != State::Memory && row.state() != State::Erred {
                self.waiters.free(list);
            }
            if self.rows[task].state() != State::Forgotten {
                self.rows[task].flags |= DETACHED;
                self.rows[task].dependents = 0;
                self.bury(task);
            }
        }
        let rows = self.rows.page(slot).len() as u64;
        self.ledger.gone(State::Forgotten, rows);
        self.pages.table[slot as usize].orphans = true;
        self.pages.close(&mut self.rows, slot);
    }

    /// Time passed.
    pub(crate) fn tick(&mut self, out: &mut Out) -> Result<(), Malformed> {
        let over: Vec<ClientId> = self
            .clients
            .values()
            .filter(|client| client.deadline.is_some_and(|deadline| deadline <= self.now))
            .map(|client| client.id)
            .collect();
        for client in over {
            self.client_left(client, out)?;
        }
        self.idled = true;
        Ok(())
    }
}
