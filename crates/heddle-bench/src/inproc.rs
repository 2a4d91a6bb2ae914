//! The engine and the codec without sockets: one lane in each of many procs, every frame encoded, opened, verified and
//! decoded as if it had been sent. What remains of a task's cost when the number of procs grows is the engine's.

use std::collections::VecDeque;

use heddle_core::event::{
    Event, Fence, FunctionDefined, InputSpec, LayerKind, LayerSpec, ProcJoined, Submit, WHOLE,
};
use heddle_core::id::{ClientId, Incarnation, Millis, ProcId};
use heddle_core::out::Message;
use heddle_core::{CheckLevel, Config, Engine, Out, UpdateOut};
use heddle_wire::{
    Aligned, Encoder, Frame, Inbound, OutFrame, Sender, Told, WireError, decode, hear,
};

use crate::sums::Sums;

const EPOCH: u32 = 1;
const CLIENT: ClientId = ClientId(1);
const F64: u8 = 1;
/// Frames taken in before what the engine wants is sent: a busy scheduler's turn.
const FRAMES_PER_TURN: usize = 64;
/// Flag of a layer of which the client wants the last row alone.
const WANTED_LAST: u8 = 4;

/// A scheduler without sockets, workers without processes, and a binary tree of tasks between them.
pub struct Inproc {
    engine: Engine,
    out: Out,
    encoder: Encoder,
    aligned: Aligned,
    /// By proc.
    workers: Vec<Sums>,
    done: VecDeque<(ProcId, OutFrame)>,
    leaves: u32,
    reductions: u32,
}

impl core::fmt::Debug for Inproc {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inproc")
            .field("procs", &self.workers.len())
            .finish_non_exhaustive()
    }
}

impl Inproc {
    /// A scheduler that `procs` workers of one lane have joined, and a graph of about `tasks` tasks not yet submitted.
    ///
    /// # Errors
    /// In words, when the engine refuses what it should not.
    pub fn new(procs: u32, tasks: u32) -> Result<Self, String> {
        let leaves = (tasks / 2).max(2);
        let levels = std::iter::successors(Some(leaves.div_ceil(2)), |&rows| {
            (rows > 1).then(|| rows.div_ceil(2))
        });
        let mut all = Self {
            engine: Engine::new(Config {
                epoch: EPOCH,
                check: CheckLevel::default(),
            }),
            out: Out::new(),
            encoder: Encoder::new(EPOCH),
            aligned: Aligned::new(),
            workers: Vec::new(),
            done: VecDeque::new(),
            leaves,
            reductions: levels.sum(),
        };
        all.workers.resize_with(procs as usize, Sums::default);
        all.apply(Event::ClientJoined {
            client: CLIENT,
            update_credit: 64,
        })?;
        all.apply(Event::FunctionDefined(FunctionDefined {
            client: CLIENT,
            function: 1,
            hash: [1; 32],
            name: "sum",
            body: b"sum",
        }))?;
        for proc in 1..=procs {
            all.apply(Event::ProcJoined(ProcJoined {
                proc: ProcId(proc),
                incarnation: Incarnation(proc),
                host: "here",
                name: "zero",
                lanes: 1,
                data_address: "",
                memory_bytes: 0,
                ahead: false,
            }))?;
        }
        all.out.clear();
        Ok(all)
    }

    /// Tasks of the graph.
    pub fn tasks(&self) -> u32 {
        self.leaves + self.reductions
    }

    /// Submits the graph and runs it to its end; gives the one result: the sum of 1 to the number of leaves, and 1 for
    /// each reduction.
    ///
    /// # Errors
    /// In words, when a frame makes no sense or the result does not come.
    pub fn run(&mut self) -> Result<f64, String> {
        self.submit()?;
        self.deliver()?;
        while !self.done.is_empty() {
            for _ in 0..FRAMES_PER_TURN {
                let Some((proc, frame)) = self.done.pop_front() else {
                    break;
                };
                self.take_in(proc, &frame)?;
            }
            self.deliver()?;
        }
        let mut update = UpdateOut::new();
        if !self.engine.next_update(CLIENT, 1 << 20, &mut update) {
            return Err("no result was told".to_owned());
        }
        let bytes: Vec<u8> = update
            .sections()
            .iter()
            .flat_map(|s| s.bytes.clone())
            .collect();
        let cell: [u8; 8] = bytes.try_into().map_err(|_| "not one result was told")?;
        Ok(f64::from_le_bytes(cell))
    }

    /// Tasks completed so far.
    pub fn completed(&self) -> u64 {
        self.engine.stats().tasks_completed
    }

    fn apply(&mut self, event: Event<'_>) -> Result<(), String> {
        let taken = self.engine.apply(Millis(0), event, &mut self.out);
        taken.map_err(|error| format!("{error:?}"))
    }

    fn submit(&mut self) -> Result<(), String> {
        let over = [InputSpec {
            layer: 1,
            first: 0,
            part: WHOLE,
            broadcast: false,
            count: 0,
        }];
        let map = LayerSpec {
            layer: 1,
            kind: LayerKind::Map,
            tasks: self.leaves,
            function: 1,
            data_codec: F64,
            range_start: 1.0,
            range_step: 1.0,
            ..LayerSpec::default()
        };
        let tree = LayerSpec {
            layer: 2,
            kind: LayerKind::TreeReduce,
            tasks: self.reductions,
            function: 1,
            flags: WANTED_LAST,
            inputs: &over,
            fan_in: 2,
            ..LayerSpec::default()
        };
        self.apply(Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers: &[map, tree],
        }))?;
        let refused = self.out.messages.iter().find_map(|message| match message {
            Message::Refused { fault, .. } => Some(format!("refused: {}", fault.message)),
            _ => None,
        });
        refused.map_or(Ok(()), Err)
    }

    /// Applies what a worker said.
    fn take_in(&mut self, proc: ProcId, frame: &OutFrame) -> Result<(), String> {
        let parts = parts(frame);
        let opened = Frame::open(&parts, &mut self.aligned).map_err(|e| e.to_string())?;
        let (engine, out) = (&mut self.engine, &mut self.out);
        decode(&opened, Sender::Worker(proc), |meaning| match meaning {
            Inbound::Event(event) => engine
                .apply(Millis(0), event, out)
                .map_err(|error| format!("{error:?}")),
            _ => Err("a worker sent something else than Done".to_owned()),
        })
        .map_err(|error| error.to_string())?
    }

    /// Encodes what the engine wants sent; workers answer at once.
    fn deliver(&mut self) -> Result<(), String> {
        let wrong = |error: WireError| error.to_string();
        let Self {
            engine,
            out,
            encoder,
            aligned,
            workers,
            done,
            ..
        } = self;
        let mut frames = Vec::new();
        for told in out.procs() {
            let sums = &mut workers[told.proc.0 as usize - 1];
            for layer in told
                .layers
                .iter()
                .filter_map(|&serial| engine.layer(serial))
            {
                let frame = encoder.define_layer(&layer);
                let parts = parts(&frame);
                let opened = Frame::open(&parts, aligned).map_err(wrong)?;
                if let Told::Layer { serial, data_codec } = hear(&opened).map_err(wrong)? {
                    sums.define(serial, data_codec);
                }
            }
            encoder.assign(told.proc, told.incarnation, told.assign(), |frame| {
                frames.push(frame);
            });
            let from = Fence {
                epoch: EPOCH,
                proc: told.proc,
                incarnation: told.incarnation,
            };
            for frame in frames.drain(..) {
                let parts = parts(&frame);
                let opened = Frame::open(&parts, aligned).map_err(wrong)?;
                done.push_back((told.proc, sums.answer(&opened, from, encoder)?));
            }
        }
        out.clear();
        Ok(())
    }
}

/// A frame as a receiver has it.
fn parts(frame: &OutFrame) -> Vec<&[u8]> {
    std::iter::once(&frame.head)
        .chain(&frame.payload)
        .map(Vec::as_slice)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Inproc;

    #[test]
    fn any_number_of_procs_gives_the_sum() {
        for procs in [1, 24, 200] {
            let mut run = Inproc::new(procs, 5_000).expect("a fresh engine takes all of it");
            let leaves = f64::from(run.leaves);
            let sum = leaves * (leaves + 1.0) / 2.0 + f64::from(run.reductions);
            assert_eq!(run.run(), Ok(sum), "{procs} procs");
            assert_eq!(run.completed(), u64::from(run.tasks()));
        }
    }
}
