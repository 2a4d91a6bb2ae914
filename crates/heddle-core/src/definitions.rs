//! Definitions end: a worker was told once what a layer or a function is, and is told once that it may drop it, so
//! that its memory follows what is alive. Serials are never used twice: nothing is taken for something older.

use crate::engine::Engine;
use crate::id::{FunctionSerial, LayerSerial};
use crate::out::{Out, ProcOut};

impl Engine {
    /// The layer no longer exists. None of its rows is in flight.
    pub(crate) fn drop_layer(&mut self, slot: u32, out: &mut Out) {
        let layer = &mut self.layers[slot];
        let serial = layer.serial;
        for proc in self.procs.table.values() {
            if layer.known.remove(proc.id.0) {
                let effects = out.proc(proc.id, proc.incarnation);
                if !withdraw_layer(effects, serial) {
                    effects.forget_layers.push(serial);
                }
            }
        }
        self.layers.remove(slot);
    }

    /// One client fewer defines the function.
    pub(crate) fn release_function(&mut self, serial: FunctionSerial, out: &mut Out) {
        if !self.functions.release(serial) {
            return;
        }
        for proc in self.procs.table.values_mut() {
            if proc.functions.remove(serial.0) {
                let effects = out.proc(proc.id, proc.incarnation);
                match effects.functions.iter().position(|&told| told == serial) {
                    Some(at) => drop(effects.functions.remove(at)),
                    None => effects.forget_functions.push(serial),
                }
            }
        }
    }
}

/// A layer that was defined by effects not sent yet leaves no trace in them: its definition could no longer be
/// written, and its records are taken back.
fn withdraw_layer(effects: &mut ProcOut, serial: LayerSerial) -> bool {
    let Some(at) = effects.layers.iter().position(|&told| told == serial) else {
        return false;
    };
    effects.layers.remove(at);
    effects.withdraw(serial);
    true
}
