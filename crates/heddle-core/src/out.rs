//! Everything the engine wants done after a turn, collected per peer and encoded once. All buffers are reused:
//! `clear` keeps their capacity, so a steady state allocates nothing.

use crate::id::{ClientId, FunctionSerial, Incarnation, LayerSerial, ProcId};

/// Effects of one or more events.
#[derive(Debug, Default)]
pub struct Out {
    procs: Vec<ProcOut>,
    used: usize,
    /// Where each proc's entry stands in `procs`, plus one; indexed by proc id.
    slots: Vec<u32>,
    /// Rare messages to clients, in order.
    pub messages: Vec<Message>,
}

impl Out {
    /// No effects yet.
    pub fn new() -> Out {
        Out::default()
    }

    /// What goes to workers, in the order they were first touched.
    pub fn procs(&self) -> &[ProcOut] {
        self.procs.get(..self.used).unwrap_or_default()
    }

    /// True when there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.used == 0 && self.messages.is_empty()
    }

    /// Forgets all effects and keeps the buffers.
    pub fn clear(&mut self) {
        for out in self.procs.iter_mut().take(self.used) {
            if let Some(slot) = self.slots.get_mut(out.proc.index()) {
                *slot = 0;
            }
            out.clear();
        }
        self.used = 0;
        self.messages.clear();
    }

    /// Forgets what was collected for a proc that is gone.
    pub(crate) fn drop_proc(&mut self, proc: ProcId) {
        if let Some(&slot) = self.slots.get(proc.index())
            && slot > 0
            && let Some(out) = self.procs.get_mut(slot as usize - 1)
        {
            out.clear();
        }
    }

    pub(crate) fn proc(&mut self, proc: ProcId, incarnation: Incarnation) -> &mut ProcOut {
        if self.slots.len() <= proc.index() {
            self.slots.resize(proc.index() + 1, 0);
        }
        if self.slots[proc.index()] == 0 {
            if self.used == self.procs.len() {
                self.procs.push(ProcOut::default());
            }
            self.used += 1;
            self.slots[proc.index()] = self.used as u32;
            let out = &mut self.procs[self.used - 1];
            out.proc = proc;
            out.incarnation = incarnation;
        }
        &mut self.procs[self.slots[proc.index()] as usize - 1]
    }
}

/// What one worker process is told. Encode in field order: definitions stand before their first use.
#[derive(Debug, Default)]
pub struct ProcOut {
    /// To whom.
    pub proc: ProcId,
    /// Which connection of it.
    pub incarnation: Incarnation,
    /// Peers whose addresses it now needs: [`Engine::proc`](crate::Engine::proc) knows them.
    pub peers: Vec<ProcId>,
    /// Procs that are gone.
    pub gone: Vec<ProcId>,
    /// Functions it now needs: [`Engine::function`](crate::Engine::function).
    pub functions: Vec<FunctionSerial>,
    /// Layers it now needs: [`Engine::layer`](crate::Engine::layer).
    pub layers: Vec<LayerSerial>,
    /// Stored values to drop.
    pub free: FreeRuns,
    /// Records to take back.
    pub retract: Vec<RetractSection>,
    /// Layers whose definitions may be dropped: no record of them comes any more.
    pub forget_layers: Vec<LayerSerial>,
    /// Functions that may be dropped.
    pub forget_functions: Vec<FunctionSerial>,
    sections: Vec<AssignSection>,
    used: usize,
}

impl ProcOut {
    /// Records to run.
    pub fn assign(&self) -> &[AssignSection] {
        self.sections.get(..self.used).unwrap_or_default()
    }

    /// True when there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.used == 0
            && self.peers.is_empty()
            && self.gone.is_empty()
            && self.functions.is_empty()
            && self.layers.is_empty()
            && self.free.starts.is_empty()
            && self.retract.is_empty()
            && self.forget_layers.is_empty()
            && self.forget_functions.is_empty()
    }

    fn clear(&mut self) {
        self.peers.clear();
        self.gone.clear();
        self.functions.clear();
        self.layers.clear();
        self.free.clear();
        self.retract.clear();
        self.forget_layers.clear();
        self.forget_functions.clear();
        self.sections
            .iter_mut()
            .take(self.used)
            .for_each(AssignSection::clear);
        self.used = 0;
    }

    /// Empties the sections of a layer, and what takes their records back.
    pub(crate) fn withdraw(&mut self, serial: LayerSerial) {
        for section in self.sections.iter_mut().take(self.used) {
            if section.serial == serial.0 {
                section.clear();
            }
        }
        self.retract.retain(|section| section.serial != serial.0);
    }

    /// Opens a fresh section behind all others; returns its place.
    pub(crate) fn open_section(&mut self) -> u32 {
        if self.used == self.sections.len() {
            self.sections.push(AssignSection::default());
        }
        self.used += 1;
        self.used as u32 - 1
    }

    /// The section at a place where one may be.
    #[inline]
    pub(crate) fn section_mut(&mut self, at: u32) -> Option<&mut AssignSection> {
        self.sections.get_mut(..self.used)?.get_mut(at as usize)
    }

    /// The section at a place where one is.
    #[inline]
    pub(crate) fn section_at(&mut self, at: u32) -> &mut AssignSection {
        &mut self.sections[at as usize]
    }
}

/// Records of one layer for one lane: the columns of `AssignSection` in `schemas/dispatch.fbs`. An empty
/// column is absent. Payload: `data`, then (at the next multiple of 8) `dep_bytes`.
#[derive(Debug, Default)]
pub struct AssignSection {
    /// Lane number in the proc.
    pub lane: u32,
    /// Which thread of that lane.
    pub lane_epoch: u32,
    /// The layer.
    pub serial: u32,
    /// First row when `indices` is empty.
    pub first: u32,
    /// Records.
    pub count: u32,
    /// Rows; empty: first … first + count - 1.
    pub indices: Vec<u32>,
    /// Empty: all 1.
    pub attempts: Vec<u32>,
    /// Function serials; empty: the layer's.
    pub functions: Vec<u32>,
    /// Empty: all 0.
    pub priorities: Vec<i32>,
    /// Empty: all 0.
    pub resource_classes: Vec<u8>,
    /// Empty: all 0.
    pub timeouts_ms: Vec<u32>,
    /// Rows have row data, of whatever length.
    pub has_data: bool,
    /// Row data in record order, without gaps.
    pub data: Vec<u8>,
    /// > 0: every record has this many bytes of row data.
    pub data_stride: u32,
    /// Bytes of row data per record when there is no stride; empty and no stride: rows have none.
    pub data_sizes: Vec<u32>,
    /// Inputs per record; empty: none has any.
    pub dep_counts: Vec<u32>,
    /// Layer of every input when `dep_serials` is empty.
    pub dep_serial: u32,
    /// Layer of each input.
    pub dep_serials: Vec<u32>,
    /// Row of each input.
    pub dep_indices: Vec<u32>,
    /// Empty: all 1.
    pub dep_attempts: Vec<u32>,
    /// Empty: whole values.
    pub dep_parts: Vec<u32>,
    /// 0: inline here; else the proc that holds it. Empty: all inline.
    pub dep_procs: Vec<u32>,
    /// Codec of every input when `dep_codecs` is empty.
    pub dep_codec: u8,
    /// Codec of each input.
    pub dep_codecs: Vec<u8>,
    /// Bytes of every input when `dep_sizes` is empty.
    pub dep_stride: u32,
    /// Inline: bytes here; held: size of the stored value.
    pub dep_sizes: Vec<u32>,
    /// Bytes of inline inputs in record order, without gaps.
    pub dep_bytes: Vec<u8>,
}

impl AssignSection {
    fn clear(&mut self) {
        self.count = 0;
        self.has_data = false;
        self.indices.clear();
        self.attempts.clear();
        self.functions.clear();
        self.priorities.clear();
        self.resource_classes.clear();
        self.timeouts_ms.clear();
        self.data.clear();
        self.data_stride = 0;
        self.data_sizes.clear();
        self.dep_counts.clear();
        self.dep_serial = 0;
        self.dep_serials.clear();
        self.dep_indices.clear();
        self.dep_attempts.clear();
        self.dep_parts.clear();
        self.dep_procs.clear();
        self.dep_codec = 0;
        self.dep_codecs.clear();
        self.dep_stride = 0;
        self.dep_sizes.clear();
        self.dep_bytes.clear();
    }

    /// True when the rows so far have no columns of their own.
    pub(crate) fn rows_plain(&self) -> bool {
        self.attempts.is_empty()
            && self.functions.is_empty()
            && self.priorities.is_empty()
            && self.timeouts_ms.is_empty()
            && self.resource_classes.is_empty()
    }

    /// True when all inputs so far (at least one) agree in everything but row and value.
    pub(crate) fn inputs_plain(&self) -> bool {
        !self.dep_indices.is_empty()
            && self.dep_serials.is_empty()
            && self.dep_attempts.is_empty()
            && self.dep_parts.is_empty()
            && self.dep_procs.is_empty()
            && self.dep_codecs.is_empty()
            && self.dep_sizes.is_empty()
    }

    /// Row of record `i`.
    pub fn index(&self, i: usize) -> u32 {
        self.indices
            .get(i)
            .copied()
            .unwrap_or(self.first + i as u32)
    }

    /// Attempt of record `i`.
    pub fn attempt(&self, i: usize) -> u32 {
        self.attempts.get(i).copied().unwrap_or(1)
    }
}

/// Stored values to drop, as runs of rows with one attempt each.
#[derive(Debug, Default)]
pub struct FreeRuns {
    /// Layers.
    pub serials: Vec<u32>,
    /// First rows.
    pub starts: Vec<u32>,
    /// Numbers of rows.
    pub counts: Vec<u32>,
    /// Attempt of each run.
    pub attempts: Vec<u32>,
}

impl FreeRuns {
    fn clear(&mut self) {
        self.serials.clear();
        self.starts.clear();
        self.counts.clear();
        self.attempts.clear();
    }

    pub(crate) fn push(&mut self, serial: LayerSerial, index: u32, attempt: u32) {
        if let (Some(&s), Some(&start), Some(count), Some(&a)) = (
            self.serials.last(),
            self.starts.last(),
            self.counts.last_mut(),
            self.attempts.last(),
        ) && s == serial.0
            && a == attempt
            && start + *count == index
        {
            *count += 1;
            return;
        }
        self.serials.push(serial.0);
        self.starts.push(index);
        self.counts.push(1);
        self.attempts.push(attempt);
    }
}

/// Records of one layer to take back from one lane.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RetractSection {
    /// Lane number in the proc.
    pub lane: u32,
    /// Which thread of that lane.
    pub lane_epoch: u32,
    /// The layer.
    pub serial: u32,
    /// Rows.
    pub indices: Vec<u32>,
    /// Their attempts.
    pub attempts: Vec<u32>,
    /// Also abort what has started.
    pub cancel: bool,
}

/// Rare messages to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A frame of a graph was taken in.
    Accepted {
        /// To whom.
        client: ClientId,
        /// The client's number for the graph.
        graph: u32,
        /// Its layer numbers …
        layers: Vec<u32>,
        /// … and the serials given to them.
        serials: Vec<u32>,
    },
    /// A frame of a graph was refused; nothing of it exists.
    Refused {
        /// To whom.
        client: ClientId,
        /// The client's number for the graph.
        graph: u32,
        /// What is wrong.
        fault: crate::fault::Fault,
    },
    /// Something a person should know. `client` None: everybody.
    Notice {
        /// To whom.
        client: Option<ClientId>,
        /// Stable code.
        code: &'static str,
        /// For people.
        message: String,
        /// The matter is over.
        cleared: bool,
    },
}
