//! The engine: all state, one entry. Equal (state, now, event) gives equal effects and an equal digest.

use crate::event::{Event, Malformed};
use crate::id::{ClientId, FunctionSerial, LayerSerial, Millis, ProcId};
use crate::out::Out;
use crate::update::UpdateOut;
use crate::view::{FunctionView, LayerView, ProcView, Stats, Why};

/// How much of its own state the engine examines after each event. Compiled in every profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckLevel {
    /// Nothing.
    Off,
    /// Assertions in handlers only.
    #[default]
    Light,
    /// Rows an event touched.
    Touched,
    /// Everything.
    Full,
}

/// Fixed for the life of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Random, not zero; frames of another epoch are stale.
    pub epoch: u32,
    /// How much to examine.
    pub check: CheckLevel,
}

/// The scheduler's state.
#[derive(Debug)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// An engine that knows nobody.
    pub fn new(config: Config) -> Engine {
        Engine { config }
    }

    /// Applies one event and collects its effects in `out`.
    ///
    /// # Errors
    /// [`Malformed`]: the event says what no correct peer says; nothing has changed.
    pub fn apply(
        &mut self,
        _now: Millis,
        _event: Event<'_>,
        _out: &mut Out,
    ) -> Result<(), Malformed> {
        Ok(())
    }

    /// Clients with something to be told and credit to be told it, in order.
    pub fn updates_due(&self) -> impl Iterator<Item = ClientId> + '_ {
        std::iter::empty()
    }

    /// Fills `update` with the present state of rows that changed for `client`, about `bytes_max` bytes at most.
    /// False: nothing to say, or no credit. Call again until it is false.
    pub fn next_update(
        &mut self,
        _client: ClientId,
        _bytes_max: usize,
        update: &mut UpdateOut,
    ) -> bool {
        update.clear();
        false
    }

    /// What workers need to know of a function.
    pub fn function(&self, _serial: FunctionSerial) -> Option<FunctionView<'_>> {
        None
    }

    /// What workers need to know of a layer.
    pub fn layer(&self, _serial: LayerSerial) -> Option<LayerView<'_>> {
        None
    }

    /// A proc that is connected.
    pub fn proc(&self, _proc: ProcId) -> Option<ProcView<'_>> {
        None
    }

    /// Every proc that is connected, by id.
    pub fn procs(&self) -> impl Iterator<Item = ProcView<'_>> {
        std::iter::empty()
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Why a client's row is where it is; None: no such row.
    pub fn why(&self, _client: ClientId, _layer: u32, _index: u32) -> Option<Why> {
        None
    }

    /// The earliest time at which a `Tick` would do something.
    pub fn deadline(&self) -> Option<Millis> {
        None
    }

    /// A hash of the logical state, independent of the order in which it came about.
    pub fn digest(&self) -> u64 {
        u64::from(self.config.epoch)
    }
}
