//! Failures: one row fails, all that wait for it fail with it, and all carry the same record with the blame.

use crate::engine::Engine;
use crate::error_blob::{self, CODEC_ERROR};
use crate::id::Task;
use crate::neighbours::counted;
use crate::out::Out;
use crate::row::{DETACHED, STORED, SUSPECT, WANTED};
use crate::state::State;

impl Engine {
    /// A failure the engine itself declares. Its maker must release it.
    pub(crate) fn declare(
        &mut self,
        blame: Task,
        code: &str,
        message: &str,
        cancelled: bool,
    ) -> u32 {
        let blob = error_blob::encode("HeddleError", message, code);
        let name = self.name_of(blame);
        self.failures.insert(name, CODEC_ERROR, blob, cancelled)
    }

    /// A row fails, and with it every active row that reads it. `retract`: if it is being run, tell the lane.
    pub(crate) fn fail_row(&mut self, task: Task, failure: u32, retract: bool, out: &mut Out) {
        let row = &self.rows[task];
        let active = row.active();
        let listed = self.readers_listed(task, row.list(), counted(row));
        match row.state() {
            State::Erred | State::Forgotten => return,
            State::Ahead => self.take_ahead_back(task, true, out),
            State::Memory => self.unstore(task),
            State::Processing => {
                self.take_back_if(task, retract, out);
                self.pages.bump_attempt(task);
            }
            State::Queued | State::NoWorker => self.leave_queue(task),
            State::Released | State::Waiting => {}
        }
        let list = self.rows[task].list();
        self.waiters.free(list);
        self.failures.retain(failure);
        let row = &mut self.rows[task];
        row.set_state(task, State::Erred, &mut self.ledger);
        row.at = failure;
        row.value = 0;
        row.flags &= !(STORED | SUSPECT);
        let wanted = row.is(WANTED);
        let attached = !row.is(DETACHED);
        let (slot, index) = (self.pages.layer(task), self.pages.index(task));
        self.open_readers(slot, index, index + 1, true);
        for reader in listed.into_iter().chain(self.active_readers(task)) {
            self.fail_later(reader, failure);
        }
        if attached {
            if active {
                self.pages.table[task.slot()].orphans = true;
            }
            self.drop_claims(task, active, true);
        }
        self.release_args(task);
        if wanted {
            self.layers[slot].dirty.insert(index);
            self.list_dirty(slot);
        } else {
            self.agenda.check.push(task);
        }
    }

    fn take_back_if(&mut self, task: Task, retract: bool, out: &mut Out) {
        if retract {
            self.take_back(task, true, out);
        } else {
            self.leave_lane(task);
        }
    }
}
