//! Names of things. On the wire and in stores a task is `(layer serial, index)`; serials and proc ids are
//! never used twice within an epoch. Inside the engine a row is a dense [`Task`]: page and row.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into a dense table.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A connected (or lately lost) client.
    ClientId
);
id!(
    /// A worker process: a connection, a store, a set of lanes. Ids start at 1; 0 means inline.
    ProcId
);
id!(
    /// Distinguishes connections of one worker program; said in every frame both ways.
    Incarnation
);
id!(
    /// A layer, for ever: the scheduler's number.
    LayerSerial
);
id!(
    /// A layer as its client numbers it.
    LayerNumber
);
id!(
    /// A function after deduplication by content hash.
    FunctionSerial
);
id!(
    /// Inside: a machine, known by the name its procs give.
    HostId
);
id!(
    /// Inside: a lane of any proc. Slots are reused; the lane epoch is not.
    LaneSlot
);

/// Milliseconds since some fixed moment: the engine has no clock and is told the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// A task as everybody outside the engine names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskRef {
    /// The layer's serial.
    pub serial: LayerSerial,
    /// The row in it.
    pub index: u32,
}

/// Rows per page. A row's page in its layer is `index >> PAGE_BITS`.
pub const PAGE_BITS: u32 = 16;

/// Rows per page.
pub const PAGE_ROWS: u32 = 1 << PAGE_BITS;

/// Inside: a row. The upper half is a slot of the page table, the lower half the row in that page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task(pub u32);

impl Task {
    /// No task: the end of a list.
    pub const NONE: Task = Task(u32::MAX);

    /// The row `row` of the page in `slot`.
    #[inline]
    pub fn new(slot: u32, row: u32) -> Task {
        Task(slot << PAGE_BITS | row)
    }

    /// The slot in the page table.
    #[inline]
    pub fn slot(self) -> usize {
        (self.0 >> PAGE_BITS) as usize
    }

    /// The row in the page.
    #[inline]
    pub fn row(self) -> usize {
        (self.0 & (PAGE_ROWS - 1)) as usize
    }
}
